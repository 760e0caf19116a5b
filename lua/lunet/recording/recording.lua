--- The recording of a run, on one clock: the script's calls, the kernel's queues, counters and socket lists, and the
--- segments that passed.
local core = require "lunet.core"
local interrupt = require "lunet.text.interrupt"
local kernel_view = require "lunet.recording.kernel_view"
local losses = require "lunet.recording.losses"
local segments = require "lunet.recording.segments"
local surroundings = require "lunet.network.surroundings"

---@class lunet.recording
---@field level lunet.record_level
---@field began number
---@field first integer the number of its first event
---@field rules table[] that were opened during it
---@field failures string[] why it sees less
local recording = {}
recording.__index = recording

--- The levels of recording. Each level adds to the one before it:
--- "none" has the script's calls, and asks the kernel nothing;
--- "kernel" adds queues, counters and socket lists;
--- "segments" adds the TCP segments.
recording.LEVELS = { "none", "kernel", "segments" }

--- Reads a level from a command line, which may call "segments" by its former name, "wire".
---@param word string
---@return lunet.record_level?
---@return string? message
function recording.level(word)
  if word == "wire" then return "segments" end
  for _, level in ipairs(recording.LEVELS) do
    if word == level then return level end
  end
  return nil, ("--record: %s is not allowed; it is one of %s"):format(word, table.concat(recording.LEVELS, ", "))
end

---@alias lunet.record_level "none"|"kernel"|"segments"

--- Begins a recording. lunet looks at queues when an event may have moved them; at counters and socket lists at notes,
--- when a deadline passes, and when a host begins or ends. A recording inside another one leaves the hosts' taps to it.
---@param level? lunet.record_level "kernel" by default
---@return lunet.recording
function recording.start(level)
  level = level or "kernel"
  local first, was_on = core.record(level ~= "none")
  local self = setmetatable({ level = level, began = core.now(), first = first, was_on = was_on, rules = {},
    captures = {}, networks = {}, names = {}, addresses = {}, failures = {} }, recording)
  if not surroundings.current().observer then self.entered = surroundings.enter { observer = self } end
  return self
end

local MOST_SEGMENTS = 65536 -- of each host

-- Opens the host's tap, which takes 5 to 15 ms, before anything can pass there. It ends with the host, whose network
-- would live on otherwise, and after all other handles of the host, whose last segments it still sees. Without
-- descriptors for the tap, nobody sees the segments of this host.
function recording:host_made(made)
  local number = core.host_number(made)
  self.names[number] = made:name()
  if self.level ~= "segments" then return end
  local capture, message = core.capture(made, MOST_SEGMENTS)
  self.captures[number] = capture
  if not capture then self.failures[#self.failures + 1] = message end
end

function recording:addresses_given(owner, addresses)
  for _, address in ipairs(addresses) do self.addresses[address] = core.host_number(owner) end
end

function recording:wires_made(network) self.networks[#self.networks + 1] = network end

function recording:rule_opened(options) self.rules[#self.rules + 1] = options end

--- Its knowledge besides its events.
---@return lunet.known
function recording:known() return { hosts = self.names, addresses = self.addresses } end

-- Stops recording; idempotent.
function recording:stop()
  if self.is_over then return end
  self.is_over = true
  core.record(self.was_on)
  local _left <close> = self.entered
  for _, capture in pairs(self.captures) do capture:close() end
end

recording.__close = recording.stop

-- -- its events --------------------------------------------------------------------------------

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

--- Writes the news to a journal, which has the calls by itself. The news are each tap's segments, with the numbers of
--- the headers, and the changes that looks at counters and socket lists show.
---@param journal any core.journal
---@param line_of fun(e: table): string
---@return boolean is_whole whether no tap has forgotten a segment
function recording:write_news(journal, line_of)
  self.told = self.told or { counters = {}, sockets = {}, taps = {} }
  local told, lines, is_whole = self.told, {}, true
  for number, capture in pairs(self.captures) do
    local gap
    told.taps[number], gap = assert(journal:write_segments(capture, told.taps[number] or 0))
    if gap then is_whole = false end
  end
  local looks = kernel_view.understand(assert(journal:write()), told.counters, told.sockets)
  for i, e in ipairs(looks) do lines[i] = line_of(e) end
  assert(journal:write_text(table.concat(lines)))
  return is_whole
end

--- The calls and the kernel's side, up to now.
---@return table[] events
function recording:peek() return kernel_view.understand((core.events(self.first)), {}, {}) end

local function without_losses(events)
  local rest, losses_of_wires = {}, {}
  for _, e in ipairs(events) do
    local list = e.kind == "loss" and losses_of_wires or rest
    list[#list + 1] = e
  end
  return rest, losses_of_wires
end

-- Joins the events of all sources into `told`.
local function tell(self, told)
  local events
  events, told.lost = core.events(self.first)
  local seen = {}
  for number, capture in pairs(self.captures) do
    local statistics = capture:statistics()
    told.taps = told.taps or { dropped = 0, error = 0 }
    told.taps.dropped = told.taps.dropped + statistics.dropped + statistics.forgotten
    told.taps.error = math.max(told.taps.error, statistics.error)
    seen[number] = capture:segments()
  end
  local of_wires
  events, of_wires = without_losses(events)
  local crossed, unseen = segments.join(seen, losses.by_rule(events, self.rules), of_wires)
  told.events = merge(merge(kernel_view.understand(events, {}, {}), crossed), unseen)
end

---@class lunet.wire_account
---@field name string of the network: "link of a and b"
---@field statistics lunet.wire_statistics
---@field seed_drawn boolean whether lunet drew the seed
---@field capacity_given boolean whether the script gave a capacity

local function accounts_of(networks)
  local accounts = {}
  for i, network in ipairs(networks) do
    accounts[i] = { name = network:name(), statistics = network:statistics(), seed_drawn = network.settings.is_drawn,
      capacity_given = network.settings.has_capacity }
  end
  return #accounts > 0 and accounts or nil
end

--- Ends the recording, and returns it: the events in the order of time; the number of lost earlier events, since the
--- ring keeps only so many; the hosts' names by their numbers, and the host of each address. `taps` has the number of
--- segments that the kernel dropped or lunet forgot, and by how many seconds their times may be wrong. `failures` has
--- messages about missing parts: an outcome does not depend on them. `is_partial`: there are fewer events than were
--- recorded, since there was no memory for them. `wires` tells of the networks that lunet forwards.
---@return {events: table[], lost: integer, hosts: table<integer, string>, addresses: table<string, integer>,
---  is_partial: boolean?, failures: string[], taps: {dropped: integer, error: number}?, wires: lunet.wire_account[]?}
function recording:finish()
  self:stop()
  local told = { events = {}, lost = 0, hosts = self.names, addresses = self.addresses, failures = self.failures,
    wires = accounts_of(self.networks) }
  local ok, why = interrupt.pcall(tell, self, told)
  if not ok then
    told.is_partial = true
    told.failures[#told.failures + 1] = "the events of the run: " .. tostring(why)
  end
  return told
end

return recording
