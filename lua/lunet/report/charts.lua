--- Charts below a diagram, over the same time from left to right: the depth of queues against their limits, and the
--- states of connections.
local address = require "lunet.network.address"
local axis = require "lunet.report.axis"
local depths = require "lunet.recording.depths"
local marks = require "lunet.report.marks"
local markup = require "lunet.text.markup"
local states = require "lunet.recording.states"

local charts = {}

local element, escape, number, path = markup.element, markup.escape, markup.number, markup.path

local LEFT <const>, LENGTH <const>, RIGHT <const> = 150, 800, 30 -- px
local WIDTH <const> = LEFT + LENGTH + RIGHT
local PANEL <const> = 72 -- px of a queue
local ROW <const>, BAR <const> = 20, 14 -- px of a connection

--- How many queues and ends of connections are drawn at most, unless the caller sets another limit.
charts.MOST_QUEUES, charts.MOST_ENDS = 12, 60

--- The axis that a group's charts share.
---@param events table[] of the group
---@return lunet.axis
function charts.axis(events) return axis.new(marks.times(events), { length = LENGTH, start = LEFT }) end

local function label(x, y, words, class, anchor) return markup.label(x, y, words, class, anchor or "end") end

local function add_times(parts, along, bottom, zero)
  local ticks = { ("M%d %dh%d"):format(LEFT, bottom, LENGTH) }
  for _, tick in ipairs(along:ticks(72, zero)) do
    ticks[#ticks + 1] = ("M%s %dv4"):format(number(tick.position), bottom)
    parts[#parts + 1] = label(tick.position, bottom + 16, ("%.3f"):format((tick.t - zero) * 1000),
      tick.is_start and "start" or "quiet", "middle")
  end
  parts[#parts + 1] = path("tick", table.concat(ticks))
  parts[#parts + 1] = label(LEFT - 24, bottom + 16, "ms", "quiet")
end

-- Each folded silence has a break on the axis, and its length.
local function add_folds(parts, along, bottom)
  local free, lines, breaks = LEFT, {}, {}
  for i, fold in ipairs(along.folds) do
    local middle = (fold.start + fold.finish) / 2
    lines[i] = ("M%s 0V%d"):format(number(middle), bottom)
    breaks[i] = ("M%s %dl4 -9m1 9l4 -9"):format(number(middle - 4), bottom + 4)
    if middle - 22 >= free then
      parts[#parts + 1] = label(middle, bottom + 29, axis.duration(fold.seconds), "fold", "middle")
      free = middle + 22
    end
  end
  if #lines > 0 then
    parts[#parts + 1] = path("folded", table.concat(lines)) .. path("break", table.concat(breaks))
  end
end

local function svg(height, title, description, parts, class)
  return element("svg", { class = "diagram chart " .. class, role = "img", width = WIDTH, height = height,
    viewBox = ("0 0 %d %d"):format(WIDTH, height), ["aria-label"] = title .. ": " .. description },
    table.concat(parts, "\n"))
end

-- -- queues ------------------------------------------------------------------------------------

-- A line of steps, to whole pixels. Steps on the same pixel show their least and their greatest value.
local function steps_path(queue, field, along, up, finish)
  local commands, x, at, low, high, now = {}, nil, nil, nil, nil, nil
  local function go(v)
    local y = up(v)
    if y ~= at then commands[#commands + 1] = ("V%d"):format(y) end
    at = y
  end
  local function flush()
    if not x then return end
    if low ~= high then go(low) go(high) end
    go(now)
  end
  for _, e in ipairs(queue) do
    local position, v = math.floor(along:position(e.at)), e[field]
    if v ~= now then
      if position ~= x then
        flush()
        if not x then at = up(v) end
        commands[#commands + 1] = x and ("H%d"):format(position) or ("M%d %d"):format(position, at)
        x, low, high = position, v, v
      end
      low, high, now = math.min(low, v), math.max(high, v), v
    end
  end
  flush()
  commands[#commands + 1] = ("H%d"):format(finish)
  return table.concat(commands)
end

local function add_queue(parts, queue, top, along, name)
  local bottom = top + PANEL - 14
  local most = math.max(queue.deepest, 1)
  local shows_limit = queue.highest <= 6 * most
  if shows_limit then most = math.max(most, queue.highest) end
  local function up(depth) return math.floor(bottom - math.min(depth / most, 1.08) * (PANEL - 30) + 0.5) end
  local finish = math.ceil(along:position(queue.finish or along.points[#along.points]))
  parts[#parts + 1] = label(LEFT - 24, top + 22, name)
  if queue.port then parts[#parts + 1] = label(LEFT - 24, top + 36, ("port %d"):format(queue.port), "quiet") end
  parts[#parts + 1] = label(LEFT - 5, bottom + 3, "0", "quiet")
  parts[#parts + 1] = label(LEFT - 5, up(most) + 4, tostring(most), "quiet")
  parts[#parts + 1] = path("grid", "M%s %sH%s", LEFT, bottom, LEFT + LENGTH)
  parts[#parts + 1] = path("steps", steps_path(queue, "depth", along, up, finish))
  local y, words = top + 9, ("limit %d, far above"):format(queue.highest)
  if shows_limit then
    parts[#parts + 1] = path("limit", steps_path(queue, "limit", along, up, finish))
    y, words = up(queue[1].limit) - 4, ("limit %d"):format(queue[1].limit)
  end
  local start = along:position(queue[1].at) + 4
  parts[#parts + 1] = element("g", { class = "words" }, markup.label(start, y, words, "quiet"))
end

--- The depth of each listener's queue over time.
---@param events table[] of a group
---@param run lunet.run whose group it is
---@param along lunet.axis from charts.axis
---@param most? integer how many queues
---@return string? svg nil without a queue
---@return integer left_out the number of queues left out
function charts.queues(events, run, along, most)
  local list, parts, told = depths.of(events), {}, {}
  if #list == 0 then return nil, 0 end
  local shown = math.min(#list, most or charts.MOST_QUEUES)
  local bottom = shown * PANEL
  add_folds(parts, along, bottom)
  for i = 1, shown do
    local queue = list[i]
    local name = queue.label or run:host_name(queue.host)
    add_queue(parts, queue, (i - 1) * PANEL, along, name)
    told[i] = ("the queue of %s: at most %d connections, limit %d"):format(name, queue.deepest, queue.highest)
  end
  add_times(parts, along, bottom, run:zero())
  return svg(bottom + 38, "Queue depth over time, against its limit", table.concat(told, "; ") .. ".", parts, "queue"),
    #list - shown
end

-- -- states ------------------------------------------------------------------------------------

local LOOKS <const> = { SYN_SENT = "handshake", SYN_RECV = "handshake", ESTABLISHED = "open", CLOSE_WAIT = "half" }

local function add_spell(parts, spell, y, along, last, zero)
  local x, to = along:position(spell.from), along:position(spell.to or last)
  local words = ("%s, %.3f to %.3f ms (%s)"):format(spell.state, (spell.from - zero) * 1000,
    ((spell.to or last) - zero) * 1000, spell.source)
  local width = math.max(math.floor(to - x + 0.5), 1)
  parts[#parts + 1] = element("path", { class = LOOKS[spell.state] or "closing",
    d = ("M%d %dh%dv%dh%dz"):format(math.floor(x + 0.5), y, width, BAR, -width) }, element("title", {}, escape(words)))
  if to - x > #spell.state * 7 + 4 then
    parts[#parts + 1] = label((x + to) / 2, y + BAR - 3, spell.state, nil, "middle")
  end
end

local function add_queued(parts, of, y, along)
  local x, to = along:position(of.queued_from), along:position(of.queued_to)
  parts[#parts + 1] = element("path", { class = "queued", d = ("M%d %dv4H%dv-4"):format(math.floor(x + 0.5), y + BAR,
    math.floor(to + 0.5)) }, element("title", {}, "in the queue, not accepted"))
end

local function title_of(of)
  if of.peer then return ("%s to %s"):format(of.name, of.peer) end
  return of.name == of.near and of.near or ("%s:%s"):format(of.name, address.port_text(of.near) or "")
end

--- The states of the connections over time.
---@param events table[] of a group
---@param run lunet.run whose group it is
---@param along lunet.axis from charts.axis
---@param most? integer how many ends of connections
---@return string? svg nil without a connection
---@return integer left_out the number of ends of connections left out
---@return table[] ends from states.of
function charts.states(events, run, along, most)
  local ends, left_out = states.of(events, most or charts.MOST_ENDS, run:cast())
  if #ends == 0 then return nil, left_out, ends end
  local parts, bars, told, zero, last = {}, {}, {}, run:zero(), along.points[#along.points]
  local bottom = #ends * ROW + 8
  add_folds(parts, along, bottom)
  for i, of in ipairs(ends) do
    local y = (i - 1) * ROW + 4
    local title = title_of(of)
    told[i] = title .. ": " .. charts.spells(of)
    bars[#bars + 1] = label(LEFT - 6, y + BAR - 3, title)
    for _, spell in ipairs(of.spells) do add_spell(bars, spell, y, along, last, zero) end
    if of.queued_from and of.queued_to > of.queued_from then add_queued(bars, of, y, along) end
  end
  parts[#parts + 1] = element("g", { class = "spell" }, table.concat(bars))
  add_times(parts, along, bottom, zero)
  return svg(bottom + 38, "States of connections over time", table.concat(told, "; ") .. ".", parts, "states"),
    left_out, ends
end

--- The states of one end in words.
function charts.spells(of)
  local names = {}
  for i, spell in ipairs(of.spells) do names[i] = spell.state end
  return table.concat(names, ", ")
end

return charts
