-- At which backlog does the goodput of an overloaded server collapse, though it works all the time?
--
-- Why: the kernel queues backlog + 1 connections (include/net/sock.h, sk_acceptq_is_full) and forgets none of them
-- when its client leaves. In overload the queue is full, and a place gets free when the server takes the next
-- connection. Who gets that place waits for nearly one service, then for those of the backlog, then for its own: its
-- reply comes after (backlog + 2) / capacity, less the short time for which the place was free. If that is more than
-- the patience, every reply comes too late: each client leaves a ghost, and its retry queues behind the others.
-- So the threshold is capacity * patience - 2. Below it the kernel drops the SYNs of those who would wait too long
-- (net/ipv4/tcp_input.c, tcp_conn_request; ListenOverflows), and who gets in is served in time.
-- Patience and capacity move it, in proportion. The distribution of service times does not, but spreads the fall:
-- fixed ones lose everything within two backlogs or three, exponential ones within some 2 * sqrt(capacity * patience).
-- Load, retries and departure only decide whether the queue fills. From a patience of 1 s on, the kernel's own
-- retransmissions of the SYN come on top.
-- Measured by `--sweep patience --seeds 3`, capacity 48.9/s; the median run has at least 90 % of the capacity up to the
-- backlog `whole`, half up to the first one of `half` and less from the second one on, and at most 10 % from `none` on:
--
--                 fixed                           exponential
--   patience      100 ms    200 ms    400 ms      100 ms    200 ms    400 ms
--   predicted     2.9       7.8       17.6        2.9       7.8       17.6
--   whole         3         8         17          -         -         9
--   half          3, 5      8, 10     18, 20      3, 5      6, 7      17, 18
--   none          5         10        20          10        15        25
--
-- Where people met it: a service that stays down under a load just above what it carries, while its processors or its
-- database are busy; after a backlog had been raised to 511, 1024 or 4096 against connection errors. What to do: a
-- backlog below capacity * patience; or a server that looks at the age of a request, or for the client's FIN, before it
-- works on it.
--
-- Method: Poisson arrivals by seed in an open loop. Capacity is that of a closed loop of four clients. Waits count from
-- when a request was due, and those given up up to then. The warm-up is left out, and the load goes on after the
-- measurement. Each run has hosts of its own; a few go side by side. A run is valid if the clients were late (p99) by
-- no more than a tenth of `service` and the server did no more than its capacity; else it is done again, as long as
-- there are spare rounds, and left out if it stays so. A backlog of which most runs are left out is not judged. An
-- attempt takes the machine some 0.15 ms, and its kernel's own threads take 1 ms now and then: with a service of 5 ms
-- clients are late too often. What counts is how many services fit into the patience.
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local overload = require "lunet.overload"
local plot = require "lunet.plot"
local statistics = require "lunet.statistics"
local workload = require "lunet.workload"

local median, values_of, round = overload.median, overload.values, statistics.round

local SAMPLE = 0.02 -- s between two looks at the queue
local AT_ONCE = 9 -- runs side by side; more of them make each other late
local AROUND = { -8, -3, -1, 0, 1, 3, 8 } -- the backlogs of the patience sweep, from the predicted threshold

local function predict(capacity, patience) return capacity * patience - 2 end

-- -- one run -----------------------------------------------------------------------------------

-- What the kernel counts from one time to another, and how deep the queue is.
local function observe(site, from, to)
  lunet.sleep(math.max(0, from - lunet.now()))
  local server_before, clients_before, depths = site.server:counters(), site.clients:counters(), {}
  repeat
    depths[#depths + 1] = site.listener:queue().depth
    lunet.sleep(math.max(0, math.min(SAMPLE, to - lunet.now())))
  until lunet.now() >= to
  local moved = site.server:counters() - server_before
  return {
    attempts = (site.clients:counters() - clients_before).ActiveOpens or 0, admitted = moved.PassiveOpens or 0,
    overflows = moved.ListenOverflows or 0, depth = statistics.mean(depths),
  }
end

-- How long a request that is never answered occupies its client: the last ones that count meet the same as the others.
local function longest_stay(knobs, patience)
  return (knobs.retries + 1) * patience + knobs.backoff * (2 ^ knobs.retries - 1)
end

local function run_case(knobs, case, capacity, site)
  local from = knobs.warmup * case.patience / knobs.patience
  local to = from + knobs.seconds
  local requests = workload.requests {
    seed = case.seed, rate = knobs.load * capacity, seconds = to + longest_stay(knobs, case.patience),
    service = knobs.service, distribution = case.distribution,
  }
  local listener <close> = site.listener
  local clients = workload.clients {
    host = site.clients, target = listener, patience = case.patience, retries = knobs.retries, backoff = knobs.backoff,
    budget = knobs.budget, departure = knobs.departure,
  }
  local began = lunet.now()
  local served, ghosts = overload.start_serving(listener, began)
  local observer = lunet.spawn(observe, site, began + from, began + to)
  local lateness = statistics.quantile(workload.offer(requests, function(r) clients:send(r) end, began), 0.99) or 0
  local _, seen = observer:join()

  local summary = workload.summary(requests, from, to)
  local answers = workload.answers(requests)
  local in_time, executed = statistics.count_between(answers, from, to), statistics.count_between(served, from, to)
  local due = math.min(1, knobs.load) * capacity
  return {
    goodput = in_time / knobs.seconds, share = in_time / knobs.seconds / due, success = summary.success,
    wasted = executed > 0 and math.max(0, 1 - in_time / executed) or 0, last = math.max(0, table.unpack(answers)),
    wait_p50 = summary.wait_p50 or 0, wait_p99 = summary.wait_p99 or 0,
    offered = summary.offered / knobs.seconds, attempts = seen.attempts / knobs.seconds,
    admitted = seen.admitted / knobs.seconds, served = executed / knobs.seconds, overflows = seen.overflows,
    depth = seen.depth, ghosts = executed > 0 and statistics.count_between(ghosts, from, to) / executed or 0,
    lateness = lateness,
    valid = lateness <= knobs.lateness * knobs.service and executed <= 1.1 * capacity * knobs.seconds,
  }
end

-- -- all runs ----------------------------------------------------------------------------------

local function backlogs_around(threshold)
  local backlogs = {}
  for _, by in ipairs(AROUND) do
    local backlog = math.floor(threshold) + by
    if backlog >= 0 then backlogs[#backlogs + 1] = backlog end
  end
  return backlogs
end

-- Sets of a distribution and a patience, with the backlogs that are tried: one, or six.
local function sets_of(knobs, capacity)
  if knobs.sweep == "backlog" then
    table.sort(knobs.backlogs)
    return { { distribution = knobs.distribution, patience = knobs.patience, backlogs = knobs.backlogs } }
  end
  local sets = {}
  for _, distribution in ipairs { "fixed", "exponential" } do
    for _, patience in ipairs { knobs.patience / 2, knobs.patience, knobs.patience * 2 } do
      sets[#sets + 1] = { distribution = distribution, patience = patience,
        backlogs = backlogs_around(predict(capacity, patience)) }
    end
  end
  return sets
end

-- A case for each backlog and seed of each set. The set's points, one for each backlog, have the same cases.
local function cases_of(knobs, sets)
  local cases = {}
  for _, set in ipairs(sets) do
    set.points = {}
    for i, backlog in ipairs(set.backlogs) do set.points[i] = { backlog = backlog } end
    local of_set = overload.cases(set.points, knobs.seed, knobs.seeds, function(point, seed)
      return { backlog = point.backlog, seed = seed, patience = set.patience, distribution = set.distribution }
    end)
    table.move(of_set, 1, #of_set, #cases + 1, cases)
  end
  return cases
end

-- -- what came of it ---------------------------------------------------------------------------

-- How many runs lost half of what was due, and when the last reply in time came in those.
local function collapse_of(point)
  local runs, lasts = overload.counted(point), {}
  for _, run in ipairs(runs) do
    if run.share < 0.5 then lasts[#lasts + 1] = run.last end
  end
  return ("%d/%d"):format(#lasts, #runs), #lasts > 0 and round(statistics.quantile(lasts, 0.5)) or nil
end

-- Medians of the seeds: rates a second, shares in percent, times in ms.
local function client_record(point)
  local goodputs, collapsed, last = values_of(point, "goodput"), collapse_of(point)
  return {
    backlog = point.backlog, goodput = median(point, "goodput"), min = round(math.min(table.unpack(goodputs))),
    max = round(math.max(table.unpack(goodputs))), collapsed = collapsed, last_s = last,
    wasted = median(point, "wasted", 0, 100), success = median(point, "success", 0, 100),
    p50 = median(point, "wait_p50", 0, 1000), p99 = median(point, "wait_p99", 0, 1000),
  }
end

local function server_record(point)
  return {
    backlog = point.backlog, attempts = median(point, "attempts"), overflows = median(point, "overflows", 0),
    admitted = median(point, "admitted"), served = median(point, "served"), ghosts = median(point, "ghosts", 0, 100),
    depth = median(point, "depth"),
    late_ms = round(math.max(table.unpack(values_of(point, "lateness"))) * 1000, 2),
  }
end

-- The backlogs to and from which there is at least 90 %, half and at most 10 % of what is due, in the median run.
local function threshold_record(set, capacity)
  local record = { distribution = set.distribution, patience = round(set.patience * 1000),
    predicted = round(predict(capacity, set.patience)) }
  for _, point in ipairs(set.points) do
    local share = statistics.quantile(values_of(point, "share"), 0.5)
    if share >= 0.9 then record.whole_to = point.backlog end
    if share >= 0.5 then record.half_to = point.backlog end
    if share < 0.5 then record.half_from = record.half_from or point.backlog end
    if share <= 0.1 then record.none_from = record.none_from or point.backlog end
  end
  return record
end

local function each(list, fn, ...)
  local results = {}
  for i, item in ipairs(list) do results[i] = fn(item, ...) end
  return results
end

-- -- the claim ---------------------------------------------------------------------------------

local function check_shallow(record, traffic, due)
  assert(record.goodput >= 0.8 * due,
    ("with a backlog of %d goodput is %g/s of %.0f/s"):format(record.backlog, record.goodput, due))
  assert(traffic.overflows > 0, ("with a backlog of %d the queue never overflowed"):format(record.backlog))
end

local function check_deep(record, traffic, due, outcome)
  assert(record.max <= 0.1 * due, ("with a backlog of %d goodput did not collapse"):format(record.backlog))
  assert(traffic.served >= 0.9 * outcome.capacity,
    ("with a backlog of %d the server was idle: %g/s served"):format(record.backlog, traffic.served))
  assert(traffic.ghosts >= 90, ("with a backlog of %d only %g %% were ghosts"):format(record.backlog, traffic.ghosts))
  assert(traffic.depth > outcome.thresholds[1].predicted, ("a backlog of %d did not fill"):format(record.backlog))
end

-- Well above the threshold and well below it. What is near is shown and not judged.
local function check_backlogs(outcome, knobs)
  local due, predicted = math.min(1, knobs.load) * outcome.capacity, outcome.thresholds[1].predicted
  local deep, shallow = 0, 0
  for i, record in ipairs(outcome.sweep) do
    if record.backlog >= 2 * predicted then
      deep = deep + 1
      check_deep(record, outcome.traffic[i], due, outcome)
    end
  end
  for i, record in ipairs(outcome.sweep) do
    if record.backlog <= 0.6 * predicted then
      shallow = shallow + 1
      check_shallow(record, outcome.traffic[i], due)
    end
  end
  assert(shallow > 0 and deep > 0, "the backlogs are not on both sides of the threshold")
end

-- Whether half of the goodput is lost near where that is predicted.
local function check_thresholds(outcome)
  for _, record in ipairs(outcome.thresholds) do
    local where = ("%s, %g ms"):format(record.distribution, record.patience)
    assert(record.half_to and record.half_from, where .. ": goodput did not collapse among these backlogs")
    assert(record.half_from >= 0.75 * record.predicted - 2 and record.half_to <= 1.25 * record.predicted + 2,
      ("%s: predicted %g, measured %d to %d"):format(where, record.predicted, record.half_to, record.half_from))
  end
end

local function plot_thresholds(thresholds)
  local names, values = {}, {}
  for _, record in ipairs(thresholds) do
    local where = ("%s %g ms"):format(record.distribution, record.patience)
    names[#names + 1], values[#values + 1] = where .. ", predicted", math.max(record.predicted, 0)
    names[#names + 1], values[#values + 1] = where .. ", measured", record.half_to or 0
  end
  return plot.bars { names = names, values = values, label = "the last backlog with half of the goodput" }
end

return experiment {
  claim = "In overload goodput falls to nothing, though the server works all the time, once a full queue takes longer "
    .. "than the patience.",
  knobs = {
    sweep = { "backlog", "what", "of backlogs; or of three values of patience and two distributions, each near its "
      .. "threshold", choices = { "backlog", "patience" } },
    backlogs = { { 3, 5, 7, 9, 40 }, "connections", "those that are tried in a sweep of backlogs", min = 0,
      max = 65535 },
    seed = { 1, "number", "of the first run: its arrivals, service times and jitter" },
    seeds = { 5, "runs", "for each backlog, each with the next seed", min = 1, max = 100 },
    service = { 0.02, "s", "how long the server works on a request, on average", min = 0.0005 },
    distribution = { "fixed", "kind", "of service times in a sweep of backlogs", choices = { "fixed", "exponential" } },
    patience = { 0.2, "s", "how long a client waits in one attempt, connect included; a sweep of patience: half, "
      .. "once and twice this", min = 0.001 },
    load = { 1.3, "of capacity", "what is offered, retries not counted", min = 0.01, max = 10 },
    retries = { 1, "retries", "how often a request is tried again", min = 0, max = 16 },
    backoff = { 0.0, "s", "full jitter: the pause before the first retry is up to this, and then up to twice as long; "
      .. "0 retries at once", min = 0 },
    budget = { 16.0, "retries", "what each request adds to those that all may spend; 16 limits nothing", min = 0 },
    departure = { "close", "how", "clients leave when their patience is over", choices = { "close", "reset" } },
    warmup = { 1.4, "s", "of load before the measurement, in which the queue fills; a sweep of patience: in "
      .. "proportion to it", min = 0 },
    seconds = { 1.4, "s", "of measurement", min = 0.1 },
    closed_loop = { 24, "requests", "of a closed loop that measures the capacity, the best of three",
      min = overload.LOOPS },
    spare = { 2, "rounds", "in which disturbed runs are done again, a few side by side", min = 0, max = 100 },
    lateness = { 0.1, "of service", "by how much the clients of a valid run may be late (p99)", min = 0 },
  },
  columns = {
    "distribution", "patience", "predicted", "whole_to", "half_to", "half_from", "none_from", "backlog", "goodput",
    "min", "max", "collapsed", "last_s", "wasted", "success", "p50", "p99", "attempts", "overflows",
    "admitted", "served", "ghosts", "depth",
  },
  control = { load = 0.5 },
  exclusive = true,

  run = function(knobs)
    lunet.note "The capacity first, in a closed loop; then every backlog under the same arrivals, on hosts of its own."
    local capacity = overload.capacity(knobs.service, knobs.closed_loop)
    local sets = sets_of(knobs, capacity)
    local cases = cases_of(knobs, sets)
    local repeated = overload.run(cases, {
      at_once = AT_ONCE, apart = knobs.service / AT_ONCE, spare = knobs.spare,
      open = function(case) return overload.open_site(case.backlog) end,
      run = function(case, site) return run_case(knobs, case, capacity, site) end,
    })
    local points = {}
    for _, set in ipairs(sets) do table.move(set.points, 1, #set.points, #points + 1, points) end
    local offered = each(cases, function(case) return case.run.offered end)
    local is_one = knobs.sweep == "backlog"
    return overload.add_tally({
      capacity = round(capacity), offered = round(statistics.quantile(offered, 0.5)),
      thresholds = each(sets, threshold_record, capacity),
      sweep = is_one and each(sets[1].points, client_record) or nil,
      traffic = is_one and each(sets[1].points, server_record) or nil,
    }, points, repeated)
  end,

  check = function(outcome, knobs)
    overload.check(outcome)
    local check = outcome.sweep and check_backlogs or check_thresholds
    check(outcome, knobs)
  end,

  plot = function(outcome)
    local xs, goodput, wasted = {}, {}, {}
    for i, record in ipairs(outcome.sweep or {}) do
      xs[i], wasted[i] = math.max(record.backlog, 1), record.wasted
      goodput[i] = math.min(100, 100 * record.goodput / outcome.capacity)
    end
    if #xs == 0 then return plot_thresholds(outcome.thresholds) end
    return plot.line { x = xs, series = { goodput = goodput, wasted = wasted }, xscale = "log", height = 11,
      xlabel = "backlog", ylabel = "% of capacity: replies in time; % of the work: done for clients that had left" }
  end,

  figures = function(outcome)
    local threshold = outcome.thresholds[1]
    return ("predicted %g, measured %s to %s, capacity %g/s"):format(threshold.predicted, threshold.half_to or "none",
      threshold.half_from or "none", outcome.capacity)
  end,
}
