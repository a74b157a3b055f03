import { readFirewallPath, readFirewallWrapper, sudoersLines } from '../../src/exposure/privilege';
import type { HostSpec } from '../lab/host-spec';
import type { LabHost } from '../lab/host';
import { labUser } from '../lab/skeleton';

/** A host that the internet can reach, set up as `host-setup` does, so that its exposure is proven and not assumed. */
export function exposedHost(name: string, address: string, others: Partial<HostSpec> = {}): HostSpec {
  return {
    name,
    addresses: [address],
    listeners: ['tcp 0.0.0.0:443'],
    sudoers: sudoersLines(labUser).join('\n'),
    ...others,
  };
}

/** The second half of it: the root-owned program that lists the firewall's rules. */
export function letReadFirewall(host: LabHost): void {
  host.write(readFirewallPath, readFirewallWrapper(), { mode: 0o755 });
}
