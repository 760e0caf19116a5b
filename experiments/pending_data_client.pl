# The client of pending_data.lua: perl pending_data_client.pl ADDRESS PORT WRITE COUNT SNDBUF NODELAY PATIENCE
# Sends COUNT bytes from a blocking socket, WRITE bytes at a time, and says how many were taken and why that ended.
# SO_SNDTIMEO is its PATIENCE. It leaves when told: by RST for "reset", otherwise by FIN.
use strict; use Errno; use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
my ($address, $port, $write, $count, $sndbuf, $nodelay, $patience) = @ARGV;
my $is_unix = $address =~ s/^unix:\@/\0/;
socket my $socket, $is_unix ? PF_UNIX : PF_INET, SOCK_STREAM, 0 or die "socket: $!";
my @options = ([SOL_SOCKET, SO_SNDTIMEO, pack("l!l!", int $patience, int(($patience - int $patience) * 1e6))]);
push @options, [SOL_SOCKET, SO_SNDBUF, $sndbuf + 0] if $sndbuf;
push @options, [IPPROTO_TCP, TCP_NODELAY, 1] if $nodelay;
setsockopt $socket, $_->[0], $_->[1], $_->[2] or die "setsockopt: $!" for @options;
connect $socket, $is_unix ? pack_sockaddr_un($address) : pack_sockaddr_in($port, inet_aton $address)
  or die "connect: $!";
my $text = join("", map chr, 0 .. 250) x (2 + $write / 251);
my ($taken, $error) = (0, "none");
while ($taken < $count && $error eq "none") {
  my $size = $write < $count - $taken ? $write : $count - $taken;
  my $bytes = syswrite $socket, $text, $size, $taken % 251;
  $error = $!{EAGAIN} ? "TIMEOUT" : $! if !defined $bytes;
  $taken += $bytes // 0;
  $error = "TIMEOUT" if defined $bytes && $bytes < $size;
}
$| = 1;
print "$taken $error\n";
setsockopt $socket, SOL_SOCKET, SO_LINGER, pack "ii", 1, 0 if <STDIN> eq "reset\n";
