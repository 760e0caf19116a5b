--- The states of connections over time, each end for itself. They come from the segments, or from the calls if no
--- segments were recorded; the kernel's snapshots correct them.
local address = require "lunet.network.address"

local states = {}

local function end_key(host, near, far) return (host or 0) .. "|" .. near .. ">" .. far end

-- The end of a step; nil if the list is full.
local function end_of(self, host, near, far, at)
  local key = end_key(host, near, far)
  local found = self.by_key[key]
  if found then return found end
  if self.left_out[key] then return nil end
  if #self.list >= self.most then
    self.left_out[key] = true
    self.count_left_out = self.count_left_out + 1
    return nil
  end
  found = { host = host or 0, near = near, far = far, from = at, spells = {} }
  self.by_key[key] = found
  self.list[#self.list + 1] = found
  return found
end

-- -- steps: events that may change a state, in the order of time -------------------------------

local function add_step(self, at, what, of, e, handshake)
  if not of then return end
  self.steps[#self.steps + 1] = { at = at, what = what, of = of, e = e, handshake = handshake, number = #self.steps }
end

-- Leaves out segments that change no state: data and acknowledgements of an open connection.
local function add_segment(self, e)
  local pair = e.from < e.to and e.from .. e.to or e.to .. e.from
  local handshake = self.handshakes[pair]
  local is_syn = e.flags:find "SYN"
  if e.flags == "SYN" and not e.again or is_syn and not handshake then
    handshake = {}
    self.handshakes[pair] = handshake
  end
  if e.flags == "SYN,ACK" then handshake.answered = e.at end
  local matters = is_syn or e.flags:find "FIN" or e.flags:find "RST"
  if matters then self.is_moving[pair] = true end
  if not (matters or self.is_moving[pair]) then return end
  if e.host then add_step(self, e.at, "sent", end_of(self, e.host, e.from, e.to, e.at), e, handshake) end
  if e.to_host and e.arrived and e.lost ~= "rule" then
    add_step(self, e.arrived, "arrived", end_of(self, e.to_host, e.to, e.from, e.arrived), e, handshake)
    if not matters and e.sequence == 1 and e.acknowledgement == 1 then self.is_moving[pair] = nil end
  end
end

local CALLS <const> = { connect = true, accept = true, receive = true, send = true, close = true, reset = true,
  dissolve = true, shutdown = true }

local function add_call(self, e)
  local near, far = e.local_address, e.peer_address
  if type(near) ~= "string" or type(far) ~= "string" then return end
  local changes = e.kind ~= "send" and e.kind ~= "receive" or e.code
  if changes then add_step(self, e.at, "call", end_of(self, e.host, near, far, e.since or e.at), e) end
end

local function add_sockets(self, e)
  for _, socket in ipairs(e.changed) do
    if socket.peer_address then
      local of = socket.state ~= "gone" and end_of(self, e.host, socket.local_address, socket.peer_address, e.at)
        or self.by_key[end_key(e.host, socket.local_address, socket.peer_address)]
      add_step(self, e.at, "snapshot", of, socket)
    end
  end
end

-- -- the effect of a step ----------------------------------------------------------------------

local function enter(of, state, at, source)
  if of.state == state then return end
  local last = of.spells[#of.spells]
  if last and not last.to then
    last.to = at
    if last.from == at then of.spells[#of.spells] = nil end
  end
  of.state = state
  if state then of.spells[#of.spells + 1] = { state = state, from = at, source = source } end
end

local function on_sent(of, e)
  local has = function(flag) return e.flags:find(flag, 1, true) end
  if has "RST" then return nil end
  if has "SYN" then
    of.fin = nil
    return has "ACK" and "SYN_RECV" or "SYN_SENT"
  end
  if not has "FIN" then return of.state end
  of.fin = e.sequence + e.bytes + 1
  if of.state == "CLOSE_WAIT" or of.state == "LAST_ACK" then return "LAST_ACK" end
  return (of.state == nil or of.state == "ESTABLISHED" or of.state == "SYN_RECV") and "FIN_WAIT1" or of.state
end

local ACKNOWLEDGED <const> = { FIN_WAIT1 = "FIN_WAIT2", CLOSING = "TIME_WAIT" }
local FIN_ARRIVED <const> = { ESTABLISHED = "CLOSE_WAIT", SYN_RECV = "CLOSE_WAIT", FIN_WAIT1 = "CLOSING",
  FIN_WAIT2 = "TIME_WAIT" }

-- A SYN-ACK opens these; SYN_RECV if both ends connected at once.
local OPENED <const> = { SYN_SENT = true, SYN_RECV = true }

-- The last SYN-ACK shows that the server took no ACK before it: a full queue drops them.
local function on_arrived(of, e, handshake, at)
  if e.flags:find "RST" then return nil end
  if e.flags:find "SYN" then return OPENED[of.state] and e.flags == "SYN,ACK" and "ESTABLISHED" or of.state end
  local state = of.state
  local is_answered = handshake and handshake.answered and at > handshake.answered
  if state == "SYN_RECV" and not is_answered then return state end
  if state == "SYN_RECV" then state = "ESTABLISHED" end
  if of.fin and e.acknowledgement and e.acknowledgement >= of.fin then
    if state == "LAST_ACK" then return nil end
    state = ACKNOWLEDGED[state] or state
  end
  return e.flags:find "FIN" and FIN_ARRIVED[state] or state
end

local BROKEN <const> = { ECONNRESET = true, EPIPE = true, ECONNREFUSED = true, ETIMEDOUT = true }

-- The state after a call. Recorded segments know better, except for an accept.
local function on_call(of, e)
  if e.kind == "accept" and not e.code then of.accepted = e.at end
  if of.has_segments then return of.state or e.kind == "accept" and not e.code and "ESTABLISHED" or nil end
  if e.code and e.code ~= "EOF" then
    return not BROKEN[e.code] and e.kind ~= "connect" and of.state or nil
  end
  if e.kind == "connect" or e.kind == "accept" then return "ESTABLISHED" end
  if e.code == "EOF" then return of.state == "ESTABLISHED" and "CLOSE_WAIT" or of.state end
  if e.kind == "shutdown" and e.how == "rd" then return of.state end
  if e.kind == "shutdown" then return of.state == "CLOSE_WAIT" and "LAST_ACK" or "FIN_WAIT1" end
  return nil
end

local appliers = {}

function appliers.sent(step) enter(step.of, on_sent(step.of, step.e), step.at, "segment") end

function appliers.arrived(step)
  enter(step.of, on_arrived(step.of, step.e, step.handshake, step.at), step.at, "segment")
end

function appliers.call(step)
  local of, e = step.of, step.e
  if e.kind == "connect" and e.since and not of.has_segments then enter(of, "SYN_SENT", e.since, "call") end
  enter(of, on_call(of, e), step.at, "call")
end

function appliers.snapshot(step)
  local state = step.e.state
  enter(step.of, state ~= "gone" and state or nil, step.at, "snapshot")
end

-- -- all of them -------------------------------------------------------------------------------

local function collect(self, events)
  for _, e in ipairs(events) do
    if e.kind == "segment" then add_segment(self, e)
    elseif e.kind == "sockets" then add_sockets(self, e)
    elseif CALLS[e.kind] and e.socket then add_call(self, e)
    elseif e.kind == "listen" and e.local_port then self.listens[(e.host or 0) .. ":" .. e.local_port] = true end
  end
  table.sort(self.steps, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.number < b.number
  end)
end

-- An end waits in the queue until a listener of lunet's has accepted it.
local function mark_queued(self, of, last)
  if not self.listens[of.host .. ":" .. (address.port_text(of.near) or "")] then return end
  for _, spell in ipairs(of.spells) do
    if spell.state == "ESTABLISHED" or spell.state == "CLOSE_WAIT" then
      of.queued_from = of.queued_from or spell.from
      of.queued_to = math.min(of.accepted or last, spell.to or last)
    end
  end
  if of.accepted and of.queued_from then of.queued_to = math.max(of.accepted, of.queued_from) end
end

--- Finds the states of the first ends of connections that events tell of.
---@param events table[]
---@param most integer how many ends
---@param who lunet.cast of the events
---@return {host: integer, name: string, peer: string?, near: string, far: string, spells: {state: string,
---  from: number, to: number?, source: "segment"|"call"|"snapshot"}[], accepted: number?, queued_from: number?,
---  queued_to: number?}[] ends in the order of their beginnings; a spell without `to` lasts to the end
---@return integer left_out the number of ends beyond these
function states.of(events, most, who)
  local self = { list = {}, by_key = {}, left_out = {}, count_left_out = 0, most = most, steps = {}, handshakes = {},
    is_moving = {}, listens = {} }
  collect(self, events)
  for _, step in ipairs(self.steps) do
    if step.what == "sent" or step.what == "arrived" then step.of.has_segments = true end
  end
  for _, step in ipairs(self.steps) do appliers[step.what](step) end
  local others = {}
  for _, of in ipairs(self.list) do others[of.near .. ">" .. of.far] = of end
  local last, shown = events[#events] and events[#events].at or 0, {}
  for _, of in ipairs(self.list) do
    mark_queued(self, of, last)
    local other = others[of.far .. ">" .. of.near]
    of.name = who:at(of.near, of.far, of.host) or of.near
    of.peer = who:beyond(of.near, of.far, other and other.host)
    if #of.spells > 0 then shown[#shown + 1] = of end
  end
  return shown, self.count_left_out
end

return states
