# The client of backlog_capacity.lua: perl backlog_capacity_client.pl NAME
# Connects a blocking socket to the Unix socket @NAME, says "connects" before and "connected" after that, and stays.
use strict; use Socket;
socket my $client, PF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
$| = 1;
print "connects\n";
print connect($client, sockaddr_un("\0" . shift)) ? "connected\n" : "$!\n";
<STDIN>;
