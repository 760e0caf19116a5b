-- Claim. With a deep queue and retries, goodput stays at nothing after a stall of a second, at a load that the server
-- carries.
--
-- Why. During the stall the queue fills with connections whose clients give up and leave (ghosts), and each of these
-- clients tries again. Afterwards the server works through the queue in order. If a full queue takes longer than the
-- patience (see retry_storm: backlog > capacity * patience - 2), it answers nobody in time. Every client then tries as
-- often as it may: attempts come at load * (1 + retries). If that is above the capacity, the queue stays full. The
-- state sustains itself, although the trigger has gone and the load has not changed: a metastable failure (Bronson and
-- others, HotOS 2021). If it is below, the queue drains at the difference, and goodput comes back. Backoff alone delays
-- the retries and leaves their number as it is, so it does not help. The method is that of retry_storm. The stall shuts
-- the gate; the server still serves the clients that it has. A run has recovered when most requests are answered in
-- each slice of 0.5 s up to the end, in two slices at least. A run that has not recovered in `after` seconds might
-- recover later. So the check asks for a long queue of ghosts, attempts above the capacity and a server that works all
-- the time.
--
-- Where it was met. An outage that goes on after its cause is fixed, until somebody takes load away or restarts the
-- servers.
--
-- What to do. Bound one of the two factors. A short backlog bounds the wait, and a retry budget bounds the attempts. A
-- server that looks for the client's FIN before it works (check_liveness) drops the ghosts at once. But it also drops
-- clients that only ended their side, and works in vain for clients that leave during the service.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local option_table = require "lunet.text.options"
local overload = require "lunet.load.overload"
local plot = require "lunet.text.plot"
local statistics = require "lunet.load.statistics"
local workload = require "lunet.load.workload"

local median, values_of, round = overload.median, overload.values, statistics.round

local SLICE = 0.5 -- s
local CALM = 1 -- s at the end of a run that has recovered
local LAST = 1 -- s; the end of a run, which is measured
local AT_ONCE = 13 -- runs side by side; more of them make each other late

-- The changes of each remedy, to the knobs or to the server.
local REMEDIES = {
  none = function() return {} end,
  short_backlog = function(knobs, capacity) return { backlog = math.floor(0.6 * capacity * knobs.patience) } end,
  retry_budget = function() return { budget = 0.1 } end,
  backoff = function(knobs) return { backoff = knobs.patience } end,
  check_liveness = function() return { is_wanted = function(c) return c:liveness() == "open" end } end,
}
local IN_ORDER = { "none", "backoff", "retry_budget", "short_backlog", "check_liveness" }
local IN_FIGURES = { none = true, backoff = true, short_backlog = true }
local HELPS = { retry_budget = true, short_backlog = true, check_liveness = true }

-- -- one run -----------------------------------------------------------------------------------

-- Shuts the gate for the stall, and looks at the end.
local function stall_and_observe(site, from, to, last)
  lab.sleep_until(from)
  site.listener:gate(0)
  lab.sleep_until(to)
  site.listener:gate(1)
  lab.sleep_until(last - LAST)
  local moved = lab.counters(site.clients)
  lab.sleep_until(last)
  return { attempts = moved "ActiveOpens" / LAST, depth = lab.depth(site.listener) }
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

-- How long after the stall the last slice ended that was not up; nil if that was among the last ones of the run.
local function recovery_time(requests, stall_ends, total)
  local since = math.floor(total / SLICE + 1e-9)
  while since > 0 and is_up(requests, (since - 1) * SLICE, since * SLICE) do since = since - 1 end
  if since * SLICE > total - CALM then return nil end
  return math.max(0, since * SLICE - stall_ends)
end

-- The knobs, as the remedy changes them.
local function policy_of(knobs, case, capacity)
  return option_table.merged(knobs, REMEDIES[case.remedy](knobs, capacity))
end

local function total_of(knobs) return knobs.before + knobs.stall + knobs.after end

local function run_case(knobs, case, capacity, site)
  local stall_ends, total = knobs.before + knobs.stall, total_of(knobs)
  local policy = policy_of(knobs, case, capacity)
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
  local served, ghosts = overload.start_serving(listener, began, policy.is_wanted)
  local observer = lunet.spawn(stall_and_observe, site, began + knobs.before, began + stall_ends, began + total)
  local lateness = statistics.quantile(workload.offer(requests, function(r) clients:send(r) end, began), 0.99) or 0
  local _, seen = observer:join()

  local slices, executed = slices_of(requests, total), statistics.count_between(served, total - LAST, total)
  return {
    slices = slices, recovery = recovery_time(requests, stall_ends, total),
    before = workload.summary(requests, 0, math.max(knobs.before - knobs.patience, SLICE)).success,
    answered = statistics.count_between(workload.answers(requests), 0, #slices * SLICE),
    offered = workload.summary(requests, 0, total).offered / total, attempts = seen.attempts, depth = seen.depth,
    served = executed / LAST, ghosts = statistics.count_between(ghosts, total - LAST, total) / math.max(executed, 1),
    lateness = lateness, valid = lateness <= knobs.lateness * knobs.service and executed <= 1.1 * capacity * LAST,
  }
end

-- -- all runs ----------------------------------------------------------------------------------

local function cases_of(knobs)
  local cases = {}
  for i, remedy in ipairs(choice.pick(IN_ORDER, knobs.remedy)) do cases[i] = { remedy = remedy } end
  return cases
end

-- A point for each remedy, with a case for each seed.
local function points_of(knobs)
  local points = cases_of(knobs)
  return points, overload.cases(points, knobs.seed, knobs.seeds, function(point, seed)
    return { remedy = point.remedy, seed = seed }
  end)
end

-- -- what came of it ---------------------------------------------------------------------------

local function mean_of(point, field) return statistics.mean(values_of(point, field)) end

-- How many of the runs that count recovered, when after the stall, and how many answers came in time, on average.
local function client_row(point)
  local recoveries = values_of(point, "recovery")
  local row = {
    remedy = point.remedy, recovered = ("%d/%d"):format(#recoveries, #overload.counted(point)),
    answered = round(mean_of(point, "answered"), 2),
  }
  if #recoveries > 0 then
    row.min_s = round(math.min(table.unpack(recoveries)), 2)
    row.max_s = round(math.max(table.unpack(recoveries)), 2)
  end
  return row
end

-- The last second, in medians of the seeds. Queue and ghosts are left to chance where goodput came back.
local function server_row(point)
  local row = { remedy = point.remedy, attempts = median(point, "attempts"), served = median(point, "served") }
  if HELPS[point.remedy] then return row end
  row.ghosts, row.depth = median(point, "ghosts", 0, 100), median(point, "depth", 0)
  return row
end

-- Goodput in slices, in means of the runs: a column for each remedy.
local function series_of(points, stall_ends)
  local rows = {}
  for _, point in ipairs(points) do
    for i in ipairs(point.cases[1].run.slices) do
      local values = {}
      for n, run in ipairs(overload.counted(point)) do values[n] = run.slices[i] end
      rows[i] = rows[i] or { from_s = round((i - 1) * SLICE - stall_ends, 2) }
      rows[i][point.remedy] = round(statistics.mean(values), 2)
    end
  end
  return rows
end

-- -- the claim ---------------------------------------------------------------------------------

local function check_sustained(row, server, outcome, knobs)
  local name, capacity = row.remedy, outcome.capacity
  assert(row.recovered:match "^0/", ("%s: goodput came back in %s runs"):format(name, row.recovered))
  if server.depth < 0.5 * knobs.backlog then experiment.not_judged("%s: the queue was not full", name) end
  expect.fields(name, server, { depth = expect.between(2 * outcome.threshold, knobs.backlog + 1),
    served = expect.between(0.7 * capacity, 1.1 * capacity), ghosts = expect.between(90, 100),
    attempts = expect.between(capacity, 1.3 * (knobs.retries + 1) * outcome.offered) })
end

local function check_recovered(row, server, outcome)
  local name, recovered, runs = row.remedy, row.recovered:match "(%d+)/(%d+)"
  assert(recovered == runs, ("%s: goodput came back in %s runs only"):format(name, row.recovered))
  local normal = expect.between(0.5 * outcome.offered, 1.8 * outcome.offered)
  expect.fields(name, server, { attempts = normal, served = normal })
end

-- The answers of all slices add up to all answers.
local function check_series(one, outcome, knobs)
  local sum, last = 0, #outcome.goodput
  for _, row in ipairs(outcome.goodput) do sum = sum + row[one.remedy] * SLICE end
  local rest = 0.005 * SLICE * last + 0.006 -- of rounding
  expect.value(one.remedy .. ": answered in all slices", sum, expect.between(one.answered - rest,
    one.answered + rest))
  local ends, helps = (outcome.goodput[last][one.remedy] + outcome.goodput[last - 1][one.remedy]) / 2,
    HELPS[one.remedy]
  expect.value(one.remedy .. ": goodput at the end", ends, helps and expect.at_least(0.4 * outcome.offered)
    or expect.at_most(0.1 * outcome.offered))
  expect.value(one.remedy .. ": answered", one.answered, expect.at_most(1.6 * outcome.offered * total_of(knobs)))
end

local function check_tally(outcome, knobs)
  local counted, cases = 0, cases_of(knobs)
  for _, row in ipairs(outcome.remedies) do counted = counted + tonumber(row.recovered:match "/(%d+)$") end
  expect.fields("the tally", outcome, { runs = #cases * knobs.seeds, invalid = outcome.runs - counted })
  local load, slices = knobs.load * outcome.capacity, {}
  for i = 1, math.floor(total_of(knobs) / SLICE + 1e-9) do
    slices[i] = { from_s = round((i - 1) * SLICE - knobs.before - knobs.stall, 2) }
  end
  expect.cases("goodput", outcome.goodput, slices, { "from_s" })
  expect.fields("before the stall", outcome, { success_before = expect.between(75, 100),
    threshold = round(outcome.capacity * knobs.patience - 2), offered = expect.between(0.6 * load, 1.6 * load) })
end

-- Whether there is something that can stay down: a stall, retries, a queue that takes longer than the patience.
local function check_premises(outcome, knobs)
  if knobs.patience >= knobs.before then experiment.not_judged "patience is not shorter than before" end
  if knobs.retries == 0 then experiment.not_judged "nothing is tried again" end
  if knobs.stall == 0 then experiment.not_judged "there was no stall" end
  if knobs.backlog <= outcome.threshold then experiment.not_judged "the queue is not deep" end
  if HELPS[knobs.remedy] then experiment.not_judged "every run had a remedy" end
end

return experiment {
  claim = "With a deep queue and retries, goodput stays at nothing after a stall of a second, at a load that the "
    .. "server carries.",
  knobs = {
    remedy = { "all", "what", "the remedy; all: each, in runs of its own", choices = choice.of(IN_ORDER) },
    seed = { 1, "number", "the seed of the first run: its arrivals, service times and jitter" },
    seeds = { 5, "runs", "runs of each remedy, each with the next seed", min = 1, max = 100 },
    load = { 0.4, "of capacity", "the offered load, retries not counted", min = 0.01, max = 10 },
    stall = { 1.0, "s", "how long the server accepts nobody", min = 0, max = 60 },
    backlog = { 100, "connections", "how many the kernel may queue", min = 0 },
    retries = { 3, "retries", "how often a request is tried again", min = 0, max = 16 },
    backoff = { 0.0, "s", "full jitter: the pause before the first retry is up to this, and then up to twice as long; "
      .. "0 retries at once", min = 0, max = 60 },
    budget = { 16.0, "retries", "what each request adds to the budget that all share; 16 limits nothing", min = 0 },
    departure = { "close", "how", "how clients leave when their patience is over", choices = { "close", "reset" } },
    patience = { 0.2, "s", "how long a client waits in one attempt, connect included", min = 0.001, max = 60 },
    service = { 0.02, "s", "how long the server works on a request, on average", min = 0.0005, max = 1 },
    distribution = { "fixed", "kind", "the distribution of service times", choices = { "fixed", "exponential" } },
    before = { 0.5, "s", "how long the load runs before the stall", min = SLICE, max = 60 },
    after = { 2.5, "s", "how long the load runs after the stall", min = LAST, max = 60 },
    closed_loop = { 24, "requests", "requests of a closed loop that measures the capacity, the best of three",
      min = overload.LOOPS },
    spare = { 1, "rounds", "how often disturbed runs are repeated, a few side by side", min = 0, max = 100 },
    lateness = { 0.1, "of service", "how late the clients of a valid run may be (p99)", min = 0 },
  },
  -- recovered: the fraction of runs in which goodput came back. min_s, max_s: when it did in the first and in the last
  -- of them. answered: answers in time. attempts, served: per second, in the last second; ghosts: % of served. from_s:
  -- the beginning of a slice, after the stall; the columns after it: goodput in that slice, in means of the runs.
  columns = {
    "remedy", "recovered", "min_s", "max_s", "answered", "attempts", "served", "ghosts", "depth", "from_s",
    table.unpack(IN_ORDER),
  },
  control = { load = 0.1 },
  exclusive = true,

  run = function(knobs)
    lunet.note "First the capacity, in a closed loop; then every remedy under the same arrivals, on hosts of its own."
    local capacity = round(overload.capacity(knobs.service, knobs.closed_loop))
    local points, cases = points_of(knobs)
    local repeated = overload.run(cases, {
      at_once = AT_ONCE, apart = knobs.service / AT_ONCE, spare = knobs.spare,
      open = function(case) return overload.open_site(policy_of(knobs, case, capacity).backlog) end,
      run = function(case, site) return run_case(knobs, case, capacity, site) end,
    })
    local all = { cases = cases }
    local remedies, last_second = {}, {}
    for i, point in ipairs(points) do remedies[i], last_second[i] = client_row(point), server_row(point) end
    return overload.add_tally({
      capacity = capacity, offered = round(mean_of(all, "offered")),
      threshold = round(capacity * knobs.patience - 2), success_before = median(all, "before", 0, 100),
      remedies = remedies, last_second = last_second, goodput = series_of(points, knobs.before + knobs.stall),
    }, points, repeated)
  end,

  check = function(outcome, knobs)
    overload.check(outcome)
    overload.check_capacity(outcome, knobs.service)
    expect.cases("remedies", outcome.remedies, cases_of(knobs), { "remedy" })
    expect.cases("last_second", outcome.last_second, cases_of(knobs), { "remedy" })
    check_premises(outcome, knobs)
    check_tally(outcome, knobs)
    for i, one in ipairs(outcome.remedies) do
      local check = HELPS[one.remedy] and check_recovered or check_sustained
      check(one, outcome.last_second[i], outcome, knobs)
      check_series(one, outcome, knobs)
    end
  end,

  plot = function(outcome)
    local xs, series = {}, {}
    for i, row in ipairs(outcome.goodput) do
      xs[i] = row.from_s
      for _, one in ipairs(outcome.remedies) do
        series[one.remedy] = series[one.remedy] or {}
        series[one.remedy][i] = row[one.remedy] or 0
      end
    end
    return plot.line { x = xs, series = series, height = 13, xlabel = "s after the stall",
      ylabel = "replies in time, per second" }
  end,

  figures = function(outcome)
    local parts = {}
    for _, one in ipairs(outcome.remedies) do
      if IN_FIGURES[one.remedy] or #outcome.remedies == 1 then
        parts[#parts + 1] = ("%s %s"):format(one.remedy, one.recovered)
      end
    end
    return "recovered: " .. table.concat(parts, ", ")
  end,
}
