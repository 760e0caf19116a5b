--- Who is on which network: links between two hosts, and LANs of many. Addresses are chosen here,
--- and found here when a host connects to a listener of another one.
local core = require "lunet.core"

local network = {}

local LONGEST = 5 -- s; a veth pair is up within some 0.05 ms

-- By host: {interfaces = how many it has had, addresses = {[network] = {ipv4, ipv6}}}
local places = setmetatable({}, { __mode = "k" })

local function place_of(host)
  places[host] = places[host] or { interfaces = 0, addresses = setmetatable({}, { __mode = "k" }) }
  return places[host]
end

local function next_interface(host)
  local place = place_of(host)
  place.interfaces = place.interfaces + 1
  return ("eth%d"):format(place.interfaces - 1)
end

--- A link drops packets until both of its ends report operstate UP.
local function wait_until_up(host, interface)
  local deadline = core.now() + LONGEST
  while not assert(core.link_is_up(host, interface)) do
    if core.now() > deadline then
      error(("%s of %s did not come up within %d s"):format(interface, host, LONGEST), 0)
    end
  end
end

local function give_addresses(host, interface, net, texts)
  local addresses = {}
  for i, text in ipairs(texts) do
    local address, prefix = text:match "^(.+)/(%d+)$"
    if not address then error(("address: \"%s\" has no prefix length, like 10.0.0.1/24"):format(text), 0) end
    assert(core.add_address(host, interface, address, math.tointeger(tonumber(prefix))))
    addresses[i] = address
  end
  place_of(host).addresses[net] = addresses
end

local links_made, lans_made = 0, 0

-- Hosts see only the networks they are on, so a number may come again after the last.
local function next_link_addresses()
  local n = links_made % 0x8000
  links_made = links_made + 1
  local high, low = n >> 8, n & 0xff
  local function both(i) return { ("10.%d.%d.%d/24"):format(high, low, i), ("fd00::%x:0:0:%x/64"):format(n, i) } end
  return both(1), both(2)
end

local function next_lan_addresses()
  local n = lans_made % 0x80
  lans_made = lans_made + 1
  return function(i)
    return { ("10.%d.%d.%d/16"):format(128 + n, i >> 8, i & 0xff), ("fd00:1::%x:0:0:%x/64"):format(n, i) }
  end
end

local net = {}
net.__index = net

--- The address of a host on this network.
---@param host lunet.host
---@param family? "ipv4"|"ipv6" default "ipv4"
---@return string|nil address nil if the host is not on it
function net:address(host, family)
  for _, address in ipairs(place_of(host).addresses[self] or {}) do
    if (address:find ":" ~= nil) == (family == "ipv6") then return address end
  end
  return nil
end

--- Takes the network away from its hosts. Idempotent.
---@return true
function net:close()
  if self.is_open then
    self.is_open = false
    self.take_down()
    for _, host in ipairs(self.hosts) do place_of(host).addresses[self] = nil end
  end
  return true
end

net.__close = net.close

function net:__tostring()
  local names = {}
  for i, host in ipairs(self.hosts) do names[i] = host:name() end
  return ("%s of %s%s"):format(self.kind, table.concat(names, " and "), self.is_open and "" or " (closed)")
end

local function new_network(kind, hosts)
  return setmetatable({ kind = kind, hosts = hosts, is_open = true }, net)
end

local function check_hosts(hosts, name)
  for i, host in ipairs(hosts) do
    if not core.is_host(host) then
      error(("bad argument #%d to '%s' (host expected, got %s)"):format(i, name, type(host)), 3)
    end
    for j = 1, i - 1 do
      if hosts[j] == host then error(("%s: %s is given twice"):format(name, host), 3) end
    end
  end
end

--- Connects two hosts by a veth pair, up when this returns: the first packet is not lost. Ends with
--- its hosts.
---@param a lunet.host
---@param b lunet.host
---@param options? {a?: string[], b?: string[]} addresses of each end, such as {"10.0.0.1/24"}; chosen, one of IPv4 and one of IPv6, if not given
---@return lunet.network
function network.link(a, b, options)
  check_hosts({ a, b }, "link")
  options = options or {}
  for field in pairs(options) do
    if field ~= "a" and field ~= "b" then error(("link: unknown option '%s' (known: a, b)"):format(field), 2) end
  end
  local chosen_a, chosen_b = next_link_addresses()
  local interface_a, interface_b = next_interface(a), next_interface(b)
  local link = new_network("link", { a, b })
  assert(core.link(a, interface_a, b, interface_b))
  link.take_down = function() core.unlink(a, interface_a) end
  give_addresses(a, interface_a, link, options.a or chosen_a)
  give_addresses(b, interface_b, link, options.b or chosen_b)
  wait_until_up(a, interface_a)
  wait_until_up(b, interface_b)
  return link
end

--- Joins hosts to one segment: a bridge on a host of its own, with a veth pair for each.
---@param hosts lunet.host[]
---@return lunet.network
function network.lan(hosts)
  if type(hosts) ~= "table" then error("bad argument #1 to 'lan' (list of hosts expected)", 2) end
  check_hosts(hosts, "lan")
  local switch = assert(core.host "switch")
  local lan = new_network("LAN", table.move(hosts, 1, #hosts, 1, {}))
  lan.take_down = function() switch:close() end
  assert(core.bridge(switch, "br0"))
  local addresses = next_lan_addresses()
  local interfaces = {}
  for i, host in ipairs(hosts) do
    local port = ("port%d"):format(i)
    interfaces[i] = next_interface(host)
    assert(core.link(host, interfaces[i], switch, port))
    assert(core.attach(switch, port, "br0"))
    give_addresses(host, interfaces[i], lan, addresses(i))
  end
  for i, host in ipairs(hosts) do
    wait_until_up(host, interfaces[i])
    wait_until_up(switch, ("port%d"):format(i))
  end
  return lan
end

--- The server's address on a network that the client is on too; nil if there is none.
---@param client lunet.host
---@param server lunet.host
---@param family "ipv4"|"ipv6"
---@return string?
function network.address_between(client, server, family)
  for shared in pairs(place_of(client).addresses) do
    local address = shared:address(server, family)
    if address then return address end
  end
  return nil
end

return network
