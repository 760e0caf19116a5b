--- The sequence diagram of a run, as SVG: a lane for each host and queue, time down, to scale except folded silences.
local axis = require "lunet.report.axis"
local excerpt = require "lunet.report.excerpt"
local marks = require "lunet.report.marks"
local markup = require "lunet.text.markup"
local pen = require "lunet.report.pen"
local style = require "lunet.report.diagram_style"
local text = require "lunet.text.width"

local diagram = {}

local element, escape, number = markup.element, markup.escape, markup.number
local label, path = markup.label, markup.path

local TALLEST <const> = 9000 -- px
local FOLD <const> = 60 -- px that a silence may take
local LEAST_SCALE <const>, MOST_SCALE <const> = 3000, 1.5e6 -- px/s: 20 ms of silence are folded in any case
local TIMES <const> = 84 -- px left of the first lane's words
local HEAD <const> = 46 -- px of the lanes' names
local CHARACTER <const> = 5.9 -- px, about
local MOST_MARKS <const> = 3000
local MOST_NOTES <const> = 150
local TICKS <const> = 48 -- px between two times, at least
local SAME_SPOT <const> = 2 -- px; more if the diagram would get too tall

-- -- lanes -------------------------------------------------------------------------------------

local function widest_words(list)
  local widths, known = {}, {}
  for _, mark in ipairs(list) do
    if mark.kind == "event" then
      local key = mark.lane.number
      known[key] = known[key] or {}
      if not known[key][mark.label] then
        known[key][mark.label] = true
        widths[key] = math.max(widths[key] or 0, text.widest(pen.lines_of(mark), 0) * CHARACTER)
      end
    end
  end
  return widths
end

-- Words of clients are left of their lanes, those of servers right; arrows and their words need room between.
local function set_lanes(list, of)
  local widths, x = widest_words(list), TIMES
  for i, lane in ipairs(of.list) do
    local words = (widths[i] or 0) + (widths[i] and 30 or 0)
    local name = text.width(lane.name) * 7.5 / 2
    if lane.kind == "client" then
      lane.x = x + math.max(words, name, 40) + (i > 1 and 70 or 0)
      x = lane.x
    elseif lane.kind == "queue" then
      lane.x = x + (i == 1 and 80 or 190)
      x = lane.x
    else
      local before = of.list[i - 1]
      lane.x = x + (before and (before.kind == "queue" and 110 or 220) or 90)
      x = lane.x + math.max(words, name)
    end
    lane.x = math.floor(lane.x) -- shorter numbers
  end
  local last = of.list[#of.list]
  return x + (last and last.kind == "client" and 110 or 30) -- arrows to itself and their words are right of a client
end

local function head_of(of)
  local parts = { label(TIMES - 16, 20, "ms", "quiet", "end") }
  for _, lane in ipairs(of.list) do
    parts[#parts + 1] = label(lane.x, 20, lane.name, "name", "middle")
    local below = lane.detail or #lane.spans > 1 and ("%d of them, in turn"):format(#lane.spans)
    if below then parts[#parts + 1] = label(lane.x, 35, below, "quiet", "middle") end
  end
  return table.concat(parts)
end

local function line_path(from, to) return ("M0 %sV%s"):format(number(from), number(to)) end

-- A line down, and the parts of it where time is folded.
local function line_with_folds(from, to, folds)
  local solid, dotted = {}, {}
  for _, fold in ipairs(folds) do
    if fold.start >= from and fold.finish <= to then
      if fold.start > from then solid[#solid + 1] = line_path(from, fold.start) end
      dotted[#dotted + 1] = line_path(fold.start, fold.finish)
      from = fold.finish
    end
  end
  solid[#solid + 1] = line_path(from, to)
  return path("lane", table.concat(solid)) .. (#dotted > 0 and path("folded", table.concat(dotted)) or "")
end

-- The line of a lane; the lanes of the diagram's whole height share one.
local function line_of(self, lane, span, shared)
  if #lane.spans == 1 then
    local line = shared.is_drawn and element("use", { href = "#" .. shared.id, x = lane.x })
      or element("g", { transform = ("translate(%d)"):format(lane.x) },
        element("g", { id = shared.id, class = "diagram" }, line_with_folds(0, self.height, self.axis.folds)))
    shared.is_drawn = true
    return line
  end
  local from, to = self.axis:position(span.from) - 6, self.axis:position(span.to) + 6
  return element("g", { transform = ("translate(%d)"):format(lane.x) }, path("lane", "M-4 %sh8M-4 %sh8", from, to)
    .. line_with_folds(from, to, self.axis.folds))
end

local function lanes_of(self)
  local parts, shared = {}, { id = self.prefix .. "lane" }
  for _, lane in ipairs(self.lanes.list) do
    for _, span in ipairs(lane.spans) do parts[#parts + 1] = line_of(self, lane, span, shared) end
  end
  return table.concat(parts)
end

local function times_of(self)
  local ticks, breaks, labels, last = {}, {}, {}, -math.huge
  for _, tick in ipairs(self.axis:ticks(TICKS, self.zero)) do
    if tick.position - last >= 14 then
      last = tick.position
      ticks[#ticks + 1] = ("M0 %sh5"):format(number(tick.position))
      labels[#labels + 1] = label(nil, tick.position + 4, ("%.3f"):format((tick.t - self.zero) * 1000),
        tick.is_start and "start" or nil)
    end
  end
  for i, fold in ipairs(self.axis.folds) do
    local middle = (fold.start + fold.finish) / 2
    breaks[i] = ("M-3 %sl10 -5m-10 9l10 -5"):format(number(middle))
    labels[#labels + 1] = label(nil, middle + 4, axis.duration(fold.seconds), "fold")
  end
  return element("g", { transform = ("translate(%d)"):format(TIMES - 10) }, path("grid", "M2 0V%s", self.height)
    .. path("tick", table.concat(ticks)) .. path("break", table.concat(breaks)))
    .. element("g", { class = "times", transform = ("translate(%d)"):format(TIMES - 16) }, table.concat(labels))
end

-- -- marks -------------------------------------------------------------------------------------

-- At this scale the words of a lane are mostly a line apart.
local function fit_scale(list)
  local last, gaps = {}, {}
  for _, mark in ipairs(list) do
    if mark.label and mark.kind ~= "note" then
      local key = (mark.lane or mark.from or mark.to).number * (mark.kind == "segment" and -1 or 1)
      if last[key] and mark.at > last[key] then gaps[#gaps + 1] = mark.at - last[key] end
      last[key] = mark.at
    end
  end
  table.sort(gaps)
  local gap = gaps[math.max(1, #gaps * 20 // 100)]
  return gap and math.max(LEAST_SCALE, math.min(MOST_SCALE, pen.LINE * 1.25 / gap)) or MOST_SCALE
end

local function note_room(mark, width)
  local lines = text.wrap(mark.label, math.max(30, (math.min(width, 1000) - TIMES) // 7))
  return lines, #lines * 16 + 18
end

local function make_axis(self, list)
  local room, notes = {}, 0
  for _, mark in ipairs(list) do
    if mark.kind == "note" and notes < MOST_NOTES then
      notes = notes + 1
      mark.lines, mark.room = note_room(mark, self.width)
      mark.room = mark.room + (mark.extra or 0)
      room[mark.at] = (room[mark.at] or 0) + mark.room
    end
  end
  local options = { length = TALLEST, fold = FOLD, scale = self.scale, room = room, start = 12 }
  return self.axis and self.axis:again(options) or axis.new(marks.times(list), options)
end

-- Steps of a queue; steps on the same spot are one.
local function queue_steps(list, position, least)
  local steps, last = {}, {}
  for _, mark in ipairs(list) do
    if mark.kind == "queue" then
      local lane, y = mark.lane, position(mark.at)
      lane.deepest = math.max(lane.deepest or 0, mark.depth, math.min(mark.limit, 8))
      local step = last[lane]
      if step and step.socket == mark.socket and y - step.y < least then
        step.least, step.most = math.min(step.least, mark.depth), math.max(step.most, mark.depth)
        step.depth, step.limit, step.count = mark.depth, mark.limit, step.count + 1
      else
        step = { kind = "queue", y = y, lane = lane, depth = mark.depth, least = mark.depth, most = mark.depth,
          limit = mark.limit, socket = mark.socket, count = 1, e = mark.e, number = mark.number }
        if last[lane] then last[lane].to = y end
        steps[#steps + 1], last[lane] = step, step
      end
    end
  end
  return steps
end

local function end_of_queue(self, step)
  for _, span in ipairs(step.lane.spans) do
    if span.socket == step.socket then return self.axis:position(span.to) end
  end
  return self.height
end

local function draw_queues(self, hand, list)
  for _, step in ipairs(queue_steps(list, hand.position, self.is_tall and pen.LINE or 4)) do
    local finish = end_of_queue(self, step)
    hand:queue(step, math.min(step.to or finish, finish))
  end
end

local function draw_note(hand, mark, tops)
  if not mark.lines then return false end
  local top = tops[mark.at] or hand.position(mark.at) - mark.total_room
  tops[mark.at] = top + mark.room
  hand:note(mark, TIMES + 4, mark.lines, top + (mark.extra or 0) + 6)
  for key in pairs(hand.bottoms) do hand.bottoms[key] = math.max(hand.bottoms[key], top + mark.room - 6) end
  return true
end

local function draw_marks(self, list)
  self.is_tall = self.axis.finish > TALLEST * 0.6
  local hand = pen.new(function(t) return self.axis:position(t) end, { zero = self.zero, is_dense = self.is_tall,
    prefix = self.prefix, has_rows = self.has_rows })
  hand.width = self.width
  local merged = marks.merge(list, hand.position, self.is_tall and pen.LINE or SAME_SPOT)
  hand:waits_of(merged)
  for _, mark in ipairs(merged) do
    if mark.slot then mark.lane.slots = math.max(mark.lane.slots or 0, mark.slot) end
  end
  local tops, left_out, by_time = {}, 0, {}
  for _, mark in ipairs(merged) do
    if mark.room then by_time[mark.at] = (by_time[mark.at] or 0) + mark.room end
  end
  for _, mark in ipairs(merged) do
    mark.total_room = by_time[mark.at]
    local is_drawn = hand.drawn < MOST_MARKS
    if is_drawn and mark.kind == "note" then is_drawn = draw_note(hand, mark, tops)
    elseif is_drawn then hand[mark.kind](hand, mark) end
    if not is_drawn then left_out = left_out + mark.count end
  end
  draw_queues(self, hand, list)
  return hand, left_out
end

-- If words reach into a note, it gets more room, once.
local function draw_with_room(self, list, is_again)
  self.axis = make_axis(self, list)
  self.height = self.axis.finish + 30
  local hand, left_out = draw_marks(self, list)
  if is_again or hand.overlap == 0 or #list >= MOST_MARKS then return hand, left_out end
  for _, mark in ipairs(list) do mark.extra, mark.slot = mark.overlap, nil end
  return draw_with_room(self, list, true)
end

---@class lunet.diagram
---@field width number px
---@field height number px, of the body
---@field head_height number px, of the lanes' names
---@field head string markup: the lanes' names
---@field body string markup: all below them
---@field shown integer the number of its events, segments, notes and queues
---@field drawn integer the number of its marks
---@field left_out integer the number of events left out
---@field unlabelled integer the number of marks without words beside them, for want of room
---@field cuts number[] px, of the body: a page of paper may end there
---@field folds integer the number of folded silences
---@field places table<table, string> by event, the id of the element of its mark
---@field missing table<table, boolean> the events that are left out

-- Which element stands for which event.
local function places_of(list, hand)
  local places = {}
  for _, mark in ipairs(list) do
    if mark.kind ~= "queue" and not mark.is_gap then places[mark.e] = hand:id(mark.leader or mark) end
  end
  return places
end

local function missing_of(all, drawn)
  local missing = {}
  if #all == #drawn then return missing end
  for _, mark in ipairs(all) do missing[mark.e] = true end
  for _, mark in ipairs(drawn) do missing[mark.e] = nil end
  return missing
end

local function body_of(self, hand)
  return table.concat({ times_of(self), element("g", { class = "waits" }, table.concat(hand.backs)), lanes_of(self),
    element("g", { class = "marks queues" }, table.concat(hand.queues)),
    element("g", { class = "marks segments" }, table.concat(hand.arrows)),
    element("g", { class = "words", ["aria-hidden"] = "true" }, table.concat(hand.words)),
    element("g", { class = "marks events" }, table.concat(hand.events)) }, "\n")
end

local function cuts_of(self)
  local cuts = {}
  for i, fold in ipairs(self.axis.folds) do cuts[i] = fold.start + (fold.finish - fold.start) * 0.38 end
  return cuts
end

--- Draws a group of a run.
---@param group lunet.group
---@param run lunet.run whose group it is
---@param options? {most: integer?, prefix: string?, has_rows: boolean?} most: of how many events, else of all; prefix:
--- the beginning of all ids; has_rows: whether the page has a row with the time and the words of each event
---@return lunet.diagram
function diagram.draw(group, run, options)
  options = options or {}
  local seen = marks.of(group, run)
  local list = excerpt.of(seen.list, options.most)
  local self = { lanes = seen.lanes, zero = run:zero(), scale = fit_scale(list), prefix = options.prefix or "m",
    has_rows = options.has_rows }
  self.width = math.max(set_lanes(list, seen.lanes), 420)
  local hand, left_out = draw_with_room(self, list)
  local missing = missing_of(seen.list, list)
  for _ in pairs(missing) do left_out = left_out + 1 end
  return { width = math.ceil(self.width), height = math.ceil(self.height), head_height = HEAD, cuts = cuts_of(self),
    head = head_of(seen.lanes), body = body_of(self, hand), shown = #seen.list, drawn = hand.drawn, left_out = left_out,
    unlabelled = hand.unlabelled, folds = #self.axis.folds, places = places_of(list, hand), missing = missing }
end

--- Says in a sentence which of its events the diagram does not show; nil if it shows all.
---@param drawn lunet.diagram
---@return string?
function diagram.limits(drawn)
  local parts = {}
  if drawn.drawn + drawn.left_out < drawn.shown then
    parts[1] = ("Events of one kind on the same spot share a mark: %d marks stand for %d events."):format(drawn.drawn,
      drawn.shown - drawn.left_out)
  end
  if drawn.left_out > 0 then parts[#parts + 1] = ("%d events are not drawn."):format(drawn.left_out) end
  if drawn.unlabelled > 0 then
    parts[#parts + 1] = ("%d marks have no words beside them for want of room."):format(drawn.unlabelled)
  end
  return parts[1] and table.concat(parts, " ")
end

local BETWEEN <const> = 24 -- px between diagrams

--- Diagrams alone, one below the other, as a file.
---@param list {drawn: lunet.diagram, title: string?}[]
---@param title string
---@param description string
---@return string
function diagram.svg(list, title, description)
  local parts, width, y = {}, 420, 0
  local function line(words, class)
    parts[#parts + 1] = label(12, y + 14, words, class)
    y = y + 24
  end
  for _, one in ipairs(list) do
    local drawn = one.drawn
    if one.title then line(one.title, "name") end
    parts[#parts + 1] = element("g", { transform = ("translate(0 %d)"):format(y) }, drawn.head
      .. element("g", { transform = ("translate(0 %d)"):format(HEAD) }, drawn.body))
    width, y = math.max(width, drawn.width), y + HEAD + drawn.height
    local limits = diagram.limits(drawn)
    if limits then line(limits, "quiet") end
    y = y + BETWEEN
  end
  if #list == 0 then line("Nothing happened.", "quiet") end
  return '<?xml version="1.0" encoding="UTF-8"?>\n' .. element("svg", { xmlns = "http://www.w3.org/2000/svg",
    width = width, height = y, viewBox = ("0 0 %d %d"):format(width, y), class = "diagram",
    role = "img", ["aria-labelledby"] = "title description" }, table.concat({
      "", element("title", { id = "title" }, escape(title)), element("desc", { id = "description" },
        escape(description)), element("style", {}, style.css), style.tips,
      element("rect", { class = "paper", width = width, height = y }), table.concat(parts, "\n"), "" }, "\n")) .. "\n"
end

return diagram
