--- Who is on which network: links between two hosts, and LANs of many. Addresses are chosen here,
--- and found here when a host connects to a listener of another one.
local core = require "lunet.core"
local refusal = require "lunet.network.refusal"
local wire = require "lunet.network.wire"

local network = {}

-- network.on_addresses(host, addresses) is called with the addresses that a host gets, while somebody records.

local LONGEST = 30 -- s; it takes less than a millisecond, but on a machine with a long queue for its network lock

-- By host: {interfaces = how many it has had, addresses = {[network] = {ipv4, ipv6}}}. A network lives as
-- long as a host on it, though a script keeps no hold of it.
local places = setmetatable({}, { __mode = "k" })

local function place_of(host)
  places[host] = places[host] or { interfaces = 0, addresses = {} }
  return places[host]
end

local function is_open(host)
  local _, open = core.is_host(host)
  return open
end

-- Networks that no other open host is on any more.
local function forget_dead(host)
  local addresses = place_of(host).addresses
  for net in pairs(addresses) do
    local others = 0
    for _, other in ipairs(net.hosts) do
      if other ~= host and is_open(other) then others = others + 1 end
    end
    if others == 0 then addresses[net] = nil end
  end
end

local function next_interface(host)
  local place = place_of(host)
  local number = place.interfaces
  place.interfaces = number + 1
  if number & (number - 1) == 0 then forget_dead(host) end -- at 0, 1, 2, 4, 8, ...
  return ("eth%d"):format(number)
end

-- The kernel needs about 0.05 ms, but up to a second for some of its versions and devices. Other tasks go on.
local FIRST_PAUSE, LAST_PAUSE = 0.00002, 0.001

local function wait_until(is_so, host, what)
  local deadline, pause = core.now() + LONGEST, FIRST_PAUSE
  while true do
    local yes, message = is_so(host, what)
    if yes then return end
    if yes == nil then error(message, 0) end
    if core.now() > deadline then error(("%s of %s did not come up within %d s"):format(what, host, LONGEST), 0) end
    core.sleep(pause)
    pause = math.min(2 * pause, LAST_PAUSE)
  end
end

-- A link drops packets until both of its ends report operstate UP, and IPv6 addresses are not answered
-- for at once.
local function wait_until_ready(host, interface, net)
  wait_until(core.link_is_up, host, interface)
  for _, address in ipairs(place_of(host).addresses[net]) do
    if address:find ":" then wait_until(core.answers_for, host, address) end
  end
end

local function why_no_ipv6(is_known)
  if is_known then
    return "net.ipv6.conf.default.disable_ipv6 is 1 there", "start the kernel without ipv6.disable_ipv6=1"
  end
  if core.read_file(nil, "/sys/module/ipv6/parameters/disable") == "1\n" then
    return "it was switched off by ipv6.disable=1", "start the kernel without ipv6.disable=1"
  end
  return "this kernel is built without it, or has not loaded its module", "sudo modprobe ipv6"
end

--- Whether a host has IPv6: not on a kernel built without it, whose module is not loaded, or that was started with
--- ipv6.disable=1; and not where net.ipv6.conf.default.disable_ipv6 is 1, which that of `all` brings about.
---@param host lunet.host
---@return true|nil
---@return string? why
---@return string? code "EAFNOSUPPORT"
---@return string? command that changes it
function network.has_ipv6(host)
  local disabled, message, failure = core.read_file(host, "/proc/sys/net/ipv6/conf/default/disable_ipv6")
  if not disabled and failure ~= "ENOENT" then return nil, message, failure end
  if disabled == "0\n" then return true end
  local why, command = why_no_ipv6(disabled ~= nil)
  return nil, ("host %s has no IPv6: %s (EAFNOSUPPORT)"):format(host:name(), why), "EAFNOSUPPORT", command
end

-- Those that were chosen, and not given, are of IPv4 alone on a host without IPv6.
local function usable(host, texts)
  local has, why, code = network.has_ipv6(host)
  if has then return texts end
  if code ~= "EAFNOSUPPORT" then error(why, 0) end -- the kernel could not be asked just then
  local of_ipv4 = {}
  for _, text in ipairs(texts) do
    if not text:find ":" then of_ipv4[#of_ipv4 + 1] = text end
  end
  return of_ipv4
end

local function give_addresses(host, interface, net, given, chosen)
  local addresses, texts = { interface = interface }, given or usable(host, chosen)
  for i, text in ipairs(texts) do
    addresses[i] = text:match "^[^/]+"
    if text:find ":" then
      local yes, why = network.has_ipv6(host)
      if not yes then error(("address %s: %s"):format(text, why), 0) end
    end
  end
  assert(core.add_addresses(host, interface, table.unpack(texts)))
  place_of(host).addresses[net] = addresses
  if network.on_addresses then network.on_addresses(host, addresses) end
end

local links_made, lans_made = 0, 0

-- Hosts see only the networks they are on, so a number may come again after the last. IPv6 prefixes are
-- fd00:1::/64 to fd00:8000::/64 for links, and from there on for LANs.
local function next_link_addresses()
  local n = links_made % 0x8000
  links_made = links_made + 1
  local high, low = n >> 8, n & 0xff
  local function both(i) return { ("10.%d.%d.%d/24"):format(high, low, i), ("fd00:%x::%x/64"):format(n + 1, i) } end
  return both(1), both(2)
end

local function next_lan_addresses()
  local n = lans_made % 0x80
  lans_made = lans_made + 1
  return function(i)
    return { ("10.%d.%d.%d/16"):format(128 + n, i >> 8, i & 0xff), ("fd00:%x::%x/64"):format(0x8001 + n, i) }
  end
end

local net = { __name = "lunet.network" }
net.__index = net

--- The address of a host on this network.
---@param host lunet.host
---@param family? "ipv4"|"ipv6" default "ipv4"
---@return string|nil address nil if the host is not on it
---@return string? message if the host has no IPv6
---@return string? code "EAFNOSUPPORT"
function net:address(host, family)
  core.check_self(self, "lunet.network")
  if not core.is_host(host) then
    core.misuse(("bad argument #1 to 'address' (lunet.host expected, got %s)"):format(type(host)))
  end
  if family ~= nil and family ~= "ipv4" and family ~= "ipv6" then
    core.misuse(("address: ipv4 or ipv6 expected, not %s"):format(tostring(family)))
  end
  local addresses = place_of(host).addresses[self]
  for _, address in ipairs(addresses or {}) do
    if (address:find ":" ~= nil) == (family == "ipv6") then return address end
  end
  if not addresses or family ~= "ipv6" or not is_open(host) then return nil end
  local _, why, code = network.has_ipv6(host)
  return nil, why, code
end

--- What a link with a delay has done up to now, or up to its end: how many frames it forwarded (address
--- resolution among them), how many it dropped (its capacity was exceeded, or it ended before their time),
--- and by how many seconds it was late with those that it forwarded.
---@return {forwarded: integer, dropped: integer, late_mean: number, late_max: number}|nil statistics
---@return string? message
---@return string? code "EOPNOTSUPP": it has no delay
function net:statistics()
  core.check_self(self, "lunet.network")
  if not self.wire then return nil, ("statistics: the %s has no delay (EOPNOTSUPP)"):format(self), "EOPNOTSUPP" end
  return self.wire:statistics()
end

--- Takes the network away from its hosts, with the interfaces and addresses on it. Idempotent.
---
--- From then on a connect over it fails with "ENETUNREACH", one that is under way when its next SYN is due. Its
--- addresses are "EADDRNOTAVAIL" for listen and `from`. Connections stay, and nobody is told: they are
--- ESTABLISHED, sends succeed while there is room, and receives wait. What was sent, or a keepalive probe, ends them
--- with "ETIMEDOUT" when the kernel gives up (`user_timeout`, `keepalive`; net.ipv4.tcp_retries2: about 15 minutes).
---@return true
function net:close()
  core.check_self(self, "lunet.network")
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

-- Makes it by `build`, which says how to undo it by setting take_down.
local function new_network(kind, hosts, build)
  local made = setmetatable({ kind = kind, hosts = hosts, is_open = true, take_down = function() end }, net)
  local ok, failure = pcall(build, made)
  if ok then return made end
  made:close()
  error(failure, 0)
end

local function check_hosts(hosts, count, name)
  for i = 1, count do
    local host = hosts[i]
    if not core.is_host(host) then
      error(("bad argument #%d to '%s' (host expected, got %s)"):format(i, name, type(host)), 3)
    end
    if not is_open(host) then error(("%s: host %s is closed"):format(name, host:name()), 3) end
    for j = 1, i - 1 do
      if hosts[j] == host then error(("%s: %s is given twice"):format(name, host), 3) end
    end
  end
end

local function check_addresses(texts, field)
  if type(texts) ~= "table" then
    error(("%s: a list of addresses expected, not %s"):format(field, type(texts)), 4)
  end
  for _, text in ipairs(texts) do
    if not core.is_address(text) then
      error(("%s: \"%s\" is no address with a prefix length, like 10.0.0.1/24 or fd00::1/64"):format(field, text), 4)
    end
  end
end

local link_options = { a = true, b = true, delay = true, capacity = true }

local function check_link_options(options)
  if type(options) ~= "table" then error("bad argument #3 to 'link' (table expected)", 3) end
  for field in pairs(options) do
    if not link_options[field] then
      error(("link: unknown option '%s' (known: a, b, delay, capacity)"):format(tostring(field)), 3)
    end
  end
  if options.a ~= nil then check_addresses(options.a, "a") end
  if options.b ~= nil then check_addresses(options.b, "b") end
  wire.check(options, 3)
end

local function join_directly(a, interface_a, b, interface_b)
  assert(core.link(a, interface_a, b, interface_b))
  return function()
    if is_open(a) then core.unlink(a, interface_a) end -- else it went with its host
  end
end

--- The options of a link.
---@class lunet.link_options: lunet.wire_options
---@field a? string[] addresses of its end on the first host, such as {"10.0.0.1/24"}; if not given, one of IPv4
--- and one of IPv6 are chosen; of IPv4 alone on a host without IPv6
---@field b? string[] likewise on the second

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
function network.link(a, b, options)
  options = options or {}
  check_hosts({ a, b }, 2, "link")
  check_link_options(options)
  local chosen_a, chosen_b = next_link_addresses()
  local interface_a, interface_b = next_interface(a), next_interface(b)
  return new_network("link", { a, b }, function(link)
    link.wire = wire.new(a, interface_a, b, interface_b, options)
    link.take_down = link.wire and function() link.wire:close() end or join_directly(a, interface_a, b, interface_b)
    give_addresses(a, interface_a, link, options.a, chosen_a)
    give_addresses(b, interface_b, link, options.b, chosen_b)
    wait_until_ready(a, interface_a, link)
    wait_until_ready(b, interface_b, link)
    if link.wire then wait_until(link.wire.is_up, link.wire, "an end") end
  end)
end

local function attach(host, interface, switch, port)
  assert(core.link(host, interface, switch, port))
  assert(core.attach(switch, port, "br0"))
end

--- Joins hosts to one segment: a bridge on a host of its own, with a veth pair for each. Raises what
--- the kernel refuses, such as a port above the bridge's 1,023rd.
---@param hosts lunet.host[]
---@return lunet.network
function network.lan(hosts)
  if type(hosts) ~= "table" then error("bad argument #1 to 'lan' (list of hosts expected)", 2) end
  hosts = table.move(hosts, 1, #hosts, 1, {})
  if #hosts == 0 then error("bad argument #1 to 'lan' (no host is in the list)", 2) end
  check_hosts(hosts, #hosts, "lan")
  local switch, message, code = core.host "switch"
  if not switch then error(refusal.tell(message, code), 0) end
  local addresses = next_lan_addresses()
  return new_network("LAN", hosts, function(lan)
    lan.take_down = function() switch:close() end
    assert(core.bridge(switch, "br0"))
    local interfaces = {}
    for i, host in ipairs(hosts) do
      interfaces[i] = next_interface(host)
      attach(host, interfaces[i], switch, ("port%d"):format(i))
      give_addresses(host, interfaces[i], lan, nil, addresses(i))
    end
    for i, host in ipairs(hosts) do
      wait_until_ready(host, interfaces[i], lan)
      wait_until(core.link_is_up, switch, ("port%d"):format(i))
    end
  end)
end

local function is_link_local(address) return address:find "^fe[89ab]%x:" ~= nil end

-- Of a network: the client's own interface is the zone of an address that is known on the link alone (RFC 4007).
local function with_zone(address, client, shared)
  if not is_link_local(address) then return address end
  return ("%s%%%s"):format(address, place_of(client).addresses[shared].interface)
end

--- The server's address on a network that the client is on too, with an address of that family; nil if there is
--- none. A link-local address comes with its zone on the client.
---@param client lunet.host
---@param server lunet.host
---@param family "ipv4"|"ipv6"
---@return string?
function network.address_between(client, server, family)
  for shared in pairs(place_of(client).addresses) do
    local address = shared:address(server, family)
    if address and shared:address(client, family) then return with_zone(address, client, shared) end
  end
  return nil
end

--- A link-local address on an interface of the server, with its zone on the client; nil if the client is not on that
--- link.
---@param client lunet.host
---@param server lunet.host
---@param address string
---@param interface string of the server
---@return string?
function network.link_local_between(client, server, address, interface)
  for shared in pairs(place_of(client).addresses) do
    local of_server = place_of(server).addresses[shared]
    if of_server and of_server.interface == interface then return with_zone(address, client, shared) end
  end
  return nil
end

return network
