-- Claim. In overload, goodput falls to nothing once a full queue takes longer than the clients' patience, although the
-- server works all the time.
--
-- Why. The kernel queues backlog + 1 connections (include/net/sock.h, sk_acceptq_is_full) and forgets none of them when
-- its client leaves. In overload the queue is full, and a place becomes free when the server takes the next connection.
-- The client that gets that place waits for nearly one service, then for those of the backlog, then for its own. Its
-- reply comes after (backlog + 2) / capacity, less the short time for which the place was free. If that is more than
-- the patience, every reply comes too late: each client leaves a ghost, and its retry queues behind the others. So the
-- threshold is capacity * patience - 2. Below it the kernel drops the SYNs of clients that would wait too long
-- (net/ipv4/tcp_input.c, tcp_conn_request; ListenOverflows), and the server answers the others in time. Patience and
-- capacity move the threshold, in proportion. The distribution of service times does not, but it spreads the fall:
-- lunet.load.model derives how far, and doc/studies/goodput.md shows the model beside what was measured. Load, retries
-- and departure only decide whether the queue fills. From a patience of 1 s on, the kernel's own retransmissions of the
-- SYN come on top.
--
-- Where it was met. A service that stays down under a load just above its capacity, while its processors or its
-- database are busy; a backlog that was raised to 511, 1024 or 4096 against connection errors before that.
--
-- What to do. Choose a backlog below capacity * patience. Or let the server look at the age of a request, or for the
-- client's FIN, before it works on it (server = in_time).
local admission = require "lunet.load.admission"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local model = require "lunet.load.model"
local option_table = require "lunet.text.options"
local overload = require "lunet.load.overload"
local plot = require "lunet.text.plot"
local statistics = require "lunet.load.statistics"
local workload = require "lunet.load.workload"

local round = statistics.round

local SAMPLE = 0.02 -- s between two looks at the queue
local TICK = 0.004 -- s; what the kernel's ages may be short of (HZ = 250)
local NEAR = { 0.75, 2 } -- near the threshold goodput may be that of a queue so much shorter, or longer
local SLACK = 0.2 -- of what is due; how far goodput may be from the model's
local SIGMAS = 2.3 -- one of a hundred sums of service times is so much below its mean

-- Arrivals are Poisson by seed in an open loop. The capacity is that of a closed loop of four clients: the same server,
-- which answers all of them. A wait counts from the time when the request was due. The warm-up does not count, and the
-- load goes on after the measurement. A run is not judged if 1 in 100 clients was late by over a fifth of `service`. It
-- is not judged either if the server did more than its capacity. An attempt takes the machine about 0.15 ms. The
-- kernel's own threads take 1 ms now and then, so with a service of 5 ms clients are late too often. Only the number of
-- services that fit into the patience counts. A sweep finds the threshold:
--
--     lunet sweep experiments/overload/retry_storm.lua --backlog 1..20 --runs 10 --into out

-- -- the run -----------------------------------------------------------------------------------

-- Whether a request can still be answered before its client gives up.
local function can_be_in_time(knobs)
  if knobs.server == "all" then return nil end
  return function(connection) return admission.waited(connection) + TICK + knobs.service < knobs.patience end
end

-- The kernel's counts from one time to another, and the mean depth of the queue.
local function observe(site, from, to)
  lab.sleep_until(from)
  local at_server, at_clients, depths = lab.counters(site.server), lab.counters(site.clients), {}
  repeat
    depths[#depths + 1] = lab.depth(site.listener)
    lab.sleep_until(math.min(lunet.now() + SAMPLE, to))
  until lunet.now() >= to
  return {
    attempts = at_clients "ActiveOpens", overflows = at_server "ListenOverflows", depth = statistics.mean(depths),
  }
end

-- How long a request that is never answered occupies its client. The load lasts this much longer, so that the last
-- requests that count meet the same load as the others.
local function longest_stay(knobs)
  return (knobs.retries + 1) * knobs.patience + knobs.backoff * (2 ^ knobs.retries - 1)
end

-- The load as the model takes it, and what is due: all requests that the server could answer in time.
local function load_of(knobs, capacity)
  return { distribution = knobs.distribution, capacity = capacity, load = knobs.load, retries = knobs.retries,
    budget = knobs.budget, patience = knobs.patience, backlog = knobs.backlog }, math.min(1, knobs.load) * capacity
end

-- The figures of a run, per second; wasted and ghosts in percent of what was carried out.
local function measure(knobs, capacity, site)
  local from, to = knobs.warmup, knobs.warmup + knobs.seconds
  local requests = workload.requests {
    seed = knobs.seed, rate = knobs.load * capacity, seconds = to + longest_stay(knobs), service = knobs.service,
    distribution = knobs.distribution,
  }
  local began = lunet.now()
  local served, ghosts = overload.start_serving(site.listener, began, can_be_in_time(knobs))
  local observer = lunet.spawn(observe, site, began + from, began + to)
  local clients = overload.clients_of(knobs, site)
  local late_ms = overload.offer(requests, function(request) clients:send(request) end, began)
  local _, seen = observer:join()
  local answers = workload.answers(requests)
  local function per_second(times) return round(statistics.count_between(times, from, to) / knobs.seconds) end
  return {
    offered = round(workload.summary(requests, from, to).offered / knobs.seconds), late_ms = late_ms,
    attempts = round(seen.attempts / knobs.seconds), served = per_second(served), goodput = per_second(answers),
    ghosts = overload.percent(per_second(ghosts), per_second(served)), overflows = seen.overflows,
    depth = round(seen.depth),
  }
end

-- -- the claim ---------------------------------------------------------------------------------

-- The model's goodput for queues from a little shorter to a little longer than this one.
local function goodput_near(knobs, capacity)
  local given, due = load_of(knobs, capacity)
  local part, few = table.unpack(NEAR)
  local least, most = math.huge, 0
  local first, last = math.max(0, math.floor(part * knobs.backlog - few)), math.ceil(knobs.backlog / part + few)
  for backlog = first, last, math.max(1, (last - first) // 16) do
    given.backlog = backlog
    local goodput = model.goodput(given).goodput
    least, most = math.min(least, goodput), math.max(most, goodput)
  end
  return expect.between(least - SLACK * due, math.min(most + SLACK * due, 1.15 * due))
end

-- The figures of the model.
local function predict(knobs, capacity)
  local given = load_of(knobs, capacity)
  return { threshold = round(model.threshold(capacity, knobs.patience)), half_to = model.half_to(given),
    predicted = round(model.goodput(given).goodput) }
end

-- Whether half of what was due is lost.
local function has_collapsed(outcome, knobs)
  return outcome.goodput < 0.5 * math.min(1, knobs.load) * outcome.capacity
end

-- Whether nearly every client has left a full queue before its turn: even where exponential services before it happen
-- to be short.
local function is_deep(outcome, knobs)
  if knobs.distribution == "fixed" then return knobs.backlog >= 2 * outcome.threshold end
  return knobs.backlog - SIGMAS * math.sqrt(knobs.backlog) > outcome.capacity * knobs.patience
end

-- The figures that follow from others: a queue that is full all the time, and attempts that do not get in overflow.
local function check_traffic(outcome, knobs)
  local over = (outcome.attempts - outcome.served) * knobs.seconds
  expect.fields("the traffic", outcome, { wasted = overload.wasted(outcome.goodput, outcome.served),
    attempts = expect.between(0.7 * outcome.offered, 1.2 * (knobs.retries + 1) * outcome.offered),
    collapsed = has_collapsed(outcome, knobs), depth = expect.between(0.6 * knobs.backlog, knobs.backlog + 1),
    overflows = expect.between(0.7 * over - 8, 1.4 * over + 8),
    ghosts = expect.between(is_deep(outcome, knobs) and 90 or 0, math.min(100, outcome.wasted + 10)) })
end

return experiment {
  claim = "In overload, goodput falls to nothing once a full queue takes longer than the clients' patience, "
    .. "although the server works all the time.",
  knobs = {
    backlog = { 40, "connections", "how many the kernel may queue", min = 0, max = 65535 },
    seed = { 1, "number", "the seed of the arrivals, service times and jitter" },
    service = { 0.01, "s", "how long the server works on a request, on average", min = 0.0005, max = 1 },
    distribution = { "fixed", "kind", "the distribution of service times", choices = { "fixed", "exponential" } },
    patience = { 0.1, "s", "how long a client waits in one attempt, connect included", min = 0.001, max = 60 },
    server = { "all", "requests", "the requests that it carries out: all, or only those that it can answer in time",
      choices = { "all", "in_time" } },
    load = { 1.3, "of capacity", "the offered load, retries not counted", min = 0.01, max = 10 },
    retries = { 1, "retries", "how often a request is tried again", min = 0, max = 16 },
    backoff = { 0.0, "s", "full jitter: the pause before the first retry is up to this, and then up to twice as long; "
      .. "0 retries at once", min = 0, max = 60 },
    budget = { 16.0, "retries", "what each request adds to the budget that all share; 16 limits nothing", min = 0 },
    departure = { "close", "how", "how clients leave when their patience is over", choices = { "close", "reset" } },
    warmup = { 0.9, "s", "how long the load runs before the measurement, so that the queue fills", min = 0, max = 60 },
    seconds = { 1.0, "s", "how long the measurement takes", min = 0.1, max = 60 },
    closed_loop = { 24, "requests", "requests of a closed loop that measures the capacity, the best of three",
      min = overload.LOOPS },
    lateness = { 0.2, "of service", "how late the clients of a valid run may be (p99)", min = 0 },
  },
  measures = {
    goodput = { "/s", "requests answered in time", better = "more" },
    predicted = { "/s", "goodput by the model (lunet.load.model)" },
    collapsed = { "", "whether less than half of what was due was answered in time",
      states = { "answers", "collapses" } },
    wasted = { "%", "the server's work for clients that had left or left during it", better = "less" },
    threshold = { "connections", "the backlog up to which replies are in time: capacity * patience - 2" },
    half_to = { "connections", "the greatest backlog with half of what was due, by the model" },
  },
  control = { server = "in_time" },
  virtual = { service = 0.05, patience = 0.5, seconds = 5, warmup = 4.5 }, -- below the 1 s of a SYN's first timeout
  exclusive = true,

  run = function(knobs)
    lunet.note "First the capacity, in a closed loop; then an overload, on hosts of its own."
    local capacity = round(overload.capacity(knobs.service, knobs.closed_loop))
    local outcome = lunet.scope(function()
      local site = overload.open_site(knobs.backlog)
      local _listener <close> = site.listener
      return measure(knobs, capacity, site)
    end)
    outcome.capacity = capacity
    outcome.wasted = overload.wasted(outcome.goodput, outcome.served)
    outcome.collapsed = has_collapsed(outcome, knobs)
    return option_table.merged(outcome, predict(knobs, capacity))
  end,

  check = function(outcome, knobs)
    if knobs.load <= 1.05 then experiment.not_judged "there was no overload" end
    overload.check(outcome, knobs)
    local load = knobs.load * outcome.capacity
    expect.value("offered", outcome.offered, expect.between(0.6 * load, 1.6 * load))
    expect.fields("the model", outcome, predict(knobs, outcome.capacity))
    expect.value("goodput", outcome.goodput, goodput_near(knobs, outcome.capacity))
    check_traffic(outcome, knobs)
  end,

  plot = function(outcome)
    local names = { "capacity", "offered", "attempts", "served", "goodput", "predicted" }
    local values = {}
    for i, name in ipairs(names) do values[i] = outcome[name] end
    return plot.bars { names = names, values = values, label = "per second; goodput: answered in time" }
  end,

  figures = function(outcome, knobs)
    return ("backlog %d, threshold %g: goodput %g/s of %g/s, predicted %g/s"):format(knobs.backlog, outcome.threshold,
      outcome.goodput, outcome.capacity, outcome.predicted)
  end,
}
