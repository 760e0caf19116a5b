--- Hosts, which are network stacks of their own, and their methods.
local address = require "lunet.network.address"
local core = require "lunet.core"
local counters = require "lunet.network.counters"
local interfaces = require "lunet.network.interfaces"
local option_table = require "lunet.text.options"
local rule = require "lunet.network.rule"
local surroundings = require "lunet.network.surroundings"
local sysctl = require "lunet.network.sysctl"
local translation = require "lunet.network.translation"
require "lunet.network.expectation" -- of captures

local host = {}

---@class lunet.host
local methods = core.host_methods

-- By listener: {host, ip, port}, even of a closed one; without ip and port if it has a path.
local origins = setmetatable({}, { __mode = "k" })

local hosts_made = 0

--- Makes a host: a network stack with its own addresses, sysctls and counters, and its loopback up
--- (network_namespaces(7)). Needs no privilege: an ordinary user's process first moves into a user namespace
--- (user_namespaces(7)).
---
---     local host = assert(lunet.host { name = "server", sysctl = { ["net.ipv4.tcp_syncookies"] = 0 } })
---     print(host:name(), host:sysctl "net.ipv4.tcp_syncookies") --> server  0
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
  ok, message, code = sysctl.set_all(made, around.sysctls)
  if ok then ok, message, code = sysctl.set_all(made, sysctls) end
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
---
---     local other = assert(server:listen { port = 7301, backlog = 5 })
---     print(other:address()) --> 0.0.0.0:7301  7301
---@param target lunet.listen_target
---@return lunet.listener|nil listener
---@return string? message names the address
---@return string? code as for lunet.listen
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
---
---     local connection = assert(client:connect(listener, 60))
---     print(connection:peer() == link:address(server) .. ":7300") --> true
---@async
---@param target lunet.listener|string|lunet.connect_target
---@param timeout? number seconds
---@return lunet.connection|nil connection
---@return string? message names the address
---@return string? code as for lunet.connect
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

--- Reads a sysctl of this host, or writes it (proc_sys(5), ip-sysctl.rst of the kernel). A kernel that lacks a sysctl,
--- or hides it from this host, behaves as if it had a certain value (lunet.network.features): that one is read, and
--- writing it is no failure.
---
---     print(server:sysctl("net.ipv4.tcp_syncookies", 0)) --> 0
---     print(server:sysctl "net.ipv4.tcp_syncookies") --> 0
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

local DEFAULTS <const> = { ipv4 = "0.0.0.0/0", ipv6 = "::/0" }

-- A network with its prefix length, for core.add_route; nil for what is none.
local function network_of(any)
  local text = type(any) == "string" and address.with_prefix(any)
  return text and core.is_address(text) and text or nil
end

--- Adds a route (rtnetlink(7)): packets to a network go by a gateway, which a link or a LAN of this host reaches. A
--- host between two networks forwards if its sysctl net.ipv4.ip_forward is 1, or net.ipv6.conf.all.forwarding for IPv6.
--- If it has no route itself, it says so twice, and no more while packets keep coming: set net.ipv4.icmp_ratemask to 0.
--- Both ends need a route to the other one's network. The two hosts share no network, so `connect` takes the listener's
--- address in words: "10.0.1.2:7300".
---
---     assert(client:route("192.0.2.0/24", link:address(server)))
---     print(select(3, client:route("192.0.2.0/24", link:address(server)))) --> EEXIST
---@param network string "10.1.0.0/16", "fd00:7::/64", one address, or "default" for all others
---@param via string the gateway's address: "10.0.0.1", "fd00:1::1"
---@return true|nil ok
---@return string? message
---@return string? code "EEXIST" there is that route already, "ENETUNREACH" or "EHOSTUNREACH" nothing leads to the
--- gateway, "EINVAL" the network's address has bits behind its prefix
function methods:route(network, via)
  core.check_self(self, "lunet.host")
  local gateway = type(via) == "string" and not via:find "/" and network_of(via)
  if not gateway then
    core.misuse(("route: an address like 10.0.0.1 or fd00:1::1 expected as gateway, not %s"):format(tostring(via)))
  end
  local is_ipv6 = address.is_ipv6(gateway)
  local to = network == "default" and DEFAULTS[is_ipv6 and "ipv6" or "ipv4"] or network_of(network)
  if not to then
    core.misuse(("route: a network like 10.1.0.0/16 or \"default\" expected, not %s"):format(tostring(network)))
  end
  if address.is_ipv6(to) ~= is_ipv6 then
    core.misuse(("route: to %s by %s: both IPv4 or both IPv6 expected"):format(network, via))
  end
  local ok, message, code = core.add_route(self, to, gateway)
  if not ok then message = ("route to %s by %s: %s"):format(network, via, message) end
  return ok, message, code
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

--- Like lunet.exec, on this host.
---
---     local process = assert(client:exec { "cat", stdin = "pipe" })
---     process.stdin:send "hello\n"
---     print(process.stdout:receive("l", 60)) --> hello
---@async
---@param program lunet.program
---@return lunet.process|nil process
---@return string? message names the program
---@return string? code as for lunet.exec, and "CLOSED" if a script closes the host meanwhile
function methods:exec(program)
  core.check_self(self, "lunet.host")
  local process, message, code = host.exec(self, program)
  return process, message, code
end

--- Like lunet.sockets, of this host. It takes about 0.1 ms, and lunet.sockets several times as long: a host
--- has a small table of sockets of its own.
---
---     local connection = assert(client:connect(listener, 60))
---     local _, port = connection:address()
---     local function queued() return #server:sockets { peer_port = port, owned = false } == 1 end
---     print(lunet.eventually(queued, 60)) --> true
---@param filter? lunet.socket_filter
---@return lunet.socket[]|nil sockets
---@return string? message
---@return string? code as for lunet.sockets
function methods:sockets(filter)
  core.check_self(self, "lunet.host")
  local sockets, message, code = core.sockets(self, filter)
  return sockets, message, code
end

--- Ends the sockets of this host that fit, as `ss -K` does: SOCK_DESTROY (sock_diag(7); net/ipv4/tcp.c, tcp_abort).
---
--- * A connection sends RST to its peer and is in CLOSE. Its program reads the bytes that had come. It gets
---   "ECONNABORTED" once: from the read behind them, or from the next send if the peer's FIN had come.
--- * A queued connection keeps its place in the queue, and its bytes: accept gives it. No list shows it any more.
--- * A listener listens no more: newcomers get "ECONNREFUSED", and its queued connections RST.
--- * In TIME_WAIT and in SYN_RECV the socket goes, without a segment.
---
--- The kernel needs CONFIG_INET_DIAG_DESTROY. Without it the call fails, even if no socket fits.
---
---     assert(client:connect(listener, 60))
---     local count, _, code = server:destroy { listener = listener }
---     print(count or code) --> ...
---@param filter lunet.socket_filter at least one field
---@return integer|nil count how many it has ended
---@return string? message
---@return string? code "EOPNOTSUPP": the kernel was built without it; "EPERM"
function methods:destroy(filter)
  core.check_self(self, "lunet.host")
  local count, message, code = core.destroy(self, filter)
  return count, message, code
end

--- Watches the accept queue of a listener that lunet may not have opened, such as a real server's. A recording gets the
--- queue's depth, limit and drops whenever they have changed, as it does for lunet's own listeners. lunet looks each
--- `every` seconds and at events that may have changed the queue. It cannot see a peak between two looks. A look takes
--- about 0.07 ms, and looks take at most a twentieth of the time. Nothing needs to listen there yet.
---
---     local watch = assert(server:watch(7300)) -- a port: whatever listens there
---     assert(client:connect(listener, 60))
---     print(lunet.eventually(function() return watch:peak().depth == 1 end, 60)) --> true
---@param target lunet.listener|integer|string a listener of this host, a port (all listeners at it), or "unix:/path"
---@param every? number seconds from 0.001 to 3600, default 0.01
---@return lunet.watch|nil watch a to-be-closed value; its close ends the watch
---@return string? message
---@return string? code "EMFILE", "ENOMEM", ...; "ENOENT" if the kernel has no tcp_diag
function methods:watch(target, every)
  core.check_self(self, "lunet.host")
  local watch, message, code = core.watch(self, target, every)
  return watch, message, code
end

--- Takes a snapshot of the host's TCP counters, by the kernel's names: Tcp and TcpExt. Those of MPTcpExt have the names
--- that nstat(8) gives them: MPTcpExtMPCapableSYNRX. The difference of two snapshots has the counters that moved:
--- `(after - before).ListenOverflows`.
---
---     local before = server:counters()
---     assert(client:connect(listener, 60))
---     print(lunet.eventually(function() return (server:counters() - before).PassiveOpens == 1 end, 60)) --> true
---@return table<string, integer>|nil counters
---@return string? message
---@return string? code "EMFILE" if a file of /proc cannot be opened, ... (open(2))
function methods:counters()
  local snmp, message, code = core.read_file(self, "/proc/thread-self/net/snmp")
  if not snmp then return nil, message, code end
  local netstat
  netstat, message, code = core.read_file(self, "/proc/thread-self/net/netstat")
  if not netstat then return nil, message, code end
  return counters.new(snmp, netstat)
end

--- Loses segments that pass this host, until a script closes the rule (nft(8)). The page about rules
--- says what they do and see.
---
---     local rule = assert(server:drop { flags = "SYN", port = 7300 })
---     print(select(3, client:connect(listener, 0.01))) --> TIMEOUT
---     print(lunet.eventually(function() return rule:lost() > 0 end, 60)) --> true
---@param options lunet.drop_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code "ENOPKG" without libnftables, "EOPNOTSUPP" on a kernel that lacks a part of nftables
function methods:drop(options)
  core.check_self(self, "lunet.host")
  local made, message, code = rule.drop(self, options)
  return made, message, code
end

--- The TCP connections that this host tracks, in no order. A host tracks none before its first rule with a `state`, or
--- its first translation (host:nat). Its sysctls net.netfilter.nf_conntrack_* set timeouts and more.
---
---     print(#assert(server:tracked())) --> 0
---@return lunet.tracked[]|nil tracked
---@return string? message
---@return string? code "EOPNOTSUPP" or "EINVAL" from a kernel without nf_conntrack_netlink; "EMFILE", ... (socket(2))
function methods:tracked()
  core.check_self(self, "lunet.host")
  local tracked, message, code = core.tracked(self)
  return tracked, message, code
end

--- Translates the addresses of connections that this host forwards, until a script closes the rule: the kernel's NAT
--- (nft(8), NAT STATEMENTS). The host has no connection itself. Switches on its net.ipv4.ip_forward. IPv4 only.
---
--- With a port, connections to that port of the host go on to a server, and come from the host. With `source` alone the
--- host sends on all of them from its own address (masquerade). Connections that are translated already stay so after
--- the rule's end. The rule's `lost` counts connections, by their first segments.
---
---     local rule = assert(server:nat { port = 7300, to = "192.0.2.1", to_port = 80 })
---     print(rule:lost()) --> 0  0
---@param options lunet.nat_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code "ENOPKG" without libnftables, "EOPNOTSUPP" or "ENOENT" on a kernel without NAT
function methods:nat(options)
  core.check_self(self, "lunet.host")
  local made, message, code = translation.open(self, options)
  return made, message, code
end

--- Answers for servers behind this host, until a script closes the rule: the kernel's SYNPROXY (nft(8), SYNPROXY
--- STATEMENT). This host answers a client's SYN to the port by a SYN cookie, with a window of 0. Once the client's ACK
--- shows that it is real, the host connects to the server, and from then on passes segments on. It has no connection
--- itself. Switches on its net.ipv4.ip_forward, and off nf_conntrack_tcp_loose. The rule's `lost` counts the SYNs that
--- it has answered.
---
---     local rule = assert(server:synproxy { port = 80 })
---     print(rule:lost()) --> 0  0
---@param options lunet.synproxy_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code "ENOPKG" without libnftables, "EOPNOTSUPP" or "ENOENT" on a kernel without SYNPROXY
function methods:synproxy(options)
  core.check_self(self, "lunet.host")
  local made, message, code = translation.answer(self, options)
  return made, message, code
end

local MOST_SEGMENTS <const> = 65536 -- about 17 MB

--- Captures the TCP segments on the interfaces of this host, its loopback among them, until a script closes the capture
--- or the host ends. The tap is at the place of packet(7) sockets. It sees a segment that arrives before a drop rule of
--- this host loses it. A rule loses segments on their way out by sending them to the loopback: the tap sees them there.
---
--- The capture does not change the traffic: the kernel copies headers into a ring of 8192 frames (packet_mmap.rst), 2
--- MiB, and TCP merges segments as it does without a capture. If a script neither waits nor reads while more than 8192
--- segments pass, the others are lost; statistics() counts them. The kernel takes 5 to 15 ms to open a capture, in
--- which nothing else of lunet runs: open it before you measure.
---
---     local capture = assert(server:capture())
---     assert(client:connect(listener, 60))
---     print(#assert(capture:expect({ "SYN", "SYN-ACK", "ACK" }, 60))) --> 3
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
