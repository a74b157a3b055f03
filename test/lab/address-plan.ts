/**
 * Which addresses a lab uses. Several labs run side by side on one machine (jest runs test files in parallel),
 * each in a slot of its own: a /20 of 10.213.0.0/16 and a /48 of a unique local prefix (RFC 4193).
 */

/** How many labs can run at once on a machine. */
export const slotCount = 16;
/** How many hosts a lab can have: a Linux bridge has at most 1,024 ports (BR_MAX_PORTS in net/bridge/br_private.h). */
export const maxHosts = 1000;

/** The addresses of a lab. */
export interface AddressPlan {
  /** Network device of the test process' side; names have at most 15 characters (IFNAMSIZ). */
  readonly device: string;
  readonly testerV4: string;
  readonly routerV4: string;
  readonly testerV6: string;
  readonly routerV6: string;
  readonly labV4: string;
  readonly labV6: string;
  readonly gatewayV4: string;
  readonly gatewayV6: string;
  readonly gatewayHardware: string;
  /** Prefix lengths of the segment on which the hosts are. */
  readonly hostsPrefixV4: number;
  readonly hostsPrefixV6: number;
}

/** The addresses of the lab in a slot. */
export function addressPlan(slot: number): AddressPlan {
  const third = slot * 16;
  const hex = slot.toString(16);
  return {
    device: `rexlab${slot}`,
    testerV4: `10.213.${third}.1`,
    routerV4: `10.213.${third}.2`,
    testerV6: `fd52:eb00:${hex}::1`,
    routerV6: `fd52:eb00:${hex}::2`,
    labV4: `10.213.${third}.0/20`,
    labV6: `fd52:eb00:${hex}::/48`,
    gatewayV4: `10.213.${third + 8}.1`,
    gatewayV6: `fd52:eb00:${hex}:8::1`,
    gatewayHardware: hardwareAddress(slot, 0xffff),
    hostsPrefixV4: 21,
    hostsPrefixV6: 64,
  };
}

/** The addresses of the host with an index, in the lab in a slot. */
export function hostAddresses(slot: number, index: number): { readonly v4: string; readonly v6: string } {
  return {
    v4: `10.213.${slot * 16 + 8 + Math.floor(index / 240)}.${10 + (index % 240)}`,
    v6: `fd52:eb00:${slot.toString(16)}:8::${(index + 16).toString(16)}`,
  };
}

/** A stable, locally administered hardware address: after a restart neighbours still find the host. */
export function hardwareAddress(slot: number, index: number): string {
  const byte = (value: number): string => value.toString(16).padStart(2, '0');
  return `02:52:eb:${byte(slot)}:${byte(index >> 8)}:${byte(index & 255)}`;
}
