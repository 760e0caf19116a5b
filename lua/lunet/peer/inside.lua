--- Clients in a network of a forwarder's own, where lunet has no host: slirp4netns and pasta give one to the programs
--- in it. A Perl program in that network connects for each client, and passes on what the client sends and receives.
local lfs = require "lfs"
local lunet = require "lunet"

local inside = {}

-- It listens on a Unix socket, whose clients each get a TCP connection. The first line says how the connect ended. A
-- zero byte is an order to reset, or the report of one.
local PERL = [[
use strict; use Socket; use Errno;
my ($path, $address, $port) = @ARGV;
socket my $listener, PF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
bind $listener, pack_sockaddr_un "$path.new" or die "bind: $!";
listen $listener, 16 or die "listen: $!";
rename "$path.new", $path or die "rename: $!"; # clients find it when it listens
$SIG{CHLD} = "IGNORE";
while (accept my $client, $listener) {
  next if fork;
  socket my $server, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
  if (!connect $server, pack_sockaddr_in $port, inet_aton $address) {
    my ($code) = grep { $!{$_} } sort keys %!;
    syswrite $client, "$code\n";
    exit;
  }
  syswrite $client, "connected\n";
  while (1) {
    my $ready = "";
    vec($ready, fileno $_, 1) = 1 for $client, $server;
    select $ready, undef, undef, undef;
    if (vec $ready, fileno $server, 1) {
      my $count = sysread $server, my $data, 65536;
      syswrite $client, defined $count ? $data : "\0";
      exit if !$count;
    }
    if (vec $ready, fileno $client, 1) {
      my $count = sysread $client, my $data, 65536;
      my $is_reset = $data =~ s/\0$//;
      syswrite $server, $data if $data ne "";
      setsockopt $server, SOL_SOCKET, SO_LINGER, pack "ii", 1, 0 if $is_reset;
      exit if $is_reset || !$count;
    }
  }
}
]]

--- The shell's words that run the program, in the network of the forwarder.
---@param running lunet.running_forwarder
---@return string
function inside.command(running)
  running:write("clients.pl", PERL)
  return running:fill "perl PLACE/clients.pl PLACE/clients SERVER BEHIND"
end

--- Waits until clients can connect.
---@param running lunet.running_forwarder
---@param process lunet.process
---@param timeout number seconds
---@return boolean
function inside.await(running, process, timeout)
  local path = running.place.path
  local function is_ready()
    return lfs.attributes(path .. "/clients", "mode") == "socket" and running:file "ready" ~= ""
  end
  lunet.eventually(function() return is_ready() or process:wait(0) end, timeout)
  return is_ready()
end

--- Connects a client.
---@param running lunet.running_forwarder
---@param label? string its name on the timeline
---@param timeout number seconds
---@return lunet.connection|nil client
---@return string? message
---@return string? code
function inside.connect(running, label, timeout)
  local client = assert(running.host:connect { address = "unix:" .. running.place.path .. "/clients", label = label })
  local said, _, code = client:receive("l", timeout)
  if said == "connected" then return client end
  client:close()
  return nil, "connect: " .. (said or code), said or code
end

--- Lets a client leave.
---@param client lunet.connection
---@param departure "close"|"reset"
function inside.leave(client, departure)
  if departure == "reset" then client:send "\0" end
  client:close()
end

--- Whether what a client received ends with the report of a reset.
---@param text string
---@return string|nil code
function inside.reset_in(text) return text:find "%z$" and "ECONNRESET" or nil end

return inside
