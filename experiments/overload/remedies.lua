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

local round = statistics.round

-- A remedy, or a naive version of it, is tried beside a server without one (`none`), in two parts: a scenario
-- (lunet.load.scenario: stale_replay with more clients), and an overload (an open loop at 1.5 of capacity, with the
-- method of retry_storm). lunet.load.remedy says what each part must show. lunet.load.trial is the server and the
-- clients of one remedy; lunet.load.admission has the ways in which a server takes connections.

local BACKLOG = 60 -- of a server whose remedy sets no other
local EVERY = 4 -- in the overload every fourth client half-closes
local MOST = 115 -- % of capacity; what was begun before the time that counts ends in it
local RIGHT = "no" -- the version that is not naive
local NONE = choice.find(remedies, "none", "name")

-- The remedy that the knobs name; raises an error if it has no such version.
local function remedy_of(knobs)
  local versions = {}
  for _, remedy in ipairs(remedies) do
    if remedy.name == knobs.remedy and (remedy.naive or RIGHT) == knobs.naive then return remedy end
    if remedy.name == knobs.remedy then versions[#versions + 1] = remedy.naive or RIGHT end
  end
  error(("knob naive: %q is not allowed; of %s it is one of %s"):format(knobs.naive, knobs.remedy,
    table.concat(versions, ", ")), 0)
end

-- The servers of a run: the one with the remedy, and `none` unless that is it.
local function tried(knobs)
  local remedy = remedy_of(knobs)
  return remedy == NONE and { remedy } or { remedy, NONE }
end

local function is_tried(part, remedy, knobs)
  return remedy[part] ~= nil and (knobs.part == "both" or knobs.part == part)
end

local function open_trial(remedy, knobs)
  return trial.open(remedy, { patience = knobs.patience, service = knobs.service, delay = knobs.delay,
    backlog = BACKLOG })
end

-- -- the first part: the scenario --------------------------------------------------------------

-- A disturbance can only add round trips: take the lesser of two counts.
local function trips_of(remedy, half_closes)
  local least = math.huge
  for _ = 1, 2 do
    least = math.min(least, lunet.scope(function()
      return scenario.count_trips(scenario.open_for_trips(remedy), half_closes)
    end))
    if least == 0 then break end
  end
  return least
end

local function run_scenarios(knobs)
  local list = tried(knobs)
  if not is_tried("scenario", list[1], knobs) then return { {}, {} } end
  local rows = lunet.together(list, function(remedy) return open_trial(remedy, knobs) end, scenario.run)
  for i, remedy in ipairs(list) do
    if not remedy.naive then rows[i].trips, rows[i].trips_half = trips_of(remedy, false), trips_of(remedy, true) end
  end
  return rows
end

-- -- the second part: the overload -------------------------------------------------------------

-- The percentage of half-closing clients that were answered.
local function half_answered(requests, from, to)
  local half, answered = 0, 0
  for _, request in ipairs(requests) do
    if request.half_closes and request.at >= from and request.at < to then
      half, answered = half + 1, answered + (request.answered and 1 or 0)
    end
  end
  return round(overload.percent(answered, half), 0)
end

-- How many requests the server began to carry out, and how many of them for clients that had left.
local function carried_out(site, from, to)
  local all, stale = 0, 0
  for _, one in ipairs(site.executed) do
    if one.at >= from and one.at < to then all, stale = all + 1, stale + (one.stale and 1 or 0) end
  end
  return all, stale
end

local function run_overload(remedy, site, knobs, capacity)
  local from, to = knobs.warm_up, knobs.seconds
  local longest, due = (knobs.retries + 1) * knobs.patience, (to - from) * capacity
  local requests = workload.requests { seed = knobs.seed, rate = knobs.load * capacity, seconds = to + longest,
    service = knobs.service }
  local clients = site:new_clients(knobs.patience, knobs.retries)
  site:start()
  local began = lunet.now()
  lunet.spawn(function()
    lunet.sleep(to + longest)
    site:stop()
  end)
  local late_ms = overload.offer(requests, function(request)
    request.half_closes = request.number % EVERY == 0
    clients:send(request)
  end, began)

  local executed, stale = carried_out(site, began + from, began + to)
  local summary = workload.summary(requests, from, to)
  local goodput = overload.percent(statistics.count_between(workload.answers(requests), from, to), due)
  local served = overload.percent(executed, due)
  return {
    goodput = goodput, served = served, wasted = overload.wasted(goodput, served),
    stale_work = overload.percent(stale, executed), half_closing = half_answered(requests, from, to),
    held = site.server.most_held,
    tries = remedy.overload.tries and round(summary.attempts / math.max(summary.offered, 1), 2) or nil,
  }, late_ms
end

local function run_overloads(knobs)
  local list, late_ms = tried(knobs), 0
  if not is_tried("overload", list[1], knobs) then return { {}, {} } end
  local capacity = round(overload.capacity(knobs.service, 2 * overload.LOOPS))
  local rows = lunet.together(list, function(remedy) return open_trial(remedy, knobs) end, function(site, remedy, i)
    lunet.sleep((i - 1) * knobs.service / 2) -- the same arrivals at the same moments would make each other late
    local row, late = run_overload(remedy, site, knobs, capacity)
    late_ms = math.max(late_ms, late)
    return row
  end)
  return rows, { capacity = capacity, late_ms = late_ms }
end

-- -- the check: the rows show what lunet.load.remedy demands -----------------------------------

-- The words of a remedy's `overload`, in numbers. Values between the two ranges of a field are not judged. With other
-- seeds a goodput that is judged differs by at most 15 % of capacity.
local RANGES = {
  goodput = { restored = expect.between(60, MOST), lost = expect.at_most(45) }, -- % of capacity
  held = { bounded = expect.at_most(BACKLOG), unbounded = expect.at_least(BACKLOG + 1) },
  tries = { few = expect.between(1, 1.5), many = expect.at_least(1.51) },
}
local FRESH, STALE = 20, 50 -- % of the work that may be stale if a remedy ends it, and that must be without a remedy

-- The results that a remedy must show, on a link with or without a delay.
local function demanded(remedy, results, knobs)
  local wanted = option_table.merged(results)
  if knobs.delay > 0 and remedy.only_without_delay then wanted[remedy.only_without_delay] = nil end
  return wanted
end

local function check_scenario(remedy, row, wanted, knobs)
  local trips = remedy.trips or {}
  expect.fields(remedy.name, row, demanded(remedy, wanted, knobs))
  expect.value(remedy.name .. ": trips", row.trips, trips[1])
  expect.value(remedy.name .. ": trips_half", row.trips_half, trips[2])
end

local function check_overload(remedy, row, knobs)
  expect.fields(remedy.name, row, {
    wasted = overload.wasted(row.goodput, row.served), half_closing = expect.between(0, 100),
    stale_work = remedy == NONE and expect.between(STALE, 100) or expect.between(0,
      remedy.scenario and remedy.scenario.stale == 0 and FRESH or math.min(100, row.wasted + 10)),
    tries = remedy.overload.tries and expect.between(1, knobs.retries + 1),
    served = expect.between(0.9 * row.goodput, MOST), -- an answer in time was served, at most a moment before
    held = remedy.way and expect.at_least(1) or 1, -- without a way of its own it takes one client at a time
  })
  for field, word in pairs(demanded(remedy, remedy.overload, knobs)) do
    expect.value(remedy.name .. ": " .. field, row[field], RANGES[field][word])
  end
end

-- Calls check(remedy, row) for each server of a part that was tried.
local function check_part(part, outcome, knobs, check)
  local list = tried(knobs)
  if not is_tried(part, list[1], knobs) then return end
  for i, row in ipairs { outcome.with, outcome.without } do check(list[i], row) end
end

local function naive_names()
  local names, known = { RIGHT }, {}
  for _, remedy in ipairs(remedies) do
    if remedy.naive and not known[remedy.naive] then names[#names + 1] = remedy.naive end
    known[remedy.naive or RIGHT] = true
  end
  return names
end

local function remedy_names()
  local names = {}
  for _, remedy in ipairs(remedies) do
    if not remedy.naive then names[#names + 1] = remedy.name end
  end
  return names
end

return experiment {
  claim = "Dropping the requests of clients that have left ends stale work. In overload, goodput comes back only "
    .. "if the server works on requests that it can still answer in time.",
  knobs = {
    remedy = { "newest_in_time", "name", "the remedy to try, beside none", choices = remedy_names() },
    naive = { RIGHT, "version", "the naive version of the remedy to try in its place; no: the remedy itself",
      choices = naive_names() },
    part = { "both", "part", "what to run", choices = { "both", "scenario", "overload" } },
    service = { 0.06, "s", "how long the server works on a request", min = 0.005, max = 1 },
    patience = { 0.6, "s", "how long a client waits for its reply", min = 0.01, max = 5 },
    load = { 1.5, "of capacity", "the offered load of the overload", min = 0.01, max = 3 },
    retries = { 2, "retries", "how often a client of the overload tries again, at once", min = 0, max = 16 },
    warm_up = { 1.8, "s", "how much of the overload's beginning does not count", min = 0 },
    seconds = { 5.0, "s", "when requests stop counting; the load goes on until the last of them is over", min = 0.1,
      max = 600 },
    delay = { 0.0, "s", "one-way delay of the link", min = 0, max = 0.02 },
    seed = { 1, "number", "the seed of the overload: its arrivals" },
    lateness = { 0.1, "of service", "how late the clients of a valid run may be (p99)", min = 0 },
  },
  measures = {
    ["with.goodput"] = { "% of capacity", "answered in time in the overload, with the remedy", better = "more" },
    ["without.goodput"] = { "% of capacity", "the same of the server without one" },
    ["with.stale_work"] = { "% of served", "carried out for clients that had left before, with the remedy",
      better = "less" },
    ["without.stale_work"] = { "% of served", "the same of the server without one" },
    ["with.wasted"] = { "% of served", "carried out for clients that had left, or left during the work",
      better = "less" },
    ["without.wasted"] = { "% of served", "the same of the server without one" },
  },
  control = { remedy = "none", part = "scenario" },
  virtual = { service = 0.09, patience = 0.9, seconds = 7.5, warm_up = 2.7 }, -- below the 1 s of a SYN's first timeout
  exclusive = true,
  -- The scenario. stale: requests carried out for nobody. again: how often the request of a client that came again was
  -- carried out. patient, half: what became of the patient client and of the half-closing one. burst: how many of five
  -- clients at once were served. trips, trips_half: extra round trips of a client and of a half-closing one, on a link
  -- with a delay.
  -- The overload. goodput, served: % of capacity. wasted: % of served. stale_work: % of served, for clients that had
  -- left before. half_closing: % of the half-closing clients that were answered. tries: attempts per request. held: the
  -- most descriptors open.

  run = function(knobs)
    assert(knobs.warm_up < knobs.seconds, ("knob warm_up: %s is not allowed; it is less than seconds, which is %s")
      :format(knobs.warm_up, knobs.seconds))
    lunet.note "The scenario: A is served, others give up in the queue, a half-closing client comes, A leaves."
    local scenarios = run_scenarios(knobs)
    lunet.note "The overload: more requests than the server can carry out, from clients with patience and retries."
    local overloads, outcome = run_overloads(knobs)
    outcome = outcome or {}
    for i, side in ipairs { "with", "without" } do
      outcome[side] = tried(knobs)[i] and option_table.merged(scenarios[i], overloads[i]) or nil
    end
    return outcome
  end,

  check = function(outcome, knobs)
    local best = choice.find(remedies, "newest_in_time", "name").scenario -- the control demands this of `none`
    check_part("scenario", outcome, knobs, function(remedy, row)
      check_scenario(remedy, row, knobs.remedy == "none" and best or remedy.scenario, knobs)
    end)
    if not outcome.capacity then return end
    if knobs.load <= 1.05 then experiment.not_judged "there was no overload" end
    overload.check(outcome, knobs)
    check_part("overload", outcome, knobs, function(remedy, row) check_overload(remedy, row, knobs) end)
  end,

  figures = function(outcome, knobs)
    local field = outcome.capacity and "goodput" or "stale"
    local without = outcome.without and (", without it %g"):format(outcome.without[field]) or ""
    return ("%s: %s %g%s%s"):format(knobs.remedy, field, outcome.with[field], without,
      outcome.capacity and " (% of capacity)" or "")
  end,

  plot = function(outcome)
    local names, values, field = {}, {}, outcome.capacity and "goodput" or "stale"
    for i, side in ipairs { "with", "without" } do
      if outcome[side] then names[i], values[i] = side, outcome[side][field] end
    end
    local label = outcome.capacity and "goodput in overload, % of capacity" or "stale requests carried out"
    return plot.bars { names = names, values = values, label = label }
  end,
}
