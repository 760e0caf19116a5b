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
-- the gate; the server still serves the clients that it has. The storm lasts until most requests are answered in each
-- half second up to the end, for 1 s at least. A run that has not recovered in `after` seconds might recover later. So
-- the check asks for a long queue of ghosts, attempts above the capacity and a server that works all the time.
--
-- Where it was met. An outage that goes on after its cause is fixed, until somebody takes load away or restarts the
-- servers.
--
-- What to do. Bound one of the two factors. A short backlog bounds the wait, and a retry budget bounds the attempts. A
-- server that looks for the client's FIN before it works (check_liveness) drops the ghosts at once. But it also drops
-- clients that only ended their side, and works in vain for clients that leave during the service.
local experiment = require "lunet.experiment"
local expect = require "lunet.run.expect"
local lab = require "lunet.lab"
local lunet = require "lunet"
local model = require "lunet.load.model"
local option_table = require "lunet.text.options"
local overload = require "lunet.load.overload"
local plot = require "lunet.text.plot"
local statistics = require "lunet.load.statistics"
local workload = require "lunet.load.workload"

local round = statistics.round

local SLICE = 0.5 -- s
local STEP = 0.1 -- s; the grain of a storm's length
local CALM = 1 -- s at the end of a run that has recovered
local LAST = 1 -- s; the end of a run, which is measured
local CARRIED = 75 -- %; the server carries a load of which it answers so much in time before the stall

-- The changes of each remedy, to the knobs or to the server. A sweep compares them:
--
--     lunet sweep experiments/overload/metastable.lua --remedy none,backoff,retry_budget,short_backlog,check_liveness
--       --runs 6 --into out
local REMEDIES = {
  none = function() return {} end,
  short_backlog = function(knobs, capacity) return { backlog = math.floor(0.6 * capacity * knobs.patience) } end,
  retry_budget = function() return { budget = 0.1 } end,
  backoff = function(knobs) return { backoff = knobs.patience } end,
  check_liveness = function() return { is_wanted = function(c) return c:liveness() == "open" end } end,
}

-- -- the run -----------------------------------------------------------------------------------

-- Shuts the gate for the stall, and looks at the end.
local function stall_and_observe(site, from, to, last)
  lab.sleep_until(from)
  site.listener:gate(0)
  lab.sleep_until(to)
  site.listener:gate(1)
  lab.sleep_until(last - LAST)
  local moved = lab.counters(site.clients)
  lab.sleep_until(last)
  return { attempts = round(moved "ActiveOpens" / LAST), depth = lab.depth(site.listener) }
end

-- Goodput per second in slices, from the first to the last.
local function slices_of(requests, knobs, total)
  local answers, slices = workload.answers(requests), {}
  for i = 1, math.floor(total / SLICE + 1e-9) do
    local from = (i - 1) * SLICE
    slices[i] = { from_s = round(from - knobs.before - knobs.stall, 2),
      goodput = statistics.count_between(answers, from, from + SLICE) / SLICE }
  end
  return slices
end

-- Whether most of the requests that were due between two times were answered.
local function is_up(requests, from, to)
  local summary = workload.summary(requests, from, to)
  return summary.answered >= summary.offered / 2
end

-- How long after the stall goodput was last down.
local function storm_of(requests, stall_ends, total)
  local last = total
  while last > stall_ends and is_up(requests, last - SLICE, last) do last = last - STEP end
  return math.max(0, round(last - stall_ends))
end

local function total_of(knobs) return knobs.before + knobs.stall + knobs.after end

-- Rates per second, and shares in percent.
local function measure(knobs, policy, capacity, site)
  local stall_ends, total = knobs.before + knobs.stall, total_of(knobs)
  local requests = workload.requests {
    seed = knobs.seed, rate = knobs.load * capacity, seconds = total, service = knobs.service,
    distribution = knobs.distribution,
  }
  local began, clients = lunet.now(), overload.clients_of(policy, site)
  local served, ghosts = overload.start_serving(site.listener, began, policy.is_wanted)
  local observer = lunet.spawn(stall_and_observe, site, began + knobs.before, began + stall_ends, began + total)
  local late_ms = overload.offer(requests, function(request) clients:send(request) end, began)
  local _, seen = observer:join()
  local function last_second(times) return statistics.count_between(times, total - LAST, total) / LAST end
  local slices, storm_s = slices_of(requests, knobs, total), storm_of(requests, stall_ends, total)
  return {
    late_ms = late_ms, slices = slices, storm_s = storm_s, recovered = storm_s <= knobs.after - CALM,
    success_before = round(100 * workload.summary(requests, 0, math.max(knobs.before - knobs.patience, SLICE)).success),
    answered = statistics.count_between(workload.answers(requests), 0, #slices * SLICE),
    offered = round(workload.summary(requests, 0, total).offered / total), attempts = seen.attempts, depth = seen.depth,
    served = last_second(served), ghosts = overload.percent(last_second(ghosts), last_second(served)),
  }
end

-- The model of a storm without a remedy. There is no `predicted_s` if it never ends.
local function predict(knobs, capacity)
  local storm = model.storm({ capacity = capacity, load = knobs.load, retries = knobs.retries, budget = knobs.budget,
    patience = knobs.patience, backlog = knobs.backlog }, knobs.stall)
  return { threshold = round(model.threshold(capacity, knobs.patience)),
    predicted_s = storm < math.huge and round(storm) or nil }
end

-- -- the claim ---------------------------------------------------------------------------------

-- The answers of all slices add up to all answers.
local function check_slices(outcome, knobs)
  local sum, wanted = 0, {}
  for i = 1, math.floor(total_of(knobs) / SLICE + 1e-9) do
    wanted[i] = { from_s = round((i - 1) * SLICE - knobs.before - knobs.stall, 2) }
  end
  expect.cases("slices", outcome.slices, wanted, { "from_s" })
  for _, slice in ipairs(outcome.slices) do sum = sum + slice.goodput * SLICE end
  expect.value("answered in all slices", outcome.answered, expect.between(sum - 0.1, sum + 0.1))
end

local function check_run(outcome, knobs)
  local load = knobs.load * outcome.capacity
  expect.fields("the model", outcome, predict(knobs, outcome.capacity))
  if outcome.success_before < CARRIED then
    experiment.not_judged("before the stall %g %% of the requests were answered: the machine disturbed them, or the "
      .. "load is too much for the server", outcome.success_before)
  end
  expect.fields("before the stall", outcome, { success_before = expect.between(CARRIED, 100),
    offered = expect.between(0.6 * load, 1.6 * load) })
  check_slices(outcome, knobs)
end

return experiment {
  claim = "With a deep queue and retries, goodput stays at nothing after a stall of a second, at a load that the "
    .. "server carries.",
  knobs = {
    remedy = { "none", "what", "the remedy", choices = { "none", "backoff", "retry_budget", "short_backlog",
      "check_liveness" } },
    seed = { 1, "number", "the seed of the arrivals, service times and jitter" },
    load = { 0.4, "of capacity", "the offered load, retries not counted", min = 0.01, max = 10 },
    stall = { 1.0, "s", "how long the server accepts nobody", min = 0, max = 60 },
    backlog = { 100, "connections", "how many the kernel may queue", min = 0, max = 65535 },
    retries = { 3, "retries", "how often a request is tried again", min = 0, max = 16 },
    backoff = { 0.0, "s", "full jitter: the pause before the first retry is up to this, and then up to twice as long; "
      .. "0 retries at once", min = 0, max = 60 },
    budget = { 16.0, "retries", "what each request adds to the budget that all share; 16 limits nothing", min = 0 },
    departure = { "close", "how", "how clients leave when their patience is over", choices = { "close", "reset" } },
    patience = { 0.1, "s", "how long a client waits in one attempt, connect included", min = 0.001, max = 60 },
    service = { 0.01, "s", "how long the server works on a request, on average", min = 0.0005, max = 1 },
    distribution = { "fixed", "kind", "the distribution of service times", choices = { "fixed", "exponential" } },
    before = { 0.5, "s", "how long the load runs before the stall", min = SLICE, max = 60 },
    after = { 2.5, "s", "how long the load runs after the stall", min = LAST, max = 60 },
    closed_loop = { 24, "requests", "requests of a closed loop that measures the capacity, the best of three",
      min = overload.LOOPS },
    lateness = { 0.2, "of service", "how late the clients of a valid run may be (p99)", min = 0 },
  },
  measures = {
    recovered = { "", "whether goodput came back, for the last second at least",
      states = { "stays_down", "recovers" } },
    storm_s = { "s", "how long goodput was down after the stall; all of `after` if it did not come back",
      better = "less" },
    predicted_s = { "s", "the same by the model, without a remedy; none: it never ends" },
    attempts = { "/s", "attempts in the last second", better = "less" },
  },
  -- from_s: the beginning of a slice, after the stall. goodput: answers in time in that slice, per second.
  columns = { "from_s", "goodput" },
  control = { load = 0.1 },
  exclusive = true,

  run = function(knobs)
    lunet.note "First the capacity, in a closed loop; then a load with a stall, on hosts of its own."
    local capacity = round(overload.capacity(knobs.service, knobs.closed_loop))
    local policy = option_table.merged(knobs, REMEDIES[knobs.remedy](knobs, capacity))
    local outcome = lunet.scope(function()
      local site = overload.open_site(policy.backlog)
      local _listener <close> = site.listener
      return measure(knobs, policy, capacity, site)
    end)
    return option_table.merged(outcome, { capacity = capacity }, predict(knobs, capacity))
  end,

  check = function(outcome, knobs)
    overload.check(outcome, knobs)
    if knobs.patience >= knobs.before then experiment.not_judged "patience is not shorter than before" end
    check_run(outcome, knobs)
    local capacity, slices = outcome.capacity, outcome.slices
    if outcome.recovered then error(("goodput came back %g s after the stall"):format(outcome.storm_s)) end
    expect.fields("after the stall", outcome, { storm_s = expect.between(knobs.after - CALM, knobs.after),
      depth = expect.between(math.max(2 * outcome.threshold, 0.5 * knobs.backlog), knobs.backlog + 1),
      served = expect.between(0.7 * capacity, 1.1 * capacity), ghosts = expect.between(90, 100),
      attempts = expect.between(capacity, 1.3 * (knobs.retries + 1) * outcome.offered) })
    expect.value("goodput at the end", (slices[#slices].goodput + slices[#slices - 1].goodput) / 2,
      expect.at_most(0.1 * outcome.offered))
  end,

  plot = function(outcome)
    local xs, ys = {}, {}
    for i, slice in ipairs(outcome.slices) do xs[i], ys[i] = slice.from_s, slice.goodput end
    return plot.line { x = xs, y = ys, height = 13, xlabel = "s after the stall",
      ylabel = "replies in time, per second" }
  end,

  figures = function(outcome, knobs)
    local came = outcome.recovered and ("came back after %g s"):format(outcome.storm_s) or "did not come back"
    return ("remedy %s: goodput %s; %g attempts/s of %g/s, %d queued"):format(knobs.remedy, came, outcome.attempts,
      outcome.capacity, outcome.depth)
  end,
}
