/**
 * Knocks at hosts from any source address. Reads lines `ID tcp|udp FROM FROM-PORT TO PORT MILLISECONDS`, answers
 * `ID open|refused|unreachable|reset|silence`, or `ID error WHY`. TCP is open when the connection is made, UDP when
 * something comes back. Sockets are transparent, ip(7): they may use addresses that the machine does not have.
 */
export const knockerProgram = String.raw`
use strict;
use Errno qw(:POSIX);
use Fcntl;
use Socket qw(:all);
$| = 1;
my %names = (ECONNREFUSED, 'refused', EHOSTUNREACH, 'unreachable', ENETUNREACH, 'unreachable', EACCES, 'unreachable',
  EPERM, 'unreachable', ECONNRESET, 'reset', ETIMEDOUT, 'silence');
my (%knocks, $pending);
$pending = '';

# To a hundredth of a second, with what perl-base has.
sub now {
  open(my $file, '<', '/proc/uptime') or die "/proc/uptime: $!\n";
  return (split ' ', <$file>)[0];
}

sub resolved {
  my ($address, $port, $type) = @_;
  my ($error, $found) = getaddrinfo($address, $port, { flags => AI_NUMERICHOST, socktype => $type });
  die "$address: $error\n" if $error;
  return $found;
}

sub begin {
  my ($id, $proto, $from, $from_port, $to, $port, $milliseconds) = @_;
  my $type = $proto eq 'udp' ? SOCK_DGRAM : SOCK_STREAM;
  my ($source, $target) = (resolved($from, $from_port, $type), resolved($to, $port, $type));
  socket(my $socket, $target->{family}, $type, 0) or die "socket: $!\n";
  # IP_TRANSPARENT and IPV6_TRANSPARENT of linux/in.h and linux/in6.h
  my @transparent = $target->{family} == AF_INET6 ? (IPPROTO_IPV6, 75) : (IPPROTO_IP, 19);
  setsockopt($socket, $transparent[0], $transparent[1], 1) or die "transparent: $!\n";
  setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
  bind($socket, $source->{addr}) or die "bind: $!\n";
  fcntl($socket, F_SETFL, O_NONBLOCK) or die "nonblocking: $!\n";
  my $connected = connect($socket, $target->{addr});
  if (!$connected && $! != EINPROGRESS) { return finish($id, $names{$! + 0} || "error $!"); }
  if ($proto eq 'udp') { send($socket, 'knock', 0); }
  $knocks{$id} = { socket => $socket, udp => $proto eq 'udp', until => now() + $milliseconds / 1000 };
}

sub finish {
  my ($id, $what) = @_;
  delete $knocks{$id};
  print "$id $what\n";
}

sub look {
  my ($id) = @_;
  my $knock = $knocks{$id};
  my $error = unpack('i', getsockopt($knock->{socket}, SOL_SOCKET, SO_ERROR));
  if (!$error && $knock->{udp}) {
    return finish($id, 'open') if defined recv($knock->{socket}, my $datagram, 65536, 0);
    $error = $! + 0;
  }
  return finish($id, 'open') if !$error;
  $! = $error;
  finish($id, $names{$error} || "error $!");
}

while (1) {
  my $now = now();
  my ($readable, $writable, $wait) = ('', '', undef);
  vec($readable, fileno(STDIN), 1) = 1;
  for my $id (keys %knocks) {
    my $left = $knocks{$id}{until} - $now;
    if ($left <= 0) { finish($id, 'silence'); next; }
    $wait = $left if !defined $wait || $left < $wait;
    my $number = fileno($knocks{$id}{socket});
    if ($knocks{$id}{udp}) { vec($readable, $number, 1) = 1; } else { vec($writable, $number, 1) = 1; }
  }
  next if select($readable, $writable, undef, $wait) < 0;
  for my $id (keys %knocks) {
    my $number = fileno($knocks{$id}{socket});
    look($id) if vec($readable, $number, 1) || vec($writable, $number, 1);
  }
  if (vec($readable, fileno(STDIN), 1)) {
    exit 0 unless sysread(STDIN, $pending, 65536, length $pending);
    while ($pending =~ s/^(.*)\n//) {
      my ($id, @rest) = split ' ', $1;
      eval { begin($id, @rest); 1 } or do { chomp(my $why = $@); finish($id, "error $why"); };
    }
  }
}
`;
