-- Claim. With SO_REUSEPORT one client in n hangs at a stuck worker, and again at each retry from the same port. At a
-- shared listener only the clients that it accepts hang.
--
-- Why. With SO_REUSEPORT every worker has its own listener and queue. The kernel picks one by a hash of addresses and
-- ports (net/ipv4/inet_hashtables.c, inet_lookup_reuseport; net/core/sock_reuseport.c, reuseport_select_sock), whatever
-- the state of its worker or of its queue. So one client in n connects, and hangs. When the stuck worker's queue is
-- full the kernel drops that client's SYNs, although the other queues are empty. The same source port gives the same
-- hash and the same listener, every time. A new port is a new draw: 1 - 1/n of the retries are served. (A retry from
-- the same port needs a reset before it: after a close that port is in use.) A shared listener has one queue, and free
-- workers take from it. A worker that accepts no more hangs nobody, and one that is stuck in a connection hangs one
-- client. But a worker that accepts and never answers is always free. The first in the line of waiting workers gets the
-- next connection (net/ipv4/inet_connection_sock.c, inet_csk_wait_for_connect: exclusive waiters, in order). So 1/n of
-- the clients hang while the other workers are idle, more the busier they are, and nearly all in overload. `predicted`
-- plays that order through for the same arrivals. Here the workers are tasks, which accept in the order in which they
-- ask. Processes that wait by epoll wake in another order, and if all are idle one of them may get most. Arrivals are
-- Poisson by seed, at a load relative to the capacity of n - 1 workers. A client hangs if it has no answer and no
-- healthy worker has its connection. A client with a late answer (`late`, of a busy machine) does not hang. A share of
-- the ports scatters by sqrt((n - 1) / count) / n; the check allows five times that, and judges nothing by time. A
-- hundred clients cannot tell 25 % from 40 %. So `draws` counts how many connections the kernel gives to each listener,
-- out of many more, which nobody serves.
--
-- Where it was met. "One request in eight times out" after a move to SO_REUSEPORT, with one worker blocked on a disk; a
-- health check with few source ports that always succeeds, or never; a worker without its database that draws all the
-- traffic of its group.
--
-- What to do. Retry from a new port. Watch the depth of each listener (`ss -lt` shows every one), not their sum. If the
-- stuck worker goes on accepting, no depth shows it, only the age of its open connections. A watchdog that ends it
-- helps at once: its listener leaves the group, and its queue is reset. At a shared listener a worker that cannot
-- answer must stop accepting.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local statistics = require "lunet.load.statistics"
local workload = require "lunet.load.workload"

local LONG = lab.LONG
local FIRST_PORT = 23000

local SHARINGS = { "shared", "reuseport" }
local KINDS = { "accepts_none", "accepts_one", "accepts_all" }
local RETRIES = { "same_port", "new_port" }

local round = statistics.round

-- -- workers -----------------------------------------------------------------------------------

-- Returns nil when the listener is closed. A worker that can accept no more for another reason is an error.
local function accept(listener)
  local connection, message, code = listener:accept()
  if code ~= "CLOSED" then assert(connection, message) end
  return connection
end

-- Serves one connection at a time, and notes the client's port.
local function serve_one_by_one(place, listener)
  while true do
    local connection <close> = accept(listener)
    if not connection then return end
    local _, port = connection:peer()
    place.taken[port] = true
    place.accepted = place.accepted + 1
    workload.serve(connection)
  end
end

-- The stuck worker keeps the connections that it accepts in `held`, open and unread.
local STUCK = {
  accepts_none = function() end,
  accepts_one = function(place, listener) place.held[1] = accept(listener) end,
  accepts_all = function(place, listener)
    while true do
      local connection = accept(listener)
      if not connection then return end
      place.held[#place.held + 1] = connection
    end
  end,
  nobody = serve_one_by_one,
}

-- A server with n workers, the last of them stuck. `listeners` has one for each worker, or the shared one. `taken` has
-- the ports of the clients that a healthy worker has accepted.
local function open_place(sharing, stuck, knobs)
  local server, clients, network = lab.hosts { "server", "clients" }
  local place = { server = server, clients = clients, address = network:address(clients), listeners = {}, held = {},
    taken = {}, accepted = 0 }
  for i = 1, sharing == "shared" and 1 or knobs.workers do
    place.listeners[i] = lab.listen(server, { backlog = knobs.backlog,
      reuseport = sharing == "reuseport" })
  end
  for i = 1, knobs.workers do
    local work = i == knobs.workers and STUCK[stuck] or serve_one_by_one
    lunet.spawn(work, place, place.listeners[i] or place.listeners[1])
  end
  return place
end

local function depths_of(place)
  local depths = {}
  for i, listener in ipairs(place.listeners) do depths[i] = lab.depth(listener) end
  return depths
end

-- How many connections the stuck worker holds: those that it accepted, and those in the queue of its own listener, if
-- it has one, ghosts included.
local function count_held(place)
  local depths = depths_of(place)
  return #place.held + (#depths > 1 and depths[#depths] or 0)
end

-- Waits until every connection that the server's kernel has made is accepted, or is the stuck worker's.
local function wait_for_workers(place, timeout)
  assert(lunet.eventually(function()
    return place.accepted + count_held(place) == assert(place.server:counters()).PassiveOpens
  end, timeout))
end

-- -- clients -----------------------------------------------------------------------------------

local function ask(connection, request, deadline)
  assert(connection:send(("%d %.9f\n"):format(request.number, request.service), LONG))
  return connection:receive("l", math.max(0, deadline - lunet.now()))
end

-- One attempt, from this port. Leaves by RST if there is no answer, so that the port is free again.
local function try(place, request, port, patience)
  local deadline = lunet.now() + patience
  local from = ("%s:%d"):format(place.address, port)
  local connection <close>, message, code = place.clients:connect({ place.listeners[1], from = from }, patience)
  if not connection and code ~= "TIMEOUT" then error(message) end
  if connection and ask(connection, request, deadline) then return true end
  if connection then connection:reset() end
  return false
end

-- So many requests of a Poisson process.
local function arrivals(count, number, knobs)
  local rate = knobs.load * (knobs.workers - 1) / knobs.service
  local seconds = 2 * (count + 10) / rate
  local requests = workload.requests {
    seed = knobs.seed + number, rate = rate, seconds = seconds, service = knobs.service,
  }
  return table.move(requests, 1, count, 1, {})
end

-- Clients at these ports ask, each one request. Returns the ports that hang: they have no answer, and no healthy worker
-- has them. Also returns how many had no answer in time from a healthy worker.
local function run_round(place, ports, requests, knobs)
  local unanswered, hung = {}, {}
  workload.offer(requests, function(request)
    local port = ports[request.number]
    if not try(place, request, port, knobs.patience) then unanswered[#unanswered + 1] = port end
  end)
  wait_for_workers(place, LONG + #ports * knobs.service)
  for _, port in ipairs(unanswered) do
    if not place.taken[port] then hung[#hung + 1] = port end
  end
  return hung, #unanswered - #hung
end

-- -- one case ----------------------------------------------------------------------------------

-- The share of a worker that is always free. Each request goes to the first worker in line; a worker that has served
-- stands at the end again, and the stuck one does so at once.
local function share_of_always_free(requests, workers)
  local line, busy, held = {}, {}, 0
  for i = 1, workers do line[i] = i end
  for _, request in ipairs(requests) do
    while busy[1] and busy[1].till <= request.at do line[#line + 1] = table.remove(busy, 1).worker end
    local worker = table.remove(line, 1)
    if worker == workers then
      held = held + 1
      line[#line + 1] = worker
    else
      busy[#busy + 1] = { worker = worker, till = request.at + request.service }
    end
  end
  return held / #requests
end

-- The share of the clients that hang.
local function predict(case, requests, workers)
  if case.stuck == "nobody" then return 0 end
  if case.sharing == "reuseport" then return 1 / workers end
  if case.stuck == "accepts_all" then return share_of_always_free(requests, workers) end
  return case.stuck == "accepts_one" and 1 / #requests or 0
end

-- The share of the retries that are served.
local function predict_retry(case, retry, requests, workers)
  if case.sharing == "shared" and case.stuck == "accepts_one" then return 1 end
  if case.sharing == "reuseport" and retry == "same_port" then return 0 end
  return 1 - predict(case, requests, workers)
end

local function cases_of(knobs) return choice.combinations(knobs, { { "sharing", SHARINGS }, { "stuck", KINDS } }) end

local function retries_of(knobs) return knobs.retry == "none" and {} or choice.pick(RETRIES, knobs.retry) end

local function new_ports(count, first)
  local ports = {}
  for i = 1, count do ports[i] = first + i - 1 end
  return ports
end

-- Clients that hung try again, from the same port or from new ones. Returns the ports that hang again. A client that a
-- healthy worker has counts as served, even if it was late.
local function retry_round(place, case, ports, retry, requests, knobs)
  local before = count_held(place)
  if retry == "new_port" then ports = new_ports(#ports, FIRST_PORT + knobs.clients) end
  local hung, late = run_round(place, ports, requests, knobs)
  return hung, {
    sharing = case.sharing, stuck = case.stuck, retry = retry, tried = #ports, served = #ports - #hung, late = late,
    held = count_held(place) - before, share = round(100 * (1 - #hung / #ports)),
    predicted = round(100 * predict_retry(case, retry, requests, knobs.workers)),
  }
end

local function run_case(case, knobs)
  local place = open_place(case.sharing, case.stuck, knobs)
  local moved = lab.counters(place.server)
  local requests = arrivals(knobs.clients, 0, knobs)
  local hung, late = run_round(place, new_ports(knobs.clients, FIRST_PORT), requests, knobs)
  local first = {
    sharing = case.sharing, stuck = case.stuck, hung = #hung, late = late, held = count_held(place),
    share = round(100 * #hung / knobs.clients), predicted = round(100 * predict(case, requests, knobs.workers)),
    overflows = moved "ListenOverflows",
    depths = table.concat(depths_of(place), " "),
  }
  local retries = {}
  for number, retry in ipairs(retries_of(knobs)) do
    if #hung > 0 then
      hung, retries[#retries + 1] = retry_round(place, case, hung, retry, arrivals(#hung, number, knobs), knobs)
    end
  end
  for _, listener in ipairs(place.listeners) do listener:close() end -- the workers end
  return { first = first, retries = retries }
end

-- -- which listener ----------------------------------------------------------------------------

-- How many connections the kernel gives to each of n listeners. Each client leaves by RST, and keeps its place.
local function count_draws(knobs)
  local listeners, server, clients = {}, lab.hosts { "server", "clients" }
  for i = 1, knobs.workers do
    listeners[i] = lab.listen(server, { backlog = knobs.draws, reuseport = true })
  end
  for _ = 1, knobs.draws do assert(clients:connect(listeners[1], LONG)):reset() end
  local function depths() return depths_of { listeners = listeners } end
  lab.await(function()
    local sum = 0
    for _, depth in ipairs(depths()) do sum = sum + depth end
    return sum == knobs.draws
  end)
  return depths()
end

-- -- the claim ---------------------------------------------------------------------------------

local function is_within(share, predicted, count)
  return math.abs(share - predicted) <= 5 * math.sqrt(predicted * (100 - predicted) / count) + 0.1
end

local function check_draws(draws, knobs)
  expect.value("the number of listeners", #draws, knobs.workers)
  local sum = 0
  for i, count in ipairs(draws) do
    sum = sum + count
    assert(is_within(100 * count / knobs.draws, 100 / knobs.workers, knobs.draws),
      ("the kernel gave %d of %d connections to listener %d of %d"):format(count, knobs.draws, i, knobs.workers))
  end
  expect.value("the number of draws", sum, knobs.draws)
end

-- How many of the connections that it holds the stuck worker has accepted.
local function accepted_of(row)
  return ({ accepts_none = 0, accepts_one = math.min(row.held, 1), accepts_all = row.held })[row.stuck]
end

-- The depths of all listeners: the others' queues are empty.
local function depths_to_be(row, knobs)
  if row.sharing == "shared" then return "0" end
  return ("0 "):rep(knobs.workers - 1) .. row.held - accepted_of(row)
end

local function check_first(row, knobs)
  local name = ("%s, %s"):format(row.sharing, row.stuck)
  local is_shared = row.sharing == "shared"
  local predicted = predict(row, arrivals(knobs.clients, 0, knobs), knobs.workers)
  assert(row.stuck ~= "nobody", name .. ": no client hung")
  local left_out = row.hung - row.held -- clients whose SYN found the queue full
  if is_shared and row.overflows > 0 then experiment.not_judged("%s: the queue of all workers was full", name) end
  expect.fields(name, row, { depths = depths_to_be(row, knobs), share = round(100 * row.hung / knobs.clients),
    predicted = round(100 * predicted), held = is_shared and row.hung or expect.between(0, row.hung),
    overflows = left_out > 0 and expect.at_least(left_out) or 0 })
  assert(left_out <= 0 or row.held >= knobs.backlog, name .. ": a client hung that nobody held")
  if row.hung == 0 and not (is_shared and row.stuck == "accepts_none") then
    experiment.not_judged("%s: no client met the stuck worker", name)
  end
  if is_shared and row.stuck ~= "accepts_all" then
    expect.value(name .. ": hung", row.hung, row.stuck == "accepts_one" and 1 or 0)
  elseif not is_within(row.share, 100 * predicted, knobs.clients) then
    if is_shared or row.overflows > 0 then experiment.not_judged("%s: other turns: the machine was late", name) end
    error(("%s: %g %% hang"):format(name, row.share), 0)
  end
end

local function check_retry(row, tried, number, knobs)
  local name = ("%s, %s, %s"):format(row.sharing, row.stuck, row.retry)
  local predicted = predict_retry(row, row.retry, arrivals(tried, number, knobs), knobs.workers)
  local hung = row.tried - row.served
  expect.fields(name, row, { tried = tried, share = round(100 * (1 - hung / row.tried)),
    predicted = round(100 * predicted), held = knobs.backlog > knobs.clients * 3 and hung or expect.between(0, hung) })
  if predicted == 0 or predicted == 1 then
    expect.value(name .. ": served", row.served, math.tointeger(predicted * tried))
  elseif not is_within(row.share, 100 * predicted, tried) then
    if row.sharing == "shared" or knobs.backlog < knobs.clients then
      experiment.not_judged("%s: other turns: the machine was late", name)
    end
    error(("%s: %g %% were served"):format(name, row.share), 0)
  end
end

-- The retries of each case in which a client hung, in their order.
local function check_retries(outcome, knobs)
  local next_retry = 1
  for i, case in ipairs(cases_of(knobs)) do
    local tried = outcome.first[i].hung
    for number, retry in ipairs(retries_of(knobs)) do
      if tried == 0 then break end
      local row = assert(outcome.retries[next_retry], "a retry is missing")
      expect.fields("retry " .. next_retry, row, { sharing = case.sharing, stuck = case.stuck, retry = retry })
      check_retry(row, tried, number, knobs)
      tried, next_retry = row.tried - row.served, next_retry + 1
    end
  end
  expect.value("the number of retries", #outcome.retries, next_retry - 1)
end

return experiment {
  claim = "With SO_REUSEPORT one client in n hangs at a stuck worker, and again at each retry from the same port. "
    .. "At a shared listener only the clients that it accepts hang.",
  knobs = {
    workers = { 4, "workers", "how many there are; one is stuck", min = 2, max = 64 },
    clients = { 100, "clients", "how many come, each with a source port of its own", min = 1, max = 20000 },
    sharing = { "all", "way", "one listener for all workers, or one for each",
      choices = choice.of(SHARINGS) },
    stuck = { "all", "way", "what the stuck worker accepts, and never answers",
      choices = { "all", "nobody", table.unpack(KINDS) } },
    retry = { "all", "way", "how clients that hung try again; all: from the same port, then from new ones",
      choices = { "all", "none", table.unpack(RETRIES) } },
    patience = { 0.5, "s", "how long a client waits, connect included", min = 0.001 },
    load = { 0.5, "of capacity", "the load of the workers that are not stuck", min = 0.01, max = 100 },
    service = { 0.02, "s", "how long a worker works on a request", min = 0.0001, max = 60 },
    backlog = { 4096, "connections", "how many the kernel may queue for each listener", min = 0 },
    draws = { 4000, "connections", "how many are counted by listener, if each worker has one", min = 1, max = 4000 },
    seed = { 1, "number", "the seed of the arrivals" },
  },
  -- share: clients that hang, in %; in a retry, clients that are served. held: connections of the stuck worker.
  columns = { "sharing", "stuck", "retry", "tried", "served", "hung", "late", "held", "share", "predicted",
    "overflows", "depths" },
  control = { stuck = "nobody" },

  run = function(knobs)
    lunet.note "Each way to share listeners meets each way to be stuck, side by side."
    local results = lunet.together(cases_of(knobs), function(case) return run_case(case, knobs) end)
    local first, retries = {}, {}
    for i, result in ipairs(results) do
      first[i] = result.first
      table.move(result.retries, 1, #result.retries, #retries + 1, retries)
    end
    return { first = first, retries = retries, draws = knobs.sharing ~= "shared" and count_draws(knobs) or nil }
  end,

  check = function(outcome, knobs)
    expect.cases("first", outcome.first, cases_of(knobs), { "sharing", "stuck" })
    if knobs.sharing ~= "shared" then check_draws(outcome.draws, knobs) end
    for _, row in ipairs(outcome.first) do check_first(row, knobs) end
    check_retries(outcome, knobs)
  end,

  figures = function(outcome)
    local shares, parts = {}, {}
    for _, row in ipairs(outcome.first) do
      shares[row.sharing] = shares[row.sharing] or {}
      table.insert(shares[row.sharing], ("%g"):format(row.share))
    end
    for _, sharing in ipairs(SHARINGS) do
      if shares[sharing] then parts[#parts + 1] = ("%s %s %%"):format(sharing, table.concat(shares[sharing], "/")) end
    end
    local text = "hung: " .. table.concat(parts, ", ")
    if not outcome.draws then return text end
    local least, most = math.min(table.unpack(outcome.draws)), math.max(table.unpack(outcome.draws))
    return ("%s; a listener draws %d to %d"):format(text, least, most)
  end,
}
