import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Live objects of one kind. */
interface Kind {
  count: number;
  bytes: number;
}

/** A kind of which there were more at the second snapshot than at the first. */
export interface GrownKind {
  readonly name: string;
  readonly more: number;
  readonly moreBytes: number;
  readonly of: number;
}

interface SnapshotJson {
  readonly snapshot: { readonly meta: { readonly node_fields: string[]; readonly node_types: (string | string[])[] } };
  readonly nodes: number[];
  readonly strings: string[];
}

/** Longest that a snapshot of a heap may take to be written, in seconds. */
const limitSeconds = 120;

/** Has a process that was started with `--heapsnapshot-signal=SIGUSR2` write one. Garbage is collected first. @returns its file. */
export async function takeSnapshot(pid: number, folder: string): Promise<string> {
  const before = new Set(snapshots(folder));
  process.kill(pid, 'SIGUSR2');
  const deadline = performance.now() + limitSeconds * 1000;
  for (let sizeBefore = -1; performance.now() < deadline; await sleep(1000)) {
    const name = snapshots(folder).find((each) => !before.has(each));
    if (name === undefined) continue;
    const { size } = statSync(join(folder, name));
    if (size > 0 && size === sizeBefore) return join(folder, name);
    sizeBefore = size;
  }
  throw new Error(`no heap snapshot after ${limitSeconds} s`);
}

function snapshots(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.heapsnapshot'));
}

/**
 * The bytes of live objects, and the kinds that grew, those that grew most first. What lies outside the heap (compression under way, pieces
 * of answers on their way) is no part of the sum: it comes and goes within milliseconds, and the process' figures have it.
 */
export function compareSnapshots(
  firstFile: string,
  secondFile: string,
): { readonly firstBytes: number; readonly secondBytes: number; readonly grown: GrownKind[] } {
  const first = kindsOf(firstFile);
  const second = kindsOf(secondFile);
  const grown: GrownKind[] = [];
  for (const [name, { count, bytes }] of second) {
    const before = first.get(name) ?? { count: 0, bytes: 0 };
    if (count > before.count || bytes > before.bytes) {
      grown.push({ name, more: count - before.count, moreBytes: bytes - before.bytes, of: before.count });
    }
  }
  grown.sort((one, other) => other.moreBytes - one.moreBytes);
  const total = (kinds: ReadonlyMap<string, Kind>): number =>
    [...kinds].reduce((sum, [name, { bytes }]) => (name.startsWith('native ') ? sum : sum + bytes), 0);
  return { firstBytes: total(first), secondBytes: total(second), grown };
}

/** Objects by the name of their constructor, and everything else by its type. */
function kindsOf(file: string): Map<string, Kind> {
  const { snapshot, nodes, strings } = JSON.parse(readFileSync(file, 'utf8')) as SnapshotJson;
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [typeAt, nameAt, sizeAt] = ['type', 'name', 'self_size'].map((field) => fields.indexOf(field));
  const typeNames = types[typeAt ?? 0] as string[];
  const kinds = new Map<string, Kind>();
  for (let at = 0; at < nodes.length; at += fields.length) {
    const type = typeNames[nodes[at + (typeAt ?? 0)] ?? 0] ?? '';
    const isObject = type === 'object' || type === 'native' || type === 'closure';
    const name = isObject ? `${type} ${(strings[nodes[at + (nameAt ?? 0)] ?? 0] ?? '').slice(0, 60)}` : `(${type})`;
    const bytes = nodes[at + (sizeAt ?? 0)] ?? 0;
    const kind = kinds.get(name);
    if (kind === undefined) kinds.set(name, { count: 1, bytes });
    else {
      kind.count += 1;
      kind.bytes += bytes;
    }
  }
  return kinds;
}
