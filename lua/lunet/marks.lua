--- What the diagram shows of a run: events, segments, notes and queues, each with its column and its words.
local columns = require "lunet.columns"
local timeline = require "lunet.timeline"

local marks = {}

local function ms(seconds) return ("%.3f ms"):format(seconds * 1000) end

local function ends_of(e)
  if type(e.local_address) ~= "string" then return nil end
  return e.local_address .. (e.peer_address and " > " .. tostring(e.peer_address) or "")
end

local function call_detail(e, line, zero)
  local parts = { ("%s  %s"):format(ms(e.at - zero), timeline.sentence(line)), ends_of(e) }
  if e.since then parts[#parts + 1] = ("waited %s, since %s"):format(ms(e.at - e.since), ms(e.since - zero)) end
  return table.concat(parts, "\n")
end

local LOST <const> = { wire = "lost on the way", rule = "lost by a rule of its receiver" }

local function segment_detail(e, line, zero)
  local numbers = ("sequence %d, %s%d bytes, window %d"):format(e.sequence,
    e.acknowledgement and ("acknowledgement %d, "):format(e.acknowledgement) or "", e.bytes, e.window)
  local way = e.lost and LOST[e.lost] or e.arrived and ("%s under way"):format(ms(e.arrived - e.at))
  return table.concat({ ("%s  %s%s"):format(ms(e.at - zero), e.flags, e.again and ", sent again" or ""),
    ("%s > %s"):format(e.from, e.to), numbers, way or "not seen to arrive" }, "\n"),
    line and timeline.sentence(line)
end

local function words_of(line, column)
  if line.is_kernel then return "kernel: " .. line.what end
  local is_plain = not line.who or line.who == column.of or line.who == "server"
  return is_plain and line.what or line.who .. " " .. line.what
end

local function add_segment(list, e, line, of, zero)
  local from, to = of:of_segment(e)
  if not (from or to) then return end
  local detail = segment_detail(e, line, zero)
  list[#list + 1] = { kind = "segment", at = e.at, arrived = e.arrived, from = from, to = to, lost = e.lost,
    is_again = e.again, is_reset = e.flags:find "RST" ~= nil, label = line and line.segment, detail = detail,
    group = e.flags }
end

local function add_queue(list, e, of)
  local column = of:of_queue(e)
  if column then
    list[#list + 1] = { kind = "queue", at = e.at, column = column, depth = e.depth, limit = e.limit,
      socket = e.socket }
  end
end

local function add_event(list, e, line, of, zero)
  local column = of:of_event(e)
  if not column then return end
  list[#list + 1] = { kind = "event", at = e.at, since = e.since, column = column, label = words_of(line, column),
    detail = call_detail(e, line, zero), is_failure = e.code ~= nil and e.code ~= "EOF" and e.code ~= "CLOSED",
    is_kernel = line.is_kernel, group = e.kind .. (e.code or "") }
end

--- Makes marks of events, in the order of time.
---@param events table[] from lunet.recording
---@param hosts table<integer, string>
---@param lines table<integer, lunet.timeline_line> from timeline.by_event
---@param zero number the time that is 0
---@return {list: table[], columns: lunet.columns}
function marks.of(events, hosts, lines, zero)
  local of, list = columns.of(events, hosts), {}
  for i, e in ipairs(events) do
    local line = lines[i]
    if e.kind == "note" then
      list[#list + 1] = { kind = "note", at = e.at, label = e.text,
        detail = ("%s  %s"):format(ms(e.at - zero), e.text) }
    elseif e.kind == "queue" then add_queue(list, e, of)
    elseif e.kind == "segment" then add_segment(list, e, line, of, zero)
    elseif line then add_event(list, e, line, of, zero) end
  end
  for i, mark in ipairs(list) do mark.number = i end
  table.sort(list, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.number < b.number
  end)
  return { list = list, columns = of }
end

--- The times of all that marks show.
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

-- Marks that may stand for each other.
local function key_of(mark)
  if mark.kind == "segment" then
    return ("%s>%s %s %s %s"):format(mark.from and mark.from.number or "", mark.to and mark.to.number or "",
      mark.group, mark.lost or "", mark.is_again and "again" or "")
  end
  return ("%s %s %s"):format(mark.column and mark.column.number or "", mark.kind, mark.group or "")
end

--- Leaves one mark of those of a kind that would stand where it stands, with `count` of how many.
---@param list table[]
---@param place fun(t: number): number
---@param least number how near is the same spot
---@return table[]
function marks.merge(list, place, least)
  local merged, leaders = {}, {}
  for _, mark in ipairs(list) do
    local key, y = key_of(mark), place(mark.at)
    local leader = mark.kind ~= "note" and mark.kind ~= "queue" and leaders[key]
    if leader and y - leader.y < least then
      leader.count = leader.count + 1
      leader.since = leader.since and mark.since and math.min(leader.since, mark.since) or leader.since
      leader.until_at = mark.at
      if leader.label ~= mark.label then leader.has_others = true end
    else
      mark.y, mark.count = y, 1
      leaders[key] = mark
      merged[#merged + 1] = mark
    end
  end
  return merged
end

return marks
