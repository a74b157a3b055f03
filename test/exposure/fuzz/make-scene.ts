import { iptablesScene } from './iptables-scene';
import { nftScene } from './nft-scene';
import { Random } from './random';
import { type Scene, sceneListeners } from './scene';

/** The scene that a seed stands for. */
export function makeScene(seed: number): Scene {
  const random = new Random(seed);
  const listeners = sceneListeners(random);
  const parts = random.weighted([
    [6, () => [nftScene(random, listeners)]],
    [4, () => [iptablesScene(random, listeners)]],
    [1, () => [nftScene(random, listeners), iptablesScene(random, listeners)]],
  ] as const);
  const sysctls = {
    'net/ipv4/ip_forward': random.chance(0.7) ? '1' : '0',
    'net/ipv6/conf/all/forwarding': random.chance(0.7) ? '1' : '0',
    'net/ipv4/conf/all/rp_filter': '0',
    'net/ipv4/conf/eth0/rp_filter': random.pick(['0', '0', '1', '2']),
    'net/ipv4/conf/eth0/route_localnet': random.chance(0.2) ? '1' : '0',
  };
  return {
    seed,
    listeners,
    loads: parts.flatMap((part) => part.loads),
    sysctls,
    ports: [...new Set(parts.flatMap((part) => part.ports))],
    peerPorts: [...new Set(parts.flatMap((part) => part.peerPorts))],
    fickle: parts.some((part) => part.fickle),
  };
}
