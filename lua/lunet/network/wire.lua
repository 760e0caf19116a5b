--- Wires: links on which every frame takes its time. The core forwards (core/handle/wire.h).
local core = require "lunet.core"
local refusal = require "lunet.network.refusal"

local wire = {}

--- The options of a link that make it a wire.
---@class lunet.wire_options
---@field delay? number|{a_to_b?: number, b_to_a?: number} seconds, one way, and the same both ways if one
--- number is given; default 0
---@field capacity? integer how many bytes may be on their way at once in each direction; what exceeds them is
--- dropped. Default 64 MiB. Of use with a delay only

local DEFAULT_CAPACITY = 64 << 20
local MOST = 1e9

local function check_number(value, name, unit, level)
  if math.type(value) == nil or not (value >= 0 and value <= MOST) then
    error(("link: %s is a number of %s, 0 to %g, not %s"):format(name, unit, MOST, tostring(value)), level + 1)
  end
end

--- Raises at `level` if one of them is no good.
---@param options lunet.wire_options
---@param level integer
function wire.check(options, level)
  if options.capacity ~= nil then check_number(options.capacity, "capacity", "bytes", level + 1) end
  if type(options.delay) ~= "table" then
    if options.delay ~= nil then check_number(options.delay, "delay", "seconds", level + 1) end
    return
  end
  for direction, seconds in pairs(options.delay) do
    if direction ~= "a_to_b" and direction ~= "b_to_a" then
      error(("link: unknown field '%s' of delay (known: a_to_b, b_to_a)"):format(tostring(direction)), level + 1)
    end
    check_number(seconds, "delay." .. direction, "seconds", level + 1)
  end
end

local function both_delays(delay)
  if type(delay) == "table" then return delay.a_to_b or 0, delay.b_to_a or 0 end
  return delay or 0, delay or 0
end

--- Joins an interface of each host, made by this, by a wire. nil if there is no delay: then a link needs none.
---@param a lunet.host
---@param interface_a string
---@param b lunet.host
---@param interface_b string
---@param options lunet.wire_options
---@return lunet.wire?
function wire.new(a, interface_a, b, interface_b, options)
  local from_a, from_b = both_delays(options.delay)
  if from_a == 0 and from_b == 0 then return nil end
  local capacity = options.capacity or DEFAULT_CAPACITY
  local made, message, code = core.wire(a, interface_a, from_a, b, interface_b, from_b, capacity)
  if not made then error(refusal.tell(message, code), 0) end
  return made
end

return wire
