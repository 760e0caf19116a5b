--- The marks of a diagram: events, segments, notes and queues, each with its lane and its words.
local lanes = require "lunet.report.lanes"
local segments = require "lunet.recording.segments"
local timeline = require "lunet.recording.timeline"

local marks = {}

local function ms(seconds) return ("%.3f ms"):format(seconds * 1000) end

local function ends_of(e)
  if type(e.local_address) ~= "string" then return nil end
  return e.local_address .. (e.peer_address and " → " .. tostring(e.peer_address) or "")
end

local function call_detail(e)
  local wait, ends = e.since and "waited " .. ms(e.at - e.since), ends_of(e)
  return ends and wait and ends .. ", " .. wait or ends or wait
end

local function segment_detail(e)
  local way = e.lost and segments.LOST[e.lost] or e.arrived and ms(e.arrived - e.at) .. " under way"
  return ("%s → %s, %s%s, seq %d%s%s, win %d, %s"):format(e.from, e.to, e.flags, e.again and " again" or "", e.sequence,
    e.acknowledgement and (", ack %d"):format(e.acknowledgement) or "",
    e.bytes > 0 and (", %d bytes"):format(e.bytes) or "", e.window, way or "not seen to arrive")
end

local function words_of(line, lane)
  if line.segment then return timeline.words(line) end
  if line.is_kernel then return "kernel: " .. line.what end
  local is_plain = not line.who or line.who == lane.of or line.who == "server"
  return is_plain and line.what or line.who .. " " .. line.what
end

local function segment_mark(e, line, of)
  local from, to = of:of_segment(e)
  if not (from or to) then return nil end
  return { kind = "segment", at = e.at, arrived = e.arrived, from = from, to = to, lost = e.lost, is_again = e.again,
    is_reset = e.flags:find("RST", 1, true) ~= nil, label = line and line.segment, e = e, line = line,
    group = e.flags .. (e.lost or "") .. (e.again and "again" or "") }
end

local function queue_mark(e, of)
  local lane = of:of_queue(e)
  return lane and { kind = "queue", at = e.at, lane = lane, depth = e.depth, limit = e.limit, socket = e.socket,
    e = e }
end

local function event_mark(e, line, of)
  local lane = of:of_event(e)
  return lane and { kind = "event", at = e.at, since = e.since, lane = lane, label = words_of(line, lane),
    e = e, line = line, is_failure = e.kind == "loss" or e.code ~= nil and e.code ~= "EOF" and e.code ~= "CLOSED",
    is_kernel = line.is_kernel, group = e.kind .. (e.code or "") }
end

local function mark_of(e, line, of)
  if e.kind == "note" then return { kind = "note", at = e.at, label = e.text, e = e } end
  if e.kind == "queue" then return queue_mark(e, of) end
  if e.kind == "segment" then return segment_mark(e, line, of) end
  return line and event_mark(e, line, of)
end

--- Describes the event of a mark.
---@param mark table
---@param zero number a reader's zero time
---@param has_row? boolean whether the page has a row of the event with its time and its sentence
---@return string? words nil if there is no more to say than in the row
function marks.detail(mark, zero, has_row)
  local e, more = mark.e, nil
  if e.kind == "segment" then more = segment_detail(e) elseif e.kind ~= "note" then more = call_detail(e) end
  if has_row and (mark.line or e.kind == "note") then return more end
  local words = mark.line and timeline.sentence(mark.line) or e.text
  if e.kind == "queue" then words, more = ("the queue: %d of %d"):format(e.depth, e.limit), nil end
  local said = ms(e.at - zero) .. (words and "  " .. words or "")
  return more and said .. "\n" .. more or said
end

local function sort(list)
  for i, mark in ipairs(list) do mark.number = i end
  table.sort(list, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.number < b.number
  end)
end

--- Makes marks of a group's events, in the order of time.
---@param group lunet.group
---@param run lunet.run whose group it is
---@return {list: table[], lanes: lunet.lanes}
function marks.of(group, run)
  local of, list = lanes.of(group.events, run), {}
  for i, e in ipairs(group.events) do list[#list + 1] = mark_of(e, group.lines[i], of) or nil end
  sort(list)
  return { list = list, lanes = of }
end

--- The times of all marks, or of events.
---@param list table[]
---@return number[]
function marks.times(list)
  local times = {}
  for _, mark in ipairs(list) do
    times[#times + 1] = mark.at
    times[#times + 1] = mark.since
    times[#times + 1] = mark.arrived
  end
  return times
end

-- Marks between the same lanes share a spot.
local function spot_of(mark)
  if mark.kind ~= "segment" then return mark.lane.number end
  return -1 - (mark.from and mark.from.number or 0) * 65536 - (mark.to and mark.to.number or 0)
end

local function add(leader, mark)
  mark.leader = leader
  leader.count = leader.count + 1
  if leader.since and mark.since and mark.since < leader.since then leader.since = mark.since end
  leader.until_at = mark.at
  if leader.label ~= mark.label then leader.has_others = true end
end

--- Merges marks of one kind on the same spot into one mark; its `count` is their number, and it is the `leader` of the
--- others.
---@param list table[]
---@param position fun(t: number): number
---@param least number nearer marks are on the same spot
---@return table[]
function marks.merge(list, position, least)
  local merged, leaders = {}, {}
  for _, mark in ipairs(list) do
    local y = position(mark.at)
    mark.y, mark.count, mark.until_at, mark.has_others, mark.leader = y, 1, nil, nil, nil
    if mark.kind == "note" then
      merged[#merged + 1] = mark
    elseif mark.kind ~= "queue" then
      local key = spot_of(mark)
      local of_spot = leaders[key] or {}
      leaders[key] = of_spot
      local leader = of_spot[mark.group]
      if leader and y - leader.y < least then
        add(leader, mark)
      else
        of_spot[mark.group], merged[#merged + 1] = mark, mark
      end
    end
  end
  return merged
end

return marks
