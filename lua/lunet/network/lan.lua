--- LANs, which join many hosts to one network.
local core = require "lunet.core"
local interfaces = require "lunet.network.interfaces"
local network = require "lunet.network.network"
local refusal = require "lunet.network.refusal"

local lan = {}

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

local function attach(host, interface, switch, port)
  assert(core.link(host, interface, switch, port))
  assert(core.attach(switch, port, "br0"))
end

--- Joins hosts to one network: a bridge on a host of its own, with a veth pair for each host. Raises if the kernel
--- refuses, for example a port after the bridge's 1,023rd.
---@param hosts lunet.host[]
---@return lunet.network
function lan.join(hosts)
  if type(hosts) ~= "table" then error("bad argument #1 to 'lan' (list of hosts expected)", 2) end
  hosts = table.move(hosts, 1, #hosts, 1, {})
  if #hosts == 0 then error("bad argument #1 to 'lan' (no host is in the list)", 2) end
  network.check_hosts(hosts, #hosts, "lan")
  local switch, message, code = core.host "switch"
  if not switch then error(refusal.tell(message, code), 0) end
  local addresses = next_addresses()
  return network.new("LAN", hosts, function(made)
    made.take_down = function() switch:close() end
    assert(core.bridge(switch, "br0"))
    local names = {}
    for i, host in ipairs(hosts) do
      names[i] = interfaces.next(host)
      attach(host, names[i], switch, ("port%d"):format(i))
      interfaces.give_addresses(host, names[i], made, nil, addresses(i))
    end
    for i, host in ipairs(hosts) do
      interfaces.wait_until_ready(host, names[i], made)
      interfaces.wait_until(core.link_is_up, switch, ("port%d"):format(i))
    end
  end)
end

return lan
