import { createHash } from 'node:crypto';

/** One of `count` exporters that share a fleet; `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Reads `K/N`; null when it is anything else. */
export function parseShard(text: string): Shard | null {
  const match = /^([1-9][0-9]{0,3})\/([1-9][0-9]{0,3})$/.exec(text);
  if (match === null) return null;
  const shard = { index: Number(match[1]), count: Number(match[2]) };
  return shard.index <= shard.count ? shard : null;
}

/**
 * Whether a host falls to this shard, by rendezvous hashing: of all shards the
 * one with the highest hash of host and shard has it. One more shard takes an
 * equal part from each of the others and moves nothing else.
 */
export function isInShard(name: string, shard: Shard): boolean {
  let best = 0;
  let bestHash = -1;
  for (let index = 1; index <= shard.count; index++) {
    const hash = createHash('sha256').update(`${index}/${name}`).digest().readUIntBE(0, 6);
    if (hash > bestHash) {
      bestHash = hash;
      best = index;
    }
  }
  return best === shard.index;
}
