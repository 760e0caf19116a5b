--- Repeatable random numbers: a stream depends only on its seed and its name, not on other streams. Experiments draw
--- arrivals, service times and jitter from streams of their own, so that two variants of a run have the same draws. The
--- generator is SplitMix64.
---@class lunet.random
---@field state integer of the generator
local random = {}
random.__index = random

local INCREMENT <const> = 0x9e3779b97f4a7c15

local function mix(z)
  z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ~ (z >> 27)) * 0x94d049bb133111eb
  return z ~ (z >> 31)
end

--- Makes a stream. Streams of the same seed and different names have nothing in common.
---@param seed integer
---@param name string its purpose: "arrivals"
---@return lunet.random
function random.new(seed, name)
  if math.type(seed) ~= "integer" then
    error(("bad argument #1 to 'random.new' (a whole number expected, not %s)"):format(tostring(seed)), 2)
  end
  if type(name) ~= "string" then error("bad argument #2 to 'random.new' (string expected)", 2) end
  local state = mix(seed + INCREMENT)
  for i = 1, #name do state = mix((state ~ name:byte(i)) + INCREMENT) end
  return setmetatable({ state = state }, random)
end

--- The next number, evenly from [low, high).
---@param low? number default 0
---@param high? number default 1
---@return number
function random:uniform(low, high)
  self.state = self.state + INCREMENT
  local unit = (mix(self.state) >> 11) * 0x1p-53
  low, high = low or 0, high or 1
  return low + unit * (high - low)
end

--- The next number of an exponential distribution: the time between two events of a Poisson process.
---@param mean number
---@return number
function random:exponential(mean)
  return -mean * math.log(1 - self:uniform())
end

return random
