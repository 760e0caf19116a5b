# The server of ghost_kinds.lua: perl ghost_kinds_server.pl PORT
# Says "listens", accepts when told to, and says what the socket answers: getpeername(2), SO_ERROR twice, two reads.
use strict; use Errno; use Socket;
sub code { $! = $_[0]; return (grep { $!{$_} } sort keys %!)[0] || "none" }
socket my $listener, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
bind $listener, pack_sockaddr_in(shift, INADDR_ANY) or die "bind: $!";
listen $listener, 1 or die "listen: $!";
$| = 1;
print "listens\n";
<STDIN>;
accept my $connection, $listener or die "accept: $!";
my @said = (getpeername $connection ? "known" : code($! + 0));
push @said, code(unpack "i", getsockopt $connection, SOL_SOCKET, SO_ERROR) for 1, 2;
for (1, 2) {
  my $bytes = sysread $connection, my $data, 100;
  push @said, !defined $bytes ? code($! + 0) : $bytes || "EOF";
}
print "@said\n";
