-- A stall of one second at a load that the server normally carries: does goodput come back when the stall is over?
--
-- Why: during the stall the queue fills with connections whose clients give up and leave (ghosts), and each of them
-- tries again. Afterwards the server works through the queue in order. If a full queue takes longer than the patience
-- (see retry_storm: backlog > capacity * patience - 2), it answers nobody in time, so that every request is tried as
-- often as its client may: attempts come at load * (1 + retries). If that is above the capacity, the queue stays full
-- and the state sustains itself, though the trigger has gone and the load is what it always was: a metastable failure
-- (Bronson and others, HotOS 2021). If it is below, the queue drains at the difference, and goodput comes back.
-- Backoff alone delays the retries and leaves their number as it is, so it does not help.
--
-- Where people met it: an outage that goes on after its cause is fixed, until somebody takes load away or restarts
-- the servers. What to do: bound one of the two factors. A short backlog bounds the wait; a retry budget bounds the
-- attempts; a server that looks for the client's FIN before it works (check_liveness) drops the ghosts at once, but
-- also clients that only ended their side, and works in vain for those that leave during the service.
--
-- Method: as in retry_storm. The stall shuts the gate; who is served then is served to the end. A run has recovered
-- when most requests are answered in each slice of 0.5 s up to the end, two at least. What has not in `after` seconds
-- might later: so the check asks for a long queue of ghosts, attempts above the capacity and a server that works all
-- the time. The table has the fraction of runs that recovered, and when the first and the last of them did.
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local overload = require "lunet.overload"
local plot = require "lunet.plot"
local statistics = require "lunet.statistics"
local workload = require "lunet.workload"

local median, values_of, round = overload.median, overload.values, statistics.round

local SLICE = 0.5 -- s
local CALM = 1 -- s at the end of a run that has recovered
local LAST = 1 -- s; what is measured of the end
local AT_ONCE = 13 -- runs side by side; more of them make each other late

-- What each remedy changes, in the knobs or in the server.
local REMEDIES = {
  none = function() return {} end,
  short_backlog = function(knobs, capacity) return { backlog = math.floor(0.6 * capacity * knobs.patience) } end,
  retry_budget = function() return { budget = 0.1 } end,
  backoff = function(knobs) return { backoff = knobs.patience } end,
  check_liveness = function() return { drops_ghosts = true } end,
}
local IN_ORDER = { "none", "backoff", "retry_budget", "short_backlog", "check_liveness" }
local IN_FIGURES = { none = true, backoff = true, short_backlog = true }
local HELPS = { retry_budget = true, short_backlog = true, check_liveness = true }

-- -- one run -----------------------------------------------------------------------------------

local function sleep_until(at) lunet.sleep(math.max(0, at - lunet.now())) end

-- Shuts the gate for the stall, and looks at the end.
local function stall_and_observe(site, from, to, last)
  sleep_until(from)
  site.listener:gate(0)
  sleep_until(to)
  site.listener:gate(1)
  sleep_until(last - LAST)
  local before = site.clients:counters()
  sleep_until(last)
  local attempts = (site.clients:counters() - before).ActiveOpens or 0
  return { attempts = attempts / LAST, depth = site.listener:queue().depth }
end

-- Goodput per second in slices, from the first to the last.
local function slices_of(requests, seconds)
  local answers, slices = workload.answers(requests), {}
  for i = 1, math.floor(seconds / SLICE + 1e-9) do
    slices[i] = statistics.count_between(answers, (i - 1) * SLICE, i * SLICE) / SLICE
  end
  return slices
end

-- Whether most of the requests that were due between two times were answered.
local function is_up(requests, from, to)
  local summary = workload.summary(requests, from, to)
  return summary.answered >= summary.offered / 2
end

-- How long after the stall the last slice was over that was not up; nil if that was in the last ones of the run.
local function recovery_time(requests, stall_ends, total)
  local since = math.floor(total / SLICE + 1e-9)
  while since > 0 and is_up(requests, (since - 1) * SLICE, since * SLICE) do since = since - 1 end
  if since * SLICE > total - CALM then return nil end
  return math.max(0, since * SLICE - stall_ends)
end

-- The knobs, as the remedy changes them.
local function policy_of(knobs, case, capacity)
  return setmetatable(REMEDIES[case.remedy](knobs, capacity), { __index = knobs })
end

local function run_case(knobs, case, capacity, site)
  local stall_ends = knobs.before + knobs.stall
  local total, policy = stall_ends + knobs.after, policy_of(knobs, case, capacity)
  local requests = workload.requests {
    seed = case.seed, rate = knobs.load * capacity, seconds = total, service = knobs.service,
    distribution = knobs.distribution,
  }
  local listener <close> = site.listener
  local clients = workload.clients {
    host = site.clients, target = listener, patience = knobs.patience, retries = knobs.retries,
    backoff = policy.backoff, budget = policy.budget, departure = knobs.departure,
  }
  local began = lunet.now()
  local served, ghosts = overload.start_serving(listener, began, policy.drops_ghosts)
  local observer = lunet.spawn(stall_and_observe, site, began + knobs.before, began + stall_ends, began + total)
  local lateness = statistics.quantile(workload.offer(requests, function(r) clients:send(r) end, began), 0.99) or 0
  local _, seen = observer:join()

  local slices, executed = slices_of(requests, total), statistics.count_between(served, total - LAST, total)
  return {
    slices = slices, recovery = recovery_time(requests, stall_ends, total),
    before = workload.summary(requests, 0, math.max(knobs.before - knobs.patience, SLICE)).success,
    after = statistics.mean(table.move(slices, #slices - math.floor(LAST / SLICE) + 1, #slices, 1, {})),
    success = workload.summary(requests, total - LAST, total).success, attempts = seen.attempts, depth = seen.depth,
    served = executed / LAST, ghosts = statistics.count_between(ghosts, total - LAST, total) / math.max(executed, 1),
    lateness = lateness, valid = lateness <= knobs.lateness * knobs.service and executed <= 1.1 * capacity * LAST,
  }
end

-- -- all runs ----------------------------------------------------------------------------------

-- A point for each remedy, with a case for each seed.
local function points_of(knobs)
  local points = {}
  for i, remedy in ipairs(choice.pick(IN_ORDER, knobs.remedy)) do points[i] = { remedy = remedy } end
  return points, overload.cases(points, knobs.seed, knobs.seeds, function(point, seed)
    return { remedy = point.remedy, seed = seed }
  end)
end

-- -- what came of it ---------------------------------------------------------------------------

-- Medians of the seeds; rates a second, shares in percent, both of the last second; times after the stall.
local function client_record(point)
  local recoveries = values_of(point, "recovery")
  local record = {
    remedy = point.remedy, recovered = ("%d/%d"):format(#recoveries, #overload.counted(point)),
    goodput = median(point, "after"), success = median(point, "success", 0, 100),
  }
  if #recoveries > 0 then
    record.min_s = round(math.min(table.unpack(recoveries)), 2)
    record.max_s = round(math.max(table.unpack(recoveries)), 2)
  end
  return record
end

local function server_record(point)
  return {
    remedy = point.remedy, attempts = median(point, "attempts"), served = median(point, "served"),
    ghosts = median(point, "ghosts", 0, 100), depth = median(point, "depth", 0),
  }
end

-- Goodput in slices, in medians of the seeds: a column for each remedy.
local function series_of(points, stall_ends)
  local rows = {}
  for _, point in ipairs(points) do
    for i in ipairs(point.cases[1].run.slices) do
      local values = {}
      for n, run in ipairs(overload.counted(point)) do values[n] = run.slices[i] end
      rows[i] = rows[i] or { from_s = round((i - 1) * SLICE - stall_ends, 2) }
      rows[i][point.remedy] = round(statistics.quantile(values, 0.5))
    end
  end
  return rows
end

-- -- the claim ---------------------------------------------------------------------------------

local function check_sustained(record, server, outcome)
  local remedy = record.remedy
  assert(record.recovered:match "^0/", ("%s: goodput came back in %s runs"):format(remedy, record.recovered))
  assert(record.goodput <= 0.1 * outcome.offered, ("%s: goodput is %g/s"):format(remedy, record.goodput))
  assert(server.depth >= 2 * outcome.threshold, ("%s: the queue is short"):format(remedy))
  assert(server.served >= 0.9 * outcome.capacity, ("%s: the server was idle"):format(remedy))
  assert(server.ghosts >= 90, ("%s: only %g %% of what is served are ghosts"):format(remedy, server.ghosts))
  assert(server.attempts > outcome.capacity, ("%s: attempts are below the capacity"):format(remedy))
end

local function check_recovered(record)
  local recovered, runs = record.recovered:match "(%d+)/(%d+)"
  assert(recovered == runs, ("%s: goodput came back in %s runs only"):format(record.remedy, record.recovered))
end

return experiment {
  claim = "With a deep queue and retries, goodput stays at nothing after a stall of a second has gone, at a load that "
    .. "the server carries.",
  knobs = {
    remedy = { "all", "what", "is done against it; all: each, in runs of its own",
      choices = choice.of(IN_ORDER) },
    seed = { 1, "number", "of the first run: its arrivals, service times and jitter" },
    seeds = { 5, "runs", "for each remedy, each with the next seed", min = 1, max = 100 },
    load = { 0.4, "of capacity", "what is offered, retries not counted", min = 0.01, max = 10 },
    stall = { 1.0, "s", "how long the server accepts nobody", min = 0 },
    backlog = { 100, "connections", "how many the kernel may queue", min = 0 },
    retries = { 3, "retries", "how often a request is tried again", min = 0, max = 16 },
    backoff = { 0.0, "s", "full jitter: the pause before the first retry is up to this, and then up to twice as long; "
      .. "0 retries at once", min = 0 },
    budget = { 16.0, "retries", "what each request adds to those that all may spend; 16 limits nothing", min = 0 },
    departure = { "close", "how", "clients leave when their patience is over", choices = { "close", "reset" } },
    patience = { 0.2, "s", "how long a client waits in one attempt, connect included", min = 0.001 },
    service = { 0.02, "s", "how long the server works on a request, on average", min = 0.0005 },
    distribution = { "fixed", "kind", "of service times", choices = { "fixed", "exponential" } },
    before = { 0.5, "s", "of load before the stall", min = SLICE },
    after = { 2.5, "s", "of load after it", min = LAST },
    closed_loop = { 24, "requests", "of a closed loop that measures the capacity, the best of three",
      min = overload.LOOPS },
    spare = { 1, "rounds", "in which disturbed runs are done again, a few side by side", min = 0, max = 100 },
    lateness = { 0.1, "of service", "by how much the clients of a valid run may be late (p99)", min = 0 },
  },
  columns = {
    "remedy", "recovered", "min_s", "max_s", "goodput", "success", "attempts", "served", "ghosts", "depth", "from_s",
    table.unpack(IN_ORDER),
  },
  control = { retries = 0 },
  exclusive = true,

  run = function(knobs)
    lunet.note "The capacity first, in a closed loop; then every remedy under the same arrivals, on hosts of its own."
    local capacity = overload.capacity(knobs.service, knobs.closed_loop)
    local points, cases = points_of(knobs)
    local repeated = overload.run(cases, {
      at_once = AT_ONCE, apart = knobs.service / AT_ONCE, spare = knobs.spare,
      open = function(case) return overload.open_site(policy_of(knobs, case, capacity).backlog) end,
      run = function(case, site) return run_case(knobs, case, capacity, site) end,
    })
    local all = { cases = cases }
    local remedies, last_second = {}, {}
    for i, point in ipairs(points) do remedies[i], last_second[i] = client_record(point), server_record(point) end
    return overload.add_tally({
      capacity = round(capacity), offered = round(knobs.load * capacity),
      threshold = round(capacity * knobs.patience - 2), success_before = median(all, "before", 0, 100),
      remedies = remedies, last_second = last_second, goodput = series_of(points, knobs.before + knobs.stall),
      late_ms = round(math.max(table.unpack(values_of(all, "lateness"))) * 1000, 2),
    }, points, repeated)
  end,

  check = function(outcome, knobs)
    if knobs.patience >= knobs.before then experiment.not_judged "patience is not shorter than before" end
    overload.check(outcome)
    assert(outcome.success_before >= 90, ("before the stall only %g %% were answered"):format(outcome.success_before))
    for i, record in ipairs(outcome.remedies) do
      if not HELPS[record.remedy] then check_sustained(record, outcome.last_second[i], outcome) end
      if HELPS[record.remedy] then check_recovered(record) end
    end
  end,

  plot = function(outcome)
    local xs, series = {}, {}
    for i, row in ipairs(outcome.goodput) do
      xs[i] = row.from_s
      for _, record in ipairs(outcome.remedies) do
        series[record.remedy] = series[record.remedy] or {}
        series[record.remedy][i] = row[record.remedy]
      end
    end
    return plot.line { x = xs, series = series, height = 13, xlabel = "s after the stall",
      ylabel = "replies in time, per second" }
  end,

  figures = function(outcome)
    local parts = {}
    for _, record in ipairs(outcome.remedies) do
      if IN_FIGURES[record.remedy] or #outcome.remedies == 1 then
        parts[#parts + 1] = ("%s %s"):format(record.remedy, record.recovered)
      end
    end
    return "recovered: " .. table.concat(parts, ", ")
  end,
}
