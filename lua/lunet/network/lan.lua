--- LANs, which join many hosts to one network.
local core = require "lunet.core"
local interfaces = require "lunet.network.interfaces"
local network = require "lunet.network.network"
local option_table = require "lunet.text.options"
local refusal = require "lunet.network.refusal"
local wire_options = require "lunet.network.wire_options"

local lan = {}

local MOST_HOSTS <const> = 1023 -- ports of a bridge (net/bridge/br_private.h, BR_MAX_PORTS; 0 is none)

local lans_made = 0

-- Hosts see only their own networks, so numbers may come again after the last. Links have the IPv6 prefixes up to
-- fd00:8000::/64.
local function next_addresses()
  local n = lans_made % 0x80
  lans_made = lans_made + 1
  return function(i)
    return { ("10.%d.%d.%d/16"):format(128 + n, i >> 8, i & 0xff), ("fd00:%x::%x/64"):format(0x8001 + n, i) }
  end
end

local DIRECTIONS <const> = { "from_host", "to_host" }
local BOTH_WAYS <const> = option_table.merged(wire_options.FIELDS, { from_host = option_table.list,
  to_host = option_table.list, seed = false })
BOTH_WAYS.seed = nil
local FIELDS <const> = option_table.merged(BOTH_WAYS, { seed = wire_options.FIELDS.seed, ports = option_table.list })

-- The settings of the wire of each host's port; false for a port that needs none.
local function settings_of_ports(hosts, options)
  local both, of_ports = option_table.merged(options), option_table.merged(options.ports)
  both.ports = nil
  local all = {}
  for i, host in ipairs(hosts) do
    local what, own = "lan: port of " .. host:name(), of_ports[host]
    if own ~= nil then option_table.check(what, own, BOTH_WAYS) end
    all[i] = wire_options.of(own and what or "lan", option_table.merged(both, own), DIRECTIONS) or false
    of_ports[host] = nil
  end
  if next(of_ports) then core.misuse "lan: ports: a table by hosts of the LAN expected: [host] = {...}" end
  return all
end

local function check_options(hosts, options)
  option_table.check("lan", options, FIELDS)
  local seed = options.seed or assert(core.new_seed())
  local ports = settings_of_ports(hosts, options)
  local all = { ports = ports, directions = DIRECTIONS, seed = seed, is_drawn = false, has_capacity = false }
  for _, port in ipairs(ports) do
    all.has_capacity = all.has_capacity or port and port.has_capacity
    all.is_drawn = all.is_drawn or port and port.is_drawn
  end
  return all
end

-- Each port's wire has a seed of its own.
local function attach(made, i, interface, switch, port)
  local settings, host = made.settings.ports[i], made.hosts[i]
  if settings then
    network.add_wire(made, host, interface, switch, port, settings, made.settings.seed + i - 1)
  else
    assert(core.link(host, interface, switch, port))
  end
  assert(core.attach(switch, port, "br0"))
end

--- The options of a LAN: what happens at every port. Each option of `lunet.chance` makes each port a wire.
---@class lunet.lan_options: lunet.chance
---@field delay? number|{from_host?: number, to_host?: number} seconds; a frame passes two ports on its way
---@field from_host? lunet.chance what differs for the frames that a host sends
---@field to_host? lunet.chance likewise for those that it gets
---@field ports? table<lunet.host, lunet.lan_options> what differs at a host's port, except the seed
---@field seed? integer decides about chance; each port gets another of the following numbers

--- Joins hosts to one network: a bridge on a host of its own, with a veth pair, or a wire, for each host (lunet.link
--- tells the difference). It ends with the scope that made it. Raises if the kernel refuses.
---
---     local a, b, c = assert(lunet.host "a"), assert(lunet.host "b"), assert(lunet.host "c")
---     lunet.lan { a, b, c }
---     local listener = assert(c:listen { backlog = 5 })
---     print((a:connect(listener, 60)), (b:connect(listener, 60))) --> connection ...  connection ...
---@async
---@param hosts lunet.host[] at most 1,023, since a bridge has no more ports
---@param options? lunet.lan_options
---@return lunet.network
function lan.join(hosts, options)
  if type(hosts) ~= "table" then error("bad argument #1 to 'lan' (list of hosts expected)", 2) end
  hosts = table.move(hosts, 1, #hosts, 1, {})
  if #hosts == 0 then error("bad argument #1 to 'lan' (no host is in the list)", 2) end
  if #hosts > MOST_HOSTS then
    core.misuse(("lan: at most %d hosts, not %d: a bridge has no more ports"):format(MOST_HOSTS, #hosts))
  end
  network.check_hosts(hosts, #hosts, "lan")
  local settings = check_options(hosts, options or {})
  local switch, message, code = core.host "switch"
  if not switch then error(refusal.tell(message, code), 0) end
  local addresses = next_addresses()
  return network.new("LAN", hosts, function(made)
    made.settings = settings
    made.take_down = function() switch:close() end
    made.has_ended = function() return not interfaces.is_open(switch) end
    assert(core.bridge(switch, "br0"))
    local names = {}
    for i, host in ipairs(hosts) do
      names[i] = interfaces.next(host)
      attach(made, i, names[i], switch, ("port%d"):format(i))
      interfaces.give_addresses(host, names[i], made, nil, addresses(i))
    end
    for i, host in ipairs(hosts) do
      interfaces.wait_until_ready(host, names[i], made)
      interfaces.wait_until(core.link_is_up, switch, ("port%d"):format(i))
    end
    network.wait_for_wires(made)
  end)
end

return lan
