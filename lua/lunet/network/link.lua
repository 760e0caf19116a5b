--- Links between two hosts: a veth pair, or a wire, whose frames the core forwards, late or by chance not at all
--- (core/handle/wire.h).
local core = require "lunet.core"
local interfaces = require "lunet.network.interfaces"
local network = require "lunet.network.network"
local option_table = require "lunet.text.options"
local wire_options = require "lunet.network.wire_options"

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

local ADDRESS <const> = { expected = "an address with a prefix length, like 10.0.0.1/24 or fd00::1/64",
  accepts = core.is_address }
local FIELDS <const> = option_table.merged(wire_options.FIELDS, { a = option_table.list, b = option_table.list,
  a_to_b = option_table.list, b_to_a = option_table.list, mtu = option_table.whole(1280, 1500) })
local DIRECTIONS <const> = { "a_to_b", "b_to_a" }

-- Returns the settings of the wire; nil if no option asks for one.
local function check_options(options)
  option_table.check("link", options, FIELDS)
  for _, field in ipairs { "a", "b" } do
    for _, text in ipairs(options[field] or {}) do option_table.value("link: " .. field, text, ADDRESS) end
  end
  return wire_options.of("link", options, DIRECTIONS)
end

local function join_directly(a, interface_a, b, interface_b, made)
  assert(core.link(a, interface_a, b, interface_b))
  made.has_ended = function() return not (interfaces.is_open(a) and interfaces.is_open(b)) end
  return function()
    if interfaces.is_open(a) then core.unlink(a, interface_a) end -- a closed host has taken it along
  end
end

local function join_by_wire(a, interface_a, b, interface_b, made)
  network.add_wire(made, a, interface_a, b, interface_b, made.settings)
  local wire = made.wires[1]
  made.has_ended = function() return not wire:is_open() end
  return function() wire:close() end
end

--- The options of a link.
---@class lunet.link_options: lunet.chance
---@field a? string[] addresses of its end on the first host, such as {"10.0.0.1/24"}; by default one of IPv4, and one
--- of IPv6 if the host has IPv6
---@field b? string[] likewise on the second
---@field delay? number|{a_to_b?: number, b_to_a?: number} seconds, one way; one number counts for both ways
---@field a_to_b? lunet.chance what differs for the frames that the first host sends
---@field b_to_a? lunet.chance likewise the second
---@field mtu? integer bytes of the longest packet, 1280 to 1500; default 1500
---@field seed? integer decides about chance; without one lunet draws a seed, which `statistics` and the report show

--- Connects two hosts by a veth pair (veth(4)), which is up when this returns: it loses no first packet. The link ends
--- with its hosts. Raises if the kernel refuses, for example an address that the host has already. Waits, for little
--- more than a millisecond; other tasks go on.
---
--- With a delay, even of 0, or any other option of `lunet.chance`, the link is a wire: lunet forwards its frames
--- itself. With a delay every frame arrives that much later, and never earlier. Only the resolution of addresses (ARP,
--- IPv6 neighbour discovery) has no delay, so that the first round trip takes no longer than the next. lunet forwards
--- while it waits: nothing moves while the main script computes between two waits, and frames that were due are late
--- (see `statistics`). A wire also ends with the scope that made it. Frames on their way are lost then, even the FIN of
--- a connection just closed.
---
--- A frame's fate depends only on the seed, the direction and the frame's number there: the same traffic meets the same
--- fate. Frames that resolve addresses, find routers or join groups (ARP, ICMPv6 133 to 137, MLD, IGMP) have numbers of
--- their own. Chance leaves them alone unless `everything` is true. Each lost frame is an event of the timeline. Where
--- a wire leaves something to chance, or has a rate, the hosts send single segments of at most the MTU, with whole
--- checksums. A wire with a delay alone also carries the kernel's pieces of up to 64 KiB, to be cut later.
---
---     local a, b = assert(lunet.host "a"), assert(lunet.host "b")
---     lunet.link(a, b, { delay = 0.001 })
---     local listener, began = assert(a:listen { backlog = 5 }), lunet.now()
---     print((b:connect(listener, 60)), lunet.now() - began >= 0.002) --> connection ...  true
---@async
---@param a lunet.host
---@param b lunet.host
---@param options? lunet.link_options
---@return lunet.network
function link.join(a, b, options)
  options = options or {}
  network.check_hosts({ a, b }, 2, "link")
  local settings = check_options(options)
  local chosen_a, chosen_b = next_addresses()
  local interface_a, interface_b = interfaces.next(a), interfaces.next(b)
  return network.new("link", { a, b }, function(made)
    made.settings = settings
    local join = settings and join_by_wire or join_directly
    made.take_down = join(a, interface_a, b, interface_b, made)
    if options.mtu then
      assert(core.set_mtu(a, interface_a, options.mtu))
      assert(core.set_mtu(b, interface_b, options.mtu))
    end
    interfaces.give_addresses(a, interface_a, made, options.a, chosen_a)
    interfaces.give_addresses(b, interface_b, made, options.b, chosen_b)
    interfaces.wait_until_ready(a, interface_a, made)
    interfaces.wait_until_ready(b, interface_b, made)
    network.wait_for_wires(made)
  end)
end

return link
