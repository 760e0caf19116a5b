-- Claim. Dropping the requests of clients that have left ends stale work. In overload, goodput comes back only if the
-- server works on requests that it can still answer in time.
--
-- Why. The queue keeps a request whose client has left (net/ipv4/tcp_input.c, tcp_fin: the socket stays in the queue),
-- and a FIN does not tell leaving from half-closing (RFC 9293, 3.6). A server that asks whether the client is there
-- ends stale work, and yet its goodput stays near zero. It serves first come, first served: in overload the next client
-- has waited for nearly its patience, is still there, and leaves while it is served. The server must know whether the
-- client will still be there: it needs the age or the deadline of the request, with room for its service. Serving the
-- newest first helps as well, and so does a queue so short that a client at its end is served in time. Retries make it
-- worse, but a long queue also collapses without them (retry_budget).
--
-- Where it was met. Servers that check for a closed socket before they work, and stay overloaded; half-closing clients
-- that are dropped as gone; deadlines by a wall clock that differs; a pool of retries that doubles the load.
--
-- What to do. Take the newest request that can still be answered in time (newest_in_time), with a short queue and a
-- request_id. lunet.load.remedy lists what each remedy does and costs, and what its naive versions get wrong.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local option_table = require "lunet.text.options"
local overload = require "lunet.load.overload"
local plot = require "lunet.text.plot"
local remedies = require "lunet.load.remedy"
local scenario = require "lunet.load.scenario"
local statistics = require "lunet.load.statistics"
local trial = require "lunet.load.trial"
local workload = require "lunet.load.workload"

-- Each remedy and each naive version is tried in two parts, below in this order: a scenario (lunet.load.scenario:
-- stale_replay with more clients), and an overload (an open loop at 1.5 of capacity, with the method of retry_storm).
-- lunet.load.remedy says what each part must show. lunet.load.trial is the server and the clients of one remedy;
-- lunet.load.admission has the ways in which a server takes connections.

local median, round = overload.median, statistics.round

local BACKLOG = 60 -- of a server whose remedy sets no other
local EVERY = 4 -- in the overload every fourth client half-closes
local AT_ONCE, AT_ONCE_DELAYED = 24, 12 -- runs side by side; with a delay, frames take the thread's time as well
local MOST = 115 -- % of capacity; what was begun before the time that counts ends in it

local function filter(list, predicate)
  local found = {}
  for _, item in ipairs(list) do
    if predicate(item) then found[#found + 1] = item end
  end
  return found
end

local function is_right(remedy) return not remedy.naive end

-- The remedies that a part tries: those that the knob asks for, with their naive versions, and `none` beside them.
local function tried_in(part, knobs)
  return filter(remedies, function(remedy)
    local is_asked = knobs.remedy == "all" or remedy.name == "none" or remedy.name == knobs.remedy
    return is_asked and remedy[part] ~= nil
  end)
end

local function open_trial(remedy, knobs)
  return trial.open(remedy, { patience = knobs.patience, service = knobs.service, delay = knobs.delay,
    backlog = BACKLOG })
end

-- -- the first part: the scenario --------------------------------------------------------------

-- A disturbance can only add round trips: take the lesser of two counts.
local function add_trips(cases)
  local counts = {}
  for _, case in ipairs(filter(cases, function(case) return is_right(case.remedy) end)) do
    counts[#counts + 1] = { remedy = case.remedy, half_closes = false, row = case.run, field = "trips" }
    counts[#counts + 1] = { remedy = case.remedy, half_closes = true, row = case.run, field = "trips_half" }
  end
  for _ = 1, 2 do
    overload.run(counts, {
      run = scenario.count_trips, open = function(one) return scenario.open_for_trips(one.remedy) end,
    })
    for _, one in ipairs(counts) do
      one.row[one.field] = math.min(one.row[one.field] or math.huge, one.run.trips)
    end
    counts = filter(counts, function(one) return one.run.trips > 0 end)
  end
end

local function run_scenarios(knobs)
  local cases, rows = {}, {}
  for i, remedy in ipairs(tried_in("scenario", knobs)) do cases[i] = { remedy = remedy } end
  overload.run(cases, {
    at_once = knobs.delay > 0 and AT_ONCE_DELAYED or nil, run = scenario.run,
    open = function(case) return open_trial(case.remedy, knobs) end,
  })
  add_trips(cases)
  for i, case in ipairs(cases) do rows[i] = case.run end
  return rows
end

-- -- the second part: the overload -------------------------------------------------------------

-- The share of half-closing clients that were answered.
local function half_answered(requests, from, to)
  local half = filter(requests, function(r) return r.half_closes and r.at >= from and r.at < to end)
  return #half > 0 and statistics.count(half, function(r) return r.answered end) / #half or 0
end

local function run_overload(case, site, knobs, capacity)
  local from, to = knobs.warm_up, knobs.seconds
  local longest = (knobs.retries + 1) * knobs.patience
  local requests = workload.requests { seed = case.seed, rate = knobs.load * capacity, seconds = to + longest,
    service = knobs.service }
  local clients = site:new_clients(knobs.patience, knobs.retries)
  site:start()
  local began = lunet.now()
  lunet.spawn(function()
    lunet.sleep(to + longest)
    site:stop()
  end)
  local lateness = workload.offer(requests, function(request)
    request.half_closes = request.number % EVERY == 0
    clients:send(request)
  end, began)

  local executed = statistics.count(site.executed, function(one)
    return one.at >= began + from and one.at < began + to
  end)
  local summary = workload.summary(requests, from, to)
  local late = statistics.quantile(lateness, 0.99) or 0
  return {
    goodput = statistics.count_between(workload.answers(requests), from, to) / (to - from) / capacity,
    served = executed / (to - from) / capacity, half = half_answered(requests, from, to),
    tries = summary.attempts / math.max(summary.offered, 1), held = site.server.most_held, lateness = late,
    valid = late <= knobs.lateness * knobs.service,
  }
end

-- Medians of the seeds that count. Tries only where they are judged.
local function overload_row(point)
  local remedy, goodput, served = point.remedy, median(point, "goodput", 1, 100), median(point, "served", 1, 100)
  return {
    remedy = remedy.name, naive = remedy.naive or "-", goodput = goodput, served = served,
    wasted = overload.wasted(goodput, served), half_closing = median(point, "half", 0, 100),
    held = median(point, "held", 0), tries = remedy.overload.tries and median(point, "tries", 2) or nil,
  }
end

local function run_overloads(knobs)
  local capacity = round(overload.capacity(knobs.service, 2 * overload.LOOPS))
  local points, rows = {}, {}
  local at_once = knobs.delay > 0 and AT_ONCE_DELAYED or AT_ONCE
  for i, remedy in ipairs(tried_in("overload", knobs)) do points[i] = { remedy = remedy } end
  local cases = overload.cases(points, knobs.seed, knobs.seeds, function(point, seed)
    return { remedy = point.remedy, seed = seed }
  end)
  local repeated = overload.run(cases, {
    at_once = at_once, apart = knobs.service / at_once, spare = knobs.spare,
    open = function(case) return open_trial(case.remedy, knobs) end,
    run = function(case, site) return run_overload(case, site, knobs, capacity) end,
  })
  for i, point in ipairs(points) do rows[i] = overload_row(point) end
  return overload.add_tally({ capacity = capacity, overload = rows }, points, repeated)
end

-- -- the check: the rows show what lunet.load.remedy demands -----------------------------------

-- The words of a remedy's `overload`, in numbers. Values between the two ranges of a field are not judged. With five
-- seeds (`--seeds 5`) a goodput that is judged differs by at most 15 % of capacity.
local RANGES = {
  goodput = { restored = expect.between(60, MOST), lost = expect.at_most(45) }, -- % of capacity
  held = { bounded = expect.at_most(BACKLOG), unbounded = expect.at_least(BACKLOG + 1) },
  tries = { few = expect.between(1, 1.5), many = expect.at_least(1.51) },
}

-- Calls check(remedy, row, title) for each remedy that a part has tried.
local function check_rows(part, rows, knobs, check)
  local list, labels = tried_in(part, knobs), {}
  for i, remedy in ipairs(list) do labels[i] = { remedy = remedy.name, naive = remedy.naive or "-" } end
  expect.cases(part, rows, labels, { "remedy", "naive" })
  for i, remedy in ipairs(list) do
    check(remedy, rows[i], remedy.naive and remedy.name .. ", " .. remedy.naive or remedy.name)
  end
end

-- The results that a remedy must show, on a link with or without a delay.
local function demanded(remedy, results, knobs)
  local wanted = option_table.merged(results)
  if knobs.delay > 0 and remedy.only_without_delay then wanted[remedy.only_without_delay] = nil end
  return wanted
end

local function check_scenarios(rows, knobs)
  local best = choice.find(remedies, "newest_in_time", "name").scenario -- the control demands this of `none`
  check_rows("scenario", rows, knobs, function(remedy, row, title)
    local trips = remedy.trips or {}
    expect.fields(title, row, demanded(remedy, knobs.remedy == "none" and best or remedy.scenario, knobs))
    expect.value(title .. ": trips", row.trips, trips[1])
    expect.value(title .. ": trips_half", row.trips_half, trips[2])
  end)
end

local function check_overloads(rows, knobs)
  check_rows("overload", rows, knobs, function(remedy, row, title)
    expect.fields(title, row, {
      wasted = overload.wasted(row.goodput, row.served), half_closing = expect.between(0, 100),
      served = expect.between(0.9 * row.goodput, MOST), -- an answer in time was served, at most a moment before
      held = remedy.way and expect.at_least(1) or 1, -- without a way of its own it takes one client at a time
    })
    for field, word in pairs(demanded(remedy, remedy.overload, knobs)) do
      expect.value(title .. ": " .. field, row[field], RANGES[field][word])
    end
  end)
end

local function without_naive(rows)
  return filter(rows, function(row) return row.naive == "-" end)
end

return experiment {
  claim = "Dropping the requests of clients that have left ends stale work. In overload, goodput comes back only "
    .. "if the server works on requests that it can still answer in time.",
  knobs = {
    remedy = { "all", "name", "the remedy to try, with its naive versions, beside none",
      choices = choice.of(filter(remedies, is_right), "name") },
    service = { 0.06, "s", "how long the server works on a request", min = 0.005, max = 1 },
    patience = { 0.6, "s", "how long a client waits for its reply", min = 0.05, max = 5 },
    load = { 1.5, "of capacity", "the offered load; 0: only the scenario", min = 0, max = 3 },
    retries = { 2, "retries", "how often a client of the overload tries again, at once", min = 0, max = 16 },
    warm_up = { 1.8, "s", "how much of the overload's beginning does not count", min = 0 },
    seconds = { 5.0, "s", "when requests stop counting; the load goes on until the last of them is over", min = 0.1,
      max = 600 },
    delay = { 0.0, "s", "one-way delay of the link", min = 0, max = 0.02 },
    seed = { 1, "number", "the seed of the first overload: its arrivals" },
    seeds = { 1, "runs", "overloads of each remedy, each with the next seed", min = 1, max = 100 },
    spare = { 1, "rounds", "how often disturbed runs are repeated, a few side by side", min = 0, max = 100 },
    lateness = { 0.1, "of service", "how late the clients of a valid run may be (p99)", min = 0 },
  },
  control = { remedy = "none", load = 0.0 },
  exclusive = true,
  slow = true,
  -- The scenario. stale: requests carried out for nobody. again: how often the request of a client that came again was
  -- carried out. patient, half: what became of the patient client and of the half-closing one. burst: how many of five
  -- clients at once were served. trips, trips_half: extra round trips of a client and of a half-closing one, on a link
  -- with a delay.
  -- The overload. goodput, served: % of capacity. wasted: % of served. half_closing: % of the half-closing clients that
  -- were answered. tries: attempts per request. held: the most descriptors open.
  columns = { "remedy", "naive", "stale", "again", "patient", "half", "burst", "trips", "trips_half", "goodput",
    "served", "wasted", "half_closing", "tries", "held" },

  run = function(knobs)
    assert(knobs.warm_up < knobs.seconds, ("knob warm_up: %s is not allowed; it is less than seconds, which is %s")
      :format(knobs.warm_up, knobs.seconds))
    lunet.note "The scenario: A is served, others give up in the queue, a half-closing client comes, A leaves."
    local outcome = { scenario = run_scenarios(knobs) }
    if knobs.load == 0 then return outcome end
    lunet.note "The overload: more requests than the server can carry out, from clients with patience and retries."
    return option_table.merged(outcome, run_overloads(knobs))
  end,

  check = function(outcome, knobs)
    check_scenarios(outcome.scenario, knobs)
    if knobs.load == 0 then return end
    if knobs.load <= 1.05 then experiment.not_judged "there was no overload" end
    overload.check(outcome)
    overload.check_capacity(outcome, knobs.service)
    check_overloads(outcome.overload, knobs)
    expect.value("the number of runs", outcome.runs, #outcome.overload * knobs.seeds)
  end,

  figures = function(outcome)
    local rows = without_naive(outcome.overload or outcome.scenario)
    local first, last = rows[1], rows[#rows]
    if not outcome.overload then
      return ("stale: %s %d, %s %d"):format(first.remedy, first.stale, last.remedy, last.stale)
    end
    return ("goodput: %s %.0f %%, %s %.0f %%"):format(first.remedy, first.goodput, last.remedy, last.goodput)
  end,

  plot = function(outcome)
    local names, values, field = {}, {}, outcome.overload and "goodput" or "stale"
    for i, row in ipairs(without_naive(outcome.overload or outcome.scenario)) do
      names[i], values[i] = row.remedy, row[field]
    end
    local label = outcome.overload and "goodput in overload, % of capacity" or "stale requests carried out"
    return plot.bars { names = names, values = values, label = label }
  end,
}
