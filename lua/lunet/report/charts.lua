--- Charts below a diagram, over the same time from left to right: the depth of queues against their limits, and the
--- states of connections.
local address = require "lunet.network.address"
local axis = require "lunet.report.axis"
local depths = require "lunet.recording.depths"
local markup = require "lunet.text.markup"
local states = require "lunet.recording.states"

local charts = {}

local element, escape, number, path = markup.element, markup.escape, markup.number, markup.path

local LEFT <const>, LENGTH <const>, RIGHT <const> = 150, 800, 30 -- px
local WIDTH <const> = LEFT + LENGTH + RIGHT
local PANEL <const> = 72 -- px of a queue
local ROW <const>, BAR <const> = 20, 14 -- px of a connection
local MOST_QUEUES <const>, MOST_ENDS <const> = 12, 60

--- The axis that a group's charts share.
---@param down lunet.axis of its diagram
---@return lunet.axis
function charts.axis(down) return down:again { length = LENGTH, start = LEFT } end

local function label(x, y, words, class, anchor) return markup.label(x, y, words, class, anchor or "end") end

local function add_times(parts, along, bottom, zero)
  parts[#parts + 1] = path("tick", "M%s %sH%s", LEFT, bottom, LEFT + LENGTH)
  for _, tick in ipairs(along:ticks(72, zero)) do
    parts[#parts + 1] = path("tick", "M%s %sv4", tick.position, bottom)
    parts[#parts + 1] = label(tick.position, bottom + 16, ("%.3f"):format((tick.t - zero) * 1000),
      tick.is_start and "start" or "quiet", "middle")
  end
  parts[#parts + 1] = label(LEFT - 24, bottom + 16, "ms", "quiet")
end

-- Each folded silence has a break on the axis, and its length.
local function add_folds(parts, along, bottom)
  local free = LEFT
  for _, fold in ipairs(along.folds) do
    local middle = (fold.start + fold.finish) / 2
    parts[#parts + 1] = path("folded", "M%s 0V%s", middle, bottom)
    parts[#parts + 1] = path("break", "M%s %sl4 -9m1 9l4 -9", middle - 4, bottom + 4)
    if middle - 22 >= free then
      parts[#parts + 1] = label(middle, bottom + 29, axis.duration(fold.seconds), "fold", "middle")
      free = middle + 22
    end
  end
end

local function svg(height, title, description, parts, class)
  return element("svg", { class = "diagram chart " .. class, role = "img", width = WIDTH, height = height,
    viewBox = ("0 0 %d %d"):format(WIDTH, height), ["aria-label"] = title .. ": " .. description },
    element("desc", {}, escape(description)) .. table.concat(parts, "\n"))
end

-- -- queues ------------------------------------------------------------------------------------

-- A line of steps. Steps on the same pixel show their least and their greatest value.
local function steps_path(queue, field, along, up, finish)
  local commands, x, low, high, now = {}, nil, nil, nil, nil
  local function flush()
    if not x then return end
    if low ~= high then commands[#commands + 1] = ("V%sV%s"):format(number(up(low)), number(up(high))) end
    commands[#commands + 1] = "V" .. number(up(now))
  end
  for _, e in ipairs(queue) do
    local position, v = math.floor(along:position(e.at) * 2) / 2, e[field]
    if position ~= x then
      flush()
      commands[#commands + 1] = x and "H" .. number(position) or ("M%s %s"):format(number(position), number(up(v)))
      x, low, high = position, v, v
    end
    low, high, now = math.min(low, v), math.max(high, v), v
  end
  flush()
  commands[#commands + 1] = "H" .. number(finish)
  return table.concat(commands)
end

local function add_queue(parts, queue, top, along, name)
  local bottom = top + PANEL - 14
  local most = math.max(queue.deepest, 1)
  local shows_limit = queue.highest <= 6 * most
  if shows_limit then most = math.max(most, queue.highest) end
  local function up(depth) return bottom - math.min(depth / most, 1.08) * (PANEL - 30) end
  local finish = along:position(queue.finish or along.points[#along.points])
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
  parts[#parts + 1] = element("g", { class = "words" }, label(start, y, words, "quiet", "start"))
end

--- The depth of each listener's queue over time.
---@param events table[] of a group
---@param run lunet.run whose group it is
---@param along lunet.axis from charts.axis
---@return string? svg nil without a queue
---@return integer left_out the number of queues left out
function charts.queues(events, run, along)
  local list, parts, told = depths.of(events), {}, {}
  if #list == 0 then return nil, 0 end
  local shown = math.min(#list, MOST_QUEUES)
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

local function add_spell(parts, of, spell, y, along, last, zero)
  local x, to = along:position(spell.from), along:position(spell.to or last)
  local words = ("%s  %s, %.3f to %.3f ms (%s)"):format(of.title, spell.state, (spell.from - zero) * 1000,
    ((spell.to or last) - zero) * 1000, spell.source)
  local bar = element("rect", { class = "spell " .. (LOOKS[spell.state] or "closing"), x = x, y = y,
    width = math.max(to - x, 1), height = BAR })
  if to - x > #spell.state * 7 + 4 then
    bar = bar .. label((x + to) / 2, y + BAR - 3, spell.state, nil, "middle")
  end
  parts[#parts + 1] = element("g", { class = "state" }, element("title", {}, escape(words)) .. bar)
end

local function add_queued(parts, of, y, along)
  local x, to = along:position(of.queued_from), along:position(of.queued_to)
  parts[#parts + 1] = element("g", { class = "state waiting" }, element("title", {}, "in the queue, not accepted")
    .. path("queued", "M%s %sH%sM%s %sv4M%s %sv4", x, y + BAR + 2, to, x, y + BAR, to, y + BAR))
end

local function title_of(of)
  if of.peer then return ("%s to %s"):format(of.name, of.peer) end
  return of.name == of.near and of.near or ("%s:%s"):format(of.name, address.port_text(of.near) or "")
end

--- The states of the connections over time.
---@param events table[] of a group
---@param run lunet.run whose group it is
---@param along lunet.axis from charts.axis
---@return string? svg nil without a connection
---@return integer left_out the number of ends of connections left out
---@return table[] ends from states.of
function charts.states(events, run, along)
  local ends, left_out = states.of(events, MOST_ENDS, run:cast())
  if #ends == 0 then return nil, left_out, ends end
  local parts, zero, last, told = {}, run:zero(), along.points[#along.points], {}
  local bottom = #ends * ROW + 8
  add_folds(parts, along, bottom)
  for i, of in ipairs(ends) do
    local y = (i - 1) * ROW + 4
    of.title = title_of(of)
    parts[#parts + 1] = label(LEFT - 6, y + BAR - 3, of.title)
    for _, spell in ipairs(of.spells) do add_spell(parts, of, spell, y, along, last, zero) end
    if of.queued_from and of.queued_to > of.queued_from then add_queued(parts, of, y, along) end
    told[i] = of.title .. ": " .. charts.spells(of)
  end
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
