/**
 * Opens sockets on a host. Perl, because perl-base is on every Debian and Ubuntu, and one process holds all sockets of
 * a host. Reads lines `ID open NAME tcp|udp ADDRESS PORT DEVICE|- V6ONLY`, `ID look NAME` and `ID close NAME`; answers
 * `ID done` or `ID WHY-NOT`, and tells of each connection or datagram with `NAME FROM-ADDRESS FROM-PORT`; what has come
 * before a question is told before its answer.
 * A TCP connection is accepted, greeted with the host's name and closed; a datagram is sent back.
 */
export const listenerProgram = String.raw`
use strict;
use Fcntl;
use Socket qw(:all);
$| = 1;
my ($host) = @ARGV;
my (%sockets, %kinds);
my $pending = '';

sub peer {
  my ($packed) = @_;
  my ($error, $address, $port) = getnameinfo($packed, NI_NUMERICHOST | NI_NUMERICSERV);
  return $error ? 'unknown 0' : "$address $port";
}

sub open_socket {
  my ($name, $proto, $address, $port, $device, $v6only) = @_;
  my $type = $proto eq 'udp' ? SOCK_DGRAM : SOCK_STREAM;
  my ($error, $found) = getaddrinfo($address, $port, { flags => AI_NUMERICHOST | AI_PASSIVE, socktype => $type });
  die "$error\n" if $error;
  socket(my $socket, $found->{family}, $type, 0) or die "socket: $!\n";
  setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) if $proto eq 'tcp';
  if ($found->{family} == AF_INET6) {
    setsockopt($socket, IPPROTO_IPV6, IPV6_V6ONLY, pack('i', $v6only)) or die "v6only: $!\n";
  }
  if ($device ne '-') {
    # SO_BINDTODEVICE, socket(7)
    setsockopt($socket, SOL_SOCKET, 25, "$device\0") or die "device: $!\n";
  }
  bind($socket, $found->{addr}) or die "bind: $!\n";
  if ($proto eq 'tcp') { listen($socket, 128) or die "listen: $!\n"; }
  fcntl($socket, F_SETFL, O_NONBLOCK) or die "nonblocking: $!\n";
  ($sockets{$name}, $kinds{$name}) = ($socket, $proto);
}

sub obey {
  my ($id, $verb, $name, @rest) = split ' ', $_[0];
  serve($name) if $sockets{$name};
  if ($verb ne 'open') {
    close(delete $sockets{$name}) if $verb eq 'close' && $sockets{$name};
    print "$id done\n";
    return;
  }
  if (eval { open_socket($name, @rest); 1 }) { print "$id done\n"; return; }
  chomp(my $why = $@);
  print "$id $why\n";
}

sub serve {
  my ($name) = @_;
  if ($kinds{$name} eq 'udp') {
    while (defined(my $from = recv($sockets{$name}, my $datagram, 65536, 0))) {
      print "$name ", peer($from), "\n";
      send($sockets{$name}, $datagram, 0, $from);
    }
    return;
  }
  while (my $from = accept(my $connection, $sockets{$name})) {
    print "$name ", peer($from), "\n";
    syswrite($connection, "$host\n");
    close($connection);
  }
}

$SIG{PIPE} = 'IGNORE';
while (1) {
  my $readable = '';
  vec($readable, fileno(STDIN), 1) = 1;
  vec($readable, fileno($_), 1) = 1 for values %sockets;
  next if select($readable, undef, undef, undef) < 0;
  for my $name (keys %sockets) {
    serve($name) if vec($readable, fileno($sockets{$name}), 1);
  }
  if (vec($readable, fileno(STDIN), 1)) {
    exit 0 unless sysread(STDIN, $pending, 65536, length $pending);
    obey($1) while $pending =~ s/^(.*)\n//;
  }
}
`;
