-- Claim. A probe that only connects calls a hung server healthy until its ghosts have filled the queue. A half-open
-- probe never notices, and a request does at once.
--
-- Why. The kernel makes the handshake. A probe that only connects tells that the queue has room, not that the server
-- accepts. Nothing takes its connection out again, neither FIN nor RST (ghost_kinds). So the ghosts of prober and
-- clients fill the queue: it has backlog + 1 places, and 1 / interval + rate are taken each second. Then the kernel
-- drops every SYN (net/ipv4/tcp_input.c, tcp_conn_request; ListenOverflows). The probes fail, and so do the clients
-- that would have been served after the hang. `predicted` follows from the schedule alone. A half-open probe (SYN,
-- SYN-ACK, RST) ends before the queue (net/ipv4/tcp_minisocks.c, tcp_check_req; EmbryonicRsts): it costs no place and
-- notices nothing, unless clients have filled the queue. A prober that sends requests notices at once that no reply
-- comes. But each of its requests waits in the queue among those of the clients, and is carried out. half_open keeps
-- its last ACK back by a rule on its host (drop_ack), or by TCP_DEFER_ACCEPT on the prober's own socket (defer_ack).
-- With that option Linux delays the ACK (tcp_rcv_synsent_state_process) until the RST has made it needless. It needs no
-- privilege, but is a race against 0.2 s. Probes and clients come in the order of their schedule, however late, so all
-- counts follow from it. A time that comes much later than predicted is not judged. A server that hangs later, when it
-- should answer (hang_at = request), accepts everybody: its queue never fills, and a probe that only connects never
-- notices.
--
-- Where it was met. A load balancer that goes on sending to a server that hangs; the longer the queue, the longer it
-- does (with a probe every 2 s and a backlog of 4096, 2 h 16 min); a server that, once it has recovered, has a log full
-- of connections without a request.
--
-- What to do. Probe by a request that goes where the clients' requests go, with a patience of its own and little work.
-- Probe less often once the server is unhealthy (down_interval). Watch its queue.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local statistics = require "lunet.load.statistics"
local workload = require "lunet.load.workload"

local LONG = lab.LONG
local PROBES = { "connect", "connect_reset", "half_open", "request" }
local GRAIN = 0.001 -- s; of rounding, and of the time between two looks at the clock
local ALL = 100000 -- a gate for everybody
local PROBER = 0 -- the number of the prober's requests; those of the clients have their own, from 1

local function round(value) return statistics.round(value, 4) end

-- -- the prober --------------------------------------------------------------------------------

-- A connect that fails is counted: the kernel must have dropped its SYN.
local function connect(place, host, target, patience)
  local connection = host:connect(target, patience)
  if not connection then place.failed = place.failed + 1 end
  return connection
end

-- Connects and leaves at once.
local function touch(place, patience, departure, target)
  local connection = connect(place, place.prober, target or place.listener, patience)
  if connection then connection[departure](connection) end
  return connection ~= nil
end

-- The kinds of probe. Each tells whether the server is healthy.
local probes = {
  connect = function(place, patience) return touch(place, patience, "close") end,
  connect_reset = function(place, patience) return touch(place, patience, "reset") end,
  half_open = function(place, patience)
    local target = { place.listener, defer_accept = place.half_open_by == "defer_ack" and 1 or nil }
    return touch(place, patience, "reset", target)
  end,
  request = function(place, patience)
    local deadline = lunet.now() + patience
    local connection <close> = connect(place, place.prober, place.listener, patience)
    if not connection then return false end
    connection:send(("%d %.9f\n"):format(PROBER, place.service))
    return connection:receive("l", math.max(0, deadline - lunet.now())) ~= nil
  end,
}

-- Whether a probe of the schedule begins: the prober slows down once it knows that the server is unhealthy. A probe
-- that is due at that very moment begins.
local function is_due(event, seen, knobs)
  return not seen.known or event.at < seen.known + GRAIN or event.at >= seen.last + knobs.down_interval
end

-- The counts that follow from the schedule alone: when the prober says that the server hangs (`detected`, -1: never),
-- how many probes called it healthy, how many places they and the clients took, and how many SYNs found no place.
local function play(kind, schedule, knobs)
  local places, failed = knobs.backlog + 1, 0
  local seen = { last = 0, healthy = 0, added = 0, queued = 0, refused = 0, drops = 0 }
  for _, event in ipairs(schedule) do
    local has_place, is_probe = places > 0, event.is_probe
    if not is_probe or is_due(event, seen, knobs) then
      if not has_place then seen.drops = seen.drops + 1 end
      if has_place and not (is_probe and kind == "half_open") then
        places = places - 1
        local who = is_probe and "added" or "queued"
        seen[who] = seen[who] + 1
      end
      if is_probe then
        local is_healthy = has_place and kind ~= "request"
        seen.last, seen.healthy = event.at, seen.healthy + (is_healthy and 1 or 0)
        failed = is_healthy and 0 or failed + 1
        if failed == knobs.fall then seen.known = event.at + knobs.patience end
      elseif not has_place then
        seen.refused = seen.refused + 1
      end
    end
  end
  seen.detected = seen.known or -1
  return seen
end

-- Waits for the results of the probes whose patience ends before a time of the schedule.
local function wait_for_earlier(seen, at, knobs)
  lab.await(function()
    for event in pairs(seen.pending) do
      if event.at + knobs.patience + GRAIN <= at then return false end
    end
    return true
  end)
end

local function probe(kind, place, event, knobs)
  local seen = place.seen
  local is_healthy = probes[kind](place, knobs.patience)
  seen.pending[event], place.decided = nil, place.decided + 1
  seen.healthy = seen.healthy + (is_healthy and 1 or 0)
  seen.failed = is_healthy and 0 or seen.failed + 1
  if seen.failed ~= knobs.fall then return end
  seen.detected, seen.known = lunet.now() - place.began, event.at + knobs.patience
end

-- -- the server and its clients ----------------------------------------------------------------

-- A server that serves one client at a time, and counts the work that it does for the prober.
local function open_server(kind, knobs)
  local server, prober, clients, _, link = lab.hosts { "server", "prober", "clients" }
  local place = { server = server, prober = prober, clients = clients, clients_address = link:address(clients),
    listener = lab.listen(server, { backlog = knobs.backlog }), service = knobs.service,
    half_open_by = knobs.half_open_by, ghosts = 0, stale = 0, failed = 0 }
  place.listener:gate(1)
  if kind == "half_open" and knobs.half_open_by == "drop_ack" then
    place.rule = assert(prober:drop { direction = "out", flags = "ACK", to_port = 7300 })
  end
  lunet.spawn(function()
    place.listener:serve(function(connection)
      if place.is_hung then lab.await(function() return not place.is_hung end) end
      local number = workload.serve(connection)
      if not number then place.ghosts = place.ghosts + 1 end
      if number == PROBER then place.stale = place.stale + 1 end
    end)
  end)
  return place
end

local function is_idle(place)
  return assert(place.listener:queue()).depth == 0 and select(2, place.listener:gate()) == 0
end

-- The server accepts nobody any more, or everybody and answers nobody.
local function hang(place, knobs)
  place.is_hung = true
  place.listener:gate(knobs.hang_at == "accept" and 0 or ALL)
end

local function go_on(place)
  place.is_hung = false
  place.listener:gate(1)
end

-- Probes the server before the hang, and waits until the server is done with that probe.
local function probe_once(kind, place)
  assert(probes[kind](place, LONG), "the server was unhealthy before it hung")
  lab.await(function() return is_idle(place) and (kind == "half_open" or place.ghosts + place.stale == 1) end)
  place.ghosts, place.stale = 0, 0
end

-- A client stays once it is connected, and gets its reply when the server goes on.
local function be_client(place, request, patience)
  local connection <close> = connect(place, place.clients, place.listener, patience)
  place.decided = place.decided + 1
  if not connection then
    place.refused = place.refused + 1
    return
  end
  connection:send(("%d %.9f\n"):format(request.number, request.service))
  connection:receive("l", LONG)
end

-- Probes and clients take their turns in the order of the schedule, so that a late machine changes no count. A probe
-- that waits for earlier results holds up those after it: otherwise they would take its place in the queue.
local function follow(schedule, kind, place, knobs)
  local seen = place.seen
  for _, event in ipairs(schedule) do
    lab.sleep_until(place.began + event.at)
    if event.is_probe then wait_for_earlier(seen, event.at, knobs) end
    if not event.is_probe then
      lunet.spawn(be_client, place, event, knobs.patience)
    elseif is_due(event, seen, knobs) then
      seen.last, seen.pending[event] = event.at, true
      lunet.spawn(probe, kind, place, event, knobs)
    else
      place.decided = place.decided + 1
    end
  end
end

local function count_queued_clients(place)
  return statistics.count(place.server:sockets { listener = place.listener, owned = false }, function(socket)
    return socket.peer_address:find(place.clients_address .. ":", 1, true) == 1
  end)
end

-- Probes and clients in one list, and how many of them are clients. Each result is settled by the end of the hang.
local function make_schedule(kind, knobs)
  local seconds, schedule, count = knobs.hang - knobs.patience, {}, 0
  if knobs.rate > 0 and seconds > 0 then
    schedule = workload.requests { seed = knobs.seed, rate = knobs.rate, seconds = seconds, service = knobs.service }
    count = #schedule
  end
  for i = 1, kind == "none" and 0 or seconds // knobs.interval do
    schedule[#schedule + 1] = { at = i * knobs.interval, is_probe = true }
  end
  table.sort(schedule, function(a, b) return a.at < b.at end)
  return schedule, count
end

local function prepare(kind, knobs)
  local place = open_server(kind, knobs)
  if kind ~= "none" then probe_once(kind, place) end
  return place
end

local function run_case(place, kind, knobs)
  local schedule, clients = make_schedule(kind, knobs)
  hang(place, knobs)
  local moved = lab.counters(place.server)
  place.seen = { detected = -1, healthy = 0, failed = 0, last = 0, pending = {} }
  place.began, place.decided, place.refused = lunet.now(), 0, 0
  local offer = lunet.spawn(follow, schedule, kind, place, knobs)
  lunet.sleep(knobs.hang)
  lab.await(function() return place.decided == #schedule end)
  local queue, queued = assert(place.listener:queue()), count_queued_clients(place)
  local drops, embryonic = moved "ListenDrops", moved "EmbryonicRsts"

  go_on(place)
  offer:join()
  lab.await(function() return is_idle(place) end)
  place.listener:close()
  return {
    probe = kind, predicted = round(play(kind, schedule, knobs).detected), detected = round(place.seen.detected),
    healthy = place.seen.healthy, added = queue.depth - queued, refused = place.refused, ghosts = place.ghosts,
    stale = place.stale,
  }, {
    probe = kind, clients = clients, depth = queue.depth, limit = queue.limit, failed = place.failed, drops = drops,
    embryonic = embryonic,
  }
end

-- -- the check ---------------------------------------------------------------------------------

local function kinds_of(knobs) return { "none", table.unpack(choice.pick(PROBES, knobs.probe)) } end

local IS_CONNECT = { connect = true, connect_reset = true }

local function check_case(case, kernel, knobs)
  local kind, schedule, clients = case.probe, make_schedule(case.probe, knobs)
  local seen = play(kind, schedule, knobs)
  local detected, latest = round(seen.detected), 2.5 * seen.detected + knobs.patience / 2
  if kernel.failed ~= kernel.drops then -- a handshake took longer than the patience, or met another at the last place
    experiment.not_judged("%s: the machine was late: %d connects failed, and the kernel dropped %d segments", kind,
      kernel.failed, kernel.drops)
  end
  expect.fields(kind, case, { predicted = detected })
  if case.detected < 0 or detected < 0 then expect.fields(kind, case, { detected = detected }) end
  expect.fields(kind, case, { healthy = seen.healthy, added = seen.added, refused = seen.refused,
    ghosts = IS_CONNECT[kind] and seen.added or 0, stale = kind == "request" and seen.added or 0 })
  expect.fields(kind, kernel, { clients = clients, depth = seen.added + seen.queued, limit = knobs.backlog,
    drops = expect.time(seen.drops, seen.drops), embryonic = kind == "half_open" and seen.healthy or 0 })
  if detected >= 0 then expect.fields(kind, case, { detected = expect.time(detected - GRAIN, latest) }) end
end

-- Whether this probe has shown what the claim says about it.
local function is_tried(case)
  if case.probe == "half_open" then return case.healthy > 0 or case.detected >= 0 end
  return case.probe == "none" or case.detected >= 0
end

local NAMES = { none = "none", connect = "connect", connect_reset = "reset", half_open = "half-open",
  request = "request" }

local function tell(case)
  local time = case.detected < 0 and "never" or ("%.1f"):format(case.detected)
  return NAMES[case.probe] .. " " .. time
end

return experiment {
  claim = "A probe that only connects calls a hung server healthy until its ghosts have filled the queue. A "
    .. "half-open probe never notices, and a request does at once.",
  knobs = {
    probe = { "all", "kind", "how the prober asks", choices = choice.of(PROBES) },
    interval = { 0.1, "s", "time from one probe to the next", min = 0.001 },
    down_interval = { 0.0, "s", "the least interval once the server is unhealthy", min = 0 },
    patience = { 0.1, "s", "how long the prober waits, and a client for its connection", min = 0.001, max = 0.9 },
    fall = { 2, "probes", "how many fail in a row before the server is unhealthy", min = 1 },
    backlog = { 15, "connections", "how many the kernel may queue", min = 0, max = 4096 },
    hang = { 2.5, "s", "how long the server hangs", min = 0.1, max = 60 },
    hang_at = { "accept", "call", "where the server hangs: it accepts nobody, or accepts everybody and answers nobody",
      choices = { "accept", "request" } },
    rate = { 4.0, "per s", "how many clients come meanwhile, by a Poisson process", min = 0, max = 1000 },
    service = { 0.005, "s", "how long the server works on a request", min = 0.000001, max = 60 },
    half_open_by = { "drop_ack", "way", "how half_open keeps its last ACK back", choices = { "drop_ack",
      "defer_ack" } },
    seed = { 1, "seed", "the seed of the clients' arrivals" },
  },
  control = { hang_at = "request" },
  -- detected: when the prober says that the server hangs (-1: never). healthy: probes that called the hung server
  -- healthy. added: places that probes hold in its queue when it goes on. refused: clients that found no place. ghosts,
  -- stale: connections of the prober without a request, and its requests that are carried out. failed: connects that
  -- failed. drops, embryonic: the kernel's ListenDrops and EmbryonicRsts. The row `none` is the same hang without a
  -- prober.
  columns = { "probe", "predicted", "detected", "healthy", "added", "refused", "ghosts", "stale", "clients", "depth",
    "limit", "failed", "drops", "embryonic" },

  run = function(knobs)
    lunet.note "The server is healthy, then hangs. It is probed all the time, and clients come."
    local outcome = { cases = {}, kernel = {} }
    lunet.together(kinds_of(knobs), function(kind)
      return prepare(kind, knobs)
    end, function(place, kind, i)
      outcome.cases[i], outcome.kernel[i] = run_case(place, kind, knobs)
    end)
    return outcome
  end,

  check = function(outcome, knobs)
    local kinds = {}
    for i, kind in ipairs(kinds_of(knobs)) do kinds[i] = { probe = kind } end
    expect.cases("cases", outcome.cases, kinds, { "probe" })
    expect.cases("kernel", outcome.kernel, kinds, { "probe" })
    for i = #kinds, 1, -1 do check_case(outcome.cases[i], outcome.kernel[i], knobs) end
    for _, case in ipairs(outcome.cases) do
      if not is_tried(case) then
        experiment.not_judged("%s: the hang was over before it could notice", case.probe)
      end
    end
  end,

  figures = function(outcome)
    local texts = {}
    for i = 2, #outcome.cases do texts[#texts + 1] = tell(outcome.cases[i]) end
    return table.concat(texts, ", ") .. " s"
  end,
}
