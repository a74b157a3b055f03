import type { LabHost } from '../lab/host';
import { mustRun } from '../lab/program';

/** What an attacker may have prepared on a host where everybody may write, and root by mistake in the user's home. */
const traps = String.raw`
mkdir -p /tmp/hostile
cat >/tmp/hostile/nft <<'END'
#!/bin/sh
echo "hostile $0" >/tmp/witness
END
chmod 755 /tmp/hostile/nft
for name in cat stat date sh grep iptables-save ipset gzip uname head; do ln -s nft /tmp/hostile/$name; done
echo 'echo hostile env >/tmp/witness' >/tmp/hostile/env
echo 'add table inet hostile' >/tmp/hostile/rules
printf '*filter\nCOMMIT\n' >/tmp/hostile/save
printf '#!/bin/sh\necho ran\n' >/tmp/hostile/read-firewall
chmod 755 /tmp/hostile/read-firewall
cd /var/lib/reboot-exporter/.ssh
echo 'HOSTILE=from the environment file' >environment
echo 'echo hostile rc >/tmp/witness' >rc
# sshd asks for X11 only where there is an xauth.
printf '#!/bin/sh\nexit 0\n' >/usr/bin/xauth
chmod 755 /usr/bin/xauth
mkdir -p /dev/pts /dev/net
[ -e /dev/net/tun ] || mknod -m 666 /dev/net/tun c 10 200
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=0 devpts /dev/pts
`;

/** A service on a unix socket that answers whoever comes. */
const socketService = `
use IO::Socket::UNIX;
my $server = IO::Socket::UNIX->new(Local => '/run/hostile.sock', Listen => 5) or die $!;
chmod 0666, '/run/hostile.sock';
exit if fork;
open STDIN, '<', '/dev/null'; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
while (my $client = $server->accept) { print $client "who is there\\n"; close $client; }
`;

/** Lays the traps: hostile programs, a socket, files that sshd would read. */
export async function layTraps(host: LabHost): Promise<void> {
  await host.shell(traps);
  await host.exec(['perl', '-e', socketService]);
}

/** Written by sshd, PAM and sudo at every login, whatever the key; what is new in /run is in the listing itself. */
const ofLogins = /^\/run$|^\/var\/log\/(?:sshd\.log|lastlog|wtmp|btmp)$|^\/run\/(?:utmp|motd\.dynamic|sudo.*)$/;

/** Every file with type, mode, owner, size, times and link, and the checksum of what is in it. */
export async function listing(host: LabHost): Promise<ReadonlyMap<string, string>> {
  const shown = String.raw`-printf '%p\t%y %m %U %G %s %T@ %C@ %l\n'`;
  const pruned = ['/proc', '/sys', '/usr', '/dev'].map((path) => `-path ${path} -prune -o`).join(' ');
  const own = await host.shell(`find / ${pruned} ${shown}\nfind / ${pruned} -type f -exec sha256sum {} +`);
  // What the host has changed of /usr since it was made is all in the upper layer.
  const ofUsr = await mustRun(['sh', '-c', `find "$1"/usr ${shown}`, 'find', host.folder]);
  const files = new Map<string, string>();
  for (const line of `${own}\n${ofUsr}`.split('\n')) {
    const [, sum, summed] = /^([0-9a-f]{64}) {2}(.*)$/.exec(line) ?? [];
    const [path = '', what = ''] = summed === undefined ? line.split('\t') : [summed, sum ?? ''];
    if (path !== '' && !ofLogins.test(path)) files.set(path, `${files.get(path) ?? ''} ${what}`);
  }
  return files;
}
