--- The interfaces of hosts, and their addresses on each network. A link gives addresses here, and a host that connects
--- to a listener of another host finds them here.
local address = require "lunet.network.address"
local core = require "lunet.core"
local surroundings = require "lunet.network.surroundings"

local interfaces = {}

local LONGEST = 30 -- s; usually less than 1 ms, longer on a machine with a long queue for its network lock

-- By host: {made = count of its interfaces so far, addresses = {[network] = {ipv4, ipv6, interface = name}}}. A network
-- lives as long as a host on it, even if no script refers to it.
local by_host = setmetatable({}, { __mode = "k" })

local function entry_of(host)
  by_host[host] = by_host[host] or { made = 0, addresses = {} }
  return by_host[host]
end

--- Whether a host is open.
---@param host lunet.host
---@return boolean
function interfaces.is_open(host)
  local _, open = core.is_host(host)
  return open
end

-- Forgets the networks without another open host.
local function forget_dead(host)
  local addresses = entry_of(host).addresses
  for net in pairs(addresses) do
    local others = 0
    for _, other in ipairs(net.hosts) do
      if other ~= host and interfaces.is_open(other) then others = others + 1 end
    end
    if others == 0 then addresses[net] = nil end
  end
end

--- A name for the next interface of a host.
---@param host lunet.host
---@return string name "eth0", "eth1", ...
function interfaces.next(host)
  local entry = entry_of(host)
  local number = entry.made
  entry.made = number + 1
  if number & (number - 1) == 0 then forget_dead(host) end -- at 0, 1, 2, 4, 8, ...
  return ("eth%d"):format(number)
end

-- The kernel needs about 0.05 ms, but some versions and devices take up to a second. Other tasks go on.
local FIRST_PAUSE, LAST_PAUSE = 0.00002, 0.001

--- Waits until an interface or an address of a host is up. Raises an error after 30 s, or if the kernel cannot tell.
---@param is_so fun(host: any, what: string): boolean|nil, string?
---@param host lunet.host|lunet.wire
---@param what string its interface, or its address
function interfaces.wait_until(is_so, host, what)
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

--- Waits until an interface takes packets. It drops them until both ends of its link report operstate UP, and it
--- answers for IPv6 addresses a little later.
---@param host lunet.host
---@param interface string
---@param network lunet.network
function interfaces.wait_until_ready(host, interface, network)
  interfaces.wait_until(core.link_is_up, host, interface)
  for _, text in ipairs(entry_of(host).addresses[network]) do
    if address.is_ipv6(text) then interfaces.wait_until(core.answers_for, host, text) end
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

--- Whether a host has IPv6. It has none if the kernel is built without it, has not loaded its module, or was started
--- with ipv6.disable=1; or if net.ipv6.conf.default.disable_ipv6 is 1, which the setting of `all` changes, too.
---@param host lunet.host
---@return true|nil
---@return string? why
---@return string? code "EAFNOSUPPORT"
---@return string? command that changes it
function interfaces.have_ipv6(host)
  local disabled, message, failure = core.read_file(host, "/proc/sys/net/ipv6/conf/default/disable_ipv6")
  if not disabled and failure ~= "ENOENT" then return nil, message, failure end
  if disabled == "0\n" then return true end
  local why, command = why_no_ipv6(disabled ~= nil)
  return nil, ("host %s has no IPv6: %s (EAFNOSUPPORT)"):format(host:name(), why), "EAFNOSUPPORT", command
end

-- The kernel has refused an address. The interface keeps its IPv4 addresses if lunet chose them, no script, and the
-- host has no IPv6. lunet looks for IPv6 only here, since this takes as long as all the rest of a link.
local function keep(host, given, chosen, message)
  local kept, refused = {}, nil
  for _, text in ipairs(given or chosen) do
    if address.is_ipv6(text) then refused = refused or text else kept[#kept + 1] = text end
  end
  local has, why, code = interfaces.have_ipv6(host)
  if has or not refused then error(message, 0) end
  if given then error(("address %s: %s"):format(refused, why), 0) end
  if code ~= "EAFNOSUPPORT" then error(why, 0) end -- the kernel could not tell just then
  return kept
end

--- Gives an interface its addresses.
---@param host lunet.host
---@param interface string
---@param network lunet.network the network of the interface
---@param given string[]|nil a script's addresses with prefix lengths; an error if the host lacks their family
---@param chosen string[] the addresses without `given`, if the host has their family; IPv4 first
function interfaces.give_addresses(host, interface, network, given, chosen)
  local addresses, texts = { interface = interface }, given or chosen
  local added, message = core.add_addresses(host, interface, table.unpack(texts))
  if not added then texts = keep(host, given, chosen, message) end
  for i, text in ipairs(texts) do addresses[i] = address.without_prefix(text) end
  entry_of(host).addresses[network] = addresses
  local observer = surroundings.current().observer
  if observer then observer:addresses_given(host, addresses) end
end

--- The hosts of a network, as what a method takes.
---@param network lunet.network
---@return {expected: string, accepts: fun(any: any): boolean}
function interfaces.member(network)
  return { expected = "a host of the " .. network:name(), accepts = function(any)
    for _, host in ipairs(network.hosts) do
      if host == any then return true end
    end
    return false
  end }
end

--- Whether a network is there. It ends with the wires and hosts that it needs, which may end with their scope.
---@param network lunet.network
---@return boolean
function interfaces.is_there(network)
  if network.is_open and network.has_ended() then network:close() end
  return network.is_open
end

--- The addresses of a host on a network, and the name of its interface there; nil if it is not on it, or
--- the network has ended.
---@param host lunet.host
---@param network lunet.network
---@return table? addresses {string..., interface = string}
function interfaces.addresses(host, network)
  return interfaces.is_there(network) and entry_of(host).addresses[network] or nil
end

--- Forgets that a host was on a network.
---@param host lunet.host
---@param network lunet.network
function interfaces.forget(host, network) entry_of(host).addresses[network] = nil end

-- The client's own interface is the zone of an address that is valid only on its link (RFC 4007).
local function with_zone(text, client, shared)
  if not address.is_link_local(text) then return text end
  return ("%s%%%s"):format(text, entry_of(client).addresses[shared].interface)
end

--- The server's address on a network of both, of a family that both have there; nil if there is none. A link-local
--- address comes with its zone on the client.
---@param client lunet.host
---@param server lunet.host
---@param family "ipv4"|"ipv6"
---@return string?
function interfaces.address_between(client, server, family)
  for shared in pairs(entry_of(client).addresses) do
    local text = shared:address(server, family)
    if text and shared:address(client, family) then return with_zone(text, client, shared) end
  end
  return nil
end

--- A link-local address on an interface of the server, with its zone on the client; nil if the client is not on that
--- link.
---@param client lunet.host
---@param server lunet.host
---@param text string the address
---@param interface string of the server
---@return string?
function interfaces.link_local_between(client, server, text, interface)
  for shared in pairs(entry_of(client).addresses) do
    local of_server = interfaces.addresses(server, shared)
    if of_server and of_server.interface == interface then return with_zone(text, client, shared) end
  end
  return nil
end

return interfaces
