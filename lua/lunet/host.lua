--- Hosts: network stacks of their own, and what can be asked of one.
local core = require "lunet.core"
local counters = require "lunet.counters"
local network = require "lunet.network"

local host = {}

local methods = core.host_methods
local core_listen, core_connect = core.host_listen, core.host_connect

-- By listener: the host it is on.
local host_of = setmetatable({}, { __mode = "k" })

local hosts_made = 0

--- Makes a host: a network stack of its own, with its own addresses, sysctls and counters, and its
--- loopback up. Needs no privilege: without it, the process is moved into a user namespace first.
---@param options? string|{name?: string, sysctl?: table<string, string|number>} its name, or more
---@return lunet.host|nil host
---@return string? message
---@return string? code "EPERM", "ENOSPC" where the machine refuses namespaces
function host.new(options)
  if options == nil or type(options) == "string" then options = { name = options } end
  if type(options) ~= "table" then error("bad argument #1 to 'host' (name or table expected)", 2) end
  for field in pairs(options) do
    if field ~= "name" and field ~= "sysctl" then
      error(("host: unknown option '%s' (known: name, sysctl)"):format(tostring(field)), 2)
    end
  end
  hosts_made = hosts_made + 1
  local made, message, code = core.host(options.name or ("host %d"):format(hosts_made))
  if not made then return nil, message, code end
  for name, value in pairs(options.sysctl or {}) do
    local ok
    ok, message, code = made:sysctl(name, value)
    if not ok then
      made:close()
      return nil, message, code
    end
  end
  return made
end

--- Like lunet.listen, on this host; any address (0.0.0.0) by default.
function methods:listen(target)
  local listener, message, code = core_listen(self, target)
  if listener then host_of[listener] = self end
  return listener, message, code
end

local function resolve(self, listener)
  local server = host_of[listener]
  if not server then error("connect: the listener is on the home host, which shares no network with " .. self:name(), 3) end
  local text, port = listener:address()
  if not text or server == self or not port then return listener end
  local is_any = text:match "^0%.0%.0%.0:" or text:match "^%[::%]:"
  if not is_any then return text end
  local family = text:sub(1, 1) == "[" and "ipv6" or "ipv4"
  local address = network.address_between(self, server, family)
  if not address then
    error(("connect: %s and %s share no network (lunet.link makes one)"):format(self:name(), server:name()), 3)
  end
  return (family == "ipv6" and "[%s]:%d" or "%s:%d"):format(address, port)
end

--- Like lunet.connect, from this host. A listener on another host is reached by its address on a
--- network that both are on; raises if there is none.
function methods:connect(target, timeout)
  if core.is_listener(target) then
    target = resolve(self, target)
  elseif type(target) == "table" and core.is_listener(target[1]) then
    local copy = {}
    for key, value in pairs(target) do copy[key] = value end
    copy[1] = resolve(self, target[1])
    target = copy
  end
  return core_connect(self, target, timeout)
end

--- Reads a sysctl of this host, or writes it.
---@param name string "net.ipv4.tcp_syncookies"
---@param value? string|number
---@return string|number|nil value the one in force
---@return string? message
---@return string? code "ENOENT" no such sysctl (of a namespace), "EINVAL" no such value, "EACCES" read-only
function methods:sysctl(name, value)
  if type(name) ~= "string" or not name:match "^[%w_%-./]+$" then
    error("bad argument #1 to 'sysctl' (a name like net.ipv4.tcp_syncookies expected)", 2)
  end
  local path = "/proc/sys/" .. name:gsub("%.", "/")
  if value ~= nil then
    local ok, _, code = core.write_file(self, path, tostring(value))
    if not ok then return nil, ("sysctl %s = %s: refused (%s)"):format(name, value, code), code end
  end
  local text, _, code = core.read_file(self, path)
  if not text then return nil, ("sysctl %s: no such setting of this host (%s)"):format(name, code), code end
  text = text:gsub("\n$", "")
  return math.tointeger(tonumber(text)) or text
end

--- The host's TCP counters by the kernel's names: Tcp and TcpExt. The difference of two snapshots
--- has what changed: `(after - before).ListenOverflows`.
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

return host
