import { Random } from './random';

/** A socket that the host under test opens. */
export interface SceneListener {
  readonly proto: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  readonly ipv6Only: boolean;
}

/** One thing to try: a ruleset with the sockets behind it. */
export interface Scene {
  readonly seed: number;
  readonly listeners: readonly SceneListener[];
  /** Files to load, in this order: program and what it reads. */
  readonly loads: readonly { readonly argv: readonly string[]; readonly input: string }[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Ports to try beside the listeners', and source ports beside the usual ones. */
  readonly ports: readonly number[];
  readonly peerPorts: readonly number[];
  /** Has rules that depend on chance or on what went before: then not everybody gets in who may. */
  readonly fickle: boolean;
}

/** First bytes of IPv4 addresses of which all are public (RFC 6890 has none of them). */
const FIRST_BYTES = Array.from({ length: 222 }, (_, i) => i + 1).filter(
  (byte) => ![10, 100, 127, 169, 172, 192, 198, 203].includes(byte),
);

/** The host's own addresses in the arena; the first of each family is the public one. */
export const HOST4 = ['203.0.113.10', '10.0.0.10', '172.17.0.1'] as const;
export const HOST6 = ['2001:db8::10', 'fd00:10::10'] as const;
export const CONTAINER4 = '172.17.0.2';
export const CONTAINER6 = 'fd00:17::2';

export const PUBLIC4 = [
  ...['1.1.1.1', '3.5.7.9', '8.8.8.8', '13.14.15.16', '23.22.21.20', '31.13.1.1', '45.9.8.7', '46.1.2.3', '52.6.7.8'],
  ...['62.3.4.5', '77.88.99.11', '80.81.82.83', '91.2.3.4', '95.96.97.98', '104.16.1.2', '118.1.1.1', '133.4.5.6'],
  ...['142.250.1.1', '151.101.1.1', '163.1.2.3', '177.8.9.10', '185.5.6.7', '195.1.1.2', '203.1.2.3', '212.11.12.13'],
] as const;
export const INSIDE4 = [
  '198.51.100.7',
  '198.51.100.200',
  '10.1.2.3',
  '192.168.7.9',
  '100.64.3.3',
  '172.16.5.5',
] as const;
export const PUBLIC6 = [
  ...['2400:cb00::1', '2600:1f00::5', '2a00:1450::7', '2a02:2f0::9', '2001:4860::8', '2804:14c::3', '2c0f:f248::4'],
  ...['2606:4700::11', '2003:e2::12', '240e:1::9'],
] as const;
/**
 * Peers drawn evenly from the public space: rules name networks around the others above, and nobody in particular around
 * these. They settle whether "half of those who tried" is half of the internet.
 */
export const ANYWHERE4: readonly string[] = drawn(30, (random) => {
  const first = random.pick(FIRST_BYTES);
  return [first, random.integer(0, 255), random.integer(0, 255), random.integer(1, 254)].join('.');
});
export const ANYWHERE6: readonly string[] = drawn(30, (random) => {
  const block = random.pick([0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00]);
  const group = (): string => random.integer(0, 0xffff).toString(16);
  return `${(block + random.integer(0, 15)).toString(16)}:${group()}:${group()}::${group()}`;
});

function drawn(count: number, draw: (random: Random) => string): readonly string[] {
  const random = new Random(2026);
  return Array.from({ length: count }, () => draw(random));
}

export const INSIDE6 = ['2001:db8:100::7', 'fd00:1::5'] as const;

const LISTENING = [22, 25, 53, 80, 443, 1000, 3306, 5432, 8080, 8443] as const;

/** A handful of sockets, on any address, on one, on the loopback, in one family or both. */
export function sceneListeners(random: Random): readonly SceneListener[] {
  const out = new Map<string, SceneListener>();
  for (let i = random.integer(1, 5); i > 0; i -= 1) {
    const proto = random.chance(0.75) ? 'tcp' : 'udp';
    const port = random.pick(LISTENING);
    const address = random.weighted<string>([
      [5, () => '0.0.0.0'],
      [4, () => '::'],
      [2, () => HOST4[0]],
      [1, () => HOST6[0]],
      [1, () => '127.0.0.1'],
      [0.5, () => '::1'],
      [0.5, () => HOST4[1]],
      [0.3, () => HOST4[2]],
    ]);
    const ipv6Only = address !== '::' || random.chance(0.4);
    // One socket a port keeps bind(2) from failing.
    out.set(`${proto} ${port}`, { proto, address, port, ipv6Only });
  }
  return [...out.values()];
}

/** A network that some of the peers are in, often; wide, narrow or in halves. */
export function network4(random: Random): string {
  const address = random.pick(random.chance(0.6) ? PUBLIC4 : INSIDE4);
  const [a = '', b = '', c = ''] = address.split('.');
  return random.weighted<string>([
    [2, () => `${address}`],
    [2, () => `${a}.${b}.${c}.0/24`],
    [2, () => `${a}.0.0.0/8`],
    [1, () => '0.0.0.0/1'],
    [1, () => '128.0.0.0/1'],
    [1, () => '198.51.100.0/24'],
    [1, () => random.pick(['64.0.0.0/2', '10.0.0.0/8', '192.0.0.0/3'])],
  ]);
}

export function network6(random: Random): string {
  const address = random.pick(random.chance(0.6) ? PUBLIC6 : INSIDE6);
  return random.weighted<string>([
    [2, () => address],
    [2, () => `${address.split(':').slice(0, 2).join(':')}::/32`],
    [2, () => `${address.split(':')[0]}::/16`],
    [1, () => '2000::/3'],
    [1, () => '2a00::/12'],
    [1, () => '2001:db8:100::/48'],
  ]);
}

/** A port that matters: mostly one that somebody listens on. */
export function port(random: Random, listeners: readonly SceneListener[]): number {
  return random.chance(0.8) ? random.pick(listeners).port : random.pick([...LISTENING, 30080, 2222]);
}
