import type { HostKeyType } from './host-spec';

/** The path of a host key on a host. */
export function hostKeyPath(type: HostKeyType): string {
  return `/etc/ssh/ssh_host_${type}_key`;
}

/**
 * An sshd_config(5) much as Debian and Ubuntu ship it. The first value of a keyword wins, so a test's own lines go
 * first; from its first `Match` on they go last, because a `Match` block ends only at the next one.
 */
export function sshdConfig(port: number, keys: readonly HostKeyType[], own: string): string {
  const match = /^[ \t]*match[ \t]/im.exec(own);
  const matchAt = match?.index ?? own.length;
  return [
    own.slice(0, matchAt),
    `Port ${port}`,
    ...keys.map((type) => `HostKey ${hostKeyPath(type)}`),
    'PidFile /run/sshd.pid',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'UsePAM yes',
    'X11Forwarding yes',
    'PrintMotd no',
    'AcceptEnv LANG LC_*',
    'Subsystem sftp /usr/lib/openssh/sftp-server',
    own.slice(matchAt),
    '',
  ].join('\n');
}
