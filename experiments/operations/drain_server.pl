# The server of drain.lua: perl drain_server.pl PORT BACKLOG [DESCRIPTOR]
# Serves one client after the other: reads "NUMBER SECONDS", works for so long, and answers "done NUMBER". Commands on
# standard input: pause (accept nobody any more) and pass (start a successor that inherits the listener, and end).
# DESCRIPTOR is that of the listener that a successor inherits.
use strict; use Fcntl; use Socket;
my ($port, $backlog, $descriptor) = @ARGV;
my ($listener, $accepts) = (undef, 1);
if (defined $descriptor) {
  open $listener, "+<&=", $descriptor or die "open: $!";
} else {
  socket $listener, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
  setsockopt $listener, SOL_SOCKET, SO_REUSEADDR, 1 or die "setsockopt: $!";
  bind $listener, sockaddr_in($port, INADDR_ANY) or die "bind: $!";
  listen $listener, $backlog or die "listen: $!";
}
$| = 1;
$SIG{PIPE} = "IGNORE";

sub serve {
  accept my $connection, $listener or die "accept: $!";
  my $line = <$connection>;
  if (defined $line and $line =~ /^(\d+) (\S+)$/) {
    select undef, undef, undef, $2;
    syswrite $connection, "done $1\n";
  }
}

my %commands = (
  pause => sub { $accepts = 0; print "paused\n" },
  pass => sub {
    if (fork) { print "passed\n"; exit }
    fcntl $listener, F_SETFD, 0 or die "fcntl: $!";
    exec $^X, $0, $port, $backlog, fileno $listener;
  },
);

while (1) {
  my $ready = "";
  vec($ready, 0, 1) = 1;
  vec($ready, fileno $listener, 1) = 1 if $accepts;
  select $ready, undef, undef, undef;
  if (!vec $ready, 0, 1) { serve; next }
  sysread STDIN, my $command, 100 or exit;
  chomp $command;
  $commands{$command}->();
}
