import type { Knock } from './agent';
import type { Arena } from './arena';
import { Random } from './random';
import { ANYWHERE4, ANYWHERE6, HOST4, HOST6, INSIDE4, INSIDE6, PUBLIC4, PUBLIC6, type Scene } from './scene';

/** Which peers reached which port, by `proto family port`. */
export interface Truth {
  readonly reached: ReadonlyMap<string, ReadonlySet<string>>;
  readonly tried: ReadonlyMap<string, ReadonlySet<string>>;
  /** Peers that tried everything: every address of the host, from every source port that matters. */
  readonly complete: ReadonlySet<string>;
}

const WAIT_MS = 160;
const PATIENT_MS = 700;
const PEERS4 = 11;
const PEERS6 = 5;
/** How many peers of each family try everything. */
const COMPLETE = 5;

/** A connection that used a source port lately may still be known to conntrack. */
const lastUse = new Map<string, number>();
const FORGOTTEN_MS = 240_000;

let serial = 0;

/** Sends real packets from many peers to every port that matters, with ordinary SYNs and with ECN ones. */
export async function probe(agents: NonNullable<Arena['agents']>, scene: Scene): Promise<Truth> {
  return round(agents, scene, WAIT_MS, () => true, someOf(scene));
}

/** Tries some ports again, patiently: a busy machine may have been too slow the first time. */
export async function probeAgain(
  agents: NonNullable<Arena['agents']>,
  scene: Scene,
  first: Truth,
  keys: ReadonlySet<string>,
): Promise<Truth> {
  const second = await round(agents, scene, PATIENT_MS, (key) => keys.has(key), someOf(scene));
  const reached = new Map(first.reached);
  for (const [key, peers] of second.reached) reached.set(key, new Set([...(first.reached.get(key) ?? []), ...peers]));
  return { ...first, reached };
}

/** Those of some ports that at least half of peers from all over the internet get in to. */
export async function openToHalf(
  agents: NonNullable<Arena['agents']>,
  scene: Scene,
  keys: readonly string[],
): Promise<readonly string[]> {
  const all = { complete4: ANYWHERE4, complete6: ANYWHERE6, others4: [], others6: [] };
  const { reached } = await round(agents, scene, PATIENT_MS, (key) => keys.includes(key), all);
  return keys.filter((key) => (reached.get(key)?.size ?? 0) >= ANYWHERE4.length / 2);
}

/** Peers of each family that try everything, and those that try the first address only. */
interface Peers {
  readonly complete4: readonly string[];
  readonly complete6: readonly string[];
  readonly others4: readonly string[];
  readonly others6: readonly string[];
}

function someOf(scene: Scene): Peers {
  const random = new Random(scene.seed ^ 0x5bd1e995);
  const peers4 = shuffled(random, [...random.some(PUBLIC4, PEERS4), ...random.some(INSIDE4, 3)]);
  const peers6 = shuffled(random, [...random.some(PUBLIC6, PEERS6), ...random.some(INSIDE6, 2)]);
  return {
    complete4: peers4.slice(0, COMPLETE),
    complete6: peers6.slice(0, COMPLETE),
    others4: peers4.slice(COMPLETE),
    others6: peers6.slice(COMPLETE),
  };
}

async function round(
  agents: NonNullable<Arena['agents']>,
  scene: Scene,
  waitMs: number,
  wants: (key: string) => boolean,
  { complete4, complete6, others4, others6 }: Peers,
): Promise<Truth> {
  const ports = [...new Set([...scene.listeners.map((listener) => listener.port), ...scene.ports])].slice(0, 9);
  const keys = new Map<number, { readonly key: string; readonly from: string }>();
  const tried = new Map<string, Set<string>>();
  const reached = new Map<string, Set<string>>();
  const knocks: Knock[] = [];
  const skipped = new Set<string>();
  const add = (proto: 'tcp' | 'udp', family: 4 | 6, from: string, fromPort: number, to: string, port: number): void => {
    const key = `${proto} ${family} ${port}`;
    if (!wants(key)) return;
    if (fromPort !== 0 && !free(`${proto} ${from} ${fromPort} ${to} ${port}`)) {
      skipped.add(from);
      return;
    }
    serial += 1;
    keys.set(serial, { key, from });
    tried.set(key, (tried.get(key) ?? new Set()).add(from));
    knocks.push({ id: serial, proto, from, fromPort, to, port });
  };
  const all4 = new Set(complete4);
  const all6 = new Set(complete6);
  for (const port of ports) {
    for (const proto of ['tcp', 'udp'] as const) {
      for (const from of [...complete4, ...others4]) {
        const fromPorts = [0, ...scene.peerPorts];
        for (const to of all4.has(from) ? HOST4 : HOST4.slice(0, 1))
          for (const fromPort of fromPorts) add(proto, 4, from, fromPort, to, port);
      }
      for (const from of [...complete6, ...others6]) {
        const fromPorts = [0, ...scene.peerPorts];
        for (const to of all6.has(from) ? HOST6 : HOST6.slice(0, 1))
          for (const fromPort of fromPorts) add(proto, 6, from, fromPort, to, port);
      }
    }
  }
  const usesFlags = scene.loads.some((load) => load.input.includes('flags'));
  for (const ecn of usesFlags ? ['0', '1'] : ['0']) {
    await agents.internet.ask({ do: 'write', files: { '/proc/sys/net/ipv4/tcp_ecn': ecn } });
    const wanted = ecn === '0' ? knocks : knocks.filter((knock) => knock.proto === 'tcp' && knock.fromPort === 0);
    const answered = await agents.internet.ask<readonly number[]>({ do: 'knock', knocks: wanted, waitMs });
    for (const id of answered) note(id);
  }
  for (const agent of [agents.host, agents.container]) {
    for (const id of await agent.ask<readonly number[]>({ do: 'received' })) note(id);
  }
  return { reached, tried, complete: new Set([...all4, ...all6].filter((peer) => !skipped.has(peer))) };

  function note(id: number): void {
    const found = keys.get(id);
    if (found !== undefined) reached.set(found.key, (reached.get(found.key) ?? new Set()).add(found.from));
  }
}

function free(tuple: string): boolean {
  const now = Date.now();
  if (now - (lastUse.get(tuple) ?? -Infinity) < FORGOTTEN_MS) return false;
  lastUse.set(tuple, now);
  return true;
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
