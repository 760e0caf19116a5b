--- Runs of load against a server that serves one client at a time: measures its capacity, does many runs a few at a
--- time, and repeats the runs that the machine disturbed.
---
--- A case is a table with the settings of one run; its run goes into `case.run`, with a field `valid`. A point has
--- several cases with different seeds, in a list `point.cases`.
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local progress = require "lunet.run.progress"
local statistics = require "lunet.load.statistics"
local workload = require "lunet.load.workload"

local overload = {}

local LONG = 10 -- s; bounds waits for states that do come

--- So many clients measure the capacity: the server never waits for one.
overload.LOOPS = 4

---@class lunet.site
---@field server lunet.host
---@field clients lunet.host
---@field listener lunet.listener on the server; its gate lets in one at a time

--- Makes a server that serves one client at a time, and a host for its clients.
---@param backlog integer
---@return lunet.site
function overload.open_site(backlog)
  local server, clients = lab.hosts { "server", "clients" }
  local listener = lab.listen(server, { backlog = backlog })
  listener:gate(1)
  return { server = server, clients = clients, listener = listener }
end

--- Serves clients of lunet.load.workload, in a task, until the listener is closed.
---@param listener lunet.listener
---@param began number the beginning of the run
---@param is_wanted? fun(connection: lunet.connection): boolean? asked before the work; else the connection is closed
---@return number[] served the time of each finished request, in seconds from then; both lists grow
---@return number[] ghosts those among them whose clients had left before
function overload.start_serving(listener, began, is_wanted)
  local served, ghosts = {}, {}
  lunet.spawn(function()
    listener:serve(function(connection)
      local is_ghost = connection:liveness() ~= "open"
      if is_wanted and not is_wanted(connection) or not workload.serve(connection) then return end
      served[#served + 1] = lunet.now() - began
      if is_ghost then ghosts[#ghosts + 1] = served[#served] end
    end)
  end)
  return served, ghosts
end

local function closed_loop(service, count)
  return lunet.scope(function()
    local site = overload.open_site(overload.LOOPS)
    local listener <close> = site.listener
    lunet.spawn(function() listener:serve(workload.serve) end)
    local clients = workload.clients { host = site.clients, target = listener, patience = LONG }
    local loops, each = {}, count // overload.LOOPS
    for i = 1, overload.LOOPS do loops[i] = i end
    local began = lunet.now()
    lunet.together(loops, function() assert(clients:capacity(service, each)) end)
    return overload.LOOPS * each / (lunet.now() - began)
  end)
end

--- Measures how many requests a second such a server answers: in a closed loop, on hosts of its own. The best of three
--- counts, since a disturbance only lowers the result. Waits.
---@param service number seconds
---@param count integer requests of each of the three
---@return number per_second
function overload.capacity(service, count)
  return math.max(closed_loop(service, count), closed_loop(service, count), closed_loop(service, count))
end

-- -- many runs -------------------------------------------------------------------------------

--- Makes a case of each point with each seed. Cases of one seed follow each other, so that cases side by side have the
--- same arrivals.
---@param points table[] each gets its own cases: `point.cases`
---@param first_seed integer
---@param count integer how many seeds
---@param make fun(point: table, seed: integer): table a case
---@return table[] cases of all points
function overload.cases(points, first_seed, count, make)
  local cases = {}
  for _, point in ipairs(points) do point.cases = {} end
  for seed = first_seed, first_seed + count - 1 do
    for _, point in ipairs(points) do
      local case = make(point, seed)
      table.insert(point.cases, case)
      cases[#cases + 1] = case
    end
  end
  return cases
end

---@class lunet.runs
---@field at_once? integer runs side by side: more of them make each other late; default: all
---@field apart? number seconds between the beginnings of runs side by side: with the same seed their arrivals would
--- otherwise come at the same moments; default 0
---@field spare? integer rounds of so many runs that repeat disturbed ones; default 0
---@field open fun(case: table): lunet.site makes the hosts of a case
---@field run fun(case: table, site: lunet.site): table the run, with a field `valid` for spare rounds and the tally

-- Makes all hosts before anything runs, since this may wait for the kernel, and would delay every run.
local function run_side_by_side(cases, runs)
  lunet.scope(function()
    local sites = {}
    for i, case in ipairs(cases) do sites[i] = runs.open(case) end
    lunet.together(cases, function(case, i)
      lunet.sleep((i - 1) * (runs.apart or 0))
      case.run = runs.run(case, sites[i])
    end)
  end)
end

local function run_some(cases, runs)
  local at_once = math.max(runs.at_once or #cases, 1)
  for first = 1, #cases, at_once do
    local last = math.min(first + at_once - 1, #cases)
    progress.tell(("runs %d to %d of %d"):format(first, last, #cases))
    run_side_by_side(table.move(cases, first, last, 1, {}), runs)
  end
end

--- The cases whose runs were disturbed.
---@param cases table[]
---@param most? integer no more than so many
---@return table[]
function overload.invalid(cases, most)
  local found = {}
  for _, case in ipairs(cases) do
    if not case.run.valid and #found < (most or math.huge) then found[#found + 1] = case end
  end
  return found
end

--- Does the run of each case. Waits.
---@param cases table[]
---@param runs lunet.runs
---@return integer repeated the number of repeated runs
function overload.run(cases, runs)
  run_some(cases, runs)
  local repeated = 0
  for _ = 1, runs.spare or 0 do
    local again = overload.invalid(cases, runs.at_once)
    run_some(again, runs)
    repeated = repeated + #again
  end
  return repeated
end

-- -- their results ---------------------------------------------------------------------------

--- The runs of a point that count: the valid ones. If none is valid, all of them, so that a table can show something.
---@param point {cases: table[]}
---@return table[]
function overload.counted(point)
  local all, valid = {}, {}
  for i, case in ipairs(point.cases) do
    all[i] = case.run
    if case.run.valid then valid[#valid + 1] = case.run end
  end
  return #valid > 0 and valid or all
end

--- Whether most runs of each point are valid, so that a check can judge them.
---@param points {cases: table[]}[]
---@return boolean
function overload.is_enough(points)
  for _, point in ipairs(points) do
    if 2 * #overload.invalid(point.cases) >= #point.cases then return false end
  end
  return true
end

--- Adds the tally to an outcome: the number of runs, of repeated ones and of those that stayed disturbed, and whether
--- enough is left to judge: `runs`, `repeated`, `invalid`, `valid`.
---@param outcome table
---@param points {cases: table[]}[]
---@param repeated integer from overload.run
---@return table outcome
function overload.add_tally(outcome, points, repeated)
  outcome.runs, outcome.repeated, outcome.invalid = 0, repeated, 0
  for _, point in ipairs(points) do
    outcome.runs = outcome.runs + #point.cases
    outcome.invalid = outcome.invalid + #overload.invalid(point.cases)
  end
  outcome.valid = overload.is_enough(points)
  return outcome
end

--- Ends a check as not judged if the machine disturbed too many of an outcome's runs.
---@param outcome table
function overload.check(outcome)
  if outcome.valid then return end
  experiment.not_judged("the machine disturbed %d of %d runs", outcome.invalid, outcome.runs)
end

--- Ends a check as not judged if an outcome's `capacity`, per second, does not fit the service time: the machine
--- disturbed its measurement.
---@param outcome table
---@param service number seconds
function overload.check_capacity(outcome, service)
  local ideal = 1 / service
  if outcome.capacity >= 0.6 * ideal and outcome.capacity <= 1.01 * ideal then return end
  experiment.not_judged("the machine disturbed the measurement of the capacity: %g/s", outcome.capacity)
end

--- The values of a field in the runs of a point that count.
---@param point {cases: table[]}
---@param field string
---@return any[]
function overload.values(point, field)
  local values = {}
  for _, run in ipairs(overload.counted(point)) do values[#values + 1] = run[field] end
  return values
end

--- The share of its work that a server did in vain.
---@param goodput number
---@param served number in the same unit
---@return number percent of what was served, rounded
function overload.wasted(goodput, served)
  return served > 0 and statistics.round(math.max(0, 100 - 100 * goodput / served)) or 0
end

--- The median of a field, rounded.
---@param point {cases: table[]}
---@param field string
---@param digits? integer after the decimal point, default 1
---@param scale? number a factor, default 1
---@return number
function overload.median(point, field, digits, scale)
  return statistics.round(statistics.quantile(overload.values(point, field), 0.5) * (scale or 1), digits)
end

return overload
