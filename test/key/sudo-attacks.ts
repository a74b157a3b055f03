import { readFirewallPath } from '../../src/exposure/privilege';
import { preloading } from './attacks';
import type { LabHost } from '../lab/host';

/** Something that somebody who is already the exporter's user on a host could try, as a shell command. */
export interface SudoAttack {
  readonly name: string;
  readonly text: string;
  /** Whose sudoers lines it is held against: those of `host-setup`, or the commands themselves. */
  readonly as?: 'direct';
  readonly works: RegExp;
  readonly refused: RegExp;
}

const notAllowed = /a password is required|not (?:allowed|permitted)/;
const denied = /Permission denied|cannot|can't create/i;
const asRoot = /uid=0\(root\)/;
const setUp = '/usr/local/lib/reboot-exporter';
const home = '/var/lib/reboot-exporter';

function sudo(name: string, text: string, works: RegExp): SudoAttack {
  return { name, text: `sudo -n ${text}`, works, refused: notAllowed };
}

/** Held against the lines that call the programs without the wrapper: there the arguments are all that guards. */
function direct(name: string, text: string, works: RegExp): SudoAttack {
  return { ...sudo(name, text, works), as: 'direct' };
}

/** What the exporter's user could try by sudo, and by writing. */
export const sudoAttacks: readonly SudoAttack[] = [
  sudo('another command', 'id', asRoot),
  sudo('a shell', '-s id', asRoot),
  sudo('a login shell', '-i id', asRoot),
  sudo('a file of its own rules', 'nft -f /tmp/hostile/rules && echo loaded', /loaded/),
  sudo('rules from its input', 'iptables-restore </tmp/hostile/save && echo loaded', /loaded/),
  sudo('ending connections', 'ss -K dst 192.0.2.1 && echo looked', /looked/),
  sudo('an edit', '-e /etc/hostname </dev/null; echo "exit $?"', /exit 0/),
  sudo(
    'the wrapper for another user',
    `-u nobody ${readFirewallPath} nft-json; echo "exit $?"`,
    /Operation not permitted|exit 0/,
  ),
  sudo('the wrapper without a word', `${readFirewallPath}; echo "exit $?"`, /exit 2/),
  sudo('the wrapper with a second word', `${readFirewallPath} nft-json flush; echo "exit $?"`, /exit 2/),
  sudo('the wrapper with a word that begins well', `${readFirewallPath} 'nft-json;id'; echo "exit $?"`, /exit 2/),
  // A link to the wrapper is the wrapper: sudo compares the file, and runs it by the path of its own lines.
  sudo('a program of its name elsewhere', '/tmp/hostile/read-firewall nft-text; rm -f /tmp/witness', /^ran/),
  sudo('the wrapper in another folder', `-D /tmp ${readFirewallPath} nft-text && echo listed`, /listed/),
  sudo(
    'a library for the wrapper',
    `LD_PRELOAD=/tmp/hostile/preload.so ${readFirewallPath} nft-text >/dev/null`,
    preloading,
  ),
  sudo('its whole environment', `-E PATH=/tmp/hostile:$PATH ${readFirewallPath} nft-text && echo listed`, /listed/),
  direct('nft with a file of rules', '/usr/sbin/nft -f /tmp/hostile/rules && echo loaded', /loaded/),
  direct('nft with more arguments', '/usr/sbin/nft list ruleset inet >/dev/null && echo listed', /listed/),
  direct('iptables-save with a program to run', '/usr/sbin/iptables-save -M /tmp/hostile/nft && echo saved', /saved/),
  direct(
    'iptables-save with a file to write',
    '/usr/sbin/iptables-save -f /tmp/saved && ls /tmp/saved; rm -f /tmp/saved',
    /^\/tmp\/saved/m,
  ),
  direct(
    'ipset with a file to write',
    '/usr/sbin/ipset save -f /tmp/saved; echo "exit $?"; rm -f /tmp/saved',
    /exit 0/,
  ),
  direct('cat with another file', '/usr/bin/cat /proc/net/ip_tables_names /etc/shadow', /^root:/m),
  direct('cat of another file alone', '/usr/bin/cat /etc/shadow', /^root:/m),
  {
    name: 'another key for itself',
    text: `echo ssh-ed25519 >>${home}/.ssh/authorized_keys && echo wrote`,
    works: /wrote/,
    refused: denied,
  },
  { name: 'another probe', text: `echo >>${setUp}/probe && echo wrote`, works: /wrote/, refused: denied },
  {
    name: 'another wrapper',
    text: `mv ${setUp}/read-firewall ${setUp}/old && echo moved; mv ${setUp}/old ${setUp}/read-firewall`,
    works: /moved/,
    refused: denied,
  },
  {
    name: 'a profile for its shell',
    text: `echo : >${home}/.profile && echo wrote; rm -f ${home}/.profile`,
    works: /wrote/,
    refused: denied,
  },
  { name: 'an ~/.ssh/rc', text: `echo : >>${home}/.ssh/rc && echo wrote`, works: /wrote/, refused: denied },
];

/** Runs one as the user, and tells what came of it. */
export async function runAs(host: LabHost, { text, as }: SudoAttack): Promise<string> {
  const { stdout, stderr } = await host.exec(['sh', '-c', text], { as: as ?? 'reboot-exporter' });
  return `${stdout}\n${stderr}`;
}
