--- Draws the marks of a diagram: arrows, events, waits, notes, and the words beside them. Words make room for each
--- other.
local marks = require "lunet.report.marks"
local markup = require "lunet.text.markup"
local segments = require "lunet.recording.segments"
local text = require "lunet.text.width"

local element, escape, label, path = markup.element, markup.escape, markup.label, markup.path

local pen = {}
pen.__index = pen

pen.LINE = 13 -- px of a line of words
local FAR <const> = 80 -- px: the pen leaves out words farther away from their mark
local CLOSE <const> = 9 -- px: the same in a dense diagram
local CHARACTERS <const> = 30 -- of a line of words beside a mark
local BESIDE <const> = 9 -- px between a lane and words
local WAIT <const> = 7 -- px: the width of a wait
local LOOP <const>, LOOP_HEIGHT <const> = 36, 6 -- px: of an arrow from a lane to itself

--- A pen for a diagram.
---@param position fun(t: number): number the position of a time
---@param options {zero: number, is_dense: boolean, prefix: string?, has_rows: boolean?} zero: a reader's zero time;
--- is_dense: whether a reader cannot tell the marks one by one; prefix: the beginning of the marks' ids; has_rows:
--- whether the page has a row with the time and the words of each event
function pen.new(position, options)
  return setmetatable({ position = position, zero = options.zero, far = options.is_dense and CLOSE or FAR,
    prefix = options.prefix or "m", has_rows = options.has_rows,
    bottoms = {}, arrows = {}, words = {}, events = {}, backs = {}, queues = {}, waits = {},
    unlabelled = 0, drawn = 0, overlap = 0 }, pen)
end

--- The id of a mark's element.
---@param mark table
---@return string
function pen:id(mark) return self.prefix .. mark.number end

-- -- words -------------------------------------------------------------------------------------

-- Finds room for words at y, or below other words in their way. nil if that is too far.
local function room_for(self, key, y, lines)
  local top = math.max(y - pen.LINE / 2, self.bottoms[key] or -math.huge)
  if top + pen.LINE / 2 - y > self.far then
    self.unlabelled = self.unlabelled + 1
    return nil
  end
  self.bottoms[key] = top + lines * pen.LINE
  return top
end

--- The words of a mark, broken into lines.
function pen.lines_of(mark)
  local words = mark.label
  if not words then return {} end
  if mark.count and mark.count > 1 then
    words = mark.has_others and ("%s, and %d like it"):format(words, mark.count - 1)
      or ("%s\u{A0}×\u{A0}%d"):format(words, mark.count)
  end
  return text.wrap(words, CHARACTERS)
end

local function words_at(lines, x, top, is_left, class)
  local parts = {}
  for i, line in ipairs(lines) do parts[i] = label(x, top + i * pen.LINE - 3, line, class, is_left and "end" or nil) end
  return table.concat(parts)
end

local function leader(x, y, to_x, top)
  local to_y = top + pen.LINE / 2
  if to_y - y < 3 then return "" end
  return path("leader", "M%s %sL%s %s", x, y, to_x, to_y)
end

-- The element of a mark, with a description for a reader who points at it.
local function group(self, mark, class, content)
  self.drawn = self.drawn + 1
  local detail = marks.detail(mark, self.zero, self.has_rows)
  if mark.count and mark.count > 1 then
    detail = (detail and detail .. "\n" or "") .. ("the first of %d here"):format(mark.count)
  end
  return element("g", { class = class, id = self:id(mark) },
    (detail and element("title", {}, escape(detail)) or "") .. content)
end

-- -- arrows ------------------------------------------------------------------------------------

-- Where an arrow turns that comes back to its lane: on the side where the lane has no words.
local function turn_of(mark)
  if mark.from ~= mark.to or mark.lost then return nil end
  return mark.from.x + (mark.from.kind == "client" and LOOP or -LOOP)
end

local function arrow_ends(self, mark)
  local from, to = mark.from, mark.to
  local y, to_y = mark.y, self.position(mark.arrived or mark.at)
  if not from then return to.x - 50, y, to.x, to_y end
  if not to then return from.x, y, from.x + 50, to_y end
  if from == to and mark.lost then return from.x, y, from.x + LOOP, to_y end
  if from == to then return from.x, y, from.x, math.max(to_y, y + LOOP_HEIGHT) end
  local step = to.x > from.x and 1 or -1
  if mark.lost and mark.lost ~= "rule" then return from.x, y, from.x + (to.x - from.x) * 0.6, to_y end
  return from.x, y, to.x - step * (mark.lost and 9 or 2), to_y
end

-- The style sheet draws the head of an arrow.
function pen:segment(mark)
  local x, y, to_x, to_y = arrow_ends(self, mark)
  local turn, is_bad = turn_of(mark), mark.lost or mark.is_reset
  local is_left = (turn or to_x) < x
  local parts = { turn and path(nil, "M%s %sH%sV%sH%s", x, y, turn, to_y, to_x)
    or path(nil, "M%s %sL%s %s", x, y, to_x, to_y) }
  if mark.lost then parts[2] = path(nil, "M%s %sl9 9m0 -9l-9 9", to_x - 4.5, to_y - 4.5) end
  if mark.label then
    local lines = pen.lines_of(mark)
    if mark.lost then lines[#lines] = lines[#lines] .. ", " .. segments.LOST[mark.lost] end
    local key = ("arrow %d %s"):format((mark.from or mark.to).number, is_left)
    local top = room_for(self, key, y - 7, #lines)
    local at_x = x + (is_left and -14 or 14)
    if top then
      self.words[#self.words + 1] = words_at(lines, at_x, top, is_left, is_bad and "bad" or nil)
      if top + pen.LINE / 2 - y > 3 then parts[#parts + 1] = leader(x, y, at_x, top) end
    end
  end
  self.arrows[#self.arrows + 1] = group(self, mark, (is_bad and "bad" or (mark.from or mark.to).kind)
    .. (mark.lost and " lost" or "") .. (mark.label and "" or " minor") .. (mark.is_again and " again" or ""),
    table.concat(parts))
end

-- -- events ------------------------------------------------------------------------------------

-- A wait stands beside an unfinished one of its lane.
local function wait_slot(self, lane, from, to)
  local slots = self.waits[lane.number] or {}
  self.waits[lane.number] = slots
  for slot = 0, 2 do
    if (slots[slot] or -math.huge) <= from then
      slots[slot] = to
      return slot
    end
  end
  return 2
end

--- Draws the waits of all marks, in the order of their beginnings.
function pen:waits_of(list)
  local waits = {}
  for _, mark in ipairs(list) do
    if mark.since and mark.lane then waits[#waits + 1] = mark end
  end
  table.sort(waits, function(a, b)
    if a.since ~= b.since then return a.since < b.since end
    return a.number < b.number
  end)
  for _, mark in ipairs(waits) do
    local from, to = self.position(mark.since), self.position(mark.until_at or mark.at)
    if to - from >= 2 then
      local slot = wait_slot(self, mark.lane, from, to)
      local x = mark.lane.x + (mark.lane.kind == "client" and -1 or 1) * slot * (WAIT + 1)
      self.backs[#self.backs + 1] = path(mark.lane.kind, "M%s %sh%sv%sh%sz", x - WAIT / 2, from, WAIT, to - from, -WAIT)
      mark.slot = slot
    end
  end
end

local function dot(mark, x)
  if mark.is_failure and not mark.is_kernel then return path(nil, "M%s %sh7v7h-7z", x - 3.5, mark.y - 3.5) end
  return element("circle", { cx = x, cy = mark.y, r = 3 })
end

function pen:event(mark)
  local lane = mark.lane
  local is_left = lane.kind == "client"
  local x = lane.x + (is_left and -1 or 1) * (mark.slot or 0) * (WAIT + 1)
  local parts, lines = { dot(mark, x) }, pen.lines_of(mark)
  local top = room_for(self, "event " .. lane.number, mark.y, #lines)
  if top then
    local at_x = lane.x + (is_left and -1 or 1) * (BESIDE + (lane.slots or 0) * (WAIT + 1))
    parts[2] = leader(x, mark.y, at_x, top)
    parts[3] = words_at(lines, at_x, top, is_left)
  end
  self.events[#self.events + 1] = group(self, mark, (mark.is_failure and "bad" or lane.kind)
    .. (mark.is_kernel and " kernel" or ""), table.concat(parts))
end

-- -- notes and queues --------------------------------------------------------------------------

--- Draws a caption across all lanes. Later marks stand below it.
function pen:note(mark, x, lines, top)
  for _, bottom in pairs(self.bottoms) do
    if bottom > top then
      self.overlap = math.max(self.overlap, bottom - top)
      mark.overlap = math.max(mark.overlap or 0, bottom - top)
    end
  end
  local parts = { path(nil, "M%s %sv%s", x - 8, top + 2, #lines * 16) }
  for i, line in ipairs(lines) do parts[i + 1] = label(x, top + i * 16 - 2, line) end
  local back = element("rect", { class = "paper", x = x - 10, y = top, width = self.width - x,
    height = #lines * 16 + 4 })
  self.events[#self.events + 1] = group(self, mark, mark.is_gap and "note gap" or "note", back .. table.concat(parts))
end

--- Draws the depth of a queue between two positions, as a bar left of its lane, with the numbers where it changed.
function pen:queue(step, to)
  local lane, width = step.lane, 0
  if step.most > 0 and lane.deepest > 0 then width = math.max(2, step.most / lane.deepest * 44) end
  local parts = {}
  if width > 0 then
    parts[1] = path(nil, "M%s %sh%sv%sh%sz", lane.x, step.y, -width, math.max(to - step.y, 1), width)
  end
  local words = step.least == step.most and ("%d/%d"):format(step.depth, step.limit)
    or ("%d to %d/%d"):format(step.least, step.most, step.limit)
  local top = room_for(self, "queue " .. lane.number, step.y, 1)
  if top then
    local at_x = lane.x - width - 5
    parts[#parts + 1] = leader(lane.x - width, step.y, at_x, top)
    self.words[#self.words + 1] = words_at({ words }, at_x, top, true)
  end
  self.queues[#self.queues + 1] = group(self, step, nil, table.concat(parts))
end

return pen
