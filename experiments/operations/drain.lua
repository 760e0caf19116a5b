-- Claim. A restart loses nobody if SYNs are blocked before the last accept, the next server inherits the socket, or
-- tcp_migrate_req moves its queue. A listener that closes resets its queue.
--
-- Why. A listener takes its queue with it (net/ipv4/inet_connection_sock.c, inet_csk_listen_stop). Every queued client
-- is connected and may have sent its request, and gets RST; so does every client whose handshake ends later.
-- shutdown(2) with SHUT_RD or SHUT_RDWR does the same (net/ipv4/af_inet.c, inet_shutdown, disconnects it), and
-- accept(2) then gives EINVAL. A second listen(2) on that socket starts with an empty queue. SHUT_WR changes nothing: a
-- server that "stops" in this way goes on. A server that accepts first empties the queue. But a client that has the
-- answer to its SYN (delay) is connected, and is reset; and if clients come faster than they are served, the queue is
-- never empty. A rule that loses SYNs helps (block_syn_then_accept). Once no handshake is open, and after that the
-- queue is empty, nobody is left to reset. A look at the queue first would miss a handshake that ends in between.
-- Newcomers send their SYN again after 1 s, when the next server is there: they only need patience. The queue belongs
-- to the socket, not to the process. It goes on while one descriptor of it is open (pass_descriptor: a program hands it
-- to its successor, as in a binary upgrade or socket activation). With SO_REUSEPORT the kernel can move queue and
-- handshakes to the other listener of the port (reuseport_migrate_sock; TCPMigrateReqSuccess), but only if
-- net.ipv4.tcp_migrate_req is 1. Its default is 0.
--
-- Where it was met. Connection resets at every deployment although the server shuts down "gracefully", which covers
-- only the connections that it has accepted.
--
-- What to do. Hand the socket on, or set tcp_migrate_req. If there is no successor on the host: leave the load
-- balancer, block SYNs, accept the rest, serve it, close.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local peer_process = require "lunet.peer.process"
local workload = require "lunet.load.workload"

local LONG = lab.LONG
local MOMENT = 0.3 -- s; how long a stop is put off until somebody is in the middle of a handshake
local PORT = lab.PORT
local SYN_AGAIN = 1 -- s; when a client sends its SYN again (RFC 6298, 2)
local ORDERS = { "close", "accept_then_close", "block_syn_then_accept", "shutdown_read", "shutdown_write",
  "listen_again", "pass_descriptor", "reuseport_migrate" }

-- -- the server as a program -------------------------------------------------------------------

local PROGRAM = lunet.beside "drain_server.pl"

local function start_program(place, knobs)
  place.program = peer_process.start(place.server, { "perl", PROGRAM, PORT, knobs.backlog, label = "server",
    stdin = "pipe" }, PORT)
end

-- Gives the program a command, and returns what it says when that is done.
local function command(place, word)
  assert(place.program.stdin:send(word .. "\n"))
  return assert(place.program.stdout:receive("l", LONG))
end

local function listening(place) return place.server:sockets { state = "LISTEN", local_port = PORT }[1] end
local function open_handshakes(place) return #place.server:sockets { state = "SYN_RECV", local_port = PORT } end

-- Whether the server has accepted each client that the kernel has. One whose handshake is just over may be in no queue
-- yet (inet_csk_complete_hashdance).
local function is_drained(place)
  local waiting = { state = { "SYN_RECV", "ESTABLISHED" }, local_port = PORT, owned = false }
  return #place.server:sockets(waiting) == 0
end

local function depth_of(place) return place.old and assert(place.old:queue()).depth or listening(place).queue.depth end

-- The last look before the listener goes. A listener that goes on does nothing to clients in the middle of a handshake.
local function look(place, goes_on)
  place.left, place.mid = depth_of(place), not goes_on and open_handshakes(place) or nil
end

-- Serves until the listener is closed or shut down. Then accept gives EINVAL, which serve raises.
local function serve_all(listener)
  local ok, failure = pcall(listener.serve, listener, workload.serve)
  if not ok and not tostring(failure):find "EINVAL" then error(failure, 0) end
end

local function serve(listener)
  listener:gate(1)
  lunet.spawn(serve_all, listener)
end

local function start_listener(place, knobs, is_shared)
  local listener = lab.listen(place.server, { backlog = knobs.backlog, reuseport = is_shared })
  serve(listener)
  return listener
end

local function start_server(place, order, knobs)
  if order == "pass_descriptor" then return start_program(place, knobs) end
  place.old = start_listener(place, knobs, order == "reuseport_migrate")
end

-- The server accepts nobody any more, but serves the clients that it has.
local function pause_server(place)
  if place.program then return command(place, "pause") end
  place.old:gate(0)
  lab.await(function() return select(2, place.old:gate()) == 0 end)
end

-- The server shuts its listener down, and accept tells it so.
local function shut_down(place)
  look(place)
  assert(place.old:shutdown "rd")
  place.old:gate(1)
  place.accept = select(3, place.old:accept(LONG))
end

-- Each stops the old server in its own order. `is_followed`: the next server has started before.
local stops = {
  close = function(place)
    look(place)
    place.old:close()
  end,
  accept_then_close = function(place, knobs)
    local function is_empty() return depth_of(place) == 0 end
    place.old:gate(1)
    lab.await(is_empty)
    if knobs.delay > 0 then
      lunet.eventually(function() return is_empty() and open_handshakes(place) > 0 end, MOMENT)
      lab.await(is_empty)
    end
    look(place)
    place.old:close()
  end,
  block_syn_then_accept = function(place, knobs)
    place.rule = assert(place.server:drop { flags = "SYN", to_port = PORT })
    place.blocked_from = lunet.now() - place.began - 2 * knobs.delay -- the first client whose SYN may be lost
    place.old:gate(1)
    lab.await(function() return is_drained(place) and depth_of(place) == 0 end)
    look(place)
    place.old:close()
  end,
  shutdown_read = function(place)
    shut_down(place)
    place.old:close()
  end,
  shutdown_write = function(place)
    look(place, true)
    assert(place.old:shutdown "wr")
    place.old:gate(1)
    place.is_followed = true
  end,
  listen_again = shut_down,
  pass_descriptor = function(place)
    look(place, true)
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

-- Adds a client that comes when the old server has gone, besides those of the schedule.
local function add_newcomer(place, requests, knobs)
  local at, number = lunet.now() - place.began, #requests + 1
  requests[number] = { number = number, at = at, began = at, service = knobs.service, jitter = {}, attempts = 0 }
  return lunet.spawn(place.crowd.send, place.crowd, requests[number])
end

local RESULTS = { ECONNREFUSED = "refused", TIMEOUT = "hung" }

-- How many clients had each result, how many had their SYN lost (`blocked`), and how long these waited at most.
local function count_results(requests, blocked_from)
  local counts = { served = 0, reset = 0, refused = 0, hung = 0, blocked = 0, slowest = 0 }
  for _, request in ipairs(requests) do
    local result = request.answered and "served" or RESULTS[request.code] or "reset"
    counts[result] = counts[result] + 1
    local waited = request.answered and request.answered - request.at or 0
    if waited >= 0.9 * SYN_AGAIN and request.began >= blocked_from then
      counts.blocked, counts.slowest = counts.blocked + 1, math.max(counts.slowest, waited)
    end
  end
  return counts
end

local function open_place(case, knobs)
  local sysctl = { ["net.ipv4.tcp_migrate_req"] = case.migrate }
  local server, clients, link = lab.hosts { { name = "server", sysctl = sysctl }, "clients", delay = knobs.delay }
  local place = { server = server }
  start_server(place, case.order, knobs)
  place.crowd = workload.clients { host = clients, patience = knobs.patience,
    target = { address = link:address(server), port = PORT } }
  return place
end

-- Waits until a client is in the queue and, if the link has a delay, another one in the middle of a handshake.
local function let_clients_queue(place, offer, knobs)
  lab.sleep_until(place.began + knobs.stop)
  pause_server(place)
  lab.sleep_until(place.began + knobs.stop + knobs.busy)
  lab.await(function() return depth_of(place) > 0 or offer:join(0) end)
  if knobs.delay > 0 then lunet.eventually(function() return open_handshakes(place) > 0 end, MOMENT) end
end

local function replace_server(place, order, requests, knobs)
  stops[order](place, knobs)
  local newcomer = add_newcomer(place, requests, knobs)
  if not place.is_followed then
    lunet.sleep(knobs.gap)
    if place.rule then lab.await(function() return assert(place.rule:lost()) > 0 end) else newcomer:join() end
    if order ~= "listen_again" then
      place.next = start_listener(place, knobs)
    elseif assert(place.old:resize(knobs.backlog)) then
      serve(place.old)
    end
  end
  if place.rule then place.rule:close() end
  return newcomer
end

local function arrivals(knobs)
  return workload.requests { seed = knobs.seed, rate = knobs.rate, seconds = knobs.seconds, service = knobs.service }
end

local function run_case(place, case, knobs)
  place.began = lunet.now()
  local scheduled = arrivals(knobs)
  local requests = table.move(scheduled, 1, #scheduled, 1, {})
  local offer = lunet.spawn(workload.offer, scheduled, function(r) place.crowd:send(r) end, place.began)

  let_clients_queue(place, offer, knobs)
  local moved, socket, queued = lab.counters(place.server), listening(place).inode, depth_of(place)
  local newcomer = replace_server(place, case.order, requests, knobs)
  local is_same = listening(place).inode == socket
  offer:join()
  newcomer:join()
  for _, listener in pairs { place.next, place.old } do listener:close() end

  local counts = count_results(requests, place.blocked_from or 0)
  return {
    order = case.name, offered = #requests, served = counts.served, reset = counts.reset, refused = counts.refused,
    hung = counts.hung, slowest = place.rule and counts.slowest or nil, blocked = place.rule and counts.blocked or nil,
  }, {
    order = case.name, queued = queued, left = place.left, mid = place.mid,
    socket = is_same and "same" or "new", accept = place.accept, rsts = moved "OutRsts",
    migrated = moved "TCPMigrateReqSuccess", syns = place.rule and assert(place.rule:lost()) or nil,
  }
end

local function cases_of(knobs)
  local cases = {}
  for _, name in ipairs(choice.pick(ORDERS, knobs.order)) do
    for migrate = 0, name == "reuseport_migrate" and 1 or 0 do
      local label = name == "reuseport_migrate" and ("%s %d"):format(name, migrate) or name
      cases[#cases + 1] = { order = name, name = label, migrate = migrate }
    end
  end
  return cases
end

-- -- the check ---------------------------------------------------------------------------------

-- `resets`: the waiting clients are reset. `socket`: that of the next server. `has_gap`: newcomers find the port
-- closed. `is_emptied`: the queue is empty before the stop. `migrates`: the queue moves.
local EXPECTED = {
  close = { resets = true, socket = "new", has_gap = true },
  accept_then_close = { resets = true, socket = "new", has_gap = true, is_emptied = true },
  block_syn_then_accept = { socket = "new", is_emptied = true, is_blocked = true },
  shutdown_read = { resets = true, socket = "new", has_gap = true, accept = "EINVAL" },
  shutdown_write = { socket = "same" },
  listen_again = { resets = true, socket = "same", has_gap = true, accept = "EINVAL" },
  pass_descriptor = { socket = "same" },
  ["reuseport_migrate 0"] = { resets = true, socket = "new" },
  ["reuseport_migrate 1"] = { socket = "new", migrates = true },
}

local function check_kernel(name, case, kernel, expected)
  local mid, lost = kernel.mid or 0, case.reset + case.refused -- RST also answers what such a client had under way
  expect.fields(name, kernel, { left = expected.is_emptied and 0 or kernel.queued, socket = expected.socket,
    accept = expected.accept, migrated = expected.migrates and kernel.left + mid or 0,
    mid = expected.is_blocked and 0 or kernel.mid, rsts = expected.resets and expect.between(lost, 3 * lost) or 0 })
end

local function check_case(case, kernel, knobs)
  local name, expected, lost = case.order, EXPECTED[case.order], case.reset + case.refused + case.hung
  expect.fields(name, case, { offered = #arrivals(knobs) + 1, served = case.offered - lost })
  local are_patient = knobs.patience > knobs.busy + MOMENT -- otherwise clients give up while the server is busy
  if case.hung > 0 and (expected.resets or not are_patient) then
    experiment.not_judged("%s: %d clients had no patience for a busy server", name, case.hung)
  end
  if expected.resets then
    expect.fields(name, case, { reset = kernel.left + (kernel.mid or 0), hung = 0,
      refused = expected.has_gap and expect.at_least(1) or 0 })
  else
    assert(lost == 0, ("%s: lost %d of %d clients: %d reset, %d refused, %d hung"):format(name, lost, case.offered,
      case.reset, case.refused, case.hung))
  end
  check_kernel(name, case, kernel, expected)
  if expected.is_blocked then
    expect.fields(name, case, { slowest = expect.time(0.9 * SYN_AGAIN, 2.5 * SYN_AGAIN + knobs.gap) })
    local most = knobs.gap < SYN_AGAIN / 2 and case.blocked or math.huge -- a SYN is lost once, if the rule ends in time
    if kernel.syns < case.blocked then experiment.not_judged("%s: a full queue made clients wait as long", name) end
    expect.value(name .. ": syns", kernel.syns, expect.time(case.blocked, most))
  end
  local waiting = expected.is_emptied and kernel.queued or kernel.left + (kernel.mid or 0)
  if waiting == 0 then experiment.not_judged("%s: nobody waited when the server stopped", name) end
end

return experiment {
  claim = "A restart loses nobody if SYNs are blocked before the last accept, the next server inherits the socket, "
    .. "or tcp_migrate_req moves its queue. A listener that closes resets its queue.",
  knobs = {
    order = { "all", "order", "how the server stops", choices = choice.of(ORDERS) },
    rate = { 50.0, "per s", "how many clients come, by a Poisson process", min = 1, max = 10000 },
    seconds = { 1.0, "s", "how long clients come", min = 0.1, max = 60 },
    stop = { 0.3, "s", "when the server accepts nobody any more", min = 0, max = 60 },
    busy = { 0.2, "s", "how long the old server still works before it stops", min = 0, max = 60 },
    gap = { 0.2, "s", "time from the stop until the next server listens", min = 0, max = 60 },
    patience = { 10.0, "s", "how long a client waits for its reply", min = 0.1, max = 60 },
    delay = { 0.01, "s", "one-way delay of the link; 0: nobody is in the middle of a handshake", min = 0, max = 0.2 },
    service = { 0.005, "s", "how long a server works on a request", min = 0.000001, max = 60 },
    backlog = { 100, "connections", "how many the kernel may queue", min = 1 },
    seed = { 1, "seed", "the seed of the clients' arrivals" },
  },
  control = { order = "block_syn_then_accept", patience = 0.7 },
  needs = { perl = "perl-base" },
  -- served, reset, refused, hung (its patience was over): how many clients had each result. slowest, blocked: the
  -- longest wait of clients whose SYN was lost, and their number. queued, left: the depth when the stop begins, and
  -- when the listener goes. mid: handshakes that were open then. socket: whether the next server has the same one.
  -- accept: what it gave the old server. rsts, migrated: the kernel's counts. syns: SYNs that the rule lost.
  columns = { "order", "offered", "served", "reset", "refused", "hung", "slowest", "blocked", "queued", "left", "mid",
    "socket", "accept", "rsts", "migrated", "syns" },

  run = function(knobs)
    lunet.note "Clients come all the time. Each old server stops in its own order, and the next one takes over."
    local outcome = { cases = {}, kernel = {} }
    lunet.together(cases_of(knobs), function(case)
      return open_place(case, knobs)
    end, function(place, case, i)
      outcome.cases[i], outcome.kernel[i] = run_case(place, case, knobs)
    end)
    return outcome
  end,

  check = function(outcome, knobs)
    local orders, is_tried = {}, false
    for i, case in ipairs(cases_of(knobs)) do orders[i] = { order = case.name } end
    expect.cases("cases", outcome.cases, orders, { "order" })
    expect.cases("kernel", outcome.kernel, orders, { "order" })
    for i, case in ipairs(outcome.cases) do
      check_case(case, outcome.kernel[i], knobs)
      is_tried = is_tried or not EXPECTED[case.order].resets and case.order ~= "shutdown_write"
    end
    if not is_tried then experiment.not_judged "no order was tried that may lose nobody" end
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
