import type { Knock } from './agent';
import type { Arena } from './arena';
import { Random } from './random';
import { HOST4, HOST6, INSIDE4, INSIDE6, PUBLIC4, PUBLIC6, type Scene } from './scene';

/** Which peers reached which port, by `proto family port`. */
export interface Truth {
  readonly reached: ReadonlyMap<string, ReadonlySet<string>>;
  readonly tried: ReadonlyMap<string, ReadonlySet<string>>;
}

const WAIT_MS = 160;
const PEERS4 = 11;
const PEERS6 = 5;

/** A connection that used a source port lately may still be known to conntrack. */
const lastUse = new Map<string, number>();
const FORGOTTEN_MS = 240_000;

let serial = 0;

/** Sends real packets from many peers to every port that matters, with ordinary SYNs and with ECN ones. */
export async function probe(agents: NonNullable<Arena['agents']>, scene: Scene): Promise<Truth> {
  const random = new Random(scene.seed ^ 0x5bd1e995);
  const peers4 = [...random.some(PUBLIC4, PEERS4), ...random.some(INSIDE4, 3)];
  const peers6 = [...random.some(PUBLIC6, PEERS6), ...random.some(INSIDE6, 2)];
  const ports = [...new Set([...scene.listeners.map((listener) => listener.port), ...scene.ports])].slice(0, 9);
  const keys = new Map<number, { readonly key: string; readonly from: string }>();
  const tried = new Map<string, Set<string>>();
  const reached = new Map<string, Set<string>>();
  const knocks: Knock[] = [];
  const add = (proto: 'tcp' | 'udp', family: 4 | 6, from: string, fromPort: number, to: string, port: number): void => {
    if (fromPort !== 0 && !free(`${proto} ${from} ${fromPort} ${to} ${port}`)) return;
    serial += 1;
    const key = `${proto} ${family} ${port}`;
    keys.set(serial, { key, from });
    tried.set(key, (tried.get(key) ?? new Set()).add(from));
    knocks.push({ id: serial, proto, from, fromPort, to, port });
  };
  for (const port of ports) {
    for (const proto of ['tcp', 'udp'] as const) {
      for (const from of peers4) {
        add(proto, 4, from, 0, HOST4[0], port);
        for (const fromPort of scene.peerPorts) add(proto, 4, from, fromPort, HOST4[0], port);
      }
      for (const from of peers6) add(proto, 6, from, 0, HOST6[0], port);
      for (const to of HOST4.slice(1)) for (const from of peers4.slice(0, 4)) add(proto, 4, from, 0, to, port);
      for (const from of peers6.slice(0, 2)) add(proto, 6, from, 0, HOST6[1], port);
    }
  }
  const usesFlags = scene.loads.some((load) => load.input.includes('flags'));
  for (const ecn of usesFlags ? ['0', '1'] : ['0']) {
    await agents.internet.ask({ do: 'write', files: { '/proc/sys/net/ipv4/tcp_ecn': ecn } });
    const wanted = ecn === '0' ? knocks : knocks.filter((knock) => knock.proto === 'tcp' && knock.fromPort === 0);
    const answered = await agents.internet.ask<readonly number[]>({ do: 'knock', knocks: wanted, waitMs: WAIT_MS });
    for (const id of answered) note(id);
  }
  for (const agent of [agents.host, agents.container]) {
    for (const id of await agent.ask<readonly number[]>({ do: 'received' })) note(id);
  }
  return { reached, tried };

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
