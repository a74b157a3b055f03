import { inputChain, nft, sectionsOf, type SimpleHost } from './simple-host';
import type { Sections } from '../../src/report/section';

/** Different addresses, spread over the public space. */
export function addresses(count: number): readonly string[] {
  const found = new Set<string>();
  for (let i = 0; found.size < count; i += 1) {
    found.add(`${1 + ((i * 37) % 220)}.${(i >> 4) & 255}.${(i * 7) & 255}.${(i * 13) & 255}`);
  }
  return [...found];
}

const place = { family: 'inet', table: 'f' };
const ports = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `tcp 0.0.0.0:${1000 + i}`);

function bigSet(): SimpleHost {
  const [table, ...rest] = inputChain('drop', [nft.from('@s'), nft.drop], [nft.tcp(443), nft.accept]);
  const set = { set: { ...place, name: 's', type: 'ipv4_addr', elem: addresses(65_000) } };
  return { listeners: ['tcp 0.0.0.0:443', 'tcp 0.0.0.0:22'], nft: [table, set, ...rest] };
}

function bigIptables(): SimpleHost {
  const rules = addresses(5000).map(
    (address, i) => `-A INPUT -s ${address}/32 -p tcp -m tcp --dport ${(i * 13) % 65536} -j DROP`,
  );
  const head = ['*filter', ':INPUT DROP [0:0]', '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'];
  const tail = ['-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT', 'COMMIT', ''];
  return { listeners: ['tcp 0.0.0.0:443', 'tcp 0.0.0.0:22'], legacy: [...head, ...rules, ...tail].join('\n') };
}

function manySockets(): SimpleHost {
  return { listeners: ports(10_000), nft: inputChain('drop', [nft.tcp(1000), nft.accept]) };
}

function circles(): SimpleHost {
  const names = Array.from({ length: 50 }, (_, i) => `c${i}`);
  const chains = names.map((name) => ({ chain: { ...place, name } }));
  const rules = names.flatMap((chain, i) =>
    [1, 7, 13].map((step) => ({
      rule: { ...place, chain, expr: [{ jump: { target: names[(i + step) % names.length] } }] },
    })),
  );
  const [table, ...rest] = inputChain('drop', [{ jump: { target: 'c0' } }]);
  return { listeners: ['tcp 0.0.0.0:443'], nft: [table, ...chains, ...rules, ...rest] };
}

function verdictMap(): SimpleHost {
  const elem = Array.from({ length: 10_000 }, (_, i) => [
    i + 1,
    i % 2 === 0 ? { drop: null } : { jump: { target: 'c' } },
  ]);
  const [table, ...rest] = inputChain('drop', [{ vmap: { key: nft.tcp(1).match.left, data: '@m' } }]);
  const extra = [
    { chain: { ...place, name: 'c' } },
    { map: { ...place, name: 'm', type: 'inet_service', map: 'verdict', elem } },
    { rule: { ...place, chain: 'c', expr: [nft.accept] } },
  ];
  return { listeners: ports(1000), nft: [table, ...extra, ...rest] };
}

/** The large hosts, each made when it is asked for. */
export const largeHosts: Readonly<Record<string, () => Sections>> = {
  'a set of 65,000 addresses': () => sectionsOf(bigSet()),
  '5,000 iptables rules': () => sectionsOf(bigIptables()),
  '10,000 sockets': () => sectionsOf(manySockets()),
  '5,000 iptables rules and 10,000 sockets': () => sectionsOf({ ...bigIptables(), listeners: ports(10_000) }),
  '50 chains that jump in circles': () => sectionsOf(circles()),
  'a verdict map of 10,000 ports, 1,000 sockets': () => sectionsOf(verdictMap()),
};
