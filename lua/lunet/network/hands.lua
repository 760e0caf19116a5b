--- The hands on a network: methods by which a script holds, loses, copies, injects and expects single segments. They
--- are for links and LANs whose frames lunet forwards; on others they fail with "EOPNOTSUPP".
local address = require "lunet.network.address"
local core = require "lunet.core"
local filter = require "lunet.network.filter"
local forwarded = require "lunet.network.forwarded"
local interfaces = require "lunet.network.interfaces"
local option_table = require "lunet.text.options"
local value = require "lunet.text.value"

---@class lunet.network
local net = {}

-- The bits of binding/hand.c.
local KINDS <const> = { any = 1, SYN = 2, ["SYN-ACK"] = 4, FIN = 8, RST = 16, data = 32, ACK = 64 }
local FLAGS <const> = { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 }
local FLAG <const> = option_table.one_of(value.sorted_keys(FLAGS))

local WORD <const> = 0xffffffff
local NUMBER <const> = option_table.whole(0, WORD)
local COUNT <const> = option_table.whole(1, 1 << 53)

--- Describes the segments that a hand is for. A segment must match all fields.
---@class lunet.segment_filter
---@field direction? string "a_to_b" or "b_to_a" of a link, "from_host" or "to_host" of a LAN; default both
---@field host? lunet.host of a LAN, where it is required: at whose port
---@field from? string the source: "10.0.0.1", "10.0.0.0/24", "fd00::1", "fd00::/64"
---@field to? string the destination likewise
---@field port? integer either port
---@field from_port? integer
---@field to_port? integer
---@field flags? lunet.segment|lunet.segment[] one of these, or any of a list; default "any"
---@field sequence? integer that of its first byte, as in the header
---@field data? string its payload contains these bytes
---@field skip? integer lets the first so many that match pass
---@field every? integer of those that follow only each n-th; default 1
---@field first? integer at most so many
---@field nth? integer only the n-th that matches: the same as skip = n - 1, first = 1

local FIELDS <const> = option_table.merged(filter.FIELDS, { direction = option_table.text, host = option_table.any,
  sequence = NUMBER, data = option_table.text, skip = option_table.whole(0, 1 << 53), every = COUNT, first = COUNT,
  nth = COUNT })

-- The wire at which a method acts; nil, message and code if lunet forwards no frames there.
local function wire_at(self, method, host)
  if not self.wires[1] then return forwarded.refuse(self, method) end
  if self.kind == "link" then return self.wires[1] end
  if not core.is_host(host) then
    core.misuse(("%s: host: a host of the %s expected, at whose port, not %s"):format(method, self:name(),
      tostring(host)))
  end
  local wire = self.wire_of[host]
  if wire then return wire end
  return forwarded.refuse(self, method)
end

local function check_counts(method, options)
  if options.nth and (options.skip or options.every or options.first) then
    core.misuse(method .. ": nth: no skip, every or first beside it")
  end
end

-- The filter that the core takes.
local function core_filter(self, method, options, first)
  option_table.check(method, options, FIELDS)
  check_counts(method, options)
  local directions = self.settings and self.settings.directions or {}
  if options.direction and self.settings then
    option_table.value(method .. ": direction", options.direction, option_table.one_of(directions))
  end
  local kinds, from, to = 0, filter.addresses(method, options)
  for kind in pairs(filter.kinds(method, options.flags)) do kinds = kinds | KINDS[kind] end
  local nth = options.nth
  return { first_way = options.direction ~= directions[2], second_way = options.direction ~= directions[1],
    from = from and address.with_prefix(from), to = to and address.with_prefix(to), from_port = options.from_port,
    to_port = options.to_port, port = options.port, kinds = kinds, sequence = options.sequence, data = options.data,
    skip = nth and nth - 1 or options.skip, every = options.every, first = nth and 1 or options.first or first }
end

local function put(self, method, name, options, first)
  local words = core_filter(self, method, options, first)
  local wire, message, code = wire_at(self, method, options.host)
  if not wire then return nil, message, code end
  return wire[name](wire, words)
end

--- Keeps the segments that match, from now on, where they enter the network: they stay until `release`. Address
--- resolution and all that is not TCP goes on.
---
--- From the first hand on, the hosts send single segments of at most the MTU, with whole checksums. Newer hands judge
--- first, and only one of them gets a segment.
---
---     assert(link:hold { flags = "SYN" })
---     local connecting = lunet.spawn(client.connect, client, listener, 60)
---     print(lunet.eventually(function() return #link:held() > 0 end, 60)) --> true
---     print(link:release(), connecting:join(60)) --> true  true  connection ...
---@param options lunet.segment_filter
---@return true|nil ok
---@return string? message
---@return string? code "EOPNOTSUPP": lunet does not forward these frames; `delay = 0` changes that. "CLOSED"
function net:hold(options)
  core.check_self(self, "lunet.network")
  return put(self, "hold", "hold", options)
end

--- The segments that hands hold, in the order of their coming.
---
---     assert(link:hold { flags = "SYN" })
---     print(select(3, client:connect(listener, 0.01))) --> TIMEOUT
---     print(lunet.eventually(function() return #link:held() > 0 end, 60)) --> true
---     print(link:held()[1].flags) --> SYN
---@param host? lunet.host of a LAN: at whose port
---@return lunet.segment_seen[]|nil segments
---@return string? message
---@return string? code as for hold
function net:held(host)
  core.check_self(self, "lunet.network")
  local wire, message, code = wire_at(self, "held", host)
  if not wire then return nil, message, code end
  return wire:held()
end

-- Releases the held segments of these numbers, in this order.
local function release_chosen(wire, numbers)
  local left = {}
  for i = 1, #assert(wire:held()) do left[i] = i end
  for _, number in ipairs(numbers) do
    local at
    for i, kept in ipairs(left) do
      if kept == number then at = i end
    end
    if not at then core.misuse(("release: no held segment has the number %s"):format(tostring(number))) end
    table.remove(left, at)
    wire:release(at)
  end
end

--- Sends held segments on, as if they came now: with the network's delay and chance. Without a list of numbers all of
--- them go, and nothing is held from then on. With one only these go, and holding goes on.
---
---     assert(link:hold { flags = "SYN" })
---     local connecting = lunet.spawn(client.connect, client, listener, 60)
---     print(lunet.eventually(function() return #link:held() > 0 end, 60)) --> true
---     print(link:release "reversed", connecting:join(60)) --> true  true  connection ...
---@param order? "in order"|"reversed"|integer[] default "in order"; or the numbers in the list of `held`
---@param host? lunet.host of a LAN: at whose port
---@return true|nil ok
---@return string? message
---@return string? code as for hold
function net:release(order, host)
  core.check_self(self, "lunet.network")
  if order == nil then order = "in order" end
  if type(order) ~= "table" then
    option_table.value("release: order", order, { expected = "\"in order\", \"reversed\" or a list of numbers",
      accepts = function(any) return any == "in order" or any == "reversed" end })
  end
  local wire, message, code = wire_at(self, "release", host)
  if not wire then return nil, message, code end
  if type(order) == "table" then
    release_chosen(wire, order)
    return true
  end
  wire:let_go()
  local held
  held, message, code = wire:held()
  if not held then return nil, message, code end
  for i = #held, 1, -1 do wire:release(order == "reversed" and i or 1) end
  return true
end

--- Loses the next segment that matches, or the next `first` ones.
---
---     assert(link:drop_next { flags = "SYN" })
---     print(select(3, client:connect(listener, 0.01))) --> TIMEOUT
---     print((client:connect(listener, 60))) --> connection ...
---@param options lunet.segment_filter
---@return true|nil ok
---@return string? message
---@return string? code as for hold
function net:drop_next(options)
  core.check_self(self, "lunet.network")
  return put(self, "drop_next", "lose", options, 1)
end

--- Lets the next segment that matches, or the next `first` ones, go on twice.
---
---     local capture = assert(server:capture())
---     assert(link:copy { flags = "SYN" })
---     assert(client:connect(listener, 60))
---     print(lunet.eventually(function() return #capture:segments() > 3 end, 60)) --> true
---@param options lunet.segment_filter
---@return true|nil ok
---@return string? message
---@return string? code as for hold
function net:copy(options)
  core.check_self(self, "lunet.network")
  return put(self, "copy", "copy", options, 1)
end

--- Waits for a segment that matches to enter the network from now on, whatever becomes of it there, and returns its
--- fields. A segment that a host sent since lunet last waited has not entered yet: so send first, and expect then.
---
---     local connecting = lunet.spawn(client.connect, client, listener, 60)
---     print(link:expect({ flags = "SYN" }, 60).flags) --> SYN
---     print(connecting:join(60)) --> true  connection ...
---@async
---@param options lunet.segment_filter
---@param timeout? number seconds
---@return lunet.segment_seen|nil segment
---@return string? message
---@return string? code as for hold, and "TIMEOUT"
function net:expect(options, timeout)
  core.check_self(self, "lunet.network")
  local words = core_filter(self, "expect", options)
  local wire, message, code = wire_at(self, "expect", options.host)
  if not wire then return nil, message, code end
  local seen
  seen, message, code = wire:expect(words, timeout)
  return seen, message, code
end

-- -- crafted segments --------------------------------------------------------------------------

--- A segment that nobody has sent.
---@class lunet.crafted_segment
---@field like? lunet.connection it seems to come from this end, and goes to its peer
---@field from? string "10.0.0.1:4000", without `like`
---@field to? string
---@field flags? string|string[] of FIN, SYN, RST, PSH, ACK, URG; default "ACK"
---@field seq? integer|string as in the header; "+0": what the sender would send next, "+5" and "-5" beside it; "old":
--- 100,000 before it. Default "+0"
---@field ack? integer|string likewise of what the other end would send next; default "+0" if ACK is among the flags
---@field data? string
---@field window? integer unscaled; default 1024
---@field checksum? "right"|"wrong" default "right"
---@field icmp? lunet.icmp an ICMP error about this segment instead, from its destination to its sender (RFC 792, 4443)
---@field mtu? integer of "fragmentation-needed", 68 to 65535; default 1280

---@alias lunet.icmp "net-unreachable"|"host-unreachable"|"protocol-unreachable"|"port-unreachable"
---|"fragmentation-needed"|"prohibited"|"time-exceeded"

-- Type and code for IPv4 and for IPv6.
local ICMP <const> = {
  ["net-unreachable"] = { { 3, 0 }, { 1, 0 } }, ["host-unreachable"] = { { 3, 1 }, { 1, 3 } },
  ["protocol-unreachable"] = { { 3, 2 }, { 4, 1 } }, ["port-unreachable"] = { { 3, 3 }, { 1, 4 } },
  ["fragmentation-needed"] = { { 3, 4 }, { 2, 0 } }, ["prohibited"] = { { 3, 13 }, { 1, 1 } },
  ["time-exceeded"] = { { 11, 0 }, { 3, 0 } },
}
local ICMP_NAMES <const> = { "net-unreachable", "host-unreachable", "protocol-unreachable", "port-unreachable",
  "fragmentation-needed", "prohibited", "time-exceeded" }

local END <const> = { expected = "an address with a port, like 10.0.0.1:4000 or [fd00::1]:4000",
  accepts = function(any) return type(any) == "string" and address.ip(any) ~= nil and address.port(any) ~= nil end }
local POSITION <const> = { expected = "a whole number from 0 to 4294967295, \"old\", or one like \"+0\" or \"-5\"",
  accepts = function(any)
    return NUMBER.accepts(any) or any == "old" or type(any) == "string" and any:find "^[+-]%d+$" ~= nil
  end }
local CRAFTED <const> = { like = { expected = "a connection", accepts = function(any)
  return debug.getmetatable(any) ~= nil and debug.getmetatable(any).__name == "lunet.connection"
end }, from = END, to = END, flags = option_table.any, seq = POSITION, ack = POSITION, data = option_table.text,
  window = option_table.whole(0, 65535), checksum = option_table.one_of { "right", "wrong" },
  icmp = option_table.one_of(ICMP_NAMES), mtu = option_table.whole(68, 65535) }

local function flag_bits(flags)
  local list, bits = flags == nil and "ACK" or flags, 0
  if type(list) ~= "table" then list = { list } end
  for _, name in ipairs(list) do
    option_table.value("inject: flags", name, FLAG)
    bits = bits | FLAGS[name]
  end
  return bits
end

local function ends_of(options)
  local from, to = options.from, options.to
  if options.like then
    from, to = from or options.like:address(), to or options.like:peer()
    if not from or not to then core.misuse "inject: like: an open connection expected" end
  end
  option_table.value("inject: from", from, END)
  option_table.value("inject: to", to, END)
  return from, to
end

-- The number of the host that has an address here.
local function place_of(self, end_point)
  for i, host in ipairs(self.hosts) do
    for _, own in ipairs(interfaces.addresses(host, self) or {}) do
      if own == address.ip(end_point) then return i end
    end
  end
end

-- The wire that leads to the host of an address, and the number of the end that seems to send: 1 or 2. A link's own
-- host reaches an address beyond the link by the other host.
local function way_to(self, to, from)
  local i = place_of(self, to)
  if self.kind == "link" then
    local sender = i and 3 - i or place_of(self, from)
    if sender then return self.wires[1], sender end
  elseif i then
    return self.wire_of[self.hosts[i]], 2
  end
  core.misuse(("inject: to: an address of a host on the %s expected, not %s"):format(self:name(), to))
end

-- Type, code and MTU of an ICMP error; nothing if none is asked for.
local function icmp_of(options, from)
  local name = options.icmp
  if options.mtu and name ~= "fragmentation-needed" then core.misuse "inject: mtu: only of fragmentation-needed" end
  if not name then return end
  local kind = ICMP[name][from:sub(1, 1) == "[" and 2 or 1]
  return kind[1], kind[2], name == "fragmentation-needed" and (options.mtu or 1280) or 0
end

local OLD <const> = -100000

-- A sequence number in words as the number of a header; nil if none of this way has passed.
local function number_of(self, words, from, to)
  if math.type(words) == "integer" then return words end
  local next_one
  for _, wire in ipairs(self.wires) do
    next_one = next_one or wire:next_sequence(1, from, to) or wire:next_sequence(2, from, to)
  end
  return next_one and (next_one + (words == "old" and OLD or math.tointeger(tonumber(words)))) & WORD
end

--- Sends a crafted segment to its destination's host, over this network; or an ICMP error about it to its sender's. On
--- a link the destination may lie behind the other host, a router.
---
---     local connection = assert(client:connect(listener, 60))
---     local accepted = assert(listener:accept(60))
---     assert(link:inject { like = connection, flags = "RST" })
---     print(select(3, accepted:receive("l", 60))) --> ECONNRESET
---@param options lunet.crafted_segment
---@return true|nil ok
---@return string? message
---@return string? code as for hold; "ENOENT": no segment of the connection passed here from which seq or ack could be
--- told
function net:inject(options)
  core.check_self(self, "lunet.network")
  option_table.check("inject", options, CRAFTED)
  local bits, from, to = flag_bits(options.flags), ends_of(options)
  if not self.wires[1] then return forwarded.refuse(self, "inject") end
  local wire, sender = way_to(self, options.icmp and from or to, options.icmp and to or from)
  if not wire then return forwarded.refuse(self, "inject") end
  local seq = number_of(self, options.seq or "+0", from, to)
  local ack = bits & FLAGS.ACK == 0 and options.ack == nil and 0 or number_of(self, options.ack or "+0", to, from)
  if not seq or not ack then
    return nil, ("inject: no segment from %s passed here: give its %s as a number (ENOENT)"):format(
      seq and to or from, seq and "ack" or "seq"), "ENOENT"
  end
  return wire:inject(sender, from, to, bits, seq, ack, options.window or 1024, options.data or "",
    options.checksum == "wrong", icmp_of(options, from))
end

return net
