--- Plots: a curve of numbers over numbers, or bars. tostring(a_plot) draws it of plain characters, for a terminal or a
--- pipe; a report draws the same plot as SVG (lunet.report.plots).
local core = require "lunet.core"
local options = require "lunet.text.options"
local text = require "lunet.text.width"
local value = require "lunet.text.value"

local plot = {}

---@class lunet.plot
---@field kind "lunet.plot"
---@field shape "line"|"bars"
---@field names? string[] of bars
---@field values? number[] of bars
---@field label? string of bars, above them
---@field x? number[] of lines
---@field series? {name: string, ys: number[], mark: string}[] of lines, in the order of their names
---@field is_named? boolean whether the series have names
---@field xlabel? string
---@field ylabel? string
---@field scale? fun(x: number): number of the horizontal axis
---@field least? number the left end of the horizontal axis
---@field most? number its right end
---@field bottom? number the lower end of the vertical axis
---@field top? number its upper end
---@field width integer characters, all of it
---@field height? integer lines of the canvas
local shown = { kind = "lunet.plot" }
shown.__index = shown

local WIDTH <const>, HEIGHT <const> = 72, 15 -- characters

local MARKS = { "*", "o", "+", "x", "#", "@", "%", "=" } -- of the series, in the order of their names

local CELLS <const> = options.whole(1)
local LINE_FIELDS = { x = options.list, y = options.list, series = options.list, xlabel = options.text,
  ylabel = options.text, xscale = options.one_of { "linear", "log" }, width = CELLS, height = CELLS }
local BAR_FIELDS = { names = options.list, values = options.list, label = options.text, width = CELLS }

local function misuse(name, words, ...) core.misuse(("%s: %s"):format(name, words:format(...))) end

local function is_finite(number) return number == number and math.abs(number) < math.huge end

local function check_numbers(name, field, list, count)
  if type(list) ~= "table" or #list ~= count then misuse(name, "%s is a list of %d numbers", field, count) end
  for _, number in ipairs(list) do
    if not math.type(number) then misuse(name, "%s holds a %s, not a number", field, type(number)) end
  end
end

--- The least of 1, 2, 2.5 and 5 times a power of ten that is not below the number: an axis ends there.
local function round_up(number)
  if number <= 0 then return 0 end
  local power = 10 ^ math.floor(math.log(number, 10))
  for _, factor in ipairs { 1, 2, 2.5, 5 } do
    if number <= factor * power * (1 + 1e-9) then return factor * power end
  end
  return 10 * power
end

local function extent(lists)
  local least, most = math.huge, -math.huge
  for _, list in ipairs(lists) do
    for _, number in ipairs(list) do
      if is_finite(number) then least, most = math.min(least, number), math.max(most, number) end
    end
  end
  if least > most then return 0, 1 end
  return least, most
end

local SCALES = { linear = function(x) return x end, log = math.log }

-- An axis of so many cells; cell_of(number) counts them from 0.
local function axis(least, most, cells, scale)
  local low, high = scale(least), scale(most)
  local function cell_of(number)
    if high == low then return 0 end
    return math.floor((scale(number) - low) / (high - low) * (cells - 1) + 0.5)
  end
  return { least = least, most = most, cells = cells, cell_of = cell_of }
end

-- The ends of the vertical axis.
local function y_ends(lists)
  local least, most = extent(lists)
  local bottom, top = -round_up(-least), round_up(most)
  return bottom, bottom == top and 1 or top
end

local function new_canvas(width, height)
  local canvas = {}
  for row = 1, height do
    canvas[row] = {}
    for column = 1, width do canvas[row][column] = " " end
  end
  return canvas
end

-- A straight line of cells, both ends included. It leaves cells that an earlier line has taken.
local function draw_line(canvas, mark, from, to)
  local steps = math.max(math.abs(to.x - from.x), math.abs(to.y - from.y), 1)
  for step = 0, steps do
    local x = math.floor(from.x + (to.x - from.x) * step / steps + 0.5)
    local y = math.floor(from.y + (to.y - from.y) * step / steps + 0.5)
    local row = canvas[#canvas - y]
    if row[x + 1] == " " then row[x + 1] = mark end
  end
end

-- A number that is not finite is a gap.
local function draw_series(canvas, mark, xs, ys, across, up)
  local before
  for i, x in ipairs(xs) do
    local here = is_finite(ys[i]) and { x = across.cell_of(x), y = up.cell_of(ys[i]) } or nil
    if here then draw_line(canvas, mark, before or here, here) end
    before = here
  end
end

local function middle(a) return value.round((a.least + a.most) / 2) end

--- The rows of the canvas, with the numbers of the axis to the left of the top, middle and bottom row.
local function rows_with_axis(canvas, up)
  local labels = { [1] = value.round(up.most), [#canvas] = value.round(up.least) }
  if #canvas % 2 == 1 then labels[(#canvas + 1) // 2] = middle(up) end
  local width = 0
  for _, label in pairs(labels) do width = math.max(width, #label) end
  local lines = {}
  for i, row in ipairs(canvas) do
    local start = text.right(labels[i] or "", width) .. (labels[i] and " +" or " |")
    lines[i] = (start .. table.concat(row)):gsub("%s+$", "")
  end
  return lines, width
end

--- The axis below: a rule, and its label between the numbers of its ends.
local function x_axis_lines(across, label, indent)
  local start = (" "):rep(indent + 1)
  local low, high = value.round(across.least), value.round(across.most)
  local room = across.cells - #low - #high
  local gap = math.max((room - text.width(label)) // 2, 1)
  local between = text.left((" "):rep(gap) .. label, math.max(room, gap + text.width(label) + 1))
  return { start .. "+" .. ("-"):rep(across.cells), start .. " " .. low .. between .. high }
end

local function sorted_series(given)
  local list, series = {}, given.series or { [""] = given.y }
  for i, name in ipairs(value.sorted_keys(series)) do list[i] = { name = name, ys = series[name], mark = MARKS[i] } end
  return list
end

-- Each line names as many series as fit.
local function add_legend(lines, list, width)
  local line
  for _, series in ipairs(list) do
    local item = series.mark .. " " .. text.shown(series.name)
    local longer = line and line .. "   " .. item or item
    if line and text.width(longer) > width then
      lines[#lines + 1] = line
      longer = item
    end
    line = longer
  end
  lines[#lines + 1] = line
end

local function check_line(given)
  local name = "plot.line"
  options.check(name, given, LINE_FIELDS)
  if not given.x or (given.y == nil) == (given.series == nil) then misuse(name, "give x, and either y or series") end
  check_numbers(name, "x", given.x, #given.x)
  for _, x in ipairs(given.x) do
    if not is_finite(x) or given.xscale == "log" and x <= 0 then misuse(name, "x holds %s", tostring(x)) end
  end
  local list = sorted_series(given)
  if #list > #MARKS then misuse(name, "at most %d series", #MARKS) end
  for _, series in ipairs(list) do
    check_numbers(name, given.y and "y" or "series." .. tostring(series.name), series.ys, #given.x)
  end
  return list
end

--- Plots one curve, or several over the same x, each with a mark of its own. The vertical axis includes 0. Straight
--- lines join the points. A y that is not finite leaves a gap.
---@param given {x: number[], y: number[]?, series: table<string, number[]>?, xlabel: string?, ylabel: string?,
---  xscale: "linear"|"log"?, width: integer?, height: integer?} width of all of it; height of the canvas
---@return lunet.plot
function plot.line(given)
  local list = check_line(given)
  local lists = {}
  for i, series in ipairs(list) do lists[i] = series.ys end
  local least, most = extent { given.x }
  local bottom, top = y_ends(lists)
  return setmetatable({ shape = "line", x = given.x, series = list, is_named = given.series ~= nil,
    xlabel = given.xlabel, ylabel = given.ylabel, scale = SCALES[given.xscale or "linear"], least = least, most = most,
    bottom = bottom, top = top, width = given.width or WIDTH, height = math.max(given.height or HEIGHT, 2) }, shown)
end

local function line_text(self)
  local up = axis(self.bottom, self.top, self.height, SCALES.linear)
  local margin = math.max(#value.round(up.most), #value.round(up.least), #middle(up)) + 2
  local across = axis(self.least, self.most, math.max(self.width - margin, 10), self.scale)
  local canvas = new_canvas(across.cells, up.cells)
  for _, series in ipairs(self.series) do draw_series(canvas, series.mark, self.x, series.ys, across, up) end

  local rows, indent = rows_with_axis(canvas, up)
  local lines = {}
  if self.ylabel then lines[1] = self.ylabel end
  if self.is_named then add_legend(lines, self.series, self.width) end
  table.move(rows, 1, #rows, #lines + 1, lines)
  table.move(x_axis_lines(across, self.xlabel or "", indent), 1, 2, #lines + 1, lines)
  return table.concat(lines, "\n")
end

--- Plots horizontal bars from 0, each with its name to the left and its value to the right.
---@param given {names: string[], values: number[], label: string?, width: integer?} width of all of it
---@return lunet.plot
function plot.bars(given)
  local name = "plot.bars"
  options.check(name, given, BAR_FIELDS, { "names", "values" })
  check_numbers(name, "values", given.values, #given.names)
  for _, number in ipairs(given.values) do
    if not is_finite(number) or number < 0 then misuse(name, "values holds %s", tostring(number)) end
  end
  return setmetatable({ shape = "bars", names = given.names, values = given.values, label = given.label,
    width = given.width or WIDTH }, shown)
end

local function bars_text(self)
  local numbers = {}
  for i, number in ipairs(self.values) do numbers[i] = value.round(number) end
  local before, behind = text.widest(self.names, 0), text.widest(numbers, 0)
  local room = math.max(self.width - before - behind - 3, 1)
  local _, most = extent { self.values }
  local lines = { self.label }
  for i, number in ipairs(self.values) do
    local length = most > 0 and math.floor(number / most * room + 0.5) or 0
    lines[#lines + 1] = ("%s |%s %s"):format(text.left(self.names[i], before), ("#"):rep(length), numbers[i])
  end
  return table.concat(lines, "\n")
end

--- Draws it of plain characters, without a newline at the end.
function shown:__tostring() return self.shape == "line" and line_text(self) or bars_text(self) end

--- Whether a value is a plot. Busted loads modules anew for each spec file, so a metatable cannot tell one.
---@param any any
---@return boolean
function plot.is(any) return type(any) == "table" and any.kind == shown.kind end

return plot
