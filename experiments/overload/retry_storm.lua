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
-- capacity move the threshold, in proportion. The distribution of service times does not, but it spreads the fall.
-- Fixed ones lose everything within two or three backlogs, exponential ones within about 2 * sqrt(capacity * patience).
-- Load, retries and departure only decide whether the queue fills. From a patience of 1 s on, the kernel's own
-- retransmissions of the SYN come on top.
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
local overload = require "lunet.load.overload"
local plot = require "lunet.text.plot"
local statistics = require "lunet.load.statistics"
local workload = require "lunet.load.workload"

local median, values_of, round = overload.median, overload.values, statistics.round

local SAMPLE = 0.02 -- s between two looks at the queue
local AT_ONCE = 9 -- runs side by side; more of them make each other late
local AROUND = { -8, -3, -1, 0, 1, 3, 8 } -- the backlogs of the patience sweep, from the predicted threshold

local TICK = 0.004 -- s; what the kernel's ages may be short of (HZ = 250)

local function predict(capacity, patience) return round(capacity * patience - 2) end

-- Whether a request can still be answered before its client gives up.
local function can_be_in_time(knobs, patience)
  if knobs.server == "all" then return nil end
  return function(connection) return admission.waited(connection) + TICK + knobs.service < patience end
end

-- Arrivals are Poisson by seed in an open loop. The capacity is that of a closed loop of four clients. A wait counts
-- from the time when the request was due, and ends when the client gives up. The warm-up does not count, and the load
-- goes on after the measurement. Each run has hosts of its own; a few go side by side. A run is valid if the clients
-- were late (p99) by at most a tenth of `service` and the server did at most its capacity. Other runs are
-- repeated, as long as there are spare rounds, and left out if they stay invalid. A backlog that loses most of its runs
-- is not judged. The table `traffic` has the backlogs far from the threshold: below 0.6 and above 2 times the predicted
-- one. An attempt takes the machine about 0.15 ms, and its kernel's own threads take 1 ms now and then: with a service
-- of 5 ms clients are late too often. Only the number of services that fit into the patience counts.

-- -- one run -----------------------------------------------------------------------------------

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
  local served, ghosts = overload.start_serving(listener, began, can_be_in_time(knobs, case.patience))
  local observer = lunet.spawn(observe, site, began + from, began + to)
  local lateness = statistics.quantile(workload.offer(requests, function(r) clients:send(r) end, began), 0.99) or 0
  local _, seen = observer:join()

  local answers = workload.answers(requests)
  local in_time, executed = statistics.count_between(answers, from, to), statistics.count_between(served, from, to)
  return {
    goodput = in_time / knobs.seconds, offered = workload.summary(requests, from, to).offered / knobs.seconds,
    attempts = seen.attempts / knobs.seconds, served = executed / knobs.seconds, overflows = seen.overflows,
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

-- Measured by `--sweep patience --seeds 3`, capacity 48.9/s. Up to the backlog `whole` the median run has at least 90 %
-- of the capacity. Up to the first backlog of `half` it has half, and from the second one on less. From `none` on it
-- has at most 10 %.
--
--                 fixed                           exponential
--   patience      100 ms    200 ms    400 ms      100 ms    200 ms    400 ms
--   predicted     2.9       7.8       17.6        2.9       7.8       17.6
--   whole         3         8         17          -         -         9
--   half          3, 5      8, 10     18, 20      3, 5      6, 7      17, 18
--   none          5         10        20          10        15        25

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

-- Medians of the seeds, per second; wasted in percent of what was carried out.
local function sweep_row(point)
  local goodput, served = median(point, "goodput"), median(point, "served")
  return { backlog = point.backlog, attempts = median(point, "attempts"), served = served, goodput = goodput,
    wasted = overload.wasted(goodput, served) }
end

local function is_shallow(backlog, predicted) return backlog <= 0.6 * predicted end
local function is_deep(backlog, predicted) return backlog >= 2 * predicted end

-- How many of the runs that count lost half of what was due.
local function collapsed_of(point, due)
  local goodputs = values_of(point, "goodput")
  return ("%d/%d"):format(statistics.count(goodputs, function(goodput) return goodput < 0.5 * due end), #goodputs)
end

-- The traffic of a backlog far from the threshold; ghosts in percent of what was carried out.
local function traffic_row(point, due, predicted)
  local ghosts = is_deep(point.backlog, predicted) and median(point, "ghosts", 0, 100) or nil
  return { backlog = point.backlog, collapsed = collapsed_of(point, due), overflows = median(point, "overflows", 0),
    depth = median(point, "depth"), ghosts = ghosts }
end

-- The backlogs up to which the median run has 90 % of what is due, and half. Then the backlogs from which on it has
-- less than half, and at most 10 %.
local function threshold_row(rows, capacity, patience, due)
  local threshold = { predicted = predict(capacity, patience) }
  for _, row in ipairs(rows) do
    local share, backlog = row.goodput / due, row.backlog
    if share >= 0.9 then threshold.whole_to = backlog end
    if share >= 0.5 then threshold.half_to = backlog end
    if share < 0.5 then threshold.half_from = threshold.half_from or backlog end
    if share <= 0.1 then threshold.none_from = threshold.none_from or backlog end
  end
  return threshold
end

local function each(list, fn, ...)
  local results = {}
  for i, item in ipairs(list) do results[i] = fn(item, ...) end
  return results
end

-- Adds the threshold of each set, and the backlogs of the only set of a sweep of backlogs.
local function add_records(outcome, sets, knobs)
  local due = math.min(1, knobs.load) * outcome.capacity
  outcome.thresholds = {}
  for i, set in ipairs(sets) do
    local rows = each(set.points, sweep_row)
    local threshold = threshold_row(rows, outcome.capacity, set.patience, due)
    outcome.thresholds[i] = threshold
    if knobs.sweep == "patience" then
      threshold.distribution, threshold.patience = set.distribution, round(set.patience * 1000)
    else
      outcome.sweep, outcome.traffic = rows, {}
      for _, point in ipairs(set.points) do
        if is_shallow(point.backlog, threshold.predicted) or is_deep(point.backlog, threshold.predicted) then
          table.insert(outcome.traffic, traffic_row(point, due, threshold.predicted))
        end
      end
    end
  end
  return outcome
end

-- -- the claim ---------------------------------------------------------------------------------

-- A queue that is full all the time: attempts that do not get in overflow.
local function check_traffic(traffic, row, due, knobs)
  local name, over = ("backlog %d"):format(traffic.backlog), (row.attempts - row.served) * knobs.seconds
  local collapsed, runs = traffic.collapsed:match "^(%d+)/(%d+)$"
  if not traffic.ghosts then
    assert(row.goodput >= 0.8 * due, ("%s: goodput is %g/s of %.0f/s"):format(name, row.goodput, due))
  end
  expect.value(name .. ": runs that collapsed", collapsed, traffic.ghosts and runs or "0")
  expect.fields(name, traffic, { depth = expect.between(0.6 * traffic.backlog, traffic.backlog + 1),
    overflows = expect.between(0.7 * over - 8, 1.4 * over + 8),
    ghosts = traffic.ghosts and expect.between(90, 100) or nil })
end

-- Every backlog, the threshold that they show together, and the traffic of those far from it.
local function check_backlogs(outcome, knobs)
  local due, threshold, rows = math.min(1, knobs.load) * outcome.capacity, outcome.thresholds[1], {}
  expect.cases("sweep", outcome.sweep, each(sets_of(knobs)[1].backlogs, function(backlog)
    return { backlog = backlog }
  end), { "backlog" })
  local same = threshold_row(outcome.sweep, outcome.capacity, knobs.patience, due)
  for _, field in ipairs { "predicted", "whole_to", "half_to", "half_from", "none_from" } do
    expect.value("the threshold: " .. field, threshold[field], same[field])
  end
  for _, row in ipairs(outcome.sweep) do
    local name = ("backlog %d"):format(row.backlog)
    expect.fields(name, row, { wasted = overload.wasted(row.goodput, row.served),
      served = expect.between(0.6 * outcome.capacity, 1.1 * outcome.capacity), goodput = expect.at_most(1.1 * due),
      attempts = expect.between(0.7 * outcome.offered, 1.2 * (knobs.retries + 1) * outcome.offered) })
    if is_shallow(row.backlog, threshold.predicted) or is_deep(row.backlog, threshold.predicted) then
      rows[#rows + 1] = row
    end
  end
  expect.cases("traffic", outcome.traffic, rows, { "backlog" })
  for i, traffic in ipairs(outcome.traffic) do check_traffic(traffic, rows[i], due, knobs) end
  local is_both = #rows > 1 and is_shallow(rows[1].backlog, threshold.predicted)
    and is_deep(rows[#rows].backlog, threshold.predicted)
  if not is_both then experiment.not_judged "the backlogs are not on both sides of the threshold" end
end

-- Whether half of the goodput is lost near where that is predicted.
local function check_thresholds(outcome, knobs)
  expect.cases("thresholds", outcome.thresholds, each(sets_of(knobs, outcome.capacity), function(set)
    return { distribution = set.distribution, patience = round(set.patience * 1000),
      predicted = predict(outcome.capacity, set.patience) }
  end), { "distribution", "patience", "predicted" })
  for _, row in ipairs(outcome.thresholds) do
    local where = ("%s, %g ms"):format(row.distribution, row.patience)
    assert(row.half_to and row.half_from, where .. ": goodput did not collapse among these backlogs")
    assert(row.half_from >= 0.75 * row.predicted - 2 and row.half_to <= 1.25 * row.predicted + 2,
      ("%s: predicted %g, measured %d to %d"):format(where, row.predicted, row.half_to, row.half_from))
  end
end

local function plot_thresholds(thresholds)
  local names, values = {}, {}
  for _, row in ipairs(thresholds) do
    local where = ("%s %g ms"):format(row.distribution, row.patience)
    names[#names + 1], values[#values + 1] = where .. ", predicted", math.max(row.predicted, 0)
    names[#names + 1], values[#values + 1] = where .. ", measured", row.half_to or 0
  end
  return plot.bars { names = names, values = values, label = "the last backlog with half of the goodput" }
end

return experiment {
  claim = "In overload, goodput falls to nothing once a full queue takes longer than the clients' patience, "
    .. "although the server works all the time.",
  knobs = {
    sweep = { "backlog", "what", "what varies: the backlog; or three values of patience and two distributions, each "
      .. "near its threshold", choices = { "backlog", "patience" } },
    backlogs = { { 3, 5, 7, 9, 40 }, "connections", "the backlogs of a sweep of backlogs", min = 0, max = 65535 },
    seed = { 1, "number", "the seed of the first run: its arrivals, service times and jitter" },
    seeds = { 5, "runs", "runs of each backlog, each with the next seed", min = 1, max = 100 },
    service = { 0.02, "s", "how long the server works on a request, on average", min = 0.0005, max = 1 },
    distribution = { "fixed", "kind", "the distribution of service times in a sweep of backlogs",
      choices = { "fixed", "exponential" } },
    patience = { 0.2, "s", "how long a client waits in one attempt, connect included; a sweep of patience: half, "
      .. "once and twice this", min = 0.001, max = 60 },
    server = { "all", "requests", "the requests that it carries out: all, or only those that it can answer in time",
      choices = { "all", "in_time" } },
    load = { 1.3, "of capacity", "the offered load, retries not counted", min = 0.01, max = 10 },
    retries = { 1, "retries", "how often a request is tried again", min = 0, max = 16 },
    backoff = { 0.0, "s", "full jitter: the pause before the first retry is up to this, and then up to twice as long; "
      .. "0 retries at once", min = 0, max = 60 },
    budget = { 16.0, "retries", "what each request adds to the budget that all share; 16 limits nothing", min = 0 },
    departure = { "close", "how", "how clients leave when their patience is over", choices = { "close", "reset" } },
    warmup = { 1.4, "s", "how long the load runs before the measurement, so that the queue fills; a sweep of patience: "
      .. "in proportion to it", min = 0, max = 60 },
    seconds = { 1.4, "s", "how long the measurement takes", min = 0.1, max = 60 },
    closed_loop = { 24, "requests", "requests of a closed loop that measures the capacity, the best of three",
      min = overload.LOOPS },
    spare = { 2, "rounds", "how often disturbed runs are repeated, a few side by side", min = 0, max = 100 },
    lateness = { 0.1, "of service", "how late the clients of a valid run may be (p99)", min = 0 },
  },
  -- predicted: the threshold. whole_to, half_to, half_from, none_from: the backlogs up to which, or from which on, the
  -- median run has 90 %, half, less than half, 10 % of what is due. attempts, served, goodput: per second. wasted,
  -- ghosts: % of served. collapsed: the fraction of runs that lost half. overflows, depth: the kernel's.
  columns = {
    "distribution", "patience", "predicted", "whole_to", "half_to", "half_from", "none_from", "backlog", "attempts",
    "served", "goodput", "wasted", "collapsed", "overflows", "depth", "ghosts",
  },
  control = { server = "in_time" },
  exclusive = true,

  run = function(knobs)
    lunet.note "First the capacity, in a closed loop; then every backlog under the same arrivals, on hosts of its own."
    local capacity = round(overload.capacity(knobs.service, knobs.closed_loop))
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
    local outcome = { capacity = capacity, offered = round(statistics.quantile(offered, 0.5)) }
    return overload.add_tally(add_records(outcome, sets, knobs), points, repeated)
  end,

  check = function(outcome, knobs)
    overload.check(outcome)
    overload.check_capacity(outcome, knobs.service)
    if knobs.load <= 1.05 then experiment.not_judged "there was no overload" end
    local load = knobs.load * outcome.capacity
    expect.fields("the load", outcome, { offered = expect.between(0.6 * load, 1.6 * load) })
    local sets = outcome.sweep and 1 or 6
    expect.value("the number of thresholds", #outcome.thresholds, sets)
    local check = outcome.sweep and check_backlogs or check_thresholds
    check(outcome, knobs)
    if outcome.sweep then expect.value("the number of runs", outcome.runs, #outcome.sweep * knobs.seeds) end
  end,

  plot = function(outcome)
    local xs, goodput, wasted = {}, {}, {}
    for i, row in ipairs(outcome.sweep or {}) do
      xs[i], wasted[i] = math.max(row.backlog, 1), row.wasted
      goodput[i] = math.min(100, 100 * row.goodput / outcome.capacity)
    end
    if #xs == 0 then return plot_thresholds(outcome.thresholds) end
    return plot.line { x = xs, series = { goodput = goodput, wasted = wasted }, xscale = "log", height = 11,
      xlabel = "backlog", ylabel = "% of capacity: replies in time; % of the work: done for clients that had left" }
  end,

  figures = function(outcome)
    local threshold = outcome.thresholds[1]
    if not threshold then return "no threshold" end
    return ("predicted %g, measured %s to %s, capacity %g/s"):format(threshold.predicted, threshold.half_to or "none",
      threshold.half_from or "none", outcome.capacity)
  end,
}
