/**
 * Holds packets back: what the router sends into a TUN device is read here, and written back when its time has come.
 * Where the kernel has netem that would do, but many kernels of virtual machines and containers come without it.
 * Arguments: the device's name, and the delay in milliseconds. Ends with its standard input; the device goes with it.
 */
export const delayProgram = String.raw`
use strict;
my ($device, $milliseconds) = @ARGV;
# linux/if_tun.h: TUNSETIFF, with IFF_TUN | IFF_NO_PI.
my ($TUNSETIFF, $FLAGS) = (0x400454ca, 0x1001);
my $most = 4096;

# Down to a hundredth of a second, with what perl-base has; a packet is held that much longer rather than shorter.
sub now {
  open(my $file, '<', '/proc/uptime') or die "/proc/uptime: $!\n";
  return (split ' ', <$file>)[0];
}

open(my $tun, '+<', '/dev/net/tun') or die "/dev/net/tun: $!\n";
my $request = pack('a16 s x22', $device, $FLAGS);
ioctl($tun, $TUNSETIFF, $request) or die "TUNSETIFF: $!\n";
syswrite(STDOUT, "ready\n");

my @held;
while (1) {
  my $now = now();
  while (@held && $held[0][0] <= $now) {
    syswrite($tun, (shift @held)->[1]);
  }
  my $readable = '';
  vec($readable, fileno(STDIN), 1) = 1;
  vec($readable, fileno($tun), 1) = 1;
  my $wait = @held ? $held[0][0] - $now : undef;
  next if select($readable, undef, undef, $wait) <= 0;
  if (vec($readable, fileno($tun), 1) && sysread($tun, my $packet, 65536)) {
    push @held, [now() + 0.01 + $milliseconds / 1000, $packet] if @held < $most;
  }
  exit 0 if vec($readable, fileno(STDIN), 1) && !sysread(STDIN, my $ignored, 4096);
}
`;
