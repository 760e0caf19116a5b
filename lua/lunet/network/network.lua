--- A network: the hosts that a link or a LAN joins, with their addresses.
local address = require "lunet.network.address"
local core = require "lunet.core"
local interfaces = require "lunet.network.interfaces"

local network = {}

local net = { __name = "lunet.network" }
net.__index = net

--- The address of a host on this network.
---@param host lunet.host
---@param family? "ipv4"|"ipv6" default "ipv4"
---@return string|nil address nil if the host is not on the network
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
  local addresses = interfaces.addresses(host, self)
  for _, text in ipairs(addresses or {}) do
    if address.is_ipv6(text) == (family == "ipv6") then return text end
  end
  if not addresses or family ~= "ipv6" or not interfaces.is_open(host) then return nil end
  local _, why, code = interfaces.have_ipv6(host)
  return nil, why, code
end

--- Counts the work of a link with a delay, up to now or up to its end: forwarded frames (address resolution among
--- them), and dropped frames (they exceeded its capacity, or the link ended before their time). The lateness of
--- forwarded frames is in seconds.
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
--- From then on a connect over it fails with "ENETUNREACH"; a connect under way fails when its next SYN is due. Its
--- addresses are "EADDRNOTAVAIL" for listen and `from`. Connections stay ESTABLISHED, and neither end notices: sends
--- succeed while there is room, and receives wait. Unacknowledged bytes or a keepalive probe end them with "ETIMEDOUT"
--- when the kernel gives up (`user_timeout`, `keepalive`; net.ipv4.tcp_retries2: about 15 minutes).
---@return true
function net:close()
  core.check_self(self, "lunet.network")
  if self.is_open then
    self.is_open = false
    self.take_down()
    for _, host in ipairs(self.hosts) do interfaces.forget(host, self) end
  end
  return true
end

net.__close = net.close

function net:__tostring()
  local names = {}
  for i, host in ipairs(self.hosts) do names[i] = host:name() end
  return ("%s of %s%s"):format(self.kind, table.concat(names, " and "), self.is_open and "" or " (closed)")
end

--- Makes a network.
---@param kind string "link", "LAN"
---@param hosts lunet.host[]
---@param build fun(made: lunet.network) joins the hosts, and sets `take_down`, which undoes that; after an error of
--- build nothing is left
---@return lunet.network
function network.new(kind, hosts, build)
  local made = setmetatable({ kind = kind, hosts = hosts, is_open = true, take_down = function() end }, net)
  local ok, failure = pcall(build, made)
  if ok then return made end
  made:close()
  error(failure, 0)
end

--- Checks that the list has so many hosts, all open and none twice. Raises otherwise.
---@param hosts any[]
---@param count integer
---@param name string of the caller, which a script called
function network.check_hosts(hosts, count, name)
  for i = 1, count do
    local host = hosts[i]
    if not core.is_host(host) then
      error(("bad argument #%d to '%s' (host expected, got %s)"):format(i, name, type(host)), 3)
    end
    if not interfaces.is_open(host) then error(("%s: host %s is closed"):format(name, host:name()), 3) end
    for j = 1, i - 1 do
      if hosts[j] == host then error(("%s: %s is given twice"):format(name, host), 3) end
    end
  end
end

return network
