--- Models of a server that serves one client at a time, from a queue that keeps the clients who have given up. They say
--- what an experiment should measure.
---
---     local predicted = model.goodput { distribution = "fixed", capacity = 50, load = 1.3, retries = 1,
---       patience = 0.2, backlog = 40 }
---     predicted.goodput                                         --> 0.0 requests answered in time, per second
---
--- In queueing theory's words this is M/D/1/K or M/M/1/K with impatient clients who are never removed: the server works
--- on each admitted request, and a reply counts if its client still waits. K is backlog + 2: the client in service, and
--- the backlog + 1 that the kernel queues. Attempts, retries included, are taken for a Poisson process. Each attempt
--- fails as likely as any other, so a request makes 1 + f + f^2 + ... attempts, where f is the share that fails.
local options = require "lunet.text.options"

local model = {}

local MOST_PLACES <const> = 4096 -- beyond them a queue is never full, or always
local LEAST <const> = 1e-16 -- a chance that is nothing
local GREAT <const> = 1e250 -- numbers beyond it are scaled down
local ROUNDS <const>, CLOSE <const> = 500, 1e-7 -- of the search for the rate of attempts
local STEPS <const> = 64 -- of an integral, even

--- The rule of thumb: a client that gets the last place waits for at most backlog + 2 services. If these take longer
--- than the patience, no reply is in time.
---@param capacity number requests per second
---@param patience number seconds
---@return number backlog the greatest with which replies are in time
function model.threshold(capacity, patience) return capacity * patience - 2 end

-- The chances that 0, 1, 2, ... events of a Poisson process come, as many as matter.
local function poisson(mean)
  local list, chance, rest, n = {}, math.exp(-mean), 1.0, 0
  repeat
    list[n], rest = chance, rest - chance
    n = n + 1
    chance = chance * mean / n
  until n > mean and chance < LEAST
  return list, n - 1
end

-- -- exponential service times: M/M/1/K --------------------------------------------------------

-- A client that finds n others is answered after n + 1 services: in time if more than n of them fit into the patience.
local function exponential(rate, capacity, places, patience)
  local ratio, sum, in_time, weight = rate / capacity, 0.0, 0.0, 1.0
  local chance, fits_fewer = math.exp(-capacity * patience), 0.0 -- of n services within the patience; of fewer than n
  local weights = {}
  for n = 0, places do -- from the fuller end if that is the likelier one
    weights[ratio > 1 and places - n or n] = weight
    sum, weight = sum + weight, weight * (ratio > 1 and 1 / ratio or ratio)
  end
  for n = 0, places - 1 do
    fits_fewer = fits_fewer + chance
    in_time = in_time + weights[n] / sum * math.max(0, 1 - fits_fewer)
    chance = chance * capacity * patience / (n + 1)
  end
  return in_time, weights[places] / sum
end

-- -- fixed service times: M/D/1/K --------------------------------------------------------------

-- The chances that a client who leaves the server leaves 0, 1, ... places - 1 others behind. The number passes each
-- level as often upwards as downwards, which gives one chance after the other from terms that are not negative.
local function left_behind(mean, places)
  local arrivals, most = poisson(mean)
  local more = { [most + 1] = 0.0 } -- the chance that more than n arrive in a service
  for n = most, 1, -1 do more[n - 1] = (more[n] or 0) + arrivals[n] end
  local left, sum = { [0] = 1.0 }, 1.0
  for j = 0, places - 2 do
    local up = left[0] * (more[j] or 0)
    for i = math.max(1, j + 1 - most), j do up = up + left[i] * (more[j - i + 1] or 0) end
    left[j + 1] = up / arrivals[0]
    sum = sum + left[j + 1]
    if sum > GREAT then
      for i = 0, j + 1 do left[i] = left[i] / sum end
      sum = 1.0
    end
  end
  for j = 0, places - 1 do left[j] = left[j] / sum end
  return left
end

-- The density of n clients being there when the current service has taken `elapsed`. A service begins with those that
-- the last one left behind, and at least one.
local function density(left, rate, n, elapsed)
  local sum, chance = 0.0, math.exp(-rate * elapsed) -- that n - i have come since it began
  for i = n, 1, -1 do
    sum = sum + chance * (i == 1 and left[0] + (left[1] or 0) or left[i] or 0)
    chance = chance * rate * elapsed / (n - i + 1)
  end
  return sum
end

-- Simpson's rule.
local function integral(fn, from, to)
  local width, sum = (to - from) / STEPS, fn(from) + fn(to)
  for i = 1, STEPS - 1 do sum = sum + (i % 2 == 1 and 4 or 2) * fn(from + i * width) end
  return sum * width / 3
end

-- A client that finds n others, of whom the first has been served for `elapsed`, is answered after n + 1 services less
-- that. So all who find few enough are in time, and some of those who find one more.
local function fixed(rate, capacity, places, patience)
  local service = 1 / capacity
  local left = left_behind(rate * service, places)
  local per_second = 1 / (service + left[0] / rate) -- services
  local fit = math.floor(patience * capacity + 1e-9)
  local in_time = 0.0
  for n = 0, math.min(fit, places) - 1 do in_time = in_time + left[n] * per_second / rate end
  if fit >= 1 and fit < places then
    local elapsed = math.min(service, (fit + 1) * service - patience)
    in_time = in_time + per_second * integral(function(e) return density(left, rate, fit, e) end, elapsed, service)
  end
  return in_time, math.max(0, 1 - per_second / rate)
end

local CHANCES <const> = { fixed = fixed, exponential = exponential }

--- The fate of one attempt among many.
---@param distribution "fixed"|"exponential" of service times
---@param rate number attempts per second, above 0
---@param capacity number services per second, above 0
---@param places integer K: clients in service and in the queue, at least 1
---@param patience number seconds
---@return number in_time the chance that it is admitted and answered in time
---@return number refused the chance that it finds no place
function model.attempt(distribution, rate, capacity, places, patience)
  return CHANCES[distribution](rate, capacity, places, patience)
end

-- -- goodput -------------------------------------------------------------------------------------

local LOAD = {
  distribution = options.one_of { "fixed", "exponential" }, capacity = options.above(0), load = options.above(0),
  retries = options.whole(0), budget = options.from(0), patience = options.above(0, "seconds"),
  backlog = options.whole(0),
}

-- How many attempts a request makes if this share of them fails.
local function attempts_of(failing, given)
  local attempts, chance = 1.0, 1.0
  for _ = 1, given.retries do
    chance = chance * failing
    attempts = attempts + chance
  end
  return math.min(attempts, 1 + (given.budget or math.huge))
end

---@class lunet.model_load
---@field distribution "fixed"|"exponential" of service times
---@field capacity number services per second, above 0
---@field load number requests offered, as a share of the capacity
---@field retries integer of a request
---@field budget? number retries that each request adds to the budget of all; no limit by default
---@field patience number seconds for one attempt
---@field backlog integer

--- Predicts the goodput that a server settles on when the load begins. Retries make the load that makes them needed, so
--- the rate of attempts is searched from the offered load upwards.
---@param given lunet.model_load
---@return {goodput: number, attempts: number, served: number} predicted all per second
function model.goodput(given)
  options.check("goodput", given, LOAD, { "distribution", "capacity", "load", "retries", "patience", "backlog" })
  local offered, places = given.load * given.capacity, math.min(given.backlog + 2, MOST_PLACES)
  local rate, in_time, refused = offered, nil, nil
  for _ = 1, ROUNDS do
    in_time, refused = model.attempt(given.distribution, rate, given.capacity, places, given.patience)
    local wanted = offered * attempts_of(1 - in_time, given)
    if math.abs(wanted - rate) <= CLOSE * rate then break end
    rate = (rate + wanted) / 2
  end
  return { goodput = rate * in_time, attempts = rate, served = rate * (1 - refused) }
end

--- The greatest backlog with which half of what could be answered is answered in time.
---@param given lunet.model_load its backlog does not matter
---@return integer backlog -1 if there is none
function model.half_to(given)
  local due = math.min(1, given.load) * given.capacity
  local most = math.ceil(2 * given.patience * given.capacity) + 8
  for backlog = most, 0, -1 do
    if model.goodput(options.merged(given, { backlog = backlog })).goodput >= due / 2 then return backlog end
  end
  return -1
end

-- -- the end of a storm ----------------------------------------------------------------------------

--- Predicts how long a storm goes on after a stall. Nobody is answered in time, so every request makes all its
--- attempts, which fill the queue during the stall. Then the queue loses what the server does beyond them. Answers are
--- in time again once it is as short as the threshold.
---@param given lunet.model_load
---@param stall number seconds in which nobody is served
---@return number seconds math.huge if the attempts keep the queue long
function model.storm(given, stall)
  options.check("storm", given, LOAD, { "capacity", "load", "retries", "patience", "backlog" })
  options.value("storm: stall", stall, options.from(0, "seconds"))
  local rate = given.load * given.capacity * attempts_of(1, given)
  local queued = math.min(given.backlog, rate * stall)
  local excess = queued - model.threshold(given.capacity, given.patience)
  if excess <= 0 then return 0.0 end
  return rate < given.capacity and excess / (given.capacity - rate) or math.huge
end

return model
