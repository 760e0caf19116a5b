--- Plots of an experiment (lunet.text.plot) as SVG: curves with their axes, or bars. Colour alone tells nothing: each
--- curve has dashes of its own, and its name at its end.
local markup = require "lunet.text.markup"
local text = require "lunet.text.width"
local value = require "lunet.text.value"

local plots = {}

local element, escape, label, number, path = markup.element, markup.escape, markup.label, markup.number, markup.path

local WIDTH <const> = 980 -- px
local LEFT <const>, LENGTH <const>, TALL <const> = 80, 660, 260 -- px of the field of curves; right of it, their names
local TOP <const> = 26 -- px above it, for the label of the vertical axis
local LINE <const> = 14 -- px of a line of words
local BAR <const>, ROW <const> = 16, 24 -- px
local BARS <const> = 560 -- px of the longest bar
local CHARACTER <const> = 6.5 -- px, about
local LOOKS <const> = 8 -- of curves, in diagram_style

local function is_finite(y) return y == y and math.abs(y) < math.huge end

local function svg(height, description, parts)
  return element("svg", { class = "diagram chart plot", role = "img", width = WIDTH, height = height,
    viewBox = ("0 0 %d %d"):format(WIDTH, height), ["aria-label"] = description }, table.concat(parts, "\n"))
end

-- -- curves ------------------------------------------------------------------------------------

-- Where a value lies between the ends of an axis, from 0 to 1.
local function share(v, least, most) return most > least and (v - least) / (most - least) or 0 end

local function x_of(plot, x)
  return LEFT + LENGTH * share(plot.scale(x), plot.scale(plot.least), plot.scale(plot.most))
end

local function y_of(plot, y) return TOP + TALL * (1 - share(y, plot.bottom, plot.top)) end

-- A y that is not finite is a gap. A point between two gaps is a dot: a line without length, with round ends.
local function curve_path(plot, ys)
  local commands, is_on = {}, false
  for i, x in ipairs(plot.x) do
    if is_finite(ys[i]) then
      local at = ("%s %s"):format(number(x_of(plot, x)), number(y_of(plot, ys[i])))
      commands[#commands + 1] = (is_on and "L" or "M") .. at .. (is_on and "" or "h0")
    end
    is_on = is_finite(ys[i])
  end
  return table.concat(commands)
end

local function last_point(plot, ys)
  for i = #plot.x, 1, -1 do
    if is_finite(ys[i]) then return x_of(plot, plot.x[i]), y_of(plot, ys[i]) end
  end
end

-- The names of curves that end close together stand below each other.
local function add_names(parts, plot)
  local ends = {}
  for i, series in ipairs(plot.series) do
    local x, y = last_point(plot, series.ys)
    if x then ends[#ends + 1] = { x = x, y = y, name = series.name, look = i } end
  end
  table.sort(ends, function(a, b)
    if a.y ~= b.y then return a.y < b.y end
    return a.look < b.look
  end)
  local free = -math.huge
  for _, one in ipairs(ends) do
    local y = math.max(one.y + 4, free)
    free = y + LINE
    parts[#parts + 1] = path("leader", "M%s %sL%s %s", one.x, one.y, LEFT + LENGTH + 14, y - 4)
    parts[#parts + 1] = path("curve look" .. one.look, "M%s %sh24", LEFT + LENGTH + 14, y - 4)
    parts[#parts + 1] = label(LEFT + LENGTH + 44, y, one.name)
  end
end

local function add_axes(parts, plot)
  local bottom = TOP + TALL
  if plot.ylabel then parts[1] = label(4, 14, plot.ylabel) end
  for _, y in ipairs { plot.bottom, (plot.bottom + plot.top) / 2, plot.top } do
    parts[#parts + 1] = path("grid", "M%s %sh%s", LEFT, y_of(plot, y), LENGTH)
    parts[#parts + 1] = label(LEFT - 8, y_of(plot, y) + 4, value.round(y), "quiet", "end")
  end
  parts[#parts + 1] = path("tick", "M%s %sv%sh%s", LEFT, TOP, TALL, LENGTH)
  parts[#parts + 1] = label(LEFT, bottom + 18, value.round(plot.least), "quiet", "middle")
  parts[#parts + 1] = label(LEFT + LENGTH, bottom + 18, value.round(plot.most), "quiet", "middle")
  if plot.xlabel then parts[#parts + 1] = label(LEFT + LENGTH / 2, bottom + 18, plot.xlabel, nil, "middle") end
end

local function curves(plot)
  local parts, names = {}, {}
  add_axes(parts, plot)
  for i, series in ipairs(plot.series) do
    parts[#parts + 1] = path("curve look" .. (i - 1) % LOOKS + 1, curve_path(plot, series.ys))
    names[i] = series.name
  end
  if plot.is_named then add_names(parts, plot) end
  return svg(TOP + TALL + 30, ("Curves%s over %s: %s"):format(plot.ylabel and " of " .. plot.ylabel or "",
    plot.xlabel or "x", plot.is_named and table.concat(names, ", ") or "one"), parts)
end

-- -- bars --------------------------------------------------------------------------------------

local function bars(plot)
  local parts, told, most = {}, {}, 0
  for _, v in ipairs(plot.values) do most = math.max(most, v) end
  local left = math.min(text.widest(plot.names, 0) * CHARACTER + 12, WIDTH - BARS - 80)
  local y = plot.label and 24 or 4
  if plot.label then parts[1] = label(4, 14, plot.label) end
  for i, v in ipairs(plot.values) do
    local length = most > 0 and v / most * BARS or 0
    parts[#parts + 1] = label(left - 8, y + BAR - 4, plot.names[i], nil, "end")
    parts[#parts + 1] = path("bar", "M%s %sh%sv%sh%sz", left, y, length, BAR, -length)
    parts[#parts + 1] = label(left + length + 6, y + BAR - 4, value.round(v))
    told[i] = ("%s %s"):format(plot.names[i], value.round(v))
    y = y + ROW
  end
  return svg(y + 4, ("Bars%s: %s"):format(plot.label and " of " .. plot.label or "", table.concat(told, ", ")), parts)
end

--- Draws a plot.
---@param plot lunet.plot|string lines of characters stay what they are
---@return string markup
function plots.html(plot)
  if type(plot) == "string" then return element("pre", {}, escape(plot)) end
  return element("div", { class = "scroll" }, plot.shape == "line" and curves(plot) or bars(plot))
end

return plots
