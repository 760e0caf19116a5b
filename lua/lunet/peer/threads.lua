--- Stops single threads of a server. SIGSTOP always stops a whole process (signal(7)), so a program that runs the
--- server as its child does it by ptrace(2): the kernel lets every user trace its own children.
---
---     description.through = threads.words
---     local ids = threads.list(pid, "^mc%-worker")
---     threads.order(running, "stop", ids[1])
local lfs = require "lfs"

local threads = {}

local LONG = 60 -- s; bounds waits for states that do come
local SOCKET = "/threads" -- the name of the socket of orders, in the server's place

-- threads.pl SOCKET PROGRAM ARGUMENT...: runs the program and ends as it ends. Meanwhile it takes orders at the socket,
-- "stop ID" and "go ID", and answers each with "done" or the reason why not. The numbers are those of linux/ptrace.h,
-- and of ptrace(2) in asm/unistd.h.
local TRACER = [[
use strict; use Errno; use POSIX ":sys_wait_h"; use Socket;
my $PTRACE = { x86_64 => 101, i686 => 26, armv7l => 26, s390x => 26, ppc64le => 26 }->{(POSIX::uname)[4] } // 117;
my ($SEIZE, $INTERRUPT, $DETACH, $ALL) = (0x4206, 0x4207, 17, 0x40000000);
my ($path, @words) = @ARGV;
socket my $orders, PF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
bind $orders, sockaddr_un $path or die "bind: $!";
listen $orders, 5 or die "listen: $!";
my $child = fork // die "fork: $!";
if (!$child) { exec @words or die "exec: $!" }
$| = 1;

sub trace {
  my ($request, $thread) = @_;
  syscall($PTRACE, $request, $thread + 0, 0, 0) != -1 or die "$!\n";
}

my %do = (
  stop => sub {
    trace $SEIZE, $_[0];
    trace $INTERRUPT, $_[0];
    waitpid($_[0], $ALL) == $_[0] or die "$!\n";
  },
  go => sub { trace $DETACH, $_[0] },
);

while (waitpid($child, WNOHANG) == 0) {
  my $ready = "";
  vec($ready, fileno $orders, 1) = 1;
  next unless select($ready, undef, undef, 0.1) > 0;
  accept my $client, $orders or next;
  my ($verb, $thread) = split " ", <$client> // "";
  my $said = eval { $do{$verb}->($thread); 1 } ? "done\n" : $@;
  syswrite $client, $said;
}
kill WTERMSIG($?), $$ if WIFSIGNALED($?);
exit WEXITSTATUS($?);
]]

--- The words that run a program in such a way; see lunet.server's field `through`.
---@param running lunet.running_server
---@return string[]
function threads.words(running)
  return { "perl", running.place:write("threads.pl", TRACER), running.place.path .. SOCKET }
end

--- The threads of a process.
---@param pid integer
---@param pattern string of their names (/proc/PID/task/ID/comm)
---@return integer[] ids in order, as the process itself sees them (NSpid, proc(5)); empty if the process has ended
function threads.list(pid, pattern)
  local ids, path = {}, ("/proc/%d/task/"):format(pid)
  if not lfs.attributes(path) then return ids end
  for name in lfs.dir(path) do
    local file <close> = name:find "^%d" and io.open(path .. name .. "/status") or nil
    local text = file and file:read "a" or ""
    local is_wanted = (text:match "^Name:\t([^\n]*)" or ""):find(pattern)
    ids[#ids + 1] = is_wanted and math.tointeger(tonumber(text:match "\nNSpid:[^\n]-(%d+)\n")) or nil
  end
  table.sort(ids)
  return ids
end

--- Stops a thread, or lets it go on, and waits for that. Raises the kernel's reason if it cannot be done, and if the
--- server does not run through threads.words.
---@param running lunet.running_server
---@param verb "stop"|"go"
---@param id integer of threads.list
function threads.order(running, verb, id)
  local client <close> = assert(running.host:connect({ address = "unix:" .. running.place.path .. SOCKET }, LONG))
  assert(client:send(("%s %d\n"):format(verb, id)))
  local said = assert(client:receive("l", LONG))
  if said ~= "done" then error(("%s thread %d of %s: %s"):format(verb, id, running.name, said), 0) end
end

--- The process that is the server, not the one that runs it.
---@param running lunet.running_server
---@return integer|nil pid nil if it has ended
function threads.leader(running)
  local child = (running.process:tree() or {})[2]
  return child and child.pid
end

return threads
