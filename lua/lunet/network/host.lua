--- Hosts, which are network stacks of their own, and their methods.
local address = require "lunet.network.address"
local core = require "lunet.core"
local counters = require "lunet.network.counters"
local interfaces = require "lunet.network.interfaces"
local option_table = require "lunet.text.options"
local rule = require "lunet.network.rule"
local surroundings = require "lunet.network.surroundings"
local sysctl = require "lunet.network.sysctl"

local host = {}

local methods = core.host_methods

-- By listener: {host, ip, port}, even of a closed one; without ip and port if it has a path.
local origins = setmetatable({}, { __mode = "k" })

local hosts_made = 0

local function write_sysctls(made, sysctls)
  for name, value in pairs(sysctls) do
    local ok, message, code = made:sysctl(name, value)
    if not ok then return nil, message, code end
  end
  return true
end

--- Makes a host: a network stack with its own addresses, sysctls and counters, and its loopback up. Needs no privilege:
--- an ordinary user's process first moves into a user namespace.
---@param options? string|{name?: string, sysctl?: table<string, string|number>} its name, or more
---@return lunet.host|nil host
---@return string? message names the cause, and a command that changes it
---@return string? code "EPERM", "ENOSPC" if the machine refuses namespaces; those of host:sysctl
function host.new(options)
  if options == nil or type(options) == "string" then options = { name = options } end
  if type(options) ~= "table" then error("bad argument #1 to 'host' (name or table expected)", 2) end
  option_table.check("host", options, { name = option_table.text, sysctl = option_table.list })
  if options.name and options.name:find "\0" then error("host: a zero byte in its name", 2) end
  local sysctls = options.sysctl or {}
  for name, value in pairs(sysctls) do
    sysctl.path(name, 2)
    sysctl.text(name, value, 2)
  end
  hosts_made = hosts_made + 1
  local name = options.name or ("host %d"):format(hosts_made)
  local around = surroundings.current()
  local made, message, code = core.host(name)
  if not made and around.on_refused and around.on_refused() then made, message, code = core.host(name) end
  if not made then return nil, require("lunet.network.refusal").tell(message, code), code end
  local ok
  ok, message, code = write_sysctls(made, around.sysctls)
  if ok then ok, message, code = write_sysctls(made, sysctls) end
  if ok then
    if around.observer then around.observer:host_made(made) end
    return made
  end
  made:close()
  return nil, message, code
end

-- A message about an IPv6 address, on a host that has none.
local function explain(self, message, code)
  if code ~= "EAFNOSUPPORT" and not message:find "%[[%x:.%%]*:[^%]]*%]" then return message end
  local has_ipv6, why = interfaces.have_ipv6(self)
  return has_ipv6 and message or ("%s; %s"):format(message, why)
end

--- Like lunet.listen, on this host; any address (0.0.0.0) by default.
---@param target lunet.listen_target
---@return lunet.listener|nil listener
---@return string? message names the address
---@return string? code
function methods:listen(target)
  core.check_self(self, "lunet.host")
  local listener, message, code = core.listen(self, target)
  if not listener then message = explain(self, message, code) end
  if listener then
    local end_point, port = listener:address()
    origins[listener] = { host = self, ip = port and address.unmapped(address.ip(end_point)), port = port }
  end
  return listener, message, code
end

local function shared_address(self, server, ip)
  if not address.is_ipv6(ip) then return interfaces.address_between(self, server, "ipv4") end
  return interfaces.address_between(self, server, "ipv6") or interfaces.address_between(self, server, "ipv4")
end

-- Finds the address of a listener. On the same host, or with a path, the listener itself will do.
local function resolve(self, listener)
  local origin = origins[listener]
  if not origin or origin.host == self or not origin.port then return listener end
  local end_point = address.join(origin.ip, origin.port)
  if address.is_loopback(origin.ip) then
    error(("connect: only %s itself reaches its %s"):format(origin.host:name(), end_point), 3)
  end
  local ip, zone = address.split_zone(origin.ip)
  if not zone and not address.is_any(ip) then return end_point end
  local found = zone and interfaces.link_local_between(self, origin.host, ip, zone)
    or not zone and shared_address(self, origin.host, ip)
  if not found then
    error(("connect: %s and %s share no network (lunet.link makes one)"):format(self:name(), origin.host:name()), 3)
  end
  return address.join(found, origin.port)
end

--- Like lunet.connect, from this host. It reaches a listener on another host by its address on a network of both, and
--- raises without such a network. Waits.
---@param target lunet.listener|string|lunet.connect_target
---@param timeout? number seconds
---@return lunet.connection|nil connection
---@return string? message names the address
---@return string? code
function methods:connect(target, timeout)
  core.check_self(self, "lunet.host")
  if core.is_listener(target) then
    target = resolve(self, target)
  elseif type(target) == "table" and core.is_listener(target[1]) then
    target = option_table.merged(target, { resolve(self, target[1]) })
  end
  local connection, message, code = core.connect(self, target, timeout)
  if not connection then message = explain(self, message, code) end
  return connection, message, code
end

--- Reads a sysctl of this host, or writes it. A kernel that lacks a sysctl, or hides it from this host, behaves as if
--- it had a certain value (lunet.network.features): that one is read, and writing it is no failure.
---@param name string "net.ipv4.tcp_syncookies"; only the sysctls of net belong to a host
---@param value? string|number
---@return string|number|nil value the one in force; several values are a text with tabs between them
---@return string? message names the kernel's version that has it, if this one lacks it
---@return string? code "ENOENT" no such sysctl of a host, "EINVAL" no such value, "EACCES" nobody may read or write it
function methods:sysctl(name, value)
  core.check_self(self, "lunet.host")
  local path = sysctl.path(name, 2)
  return sysctl.set(self, name, path, value ~= nil and sysctl.text(name, value, 2) or nil)
end

--- Runs a program on a host, nil for the home host.
---@param on lunet.host|nil
---@param program lunet.program
---@return lunet.process|nil process
---@return string? message
---@return string? code
function host.exec(on, program)
  local process, message, code = core.exec(on, program)
  if process then return process end
  return require("lunet.network.refusal").of_program(process, message, code) -- loaded only when it is needed
end

-- exec and sockets are documented in lunet/types/host.lua.

function methods:exec(program)
  core.check_self(self, "lunet.host")
  local process, message, code = host.exec(self, program)
  return process, message, code
end

function methods:sockets(filter)
  core.check_self(self, "lunet.host")
  local sockets, message, code = core.sockets(self, filter)
  return sockets, message, code
end

function methods:watch(target, every)
  core.check_self(self, "lunet.host")
  local watch, message, code = core.watch(self, target, every)
  return watch, message, code
end

--- Takes a snapshot of the host's TCP counters, by the kernel's names: Tcp and TcpExt. The difference of two snapshots
--- has the counters that moved: `(after - before).ListenOverflows`.
---@return table<string, integer>|nil counters
---@return string? message
---@return string? code
function methods:counters()
  local snmp, message, code = core.read_file(self, "/proc/thread-self/net/snmp")
  if not snmp then return nil, message, code end
  local netstat
  netstat, message, code = core.read_file(self, "/proc/thread-self/net/netstat")
  if not netstat then return nil, message, code end
  return counters.new(snmp, netstat)
end

--- Loses segments that pass this host, until a script closes the rule. lunet.network.rule documents the options.
---@param options lunet.drop_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code
function methods:drop(options)
  core.check_self(self, "lunet.host")
  local made, message, code = rule.drop(self, options)
  return made, message, code
end

local MOST_SEGMENTS = 65536 -- about 17 MB

--- Captures the TCP segments on the interfaces of this host, its loopback among them, until a script closes the capture
--- or the host ends. The tap is at the place of packet(7) sockets. It sees a segment that arrives before a drop rule of
--- this host loses it. A rule loses segments on their way out by sending them to the loopback: the tap sees them there.
---
--- The capture does not change the traffic: the kernel copies headers into a ring of 8192 frames (packet_mmap.rst), 2
--- MiB, and TCP merges segments as it does without a capture. If a script neither waits nor reads while more than 8192
--- segments pass, the others are lost; statistics() counts them. Opening waits 5 to 15 ms for the kernel: open the
--- capture before you measure.
---@param most? integer how many segments it keeps, the last ones; default 65536. Each takes 256 bytes
---@return lunet.capture|nil capture
---@return string? message
---@return string? code "EMFILE"
function methods:capture(most)
  core.check_self(self, "lunet.host")
  if most ~= nil and (math.type(most) ~= "integer" or most < 1) then
    error(("capture: a whole number of segments expected, 1 or more, not %s"):format(tostring(most)), 2)
  end
  return core.capture(self, most or MOST_SEGMENTS)
end

return host
