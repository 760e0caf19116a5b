# The client of connect_timeouts.lua: perl connect_timeouts_client.pl ADDRESS PORT PATIENCE
# Connects a blocking socket, with SO_SNDTIMEO unless PATIENCE is 0. Says the name of the error, or "none", and keeps
# the socket until standard input ends.
use strict; use Errno; use Socket;
my ($address, $port, $patience) = @ARGV;
socket my $socket, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
my $time = pack "l!l!", int $patience, 1e6 * ($patience - int $patience);
setsockopt $socket, SOL_SOCKET, SO_SNDTIMEO, $time or die "setsockopt: $!" if $patience > 0;
my $error = connect($socket, pack_sockaddr_in $port, inet_aton $address) ? "none" : (grep { $!{$_} } keys %!)[0];
$| = 1;
print "$error\n";
<STDIN>;
