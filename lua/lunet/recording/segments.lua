--- The segments of a run: joins the captures of several hosts to one list, in which each segment stands once, with the
--- times at which it left and arrived.
local address = require "lunet.network.address"

local segments = {}

--- The words for the field `lost` of a segment.
---@type table<string, string>
segments.LOST = { link = "lost on the way", rule = "lost by a rule", chance = "lost by chance",
  capacity = "lost beyond the capacity", hand = "lost by the script", cut = "lost where the wire is cut" }

---@class lunet.segment_event
---@field kind "segment"
---@field at number the time at which it left, or arrived if its sender has no tap
---@field arrived? number the time at which it arrived; nil if it was lost on the way, or its receiver has no tap
---@field lost? "link"|"rule"|string lost on a link, or by a drop rule of a host, or by a wire: its cause
---@field again? boolean whether its sender sent it before
---@field host? integer the sender's number
---@field to_host? integer the receiver's
---@field from string "10.0.0.1:4000"
---@field to string
---@field flags string "SYN", "PSH,ACK"
---@field sequence integer relative: SYN is 0, the first byte 1
---@field acknowledgement? integer relative to the other direction; none without ACK
---@field bytes integer of data
---@field window integer as in the header
---@field length integer bytes of the IP packet
---@field packet string its first bytes

local WRAP <const> = 0x100000000

local function flow_of(s) return s.from .. ">" .. s.to end
local function reverse_of(s) return s.to .. ">" .. s.from end

local function has(flags, flag) return flags:find(flag, 1, true) ~= nil end

-- Signed distance on the circle of sequence numbers.
local function distance(from, to)
  local d = (to - from) % WRAP
  return d < WRAP / 2 and d or d - WRAP
end

local function identity(s)
  return ("%s %s %d %d %s %d"):format(s.from, s.to, s.sequence, s.acknowledgement, s.flags, s.bytes)
end

-- In the order of time. A segment leaves before it arrives.
local function gather(captures)
  local all = {}
  for host, list in pairs(captures) do
    for i, s in ipairs(list) do
      s.host, s.number = host, i
      all[#all + 1] = s
    end
  end
  table.sort(all, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    if a.direction ~= b.direction then return a.direction == "out" end
    if a.host ~= b.host then return a.host < b.host end
    return a.number < b.number
  end)
  return all
end

-- Joins a segment that left one host with the one that arrived at another. A link keeps the order: if a host sends the
-- same bytes twice, the first to leave is the first to arrive.
local function pair(all)
  local events, under_way = {}, {}
  for _, s in ipairs(all) do
    local key = identity(s)
    local waiting = under_way[key]
    if s.direction == "out" then
      local event = { kind = "segment", at = s.at, host = s.host, seen = s, from = s.from, to = s.to }
      events[#events + 1] = event
      waiting = waiting or {}
      waiting[#waiting + 1] = event
      under_way[key] = waiting
    elseif waiting and waiting[1] then
      local event = table.remove(waiting, 1)
      event.arrived, event.to_host = s.at, s.host
    else
      events[#events + 1] = { kind = "segment", at = s.at, arrived = s.at, to_host = s.host, seen = s, from = s.from,
        to = s.to }
    end
  end
  -- A rule of the sender's sends a segment to the loopback to lose it there (lunet.network.rule_text).
  for _, event in ipairs(events) do
    if event.seen.at_loopback and not event.arrived then event.lost = "rule" end
  end
  return events
end

-- Whether the same host sent the same part of a flow before; a host that forwards it sends it, too. If both ends
-- connect at once (RFC 9293, 3.5), each sends a SYN, and then a SYN-ACK with the number of its SYN: that is not its SYN
-- again.
local function is_again(s, last, furthest, answered)
  if not furthest or last > furthest then return false end
  return s.flags ~= "SYN,ACK" or answered == s.sequence
end

-- The progress of a host in a flow; a host without a tap counts as host 0.
local function sent_by(of_hosts, host, flow)
  local flows = of_hosts[host or 0] or {}
  of_hosts[host or 0] = flows
  flows[flow] = flows[flow] or {}
  return flows[flow]
end

-- Makes numbers relative to each direction's first one, and marks segments sent again.
local function number(events)
  local first, of_hosts = {}, {}
  for _, event in ipairs(events) do
    local s = event.seen
    local flow, reverse = flow_of(event), reverse_of(event)
    local is_syn = has(s.flags, "SYN")
    if is_syn and first[flow] ~= s.sequence or not first[flow] then
      first[flow] = is_syn and s.sequence or s.sequence - 1
      for _, flows in pairs(of_hosts) do flows[flow] = nil end
    end
    if has(s.flags, "ACK") and not first[reverse] then first[reverse] = s.acknowledgement - 1 end
    event.sequence = distance(first[flow], s.sequence)
    event.acknowledgement = has(s.flags, "ACK") and distance(first[reverse], s.acknowledgement) or nil
    local size = s.bytes + (is_syn and 1 or 0) + (has(s.flags, "FIN") and 1 or 0)
    local last = event.sequence + size
    if size > 0 and not has(s.flags, "RST") then
      local sent = sent_by(of_hosts, event.host, flow)
      if is_again(s, last, sent.furthest, sent.answered) then event.again = true end
      if s.flags == "SYN,ACK" then sent.answered = s.sequence end
      sent.furthest = math.max(sent.furthest or last, last)
    end
    event.flags, event.bytes, event.window = s.flags, s.bytes, s.window
    event.length, event.packet, event.seen = s.length, s.packet, nil
  end
end

-- Finds each loss of a wire among the segments that never arrived. Returns the other losses.
local function explain(events, of_wires)
  local by_identity, others = {}, {}
  for _, event in ipairs(events) do
    if not event.arrived and not event.lost then
      local key = identity(event.seen)
      by_identity[key] = by_identity[key] or {}
      table.insert(by_identity[key], event)
    end
  end
  for _, loss in ipairs(of_wires) do
    local found = loss.flags and by_identity[identity { from = loss.local_address, to = loss.peer_address,
      sequence = loss.sequence, acknowledgement = loss.acknowledgement, flags = loss.flags, bytes = loss.bytes }]
    if found and found[1] then table.remove(found, 1).lost = loss.cause else others[#others + 1] = loss end
  end
  return others
end

-- A segment is lost if it never arrived at a known host. Hosts are known by the segments that they sent or received.
local function mark_lost(events)
  local owners = {}
  local function learn(end_point, host) owners[address.ip(end_point)] = host end
  for _, event in ipairs(events) do
    if event.host then learn(event.from, event.host) end
    if event.to_host then learn(event.to, event.to_host) end
  end
  for _, event in ipairs(events) do
    local receiver = owners[address.ip(event.to)]
    if not event.arrived and not event.lost and receiver then event.lost = "link" end
    event.to_host = event.to_host or receiver
  end
end

--- Makes one list of several hosts' captures.
---@param captures table<integer, lunet.segment_seen[]> by the number of the host
---@param is_lost_by_rule? fun(event: lunet.segment_event): boolean whether a rule of its receiver lost it
---@param of_wires? table[] events of the kind "loss"
---@return lunet.segment_event[] in the order of time
---@return table[] losses those of `of_wires` that no tap saw as segments
function segments.join(captures, is_lost_by_rule, of_wires)
  local events = pair(gather(captures))
  local others = explain(events, of_wires or {})
  number(events)
  mark_lost(events)
  for _, event in ipairs(events) do
    if event.arrived and is_lost_by_rule and is_lost_by_rule(event) then event.lost = "rule" end
  end
  return events, others
end

return segments
