-- A server is restarted while clients come. In which order can it stop so that nobody is lost? Until `stop` it serves;
-- then it accepts nobody for `busy` s, as a server does that finishes its work, and stops by one of the orders. The
-- next server listens `gap` s later, or is there before, where the order allows that. A client sends its request as
-- soon as it is connected; it is `served`, `reset`, `refused`, or `hung` when its patience is over. `queued` and `left`
-- are in the queue when the stop begins and when the listener goes, `mid` are in the middle of their handshake then.
--
-- Why: a listener takes its queue with it (net/ipv4/inet_connection_sock.c, inet_csk_listen_stop): every queued client,
-- which is connected and may have sent its request, gets RST, and so does everybody whose handshake ends later.
-- shutdown(2) with SHUT_RD on a listener is the same (net/ipv4/af_inet.c, inet_shutdown, disconnects it); accept(2)
-- then gives EINVAL.
--   accept_then_close: the queue is empty, but who has an answer to its SYN (delay) is connected, and is reset. And if
--     clients come faster than they are served, it never is empty.
--   block_syn_then_accept: a rule loses the SYNs. When no handshake is open, and after that the queue is empty, nobody
--     is left to be reset. Newcomers send their SYN again after 1 s (`slowest`), when the next server is there: they
--     only have to be patient. In this order: to look at the queue first would miss a handshake that ends in between.
--   pass_descriptor: the queue is the socket's, not the process's. It goes on while one descriptor of it is open.
--   reuseport_migrate: both listen by SO_REUSEPORT. The kernel moves queue and handshakes to the other listener of the
--     port (reuseport_migrate_sock; TCPMigrateReqSuccess), but only if net.ipv4.tcp_migrate_req is 1; it is 0.
-- lunet can neither shut a listener down nor pass its descriptor on. In these two orders the server is a program, in
-- Perl, and its successor one that it starts with the open descriptor, as in a binary upgrade or socket activation.
--
-- Where people met it: connection resets at every deployment though the server shuts down "gracefully", since it means
-- by that the connections that it has accepted. What to do: hand the socket on, or set tcp_migrate_req. If there is no
-- successor on the host: be taken out of the load balancer, block SYNs, accept the rest, serve it, close.
-- The results are counts, and no time decides them, as long as the patience is well above 1 s; `lateness_p99` is that
-- of the clients. In accept_then_close it is a matter of moments who is in the middle of a handshake.
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local peer_process = require "lunet.peer_process"
local statistics = require "lunet.statistics"
local workload = require "lunet.workload"

local LONG = 20 -- s; bounds waits for states that do come
local MOMENT = 0.3 -- s; how long a stop is put off until somebody is in the middle of a handshake
local PORT = 7300
local ORDERS = { "close", "accept_then_close", "block_syn_then_accept", "shutdown_read", "pass_descriptor",
  "reuseport_migrate" }

local function await(predicate) return assert(lunet.eventually(predicate, LONG)) end
local function sleep_until(time) lunet.sleep(math.max(0, time - lunet.now())) end

-- -- the server as a program -------------------------------------------------------------------

-- It serves one client after the other. If it is given a number, that is the descriptor of its listener.
local PROGRAM = [[
use strict; use Errno; use Fcntl; use Socket;
my ($program, $port, $backlog, $descriptor) = @ARGV;
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
  shutdown => sub {
    shutdown $listener, 0 or die "shutdown: $!";
    my $accepted = accept my $connection, $listener;
    print !$accepted && $!{EINVAL} ? "EINVAL\n" : "$!\n";
    exit;
  },
  pass => sub {
    if (fork) { print "passed\n"; exit }
    fcntl $listener, F_SETFD, 0 or die "fcntl: $!";
    exec $^X, "-e", $program, $program, $port, $backlog, fileno $listener;
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
]]

local function start_program(place, knobs)
  place.program = peer_process.start(place.server, { "perl", "-e", PROGRAM, PROGRAM, PORT, knobs.backlog,
    label = "server", stdin = "pipe" }, PORT)
end

-- Gives it a command; what it says when that is done.
local function command(place, word)
  assert(place.program.stdin:send(word .. "\n"))
  return assert(place.program.stdout:receive("l", LONG))
end

-- -- what the kernel has -----------------------------------------------------------------------

local function listening(place) return place.server:sockets { state = "LISTEN", local_port = PORT }[1] end
local function open_handshakes(place) return #place.server:sockets { state = "SYN_RECV", local_port = PORT } end
local function depth_of(place) return place.old and place.old:queue().depth or listening(place).queue.depth end

-- The last look before the listener goes.
local function look(place)
  place.left, place.mid = depth_of(place), open_handshakes(place)
end

-- -- servers -----------------------------------------------------------------------------------

local function start_listener(place, knobs, is_shared)
  local listener = assert(place.server:listen { port = PORT, backlog = knobs.backlog, reuseport = is_shared })
  listener:gate(1)
  lunet.spawn(function() listener:serve(workload.serve) end)
  return listener
end

local is_program = { shutdown_read = true, pass_descriptor = true }

local function start_server(place, order, knobs)
  if is_program[order] then return start_program(place, knobs) end
  place.old = start_listener(place, knobs, order == "reuseport_migrate")
end

-- It accepts nobody any more, but finishes whom it has.
local function pause_server(place)
  if place.program then return command(place, "pause") end
  place.old:gate(0)
  await(function() return select(2, place.old:gate()) == 0 end)
end

-- Takes the old server away. Some have started the next one before: `is_followed`.
local stops = {
  close = function(place)
    look(place)
    place.old:close()
  end,
  accept_then_close = function(place, knobs)
    local function is_empty() return depth_of(place) == 0 end
    place.old:gate(1)
    await(is_empty)
    if knobs.delay > 0 then
      lunet.eventually(function() return is_empty() and open_handshakes(place) > 0 end, MOMENT)
      await(is_empty)
    end
    look(place)
    place.old:close()
  end,
  block_syn_then_accept = function(place)
    place.rule = assert(place.server:drop { flags = "SYN", to_port = PORT })
    place.old:gate(1)
    await(function() return open_handshakes(place) == 0 and depth_of(place) == 0 end)
    look(place)
    place.old:close()
  end,
  shutdown_read = function(place)
    look(place)
    assert(command(place, "shutdown") == "EINVAL")
    assert(place.program:wait(LONG))
  end,
  pass_descriptor = function(place)
    look(place)
    assert(command(place, "pass") == "passed")
    assert(place.program:wait(LONG))
    place.is_followed = true
  end,
  reuseport_migrate = function(place, knobs)
    place.next = start_listener(place, knobs, true)
    look(place)
    place.old:close()
    place.is_followed = true
  end,
}

-- -- clients -----------------------------------------------------------------------------------

-- One that comes when the old server has gone, whatever the schedule says.
local function add_newcomer(place, requests, knobs)
  local at = lunet.now() - place.began
  requests[#requests + 1] = { number = #requests + 1, at = at, began = at, service = knobs.service, jitter = {},
    attempts = 0 }
  return lunet.spawn(place.crowd.send, place.crowd, requests[#requests])
end

local RESULTS = { ECONNREFUSED = "refused", TIMEOUT = "hung" }

local function count_results(requests)
  local counts, slowest = { served = 0, reset = 0, refused = 0, hung = 0 }, 0
  for _, request in ipairs(requests) do
    local result = request.answered and "served" or RESULTS[request.code] or "reset"
    counts[result] = counts[result] + 1
    if request.answered then slowest = math.max(slowest, request.answered - request.at) end
  end
  return counts, slowest
end

-- -- a restart ---------------------------------------------------------------------------------

local function open_place(case, knobs)
  local sysctl = { ["net.ipv4.tcp_migrate_req"] = case.migrate }
  local place = { server = assert(lunet.host { name = "server", sysctl = sysctl }) }
  local clients = assert(lunet.host "clients")
  local link = lunet.link(place.server, clients, { delay = knobs.delay })
  start_server(place, case.order, knobs)
  place.crowd = workload.clients { host = clients, patience = knobs.patience,
    target = { address = link:address(place.server), port = PORT } }
  return place
end

-- Until there is somebody in the queue and, if the link has a delay, in the middle of a handshake.
local function let_clients_queue(place, offer, knobs)
  sleep_until(place.began + knobs.stop)
  pause_server(place)
  sleep_until(place.began + knobs.stop + knobs.busy)
  await(function() return depth_of(place) > 0 or offer:join(0) end)
  if knobs.delay > 0 then lunet.eventually(function() return open_handshakes(place) > 0 end, MOMENT) end
end

local function replace_server(place, order, requests, knobs)
  stops[order](place, knobs)
  local newcomer = add_newcomer(place, requests, knobs)
  if not place.is_followed then
    lunet.sleep(knobs.gap)
    if place.rule then await(function() return place.rule:lost() > 0 end) else newcomer:join() end
    place.next = start_listener(place, knobs)
  end
  if place.rule then place.rule:close() end
  return newcomer
end

local function run_case(case, knobs, meet)
  local place = open_place(case, knobs)
  meet() -- to make hosts and start programs takes time, which would make clients late
  place.began = lunet.now()
  local scheduled = workload.requests { seed = knobs.seed, rate = knobs.rate, seconds = knobs.seconds,
    service = knobs.service }
  local requests = table.move(scheduled, 1, #scheduled, 1, {})
  local offer = lunet.spawn(workload.offer, scheduled, function(r) place.crowd:send(r) end, place.began)

  let_clients_queue(place, offer, knobs)
  local before, socket, queued = place.server:counters(), listening(place).inode, depth_of(place)
  local newcomer = replace_server(place, case.order, requests, knobs)
  local is_same = listening(place).inode == socket
  local _, lateness = offer:join()
  newcomer:join()
  if place.next then place.next:close() end

  local counts, slowest = count_results(requests)
  local moved = place.server:counters() - before
  return {
    order = case.name, offered = #requests, served = counts.served, reset = counts.reset, refused = counts.refused,
    hung = counts.hung, slowest = slowest,
  }, {
    order = case.name, queued = queued, left = place.left, mid = place.mid, socket = is_same and "same" or "new",
    rsts = moved.OutRsts, migrated = moved.TCPMigrateReqSuccess, failed = moved.TCPMigrateReqFailure,
    syns = place.rule and place.rule:lost() or 0,
  }, statistics.quantile(lateness, 0.99)
end

local function chosen_cases(order)
  local cases = {}
  for _, name in ipairs(choice.pick(ORDERS, order)) do
    for migrate = 0, name == "reuseport_migrate" and 1 or 0 do
      local label = name == "reuseport_migrate" and ("%s %d"):format(name, migrate) or name
      cases[#cases + 1] = { order = name, name = label, migrate = migrate }
    end
  end
  return cases
end

-- -- the check ---------------------------------------------------------------------------------

local function check_lossless(case, kernel)
  local lost = case.reset + case.refused + case.hung
  assert(lost == 0, ("%s: lost %d of %d clients"):format(case.order, lost, case.offered))
  assert(kernel.rsts == 0, case.order .. ": the kernel sent RST")
end

local function check_reset(case, kernel)
  assert(kernel.left > 0, case.order .. ": nobody was in the queue")
  assert(case.reset >= kernel.left + kernel.mid, case.order .. ": not everybody in the queue was reset")
  assert(kernel.rsts >= case.reset, case.order .. ": the kernel did not send as many RST")
  assert(kernel.migrated == 0, case.order .. ": the kernel moved the queue")
end

local function check_gap(case, kernel)
  assert(case.refused > 0 and kernel.socket == "new", case.order .. ": nobody found the port closed")
end

local checks = {
  close = function(case, kernel)
    check_reset(case, kernel)
    check_gap(case, kernel)
  end,
  accept_then_close = function(case, kernel)
    assert(kernel.left == 0 and kernel.queued > 0, case.order .. ": nobody was in the queue, or it was not emptied")
    assert(case.reset < kernel.queued + kernel.mid, case.order .. ": who was in the queue was reset")
    check_gap(case, kernel)
  end,
  block_syn_then_accept = function(case, kernel)
    check_lossless(case, kernel)
    assert(kernel.syns > 0 and case.slowest >= 0.9, case.order .. ": no SYN was sent again")
  end,
  pass_descriptor = function(case, kernel)
    check_lossless(case, kernel)
    assert(kernel.socket == "same", case.order .. ": the next server has another socket")
  end,
  ["reuseport_migrate 0"] = check_reset,
  ["reuseport_migrate 1"] = function(case, kernel)
    check_lossless(case, kernel)
    assert(kernel.migrated >= kernel.left, case.order .. ": the kernel did not move the whole queue")
  end,
}
checks.shutdown_read = checks.close

return experiment {
  claim = "A restart loses no patient client if SYNs are blocked before the last accept, if the next server inherits "
    .. "the listening socket, or if tcp_migrate_req moves its queue; the other orders reset or refuse clients.",
  knobs = {
    order = { "all", "order", "how the server stops", choices = choice.of(ORDERS) },
    rate = { 50.0, "per s", "clients that come, by a Poisson process", min = 1 },
    seconds = { 1.0, "s", "for how long they come", min = 0.1 },
    stop = { 0.3, "s", "when the server accepts nobody any more", min = 0 },
    busy = { 0.2, "s", "how long it still works before it stops", min = 0 },
    gap = { 0.2, "s", "from then until the next server listens", min = 0 },
    patience = { 10.0, "s", "how long a client waits for its reply", min = 0.1 },
    delay = { 0.01, "s", "one-way delay of the link; 0: nobody is in the middle of a handshake", min = 0, max = 0.2 },
    service = { 0.005, "s", "how long a server works on a request", min = 0.000001 },
    backlog = { 100, "connections", "how many the kernel may queue", min = 1 },
    seed = { 1, "seed", "of the clients' arrivals" },
  },
  control = { order = "block_syn_then_accept", patience = 0.7 },
  needs = { perl = "perl-base" },
  columns = { "order", "offered", "served", "reset", "refused", "hung", "slowest", "queued", "left", "mid", "socket",
    "rsts", "migrated", "failed", "syns" },

  run = function(knobs)
    lunet.note "Clients come all the time. The old server stops, each in its own order; the next one takes over."
    local results = lunet.together(chosen_cases(knobs.order), function(case, _, meet)
      return table.pack(run_case(case, knobs, meet))
    end)
    local cases, kernel, lateness = {}, {}, 0
    for i, result in ipairs(results) do
      cases[i], kernel[i], lateness = result[1], result[2], math.max(lateness, result[3] or 0)
    end
    return { cases = cases, kernel = kernel, lateness_p99 = lateness }
  end,

  check = function(outcome)
    for i, case in ipairs(outcome.cases) do
      assert(case.served + case.reset + case.refused + case.hung == case.offered, case.order .. ": somebody is missing")
      checks[case.order](case, outcome.kernel[i])
    end
  end,

  figures = function(outcome)
    local lossless, most = 0, 0
    for _, case in ipairs(outcome.cases) do
      local lost = case.offered - case.served
      if lost == 0 then lossless = lossless + 1 end
      most = math.max(most, lost)
    end
    return ("%d of %d orders lose nobody; the worst %d of %d clients"):format(lossless, #outcome.cases, most,
      outcome.cases[1].offered)
  end,
}
