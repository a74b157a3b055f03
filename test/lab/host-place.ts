import { hardwareAddress, hostAddresses, type AddressPlan } from './address-plan';
import type { Router } from './router';

/** Where a host is in its lab. */
export interface HostPlace {
  readonly slot: number;
  readonly index: number;
  readonly plan: AddressPlan;
  /** The host's folder in the lab. */
  readonly folder: string;
  readonly router: Router;
  readonly clientPublicKey: string;
}

/**
 * Lines for ip(8) in the router's namespace: a cable from the bridge to a host's namespace, given by a process in it.
 * Router and hosts know each other's hardware address for good, so that rules which happen to drop neighbour discovery
 * (`ip6tables -P INPUT DROP`) do not decide, a second later or earlier, what a port answers.
 */
export function cableLines(place: HostPlace, boot: number, pid: number): string[] {
  // The cable of the boot before may still be on its way out: each has a name of its own.
  const port = `h${place.index}b${boot}`;
  const hardware = hardwareAddress(place.slot, place.index);
  const { v4, v6 } = hostAddresses(place.slot, place.index);
  return [
    `link add name ${port} type veth peer name eth0 address ${hardware} netns ${pid}`,
    `link set ${port} master hosts up`,
    `neighbour replace ${v4} lladdr ${hardware} dev hosts nud permanent`,
    `neighbour replace ${v6} lladdr ${hardware} dev hosts nud permanent`,
  ];
}

/** Lines for ip(8) on the host: its addresses and its way out. */
export function networkLines(place: HostPlace, additional: readonly string[]): string[] {
  const { plan } = place;
  const { v4, v6 } = hostAddresses(place.slot, place.index);
  return [
    'link set lo up',
    `address add ${v4}/${plan.hostsPrefixV4} broadcast + dev eth0`,
    `address add ${v6}/${plan.hostsPrefixV6} dev eth0 nodad`,
    ...additional.map(addAddressLine),
    'link set eth0 up',
    `neighbour replace ${plan.gatewayV4} lladdr ${plan.gatewayHardware} dev eth0 nud permanent`,
    `neighbour replace ${plan.gatewayV6} lladdr ${plan.gatewayHardware} dev eth0 nud permanent`,
    `route add default via ${plan.gatewayV4}`,
    `route add ::/0 via ${plan.gatewayV6}`,
  ];
}

/** Line for ip(8) that gives a host one more address. */
export function addAddressLine(address: string): string {
  return `address add ${address}${address.includes(':') ? '/128 dev eth0 nodad' : '/32 dev eth0'}`;
}
