--- Draws the marks of a diagram: arrows, events, waits, notes, and the words beside them. Words make room for each
--- other.
local marks = require "lunet.report.marks"
local markup = require "lunet.text.markup"
local segments = require "lunet.recording.segments"
local text = require "lunet.text.width"

local element, escape, number = markup.element, markup.escape, markup.number
local label, path = markup.label, markup.path

local pen = {}
pen.__index = pen

pen.LINE = 13 -- px of a line of words
local FAR <const> = 80 -- px: the pen leaves out words farther away from their mark
local CLOSE <const> = 9 -- px: the same in a dense diagram
local CHARACTERS <const> = 30 -- of a line of words beside a mark
local BESIDE <const> = 9 -- px between a lane and words
local WAIT <const> = 7 -- px: the width of a wait

--- A pen for a diagram.
---@param position fun(t: number): number the position of a time
---@param zero number a reader's zero time
---@param is_dense boolean whether a reader cannot tell the marks one by one
function pen.new(position, zero, is_dense)
  return setmetatable({ position = position, zero = zero, far = is_dense and CLOSE or FAR,
    bottoms = {}, arrows = {}, words = {}, events = {}, backs = {}, queues = {}, waits = {},
    unlabelled = 0, drawn = 0, overlap = 0 }, pen)
end

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
  for i, line in ipairs(lines) do
    parts[i] = label(x, top + i * pen.LINE - 3, line, class, is_left and "end" or nil)
  end
  return element("g", { class = "words" }, table.concat(parts))
end

local function leader(x, y, to_x, top)
  local to_y = top + pen.LINE / 2
  if to_y - y < 3 then return "" end
  return path("leader", "M%s %sL%s %s", x, y, to_x, to_y)
end

-- A group with a description for a reader who points at it.
local function group(self, mark, class, content)
  self.drawn = self.drawn + 1
  local detail = marks.detail(mark, self.zero)
  if mark.count and mark.count > 1 then detail = ("%s\nthe first of %d here"):format(detail, mark.count) end
  return element("g", { class = "mark " .. class, ["data-n"] = tostring(mark.number), tabindex = "-1", role = "img",
    ["aria-label"] = detail }, element("title", {}, escape(detail)) .. content)
end

-- -- arrows ------------------------------------------------------------------------------------

local function head(x, y, from_x, from_y)
  local length = math.sqrt((x - from_x) ^ 2 + (y - from_y) ^ 2)
  local dx, dy = (x - from_x) / length, (y - from_y) / length
  local back_x, back_y = x - 8 * dx, y - 8 * dy
  return ("M%s %sL%s %sL%s %sZ"):format(number(x), number(y), number(back_x - 3.2 * dy), number(back_y + 3.2 * dx),
    number(back_x + 3.2 * dy), number(back_y - 3.2 * dx))
end

local function arrow_ends(self, mark)
  local from, to = mark.from, mark.to
  local y, to_y = mark.y, self.position(mark.arrived or mark.at)
  if not from then return to.x - 50, y, to.x, to_y end
  if not to then return from.x, y, from.x + 50, to_y end
  if from == to then return from.x, y, from.x + 36, to_y end
  local step = to.x > from.x and 1 or -1
  if mark.lost == "link" then return from.x, y, from.x + (to.x - from.x) * 0.6, to_y end
  return from.x, y, to.x - step * (mark.lost and 9 or 2), to_y
end

function pen:segment(mark)
  local x, y, to_x, to_y = arrow_ends(self, mark)
  local is_left = to_x < x
  local class = (mark.lost or mark.is_reset) and "bad" or mark.from and mark.from.kind or mark.to.kind
  local parts = { path("stroke " .. class .. (mark.is_again and " again" or ""), "M%s %sL%s %s", x, y, to_x, to_y) }
  if mark.lost then
    parts[2] = path("stroke cross " .. class, "M%s %sl9 9m0 -9l-9 9", to_x - 4.5, to_y - 4.5)
  else
    parts[2] = element("path", { class = class, d = head(to_x, to_y, x, y), ["stroke-width"] = "0" })
  end
  if mark.label then
    local lines = pen.lines_of(mark)
    if mark.lost then lines[#lines] = lines[#lines] .. ", " .. segments.LOST[mark.lost] end
    local key = ("arrow %d %s"):format((mark.from or mark.to).number, is_left)
    local top = room_for(self, key, y - 7, #lines)
    local at_x = x + (is_left and -14 or 14)
    if top then
      self.words[#self.words + 1] = words_at(lines, at_x, top, is_left, (mark.lost or mark.is_reset) and "bad" or nil)
      if top + pen.LINE / 2 - y > 3 then parts[3] = leader(x, y, at_x, top) end
    end
  end
  local classes = (mark.lost and "lost " or "") .. (mark.label and "" or "minor ")
    .. (mark.is_again and "resent " or "") .. (mark.is_reset and "rst " or "") .. "segment"
  self.arrows[#self.arrows + 1] = group(self, mark, classes, table.concat(parts))
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
      mark.wait = element("rect", { class = "wait " .. mark.lane.kind, x = x - WAIT / 2, y = from, width = WAIT,
        height = to - from, rx = 2 })
      self.backs[#self.backs + 1] = mark.wait
      mark.slot = slot
    end
  end
end

local function dot(mark, x)
  local class = mark.is_failure and "bad" or mark.lane.kind
  if mark.is_kernel then
    return element("circle", { class = "kernel stroke " .. class, cx = x, cy = mark.y, r = 3 })
  end
  if mark.is_failure then
    return element("rect", { class = class, x = x - 3.5, y = mark.y - 3.5, width = 7, height = 7 })
  end
  return element("circle", { class = class, cx = x, cy = mark.y, r = 3 })
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
    parts[3] = words_at(lines, at_x, top, is_left, mark.is_failure and "bad" or mark.is_kernel and "quiet" or nil)
  end
  self.events[#self.events + 1] = group(self, mark, "event" .. (mark.is_failure and " failure" or ""),
    table.concat(parts))
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
  self.events[#self.events + 1] = group(self, mark, "note words", back .. table.concat(parts))
end

--- Draws the depth of a queue between two positions, as a bar left of its lane, with the numbers where it changed.
function pen:queue(step, to)
  local lane, width = step.lane, 0
  if step.most > 0 and lane.deepest > 0 then width = math.max(2, step.most / lane.deepest * 44) end
  local parts = {}
  if width > 0 then
    parts[1] = element("rect", { class = "depth", x = lane.x - width, y = step.y, width = width,
      height = math.max(to - step.y, 1) })
  end
  local words = step.least == step.most and ("%d/%d"):format(step.depth, step.limit)
    or ("%d to %d/%d"):format(step.least, step.most, step.limit)
  local top = room_for(self, "queue " .. lane.number, step.y, 1)
  if top then
    local at_x = lane.x - width - 5
    parts[#parts + 1] = leader(lane.x - width, step.y, at_x, top)
    self.words[#self.words + 1] = words_at({ words }, at_x, top, true)
  end
  self.queues[#self.queues + 1] = group(self, step, "queue", table.concat(parts))
end

return pen
