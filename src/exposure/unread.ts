import { SMALL_SHARE, publicShare } from './address-space';
import { openTo, who } from './explain';
import type { Approach, PortFinding } from './port-verdicts';
import { EMPTY, isEmpty } from './ranges';
import type { Laboratory } from './trial';

/** Ports that have a socket, when nobody can tell what the firewall does with them: only the edge is known. */
export function unreadPorts(approach: Approach, lab: Laboratory, missing: readonly string[]): readonly PortFinding[] {
  const { family } = approach;
  const why = missing.slice(0, 2).join('; ');
  return ([6, 17] as const).flatMap((transport) =>
    lab.environment.listeners.ports(transport, family).map((port): PortFinding => {
      const reach = { surely: EMPTY, maybe: approach.peers(transport, port) };
      const to = openTo(family, reach);
      const because =
        to === 'unknown'
          ? `not certain: ${why}`
          : isEmpty(reach.maybe)
            ? 'open to nobody: the edge rules let nobody through to it'
            : `${who(family, reach.maybe)}: by the edge rules; of the host’s own is not known: ${why}`;
      return { transport, family, port, lastPort: port, openTo: to, because, reach };
    }),
  );
}

/** Whether the edge lets the internet at large through to no port at all: then no rule of the host can open one. */
export function isShutByEdge(approach: Approach, lab: Laboratory): boolean {
  const { family } = approach;
  return lab.environment.usage
    .classes('dport', 65535)
    .every(({ first }) =>
      ([6, 17] as const).every((transport) => publicShare(family, approach.peers(transport, first)) < SMALL_SHARE),
    );
}
