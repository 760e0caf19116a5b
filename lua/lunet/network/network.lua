--- A network: the hosts that a link or a LAN joins, with their addresses.
local address = require "lunet.network.address"
local cable = require "lunet.network.cable"
local core = require "lunet.core"
local forwarded = require "lunet.network.forwarded"
local hands = require "lunet.network.hands"
local interfaces = require "lunet.network.interfaces"
local option_table = require "lunet.text.options"
local refusal = require "lunet.network.refusal"
local surroundings = require "lunet.network.surroundings"
local wire_options = require "lunet.network.wire_options"

local network = {}

--- The hosts that a link or a LAN joins, with their addresses. `cut` to `inject` need a network whose frames lunet
--- forwards: a delay, even of 0, makes it one.
---
---     local server, client = assert(lunet.host "server"), assert(lunet.host "client")
---     local link = lunet.link(server, client, { delay = 0, seed = 1 })
---     local listener = assert(server:listen { port = 7300, backlog = 5 })
---@class lunet.network
---@field hosts lunet.host[] those that it joins, in the order of the call
---@field kind "link"|"LAN"
---@field has_ended fun(): boolean internal: whether what it needs has been closed
---@field is_open boolean internal: false once it was closed
---@field settings? lunet.wire_settings internal: nil if lunet does not forward its frames
---@field take_down fun() internal
---@field wires lunet.wire[] internal
---@field wire_of table<lunet.host, lunet.wire> internal
local net = option_table.merged(cable, hands, { __name = "lunet.network" })
net.__index = net

--- The address of a host on this network.
---
---     print(link:address(server) ~= link:address(client)) --> true
---     print(link:address(assert(lunet.host "elsewhere"))) --> nil
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

---@class lunet.wire_counts
---@field forwarded integer frames, address resolution and duplicates among them
---@field dropped integer frames: those of `lost`, `over_capacity` and `taken`, and those on their way when the wire
--- ended. Also those that found no carrier at the other end, or came faster than lunet read them
---@field lost integer by chance
---@field taken integer by hands, and by silent cuts
---@field over_capacity integer beyond the capacity
---@field duplicated integer
---@field corrupted integer
---@field marked integer with "congestion experienced"
---@field overtook integer sent without delay by `reorder`
---@field late integer forwarded more than 1 ms after their time
---@field late_mean number seconds, over the forwarded ones
---@field late_max number seconds

---@class lunet.wire_statistics: lunet.wire_counts
---@field seed integer
---@field a_to_b? lunet.wire_counts of the frames that a link's first host sent
---@field b_to_a? lunet.wire_counts likewise the second
---@field from_hosts? lunet.wire_counts of the frames that a LAN's hosts sent
---@field to_hosts? lunet.wire_counts of the frames that they got

--- Counts what lunet did with the frames that it forwards, up to now or up to the network's end.
---
---     assert(client:connect(listener, 60))
---     local counted = link:statistics()
---     print(counted.forwarded > 0, counted.lost, counted.seed) --> true  0  1
---@return lunet.wire_statistics|nil statistics
---@return string? message
---@return string? code "EOPNOTSUPP": lunet does not forward its frames; `delay = 0` changes that
function net:statistics()
  core.check_self(self, "lunet.network")
  local wires, message, code = forwarded.wires(self, "statistics")
  if not wires then return nil, message, code end
  local counted = wire_options.statistics(wires, self.settings.directions)
  counted.seed = self.settings.seed
  return counted
end

--- A frame's fate, as chance decides it.
---@class lunet.fate
---@field delay number seconds; the order may make it longer
---@field lost boolean
---@field duplicated boolean
---@field corrupted boolean
---@field marked boolean whether it gets "congestion experienced", if its sender knows it
---@field overtakes boolean

local MOST_FATES <const> = option_table.whole(0, 1000000)

--- The fates of the first frames of a direction. Frames that resolve addresses are not among them. Asking changes
--- nothing.
---
---     local fates = assert(link:fates("a_to_b", 3))
---     print(#fates, fates[1].lost, fates[1].delay) --> 3  false  0.0
---@param direction string "a_to_b" or "b_to_a" of a link, "from_host" or "to_host" of a LAN
---@param count integer at most 1,000,000
---@param host? lunet.host of a LAN: the one at the port; default the network's first host
---@return lunet.fate[]|nil fates
---@return string? message
---@return string? code "EOPNOTSUPP" as for statistics
function net:fates(direction, count, host)
  core.check_self(self, "lunet.network")
  host = host or self.hosts[1]
  option_table.value("fates: host", host, interfaces.member(self))
  local wires, message, code = forwarded.wires(self, "fates")
  if not wires then return nil, message, code end
  local directions = self.settings.directions
  option_table.value("fates: direction", direction, option_table.one_of(directions))
  option_table.value("fates: count", count, MOST_FATES)
  local wire = self.wire_of[host] or self.wires[1]
  return wire:fates(direction == directions[1] and 1 or 2, count)
end

--- Takes the network away from its hosts, with the interfaces and addresses on it. Idempotent.
---
--- From then on a connect over it fails with "ENETUNREACH"; a connect under way fails when its next SYN is due. Its
--- addresses are "EADDRNOTAVAIL" for listen and `from`. Connections stay ESTABLISHED, and neither end notices: sends
--- succeed while there is room, and receives wait. Unacknowledged bytes or a keepalive probe end them with "ETIMEDOUT"
--- when the kernel gives up (`user_timeout`, `keepalive`; net.ipv4.tcp_retries2: about 15 minutes).
---
---     local address = link:address(server) .. ":7300"
---     print(link:close()) --> true
---     print(select(3, client:connect(address, 60))) --> ENETUNREACH
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

--- Its name, also after close.
---
---     print(link:name()) --> link of server and client
---@return string name "link of a and b"
function net:name()
  core.check_self(self, "lunet.network")
  local names = {}
  for i, host in ipairs(self.hosts) do names[i] = host:name() end
  return ("%s of %s"):format(self.kind, table.concat(names, " and "))
end

function net:__tostring() return net.name(self) .. (interfaces.is_there(self) and "" or " (closed)") end

--- Makes a network.
---@param kind string "link", "LAN"
---@param hosts lunet.host[]
---@param build fun(made: lunet.network) joins the hosts, and sets `take_down`, which undoes that, and perhaps
--- `has_ended`; after an error of build nothing is left
---@return lunet.network
function network.new(kind, hosts, build)
  local made = setmetatable({ kind = kind, hosts = hosts, is_open = true, take_down = function() end,
    has_ended = function() return false end, wires = {}, wire_of = {} }, net)
  local ok, failure = pcall(build, made)
  if ok then
    local observer = surroundings.current().observer
    if observer and made.wires[1] then observer:wires_made(made) end
    return made
  end
  made:close()
  error(failure, 0)
end

--- Joins two hosts by a wire of a network. Raises if the kernel refuses.
---@param made lunet.network
---@param a lunet.host
---@param interface_a string
---@param b lunet.host
---@param interface_b string
---@param settings lunet.wire_settings
---@param seed? integer default that of the settings
function network.add_wire(made, a, interface_a, b, interface_b, settings, seed)
  local ways = settings.ways
  local wire, message, code = core.wire(a, interface_a, ways[1], b, interface_b, ways[2], seed or settings.seed)
  if not wire then error(refusal.tell(message, code), 0) end
  made.wires[#made.wires + 1] = wire
  made.wire_of[a] = wire
end

--- Waits until the inner ends of a network's wires let frames pass.
---@param made lunet.network
function network.wait_for_wires(made)
  for _, wire in ipairs(made.wires) do interfaces.wait_until(wire.is_up, wire, "an end") end
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
