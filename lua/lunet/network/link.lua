--- Links between two hosts: a veth pair, or a wire, on which every frame takes its time. The core forwards
--- (core/handle/wire.h).
local core = require "lunet.core"
local interfaces = require "lunet.network.interfaces"
local network = require "lunet.network.network"
local option_table = require "lunet.text.options"
local refusal = require "lunet.network.refusal"

local link = {}

local links_made = 0

-- Hosts see only the networks they are on, so a number may come again after the last. LANs have the IPv6 prefixes above
-- fd00:8000::/64.
local function next_addresses()
  local n = links_made % 0x8000
  links_made = links_made + 1
  local high, low = n >> 8, n & 0xff
  local function both(i) return { ("10.%d.%d.%d/24"):format(high, low, i), ("fd00:%x::%x/64"):format(n + 1, i) } end
  return both(1), both(2)
end

local function check_addresses(texts, field)
  if type(texts) ~= "table" then
    core.misuse(("%s: a list of addresses expected, not %s"):format(field, type(texts)))
  end
  for _, text in ipairs(texts) do
    if not core.is_address(text) then
      core.misuse(("%s: \"%s\" is no address with a prefix length, like 10.0.0.1/24 or fd00::1/64"):format(field, text))
    end
  end
end

local DEFAULT_CAPACITY = 64 << 20
local MOST = 1e9

local function check_number(value, name, unit)
  if math.type(value) == nil or not (value >= 0 and value <= MOST) then
    core.misuse(("link: %s is a number of %s, 0 to %g, not %s"):format(name, unit, MOST, tostring(value)))
  end
end

local function check_delay(delay)
  if type(delay) ~= "table" then
    if delay ~= nil then check_number(delay, "delay", "seconds") end
    return
  end
  local unknown = option_table.unknown("field", delay, { "a_to_b", "b_to_a" }, " of delay")
  if unknown then core.misuse("link: " .. unknown) end
  for direction, seconds in pairs(delay) do check_number(seconds, "delay." .. direction, "seconds") end
end

local function check_options(options)
  if type(options) ~= "table" then core.misuse "bad argument #3 to 'link' (table expected)" end
  local unknown = option_table.unknown("option", options, { "a", "b", "delay", "capacity" })
  if unknown then core.misuse("link: " .. unknown) end
  if options.a ~= nil then check_addresses(options.a, "a") end
  if options.b ~= nil then check_addresses(options.b, "b") end
  if options.capacity ~= nil then check_number(options.capacity, "capacity", "bytes") end
  check_delay(options.delay)
end

local function join_directly(a, interface_a, b, interface_b)
  assert(core.link(a, interface_a, b, interface_b))
  return function()
    if interfaces.is_open(a) then core.unlink(a, interface_a) end -- else it went with its host
  end
end

local function both_delays(delay)
  if type(delay) == "table" then return delay.a_to_b or 0, delay.b_to_a or 0 end
  return delay or 0, delay or 0
end

-- nil if there is no delay: the link needs no wire then.
local function join_by_wire(a, interface_a, b, interface_b, options)
  local from_a, from_b = both_delays(options.delay)
  if from_a == 0 and from_b == 0 then return nil end
  local capacity = options.capacity or DEFAULT_CAPACITY
  local made, message, code = core.wire(a, interface_a, from_a, b, interface_b, from_b, capacity)
  if not made then error(refusal.tell(message, code), 0) end
  return made
end

--- The options of a link.
---@class lunet.link_options
---@field a? string[] addresses of its end on the first host, such as {"10.0.0.1/24"}; if not given, one of IPv4
--- and one of IPv6 are chosen; of IPv4 alone on a host without IPv6
---@field b? string[] likewise on the second
---@field delay? number|{a_to_b?: number, b_to_a?: number} seconds, one way, and the same both ways if one
--- number is given; default 0
---@field capacity? integer how many bytes may be on their way at once in each direction; what exceeds them is
--- dropped. Default 64 MiB. Of use with a delay only

--- Connects two hosts by a veth pair, up when this returns: the first packet is not lost. Ends with
--- its hosts. Raises what the kernel refuses, such as an address that a host has already. Waits, for little more than
--- a millisecond; other tasks go on.
---
--- With a delay every frame arrives that much later, and never earlier; only the resolution of addresses
--- (ARP, IPv6 neighbour discovery) is not delayed, so that the first round trip takes no longer than the next.
--- lunet forwards the frames itself, while it waits for something: as long as the main script computes between
--- two waits, nothing moves, and what was due meanwhile is late (`statistics` tells). Such a link ends with the
--- scope in which it was made, too, and what is on its way then is lost: also the FIN of a connection just closed.
---@param a lunet.host
---@param b lunet.host
---@param options? lunet.link_options
---@return lunet.network
function link.join(a, b, options)
  options = options or {}
  network.check_hosts({ a, b }, 2, "link")
  check_options(options)
  local chosen_a, chosen_b = next_addresses()
  local interface_a, interface_b = interfaces.next(a), interfaces.next(b)
  return network.new("link", { a, b }, function(made)
    made.wire = join_by_wire(a, interface_a, b, interface_b, options)
    made.take_down = made.wire and function() made.wire:close() end or join_directly(a, interface_a, b, interface_b)
    interfaces.give_addresses(a, interface_a, made, options.a, chosen_a)
    interfaces.give_addresses(b, interface_b, made, options.b, chosen_b)
    interfaces.wait_until_ready(a, interface_a, made)
    interfaces.wait_until_ready(b, interface_b, made)
    if made.wire then interfaces.wait_until(made.wire.is_up, made.wire, "an end") end
  end)
end

return link
