import { readFirewallPath, readFirewallWrapper, sudoersLines } from '../exposure/privilege';
import { probeProgram } from '../probe/program';

/** What is set up once on a host, in whatever language it is printed. */
export interface HostPlan {
  readonly user: string;
  readonly home: string;
  readonly folder: string;
  readonly probePath: string;
  readonly probe: string;
  readonly wrapperPath: string;
  readonly wrapper: string;
  readonly sudoersPath: string;
  readonly sudoers: string;
  readonly authorizedKeys: string;
}

const folder = '/usr/local/lib/reboot-exporter';

/** Stands where the key goes when none was given. */
export const keyPlaceholder = 'ssh-ed25519 AAAA…YOUR-PUBLIC-KEY reboot-exporter';

/**
 * The least that lets the exporter see everything: a user without a password, whose key can run one root-owned program and
 * nothing else (sshd(8), "restrict" and "command"), and who may list the firewall's rules as root and nothing else.
 */
export function hostPlan(publicKey: string | null): HostPlan {
  const probePath = `${folder}/probe`;
  const user = 'reboot-exporter';
  return {
    user,
    home: '/var/lib/reboot-exporter',
    folder,
    probePath,
    probe: probeProgram(),
    wrapperPath: readFirewallPath,
    wrapper: readFirewallWrapper(),
    sudoersPath: '/etc/sudoers.d/reboot-exporter',
    sudoers: `${sudoersLines(user).join('\n')}\n`,
    authorizedKeys: `restrict,command="${probePath}" ${publicKey ?? keyPlaceholder}\n`,
  };
}

/** Whether a text is one public key, as a line of a .pub file: nothing that could add options or a second line. */
export function isPublicKey(text: string): boolean {
  return /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+(?: [\x20-\x7e]*)?$/.test(
    text,
  );
}
