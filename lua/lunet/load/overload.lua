--- A run of load against a server that serves one client at a time: the server and its capacity, its clients, and
--- whether the machine disturbed the run.
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
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

-- -- clients -----------------------------------------------------------------------------------

--- Makes the clients of a site by the knobs `patience`, `retries`, `backoff`, `budget` and `departure`.
---@param knobs table
---@param site lunet.site
---@return lunet.clients
function overload.clients_of(knobs, site)
  return workload.clients { host = site.clients, target = site.listener, patience = knobs.patience,
    retries = knobs.retries, backoff = knobs.backoff, budget = knobs.budget, departure = knobs.departure }
end

--- Lets clients send requests at their times. Waits until the last one is over.
---@param requests lunet.request[]
---@param send fun(request: lunet.request)
---@param began number the beginning of the run
---@return number late_ms milliseconds by which 99 in 100 requests were late at most
function overload.offer(requests, send, began)
  return statistics.round(1000 * (statistics.quantile(workload.offer(requests, send, began), 0.99) or 0), 3)
end

-- -- what came of it -----------------------------------------------------------------------------

--- A part of a whole.
---@param part number
---@param whole number
---@return number percent rounded; 0 of nothing
function overload.percent(part, whole) return whole > 0 and statistics.round(100 * part / whole) or 0 end

--- The share of its work that a server did in vain.
---@param goodput number
---@param served number in the same unit
---@return number percent of what was served, rounded
function overload.wasted(goodput, served) return overload.percent(math.max(0, served - goodput), served) end

-- How much a server may do at most, as a share of its capacity. Service times of an exponential distribution may all
-- be short for a while.
local MOST_SERVED = { fixed = 1.1, exponential = 1.5 }

--- Ends a check as not judged if the machine disturbed the run: the measurement of the capacity does not fit the
--- service time, clients were late, or the server did more than it can.
---@param outcome table capacity and, if known, served per second; late_ms
---@param knobs table service in seconds, lateness as a share of it, distribution
function overload.check(outcome, knobs)
  local capacity, ideal = outcome.capacity, 1 / knobs.service
  if capacity < 0.6 * ideal or capacity > 1.01 * ideal
    or (outcome.served or 0) > MOST_SERVED[knobs.distribution or "fixed"] * capacity then
    experiment.not_judged("the machine disturbed the measurement of the capacity: %g/s", capacity)
  end
  if outcome.late_ms > 1000 * knobs.lateness * knobs.service then
    experiment.not_judged("the machine disturbed the run: clients were %g ms late", outcome.late_ms)
  end
end

return overload
