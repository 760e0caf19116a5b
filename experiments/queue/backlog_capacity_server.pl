# The server of backlog_capacity.lua: perl backlog_capacity_server.pl PORT
# Opens files up to its limit, then accepts once for each line on standard input, and says "accepted" or "EMFILE". After
# the first accept it closes those files.
use strict; use Errno; use Socket;
socket my $listener, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
bind $listener, sockaddr_in(shift, INADDR_ANY) or die "bind: $!";
listen $listener, 5 or die "listen: $!";
$| = 1;
my @spare;
<STDIN>;
while (open my $file, "<", "/dev/null") { push @spare, $file }
for (1 .. 2) {
  print accept(my $connection, $listener) ? "accepted\n" : $!{EMFILE} ? "EMFILE\n" : "$!\n";
  @spare = ();
  <STDIN>;
}
