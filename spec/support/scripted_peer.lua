--- A TCP peer that a spec plays by hand: the spec writes each segment of the peer, and reads each answer of the server.
--- The server is a host of the real kernel. The link holds all that the server sends, so the peer's own kernel hears
--- nothing and never speaks.
local assert = require "luassert"
local eventually = require "spec.support.eventually"
local lunet = require "lunet"
local merged = require "spec.support.merged"

local BOUND <const> = require "spec.support.bound"

local PORT <const>, SERVER_PORT <const> = 4000, 7000
local WORD <const> = 0xffffffff

-- Without these a busy machine would see segments that a timer sent. A challenge goes out each time.
local SYSCTLS <const> = { ["net.ipv4.tcp_early_retrans"] = 0, ["net.ipv4.tcp_invalid_ratelimit"] = 0 }

---@class scripted_peer
---@field server lunet.host
---@field link lunet.network
---@field seq integer of the next byte that the peer sends
---@field ack integer of the next byte that it expects; 0: it knows none yet
local peer = {}
peer.__index = peer

--- Begins. The caller closes it.
---@param options? {sysctl: table?, listen: table|false?, times_out: boolean?} of the server; listen: options of its
--- listener, false: none; times_out: its timers run as they do by default
---@return scripted_peer
function peer.open(options)
  options = options or {}
  local far = assert(lunet.host "peer")
  local server = assert(lunet.host { name = "server", sysctl = merged(SYSCTLS, options.sysctl) })
  if not options.times_out then server:sysctl("net.ipv4.tcp_rto_min_us", 20000000) end -- since Linux 6.11
  local self = setmetatable({ far = far, server = server, link = lunet.link(far, server, { delay = 0 }), read = 0,
    seen = {}, seq = 1000, ack = 0, port = PORT }, peer)
  self.address, self.server_address = self.link:address(far), self.link:address(server)
  if options.listen ~= false then
    self.listener = assert(server:listen(merged({ port = SERVER_PORT, backlog = 5, nodelay = true }, options.listen)))
  end
  self.server_port = SERVER_PORT
  assert(self.link:hold { direction = "b_to_a" })
  return self
end

function peer:close()
  self.server:close()
  self.far:close()
end

--- Sends a segment as it is told, by default the next in order; counts what it takes of the sequence space.
---@param fields table of lunet.crafted_segment: flags, seq, ack, data, window, icmp
function peer:send(fields)
  local flags = type(fields.flags) == "table" and table.concat(fields.flags, ",") or fields.flags or "ACK"
  local ends = { from = ("%s:%d"):format(self.address, self.port),
    to = ("%s:%d"):format(self.server_address, self.server_port) }
  local numbers = { seq = (fields.seq or self.seq) & WORD, ack = (fields.ack or self.ack) & WORD }
  assert(self.link:inject(merged(merged(ends, fields), numbers)))
  if fields.seq or fields.icmp then return end -- out of order
  local taken = #(fields.data or "") + (flags:find "SYN" and 1 or 0) + (flags:find "FIN" and 1 or 0)
  self.seq = (self.seq + taken) & WORD
end

-- Whether a timer has sent this once more: what takes room in the sequence space, and came before.
local function is_again(self, s)
  local key = ("%s %s %d %d"):format(s.to, s.flags, s.sequence, s.bytes)
  local takes_room = s.bytes > 0 or s.flags:find "SYN" or s.flags:find "FIN"
  if takes_room and self.seen[key] then return true end
  self.seen[key] = true
  return false
end

--- Waits for the server's next segment, without those that its timers send again.
---@return lunet.segment_seen
function peer:next()
  while true do
    local number = self.read + 1
    local s = eventually(function() return assert(self.link:held())[number] end)
    self.read = number
    if not is_again(self, s) then return s end
  end
end

--- Waits for the next segment, checks its flags, and from now on acknowledges what it took of the sequence space.
---@param flags string "SYN,ACK"
---@return lunet.segment_seen
function peer:expect(flags)
  local s = self:next()
  assert.equal(flags, s.flags)
  local taken = s.bytes + (flags:find "SYN" and 1 or 0) + (flags:find "FIN" and 1 or 0)
  if taken > 0 then self.ack = (s.sequence + taken) & WORD end
  return s
end

--- Makes the handshake, and returns the server's connection.
---@return lunet.connection
function peer:connect()
  self:handshake()
  return assert(self.listener:accept(BOUND))
end

--- Makes the handshake, and leaves the connection in the server's queue.
function peer:handshake()
  local depth = self.listener:queue().depth
  self:send { flags = "SYN", ack = 0 }
  self:expect "SYN,ACK"
  self:send {}
  eventually(function() return self.listener:queue().depth == depth + 1 end)
end

--- The state of the server's socket for this peer, as its kernel lists it; nil if it lists none.
---@return string?
function peer:state()
  local socket = self.server:sockets({ local_port = self.server_port, peer_port = self.port })[1]
  return socket and socket.state
end

--- Waits until the server's socket is in a state; nil: until it is gone.
---@param state string?
function peer:await(state)
  eventually(function() return self:state() == state end)
end

--- Shows that the server has sent nothing since: another port's SYN is answered next.
function peer:assert_silent()
  local port, seq, ack = self.port, self.seq, self.ack
  self.probes = (self.probes or 0) + 1
  self.port = port + self.probes
  self:send { flags = "SYN", ack = 0, seq = 7 }
  local s = self:next()
  assert.same({ "SYN,ACK", ("%s:%d"):format(self.address, self.port), 8 }, { s.flags, s.to, s.acknowledgement })
  self.port, self.seq, self.ack = port, seq, ack
end

return peer
