--- Links between two hosts: a veth pair, or a wire, which delays every frame. The core forwards the frames of a wire
--- (core/handle/wire.h).
local core = require "lunet.core"
local interfaces = require "lunet.network.interfaces"
local network = require "lunet.network.network"
local option_table = require "lunet.text.options"
local refusal = require "lunet.network.refusal"

local link = {}

local links_made = 0

-- Hosts see only their own networks, so numbers may come again after the last. LANs have the IPv6 prefixes above
-- fd00:8000::/64.
local function next_addresses()
  local n = links_made % 0x8000
  links_made = links_made + 1
  local high, low = n >> 8, n & 0xff
  local function both(i) return { ("10.%d.%d.%d/24"):format(high, low, i), ("fd00:%x::%x/64"):format(n + 1, i) } end
  return both(1), both(2)
end

local DEFAULT_CAPACITY <const> = 64 << 20
local MOST <const> = 1e9

local ADDRESS <const> = { expected = "an address with a prefix length, like 10.0.0.1/24 or fd00::1/64",
  accepts = core.is_address }
local SECONDS <const> = option_table.from(0, "seconds", MOST)
local FIELDS <const> = { a = option_table.list, b = option_table.list, delay = option_table.any,
  capacity = option_table.from(0, "bytes", MOST) }

local function check_options(options)
  option_table.check("link", options, FIELDS)
  for _, field in ipairs { "a", "b" } do
    for _, text in ipairs(options[field] or {}) do option_table.value("link: " .. field, text, ADDRESS) end
  end
  if type(options.delay) == "table" then
    option_table.check("link: delay", options.delay, { a_to_b = SECONDS, b_to_a = SECONDS })
  elseif options.delay ~= nil then
    option_table.value("link: delay", options.delay, SECONDS)
  end
end

local function join_directly(a, interface_a, b, interface_b)
  assert(core.link(a, interface_a, b, interface_b))
  return function()
    if interfaces.is_open(a) then core.unlink(a, interface_a) end -- a closed host has taken it along
  end
end

local function both_delays(delay)
  if type(delay) == "table" then return delay.a_to_b or 0, delay.b_to_a or 0 end
  return delay or 0, delay or 0
end

-- nil without a delay: such a link needs no wire.
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
---@field a? string[] addresses of its end on the first host, such as {"10.0.0.1/24"}; by default one of IPv4, and one
--- of IPv6 if the host has IPv6
---@field b? string[] likewise on the second
---@field delay? number|{a_to_b?: number, b_to_a?: number} seconds, one way; one number counts for both ways; default 0
---@field capacity? integer bytes on their way at once in each direction; the link drops frames beyond them. Default
--- 64 MiB. Without a delay it has no effect

--- Connects two hosts by a veth pair, which is up when this returns: it loses no first packet. The link ends with its
--- hosts. Raises if the kernel refuses, for example an address that the host has already. Waits, for little more than a
--- millisecond; other tasks go on.
---
--- With a delay every frame arrives that much later, and never earlier. Only the resolution of addresses (ARP, IPv6
--- neighbour discovery) has no delay, so that the first round trip takes no longer than the next. lunet forwards the
--- frames itself, while it waits: nothing moves while the main script computes between two waits, and frames that were
--- due are late (see `statistics`). A link with a delay also ends with the scope that made it. Frames on their way are
--- lost then, even the FIN of a connection just closed.
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
