/**
 * Opens sockets on a host. Perl, because perl-base is on every Debian and Ubuntu, and one process holds all sockets of
 * a host. Reads lines `open ID tcp|udp ADDRESS PORT DEVICE|- V6ONLY` and `close ID`; answers `opened ID`,
 * `failed ID WHY`, `closed ID`, and tells of each connection or datagram with `got ID FROM-ADDRESS FROM-PORT`.
 * A TCP connection is accepted, greeted with the host's name and closed; a datagram is sent back.
 */
export const listenerProgram = String.raw`
use strict;
use Socket qw(:all);
$| = 1;
my ($name) = @ARGV;
my (%sockets, %kinds);
my $pending = '';

sub peer {
  my ($packed) = @_;
  my ($error, $host, $port) = getnameinfo($packed, NI_NUMERICHOST | NI_NUMERICSERV);
  return $error ? 'unknown 0' : "$host $port";
}

sub open_socket {
  my ($id, $proto, $address, $port, $device, $v6only) = @_;
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
  ($sockets{$id}, $kinds{$id}) = ($socket, $proto);
}

sub obey {
  my ($verb, $id, @rest) = split ' ', $_[0];
  if ($verb eq 'open') {
    if (eval { open_socket($id, @rest); 1 }) { print "opened $id\n"; return; }
    chomp(my $why = $@);
    print "failed $id $why\n";
    return;
  }
  close(delete $sockets{$id}) if $sockets{$id};
  print "closed $id\n";
}

sub serve {
  my ($id) = @_;
  if ($kinds{$id} eq 'udp') {
    my $from = recv($sockets{$id}, my $datagram, 65536, 0);
    return unless defined $from;
    print "got $id ", peer($from), "\n";
    send($sockets{$id}, $datagram, 0, $from);
    return;
  }
  my $from = accept(my $connection, $sockets{$id}) or return;
  print "got $id ", peer($from), "\n";
  syswrite($connection, "$name\n");
  close($connection);
}

$SIG{PIPE} = 'IGNORE';
while (1) {
  my $readable = '';
  vec($readable, fileno(STDIN), 1) = 1;
  vec($readable, fileno($_), 1) = 1 for values %sockets;
  next if select($readable, undef, undef, undef) < 0;
  for my $id (keys %sockets) {
    serve($id) if vec($readable, fileno($sockets{$id}), 1);
  }
  if (vec($readable, fileno(STDIN), 1)) {
    exit 0 unless sysread(STDIN, $pending, 65536, length $pending);
    obey($1) while $pending =~ s/^(.*)\n//;
  }
}
`;
