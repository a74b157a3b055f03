import type { Lab } from '../lab/lab';
import type { LabHost } from '../lab/host';

/** Peers from all over the internet. */
const peers4 = ['8.8.8.8', '45.9.8.7', '91.2.3.4', '151.101.1.1', '212.11.12.13'];
const peers6 = ['2001:4860::8', '2600:1f00::5', '2a02:2f0::9', '2804:14c::3', '240e:1::9'];

/** Patience for a busy machine, in milliseconds. */
const silence = 900;

/**
 * Ports that most peers get in to, by real packets to every address that the internet routes to the host: `tcp/443 ipv4`,
 * sorted. A busy machine may be slow, but it opens no port: one that answered once is open.
 */
export async function reachedPorts(
  lab: Lab,
  host: LabHost,
  ports: readonly number[],
  udpPorts: readonly number[],
): Promise<readonly string[]> {
  const found: string[] = [];
  const tries = [...ports.map(tcp), ...udpPorts.map(udp)].flatMap(({ proto, port }) =>
    (host.spec.addresses ?? []).map(async (to) => {
      const isV6 = to.includes(':');
      const answers = await Promise.all(
        (isV6 ? peers6 : peers4).map((from) =>
          lab.router.knock({ proto, from, to, port, timeoutMilliseconds: silence }),
        ),
      );
      const reached = answers.filter((answer) => answer === 'open').length;
      if (reached >= answers.length / 2) found.push(`${proto}/${port} ${isV6 ? 'ipv6' : 'ipv4'}`);
    }),
  );
  await Promise.all(tries);
  return found.sort();
}

interface Wanted {
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
}

function tcp(port: number): Wanted {
  return { proto: 'tcp', port };
}

function udp(port: number): Wanted {
  return { proto: 'udp', port };
}
