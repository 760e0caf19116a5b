-- A server hangs: it accepts nothing any more. A health check goes on probing it. After how long does each kind of
-- probe say so (`detected`; -1: never), and what do the probes cost the server's clients? `healthy` counts the probes
-- that called the hung server healthy, `added` the places that probes hold in its queue when it goes on, `refused` the
-- clients that found none, and `ghosts` and `stale` what the server then has to work through for the prober:
-- connections without a request, and requests that it carries out. The row `none` is the same hang without a prober.
--
-- Why: the handshake is the kernel's. A probe that only connects tells that the queue has room, not that the server
-- accepts; nothing takes its connection out again, neither FIN nor RST (ghost_kinds). So it is the prober's ghosts,
-- and the clients', that fill the queue: backlog + 1 places, of which 1 / interval + rate are taken each second. Then
-- the kernel drops every SYN (net/ipv4/tcp_input.c, tcp_conn_request; ListenOverflows), the probes fail, and so do the
-- clients that would have been served after the hang. `predicted` follows from the schedule alone. A half-open probe
-- (SYN, SYN-ACK, RST) ends before the queue (net/ipv4/tcp_minisocks.c, tcp_check_req; EmbryonicRsts): it costs no
-- place and notices nothing, unless clients have filled the queue. A request is noticed missing at once, but if the
-- prober goes on asking, each of its requests waits in the queue with those of the clients, and is carried out.
-- How half_open keeps its last ACK back: drop_ack, a rule on its host; or defer_ack, TCP_DEFER_ACCEPT on the prober's
-- own socket, by which Linux delays that ACK (tcp_rcv_synsent_state_process) until the RST has made it needless; that
-- needs no privilege, but is a race against 0.2 s.
-- All that is judged is an order: probes and clients come in that of their schedule, however late. Lateness (that of
-- all, p99, and the most of a probe's beginning or end) is allowed for where `detected` is compared with `predicted`.
--
-- Where people met it: a load balancer that goes on sending to a server that hangs, the longer the longer its queue is
-- (by a probe every 2 s and a backlog of 4096, 2 h 16 min); and a server that, once it has recovered, has a log full of
-- connections without a request. What to do: probe by a request that goes where the clients' requests go, with a
-- patience of its own and little work; probe less often once the server is unhealthy (down_interval); watch its queue.
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local statistics = require "lunet.statistics"
local workload = require "lunet.workload"

local LONG = 20 -- s; bounds waits for states that do come
local PROBES = { "connect", "connect_reset", "half_open", "request" }
local GRAIN = 0.001 -- s; of rounding and of what lies between two looks at the clock
local PROBER = 0 -- the number of the prober's requests; those of the clients have their own, from 1

local function await(predicate) return assert(lunet.eventually(predicate, LONG)) end
local function round(value) return statistics.round(value, 4) end

-- -- the prober --------------------------------------------------------------------------------

local function leave(connection, departure)
  if connection then connection[departure](connection) end
  return connection ~= nil
end

-- By kind: whether the server is healthy.
local probes = {
  connect = function(place, patience) return leave(place.prober:connect(place.listener, patience), "close") end,
  connect_reset = function(place, patience) return leave(place.prober:connect(place.listener, patience), "reset") end,
  half_open = function(place, patience)
    local target = { place.listener, defer_accept = place.half_open_by == "defer_ack" and 1 or nil }
    return leave(place.prober:connect(target, patience), "reset")
  end,
  request = function(place, patience)
    local deadline = lunet.now() + patience
    local connection <close> = place.prober:connect(place.listener, patience)
    if not connection then return false end
    connection:send(("%d %.9f\n"):format(PROBER, place.service))
    return connection:receive("l", math.max(0, deadline - lunet.now())) ~= nil
  end,
}

-- What follows from the schedule alone: when the prober says that the server hangs.
local function predict(kind, schedule, knobs)
  local places, failed = knobs.backlog + 1, 0
  for _, event in ipairs(schedule) do
    local is_refused = places == 0 or kind == "request" and event.is_probe
    if event.is_probe and is_refused then failed = failed + 1 end
    if event.is_probe and failed == knobs.fall then return round(event.at + knobs.patience) end
    if places > 0 and not (event.is_probe and kind == "half_open") then places = places - 1 end
  end
  return -1
end

-- One probe of those that are scheduled, unless the prober has slowed down.
local function probe(kind, place, event, knobs)
  local seen = place.seen
  if seen.detected >= 0 and event.at < seen.last + knobs.down_interval then return end
  seen.last = event.at
  local started = lunet.now()
  local is_healthy = probes[kind](place, knobs.patience)
  local now = lunet.now()
  seen.healthy = seen.healthy + (is_healthy and 1 or 0)
  seen.failed = is_healthy and 0 or seen.failed + 1
  seen.late = math.max(seen.late, started - place.began - event.at, now - started - knobs.patience)
  if seen.failed == knobs.fall then seen.detected = now - place.began end
end

-- -- the server and its clients ----------------------------------------------------------------

-- It serves one client at a time, and counts what it does for the prober.
local function open_server(kind, knobs)
  local server, prober, clients = assert(lunet.host "server"), assert(lunet.host "prober"), assert(lunet.host "clients")
  lunet.link(server, prober)
  local link = lunet.link(server, clients)
  local place = { server = server, prober = prober, clients = clients, clients_address = link:address(clients),
    listener = assert(server:listen { port = 7300, backlog = knobs.backlog }), service = knobs.service,
    half_open_by = knobs.half_open_by, ghosts = 0, stale = 0 }
  place.listener:gate(1)
  if kind == "half_open" and knobs.half_open_by == "drop_ack" then
    place.rule = assert(prober:drop { direction = "out", flags = "ACK", to_port = 7300 })
  end
  lunet.spawn(function()
    place.listener:serve(function(connection)
      local number = workload.serve(connection)
      if not number then place.ghosts = place.ghosts + 1 end
      if number == PROBER then place.stale = place.stale + 1 end
    end)
  end)
  return place
end

local function is_idle(place) return place.listener:queue().depth == 0 and select(2, place.listener:gate()) == 0 end

-- It finds the server as it should be before the hang, and the server has forgotten it by then.
local function probe_once(kind, place)
  assert(probes[kind](place, LONG), "the server was unhealthy before it hung")
  await(function() return is_idle(place) and (kind == "half_open" or place.ghosts + place.stale == 1) end)
  place.ghosts, place.stale = 0, 0
end

-- A client that stays once it is connected, and gets its reply when the server goes on.
local function be_client(place, request, patience)
  local connection <close> = place.clients:connect(place.listener, patience)
  place.decided = place.decided + 1
  if not connection then return end
  connection:send(("%d %.9f\n"):format(request.number, request.service))
  connection:receive("l", LONG)
end

local function count_queued_clients(place)
  local count = 0
  for _, socket in ipairs(place.server:sockets { listener = place.listener, owned = false }) do
    if socket.peer_address:find(place.clients_address .. ":", 1, true) == 1 then count = count + 1 end
  end
  return count
end

-- Probes and clients in one list, so that they come in this order however late they are; by the end of the hang it is
-- settled what became of each. Also how many of them are clients.
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

local function run_case(kind, knobs, meet)
  local place = open_server(kind, knobs)
  local schedule, clients = make_schedule(kind, knobs)
  if kind ~= "none" then probe_once(kind, place) end
  meet() -- to make hosts takes time, which would make probes late
  place.listener:gate(0)
  local before = place.server:counters()
  place.seen = { detected = -1, healthy = 0, failed = 0, last = 0, late = 0 }
  place.began, place.decided = lunet.now(), 0
  local offer = lunet.spawn(workload.offer, schedule, function(event)
    if not event.is_probe then return be_client(place, event, knobs.patience) end
    probe(kind, place, event, knobs)
    place.decided = place.decided + 1
  end, place.began)
  lunet.sleep(knobs.hang)
  await(function() return place.decided == #schedule end)
  local queue, queued, moved = place.listener:queue(), count_queued_clients(place), place.server:counters() - before

  place.listener:gate(1)
  local _, lateness = offer:join()
  await(function() return is_idle(place) end)
  place.listener:close()
  local seen = place.seen
  return {
    probe = kind, predicted = predict(kind, schedule, knobs), detected = round(seen.detected), healthy = seen.healthy,
    added = queue.depth - queued, refused = clients - queued, ghosts = place.ghosts, stale = place.stale,
  }, {
    probe = kind, clients = clients, depth = queue.depth, limit = queue.limit, drops = moved.ListenDrops,
    embryonic = moved.EmbryonicRsts, late_p99 = round(statistics.quantile(lateness, 0.99) or 0),
    late_max = round(seen.late),
  }
end

-- -- the check ---------------------------------------------------------------------------------

local function check_time(case, kernel)
  local late = case.detected - case.predicted -- a probe may begin late, and end late
  local is_as_predicted = late >= -GRAIN and late <= 2 * kernel.late_max + GRAIN
  assert(is_as_predicted, ("%s: unhealthy after %g s, not %g"):format(case.probe, case.detected, case.predicted))
end

local function check_connect(case, kernel, none)
  assert(case.detected >= 0, case.probe .. ": called the hung server healthy to the end: its queue had room")
  assert(kernel.depth == kernel.limit + 1, case.probe .. ": unhealthy, though the queue was not full")
  assert(kernel.drops > 0, case.probe .. ": the kernel dropped no SYN")
  assert(case.added > 0 and case.ghosts == case.added, case.probe .. ": its ghosts were not the server's to process")
  assert(case.refused > none.refused, case.probe .. ": its ghosts took no client's place")
end

local checks = {
  none = function(case) assert(case.added == 0, "none: somebody else was in the queue") end,
  connect = check_connect,
  connect_reset = check_connect,
  half_open = function(case, kernel, none)
    assert(case.detected < 0 or kernel.depth > kernel.limit, "half_open: unhealthy, though the queue was not full")
    assert(case.added == 0 and case.ghosts == 0, "half_open: it took a place in the queue")
    assert(case.refused == none.refused, "half_open: it took a client's place")
    assert(kernel.embryonic > 0, "half_open: the kernel counted no handshake that was reset")
  end,
  request = function(case)
    assert(case.detected >= 0, "request: called the hung server healthy to the end")
    assert(case.healthy == 0, "request: called the hung server healthy")
    assert(case.added > 0 and case.stale == case.added, "request: not all of its requests were carried out")
  end,
}

local NAMES = { connect = "connect", connect_reset = "reset", half_open = "half-open", request = "request" }

local function tell(case)
  local time = case.detected < 0 and "never" or ("%.1f"):format(case.detected)
  return NAMES[case.probe] .. " " .. time
end

return experiment {
  claim = "A probe that only connects calls a hung server healthy until its ghosts have filled the queue, and clients "
    .. "then find no place; a half-open probe does not notice, a request does at once.",
  knobs = {
    probe = { "all", "kind", "how the prober asks", choices = choice.of(PROBES) },
    interval = { 0.1, "s", "from one probe to the next", min = 0.001 },
    down_interval = { 0.0, "s", "at least so long once the server is unhealthy", min = 0 },
    patience = { 0.1, "s", "how long the prober waits, and a client for its connection", min = 0.001, max = 0.9 },
    fall = { 2, "probes", "how many fail in a row before the server is unhealthy", min = 1 },
    backlog = { 15, "connections", "how many the kernel may queue", min = 0, max = 4096 },
    hang = { 2.5, "s", "how long the server accepts nothing", min = 0.1 },
    rate = { 4.0, "per s", "clients that come meanwhile, by a Poisson process", min = 0 },
    service = { 0.005, "s", "how long the server works on a request", min = 0.000001 },
    half_open_by = { "drop_ack", "way", "how half_open keeps its last ACK back", choices = { "drop_ack",
      "defer_ack" } },
    seed = { 1, "seed", "of the clients' arrivals" },
  },
  control = { backlog = 100 },
  columns = { "probe", "predicted", "detected", "healthy", "added", "refused", "ghosts", "stale", "clients", "depth",
    "limit", "drops", "embryonic", "late_p99", "late_max" },

  run = function(knobs)
    local kinds = { "none", table.unpack(choice.pick(PROBES, knobs.probe)) }
    lunet.note "The server is healthy, then hangs. It is probed all the time, and clients come."
    local results = lunet.together(kinds, function(kind, _, meet) return table.pack(run_case(kind, knobs, meet)) end)
    local cases, kernel = {}, {}
    for i, result in ipairs(results) do cases[i], kernel[i] = result[1], result[2] end
    return { cases = cases, kernel = kernel }
  end,

  check = function(outcome)
    for i, case in ipairs(outcome.cases) do checks[case.probe](case, outcome.kernel[i], outcome.cases[1]) end
    for i, case in ipairs(outcome.cases) do check_time(case, outcome.kernel[i]) end
  end,

  figures = function(outcome)
    local texts = {}
    for i = 2, #outcome.cases do texts[#texts + 1] = tell(outcome.cases[i]) end
    return table.concat(texts, ", ") .. " s"
  end,
}
