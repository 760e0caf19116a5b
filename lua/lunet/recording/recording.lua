--- What is recorded of a run, by all its witnesses, on one clock: what the script's calls did, what the kernel held
--- in its queues, counters and socket lists, and the segments that passed.
local core = require "lunet.core"
local counters = require "lunet.network.counters"
local host = require "lunet.network.host"
local interfaces = require "lunet.network.interfaces"
local interrupt = require "lunet.text.interrupt"
local rule = require "lunet.network.rule"
local rule_meaning = require "lunet.network.rule_meaning"
local segments = require "lunet.recording.segments"

local recording = {}
recording.__index = recording

--- How much is recorded. Each level adds to the one before it:
--- "none" has what the script's calls did, and asks the kernel nothing;
--- "kernel" has queues, counters and socket lists as well;
--- "wire" has the TCP segments as well.
recording.LEVELS = { "none", "kernel", "wire" }

---@alias lunet.record_level "none"|"kernel"|"wire"

--- Begins. Queues are looked at when an event may have moved them; counters and socket lists at notes, when a deadline
--- passes, and when a host is made and closed. One recording at a time: one that is begun within another leaves hosts'
--- wires to that one.
---@param level? lunet.record_level how much to record, "kernel" by default
---@return lunet.recording
function recording.start(level)
  level = level or "kernel"
  local first, was_on = core.record(level ~= "none")
  local self = setmetatable({ level = level, began = core.now(), first = first, was_on = was_on, rules = {},
    captures = {}, names = {}, addresses = {}, failures = {}, hosts_before = host.on_made, rules_before = rule.on_open,
    addresses_before = interfaces.on_addresses }, recording)
  if not host.on_made then
    host.on_made = function(made) self:meet(made, level == "wire") end
    rule.on_open = function(options) self.rules[#self.rules + 1] = options end
    interfaces.on_addresses = function(owner, addresses) self:learn_addresses(owner, addresses) end
  end
  return self
end

local MOST_SEGMENTS = 65536 -- of each host

-- Opens the host's tap, which takes 5 to 15 ms, before anything can pass there. A host whose tap cannot be opened, for
-- want of descriptors perhaps, is one whose wire is not seen.
function recording:meet(made, with_wire)
  local number = core.host_number(made)
  self.names[number] = made:name()
  if not with_wire then return end
  local capture, message = core.capture(made, MOST_SEGMENTS, true)
  self.captures[number] = capture
  if not capture then self.failures[#self.failures + 1] = message end
end

function recording:learn_addresses(owner, addresses)
  for _, address in ipairs(addresses) do self.addresses[address] = core.host_number(owner) end
end

--- What it knows besides its events.
---@return lunet.known
function recording:known() return { hosts = self.names, addresses = self.addresses } end

-- Stops recording; idempotent.
function recording:stop()
  if self.is_over then return end
  self.is_over = true
  core.record(self.was_on)
  host.on_made, rule.on_open = self.hosts_before, self.rules_before
  interfaces.on_addresses = self.addresses_before
  for _, capture in pairs(self.captures) do capture:close() end
end

recording.__close = recording.stop

-- -- the kernel's side -------------------------------------------------------------------------

-- What moved since the last look at the same host; nil if nothing did.
local function counters_event(e, before)
  local after = counters.new(e.text, e.text)
  local earlier = before[e.host]
  before[e.host] = after
  local moved = earlier and after - earlier
  if not moved or next(moved) == nil then return nil end
  return { at = e.at, kind = "counters", host = e.host, label = e.label, moved = setmetatable(moved, nil) }
end

local SOCKET <const> = "^(%S+) (%S+) (%S+) (%d+) (%d+) (%d) (%d+)$"

local function parse_sockets(text)
  local sockets = {}
  for line in text:gmatch "[^\n]+" do
    local state, near, far, received, unsent, owned, retransmits = line:match(SOCKET)
    sockets[near .. ">" .. far] = {
      state = state, local_address = near, peer_address = far ~= "-" and far or nil,
      receive_queue = math.tointeger(tonumber(received)), send_queue = math.tointeger(tonumber(unsent)),
      owned = owned == "1", retransmits = math.tointeger(tonumber(retransmits)),
    }
  end
  return sockets
end

local FIELDS <const> = { "state", "receive_queue", "send_queue", "owned", "retransmits" }

local function differs(a, b)
  for _, field in ipairs(FIELDS) do
    if a[field] ~= b[field] then return true end
  end
  return false
end

-- The sockets that changed, and those that went; nil if none did.
local function sockets_event(e, before)
  local after, earlier = parse_sockets(e.text), before[e.host] or {}
  before[e.host] = after
  local changed = {}
  for key, socket in pairs(after) do
    if not earlier[key] or differs(earlier[key], socket) then changed[#changed + 1] = socket end
  end
  for key, socket in pairs(earlier) do
    if not after[key] then
      changed[#changed + 1] = { state = "gone", local_address = socket.local_address,
        peer_address = socket.peer_address }
    end
  end
  if #changed == 0 then return nil end
  table.sort(changed, function(a, b)
    if a.local_address ~= b.local_address then return a.local_address < b.local_address end
    return (a.peer_address or "") < (b.peer_address or "")
  end)
  return { at = e.at, kind = "sockets", host = e.host, label = e.label, changed = changed }
end

-- The address of a program's listener that is a Unix socket comes as the text of the event that tells of it.
local function set_path(e, paths)
  if e.kind == "found" and e.text then paths[e.socket], e.text = e.text, nil end
  if e.socket and paths[e.socket] then e.local_address = paths[e.socket] end
end

local SNAPSHOTS <const> = { counters = true, sockets = true }

-- A look at the kernel that failed is an event of the kind "unseen".
local function understand(events, before_counters, before_sockets)
  local understood, paths = {}, {}
  for _, e in ipairs(events) do
    set_path(e, paths)
    if e.code and SNAPSHOTS[e.kind] then e = { at = e.at, kind = "unseen", host = e.host, label = e.label,
      what = e.kind, code = e.code }
    elseif e.kind == "counters" then e = counters_event(e, before_counters)
    elseif e.kind == "sockets" then e = sockets_event(e, before_sockets) end
    if e then understood[#understood + 1] = e end
  end
  return understood
end

-- -- the segments ----------------------------------------------------------------------------------

-- Each rule with when it was open. Its options come in the order of the events.
local function open_times(events, rules)
  local open, by_socket, count = {}, {}, 0
  for _, e in ipairs(events) do
    if e.kind == "drop" then
      count = count + 1
      by_socket[e.socket] = { options = rules[count], host = e.host, from = e.at, to = math.huge, seen = 0 }
      open[count] = by_socket[e.socket]
    elseif e.kind == "drop_end" and by_socket[e.socket] then
      by_socket[e.socket].to = e.at
    end
  end
  return open
end

-- The newest rule judges first, and what it has lost the others never see.
local function loser_of(rules)
  return function(s)
    for i = #rules, 1, -1 do
      local r = rules[i]
      if r.options and r.host == s.to_host and s.arrived >= r.from and s.arrived <= r.to
        and rule_meaning.loses(r.options, s) then
        r.seen = r.seen + 1
        return r.seen <= (r.options.first or math.huge)
      end
    end
    return false
  end
end

local function merge(calls, crossed)
  local events, j = {}, 1
  for _, e in ipairs(calls) do
    while crossed[j] and crossed[j].at < e.at do
      events[#events + 1] = crossed[j]
      j = j + 1
    end
    events[#events + 1] = e
  end
  return table.move(crossed, j, #crossed, #events + 1, events)
end

--- What came since the last time that this was asked: calls, queues and the kernel's side, and what each tap saw, as
--- events of the kind "tap", whose numbers are those of the headers.
---@return table[] events
function recording:news()
  self.told = self.told or { next = self.first, counters = {}, sockets = {}, taps = {} }
  local told = self.told
  local events, lost = core.events(told.next)
  told.next = told.next + #events + lost
  local news = understand(events, told.counters, told.sockets)
  for number, capture in pairs(self.captures) do
    local from = told.taps[number] or 0
    for _, s in ipairs(capture:segments(from)) do
      s.kind, s.host = "tap", number
      news[#news + 1] = s
    end
    told.taps[number] = capture:statistics().seen
  end
  return news
end

--- What the calls did and what the kernel held, up to now.
---@return table[] events
function recording:peek() return understand((core.events(self.first)), {}, {}) end

-- Joins what all witnesses saw into `told`.
local function tell(self, told)
  local events
  events, told.lost = core.events(self.first)
  local seen = {}
  for number, capture in pairs(self.captures) do
    local statistics = capture:statistics()
    told.wire = told.wire or { dropped = 0, error = 0 }
    told.wire.dropped = told.wire.dropped + statistics.dropped + statistics.forgotten
    told.wire.error = math.max(told.wire.error, statistics.error)
    seen[number] = capture:segments()
  end
  local crossed = segments.join(seen, loser_of(open_times(events, self.rules)))
  told.events = merge(understand(events, {}, {}), crossed)
end

--- Ends it, and tells what it has: events in the order of time; how many earlier ones are lost, since only so many
--- are kept; the hosts' names by their numbers, and which host had an address; and of the wire, how many segments the
--- kernel dropped or were forgotten, and by how many seconds their times may be wrong. What could not be seen or told
--- is in `failures`, as messages: an outcome does not depend on it.
---@return {events: table[], lost: integer, hosts: table<integer, string>, addresses: table<string, integer>,
---  failures: string[], wire: {dropped: integer, error: number}?}
function recording:finish()
  self:stop()
  local told = { events = {}, lost = 0, hosts = self.names, addresses = self.addresses, failures = self.failures }
  local ok, why = interrupt.pcall(tell, self, told)
  if not ok then told.failures[#told.failures + 1] = "the events of the run: " .. tostring(why) end
  return told
end

return recording
