# A client of ghost_kinds.lua, to be killed: perl ghost_kinds_client.pl ADDRESS PORT SNDBUF BYTES
# Connects, to a Unix socket for "unix:@NAME", sends BYTES bytes, says "sent" and stays.
use strict; use Socket qw(:DEFAULT getaddrinfo);
my ($address, $port, $sndbuf, $bytes) = @ARGV;
my ($error, $target) = getaddrinfo $address, $port, { socktype => SOCK_STREAM };
$target = { family => PF_UNIX, addr => pack_sockaddr_un "\0$1" } if $address =~ /^unix:\@(.*)/;
socket my $socket, $target->{family}, SOCK_STREAM, 0 or die "socket: $!";
setsockopt $socket, SOL_SOCKET, SO_SNDBUF, $sndbuf + 0 or die "setsockopt: $!";
connect $socket, $target->{addr} or die "connect: $!";
syswrite($socket, "x" x $bytes) == $bytes or die "write: $!";
$| = 1;
print "sent\n";
sleep;
