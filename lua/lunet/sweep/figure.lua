--- A figure: one measure over the points of a sweep. Each run is a dot, or some of very many; a bar is the interval of
--- the median, or of the share. Where runs are in several states there is no median. The sweep's first knob is along x,
--- the second a colour; the third makes panels, with those after it. Knobs with one value do not count, nor knobs whose
--- values follow from those before them.
local interval = require "lunet.sweep.interval"
local plot = require "lunet.text.plot"
local statistics = require "lunet.load.statistics"
local value = require "lunet.text.value"

---@class lunet.sweep_figure
---@field results lunet.sweep_results
---@field measure table from the plan
---@field axes string[] the knobs that tell the points apart
---@field x_of table<string, integer> the places of values of x that are names
---@field names? string[] those names; nil: x is a number
---@field is_log boolean whether numbers of x grow by factors
---@field is_share boolean whether the measure is a share of runs
---@field runs integer
---@field every integer one run of so many is a dot
---@field thinned table<table, number[]> by point
---@field panels table[]
local figure = {}
figure.__index = figure

local ROW2 <const>, ROW4 <const> = "%.14g %.14g", "%.14g %.14g %.14g %.14g"
local UNEVEN <const> = 8 -- the greatest step along x, in the least ones, from which on the axis has a logarithmic scale
local MOST_SERIES <const> = 8 -- of a plot in the terminal
local MOST_DOTS <const> = 10000 -- of a figure: more make a picture of many megabytes, in which nobody sees one more

-- -- series ------------------------------------------------------------------------------------

-- The knobs that tell points apart, each with those before it.
local function axes_of(plan)
  local axes, keys, count = {}, {}, 1
  for i in ipairs(plan.points) do keys[i] = "" end
  for _, axis in ipairs(plan.axes) do
    local longer, known, more = {}, {}, 0
    for i, point in ipairs(plan.points) do
      longer[i] = ("%s %q"):format(keys[i], point.knobs[axis])
      more = more + (known[longer[i]] and 0 or 1)
      known[longer[i]] = true
    end
    if more > count then axes[#axes + 1], keys, count = axis, longer, more end
  end
  return #axes > 0 and axes or { plan.axes[1] }
end

local function text_of(self, point, place)
  local axis = self.axes[place]
  return axis and point.knobs[axis] or ""
end

-- The third knob with its value, and those after it: "delay = 0, rcvbuf = 8192".
local function panel_of(self, point)
  local words = {}
  for place = 3, #self.axes do words[#words + 1] = ("%s = %s"):format(self.axes[place], text_of(self, point, place)) end
  return table.concat(words, ", ")
end

-- The points in panels, and in each panel in series, all in the order of the plan.
local function panels_of(self)
  local panels, by_name = {}, {}
  for _, point in ipairs(self.results.plan.points) do
    local panel_name, series_name = panel_of(self, point), text_of(self, point, 2)
    local panel = by_name[panel_name]
    if not panel then
      panel = { name = panel_name, series = {}, by_name = {} }
      by_name[panel_name], panels[#panels + 1] = panel, panel
    end
    local series = panel.by_name[series_name]
    if not series then
      series = { name = series_name, points = {} }
      panel.by_name[series_name], panel.series[#panel.series + 1] = series, series
    end
    table.insert(series.points, point)
  end
  return panels
end

-- Whether x is a number at every point; else its values are names, numbered in their order.
local function read_x(self)
  local names, is_number = {}, true
  self.x_of = {}
  for _, point in ipairs(self.results.plan.points) do
    local text = text_of(self, point, 1)
    is_number = is_number and tonumber(text) ~= nil and tonumber(text) < math.huge
    if not self.x_of[text] then
      names[#names + 1] = text
      self.x_of[text] = #names
    end
  end
  self.names = not is_number and names or nil
end

-- Whether numbers of x grow by factors, as 1, 2, 4, ..., 64 do.
local function grows_by_factors(points, x_of)
  local known, least, most = {}, math.huge, 0
  for _, point in ipairs(points) do known[x_of(point)] = true end
  local xs = value.sorted_keys(known)
  for i = 2, #xs do least, most = math.min(least, xs[i] - xs[i - 1]), math.max(most, xs[i] - xs[i - 1]) end
  return #xs > 0 and xs[1] > 0 and most >= UNEVEN * least
end

-- Whether the figure is a share of runs.
local function find_share(self)
  for _, point in ipairs(self.results.plan.points) do
    local numbers, is_truth = self.results:numbers(point, self.measure.name)
    if #numbers > 0 then return is_truth end
  end
  return false
end

local function count_runs(self)
  local count = 0
  for _, point in ipairs(self.results.plan.points) do
    count = count + #self.results:numbers(point, self.measure.name)
  end
  return count
end

--- Makes the figure of a measure.
---@param results lunet.sweep_results
---@param measure table from the plan
---@return lunet.sweep_figure
function figure.new(results, measure)
  local self = setmetatable({ results = results, measure = measure, axes = axes_of(results.plan) }, figure)
  read_x(self)
  self.is_log = not self.names and grows_by_factors(results.plan.points, function(point) return self:x(point) end)
  self.is_share = find_share(self)
  self.runs = count_runs(self)
  self.every, self.thinned = math.max(1, math.ceil(self.runs / MOST_DOTS)), {}
  self.panels = panels_of(self)
  for _, panel in ipairs(self.panels) do
    for _, series in ipairs(panel.series) do
      table.sort(series.points, function(a, b) return self:x(a) < self:x(b) end)
    end
  end
  return self
end

--- Where a point is along x.
---@param point table
---@return number
function figure:x(point)
  local text = text_of(self, point, 1)
  return self.names and self.x_of[text] or tonumber(text)
end

-- The second knob with its value: "patience = 0.2".
local function title(self, name)
  local axis = self.axes[2]
  return axis and ("%s = %s"):format(axis, name) or ""
end

local function y_label(self)
  local unit = self.measure.unit ~= "" and (" (%s)"):format(self.measure.unit) or ""
  return self.measure.name .. unit
end

-- -- gnuplot -----------------------------------------------------------------------------------

--- The file's name, without its end.
---@return string
function figure:name() return "figure-" .. self.measure.name end

-- A text in gnuplot's single quotes, in which only those mean something.
local function quoted(text) return "'" .. text:gsub("[%c]", " "):gsub("'", "''") .. "'" end

-- The numbers of a point that are dots: those of all runs or, if these are very many, each n-th by size, and the
-- greatest.
local function dots_of(self, point)
  local numbers = self.results:numbers(point, self.measure.name)
  if self.every == 1 then return numbers end
  if self.thinned[point] then return self.thinned[point] end
  local sorted, dots = table.move(numbers, 1, #numbers, 1, {}), {}
  self.thinned[point] = dots
  table.sort(sorted)
  for i = 1, #sorted, self.every do dots[#dots + 1] = sorted[i] end
  if #sorted % self.every ~= 1 then dots[#dots + 1] = sorted[#sorted] end
  return dots
end

-- The dots of a series (x, y), and its medians (x, median, low, high), as lines.
local function lines_of(self, series)
  local runs, medians = {}, {}
  for _, point in ipairs(series.points) do
    local x, range = self:x(point), self.results:interval(point, self.measure.name)
    local is_mixed = self.results:mixture(point, self.measure.name)
    for _, y in ipairs(dots_of(self, point)) do runs[#runs + 1] = ROW2:format(x, y) end
    if range and not is_mixed then medians[#medians + 1] = ROW4:format(x, range.value, range.low, range.high) end
    if is_mixed and #medians > 0 and medians[#medians] ~= "" then medians[#medians + 1] = "" end -- no line across it
  end
  if medians[#medians] == "" then medians[#medians] = nil end
  return runs, medians
end

-- gnuplot's blocks of data in their order, without empty ones, since it complains of these: `draw` says how.
local function blocks_of(self, panel)
  local blocks = panel.blocks or {}
  if panel.blocks then return blocks end
  panel.blocks = blocks
  for i, series in ipairs(panel.series) do
    local runs, medians = lines_of(self, series)
    local name = quoted(title(self, series.name))
    local told = #medians == 0 and "title " .. name or "notitle"
    if #runs > 0 then
      blocks[#blocks + 1] = { lines = runs, draw = ("using 1:2 with points pt 7 ps 0.4 lc %d %s"):format(i, told) }
    end
    if #medians > 0 then
      blocks[#blocks + 1] = { lines = medians,
        draw = ("using 1:2:3:4 with yerrorlines pt 5 ps 0.6 lc %d title %s"):format(i, name) }
    end
  end
  return blocks
end

--- The data for gnuplot: of each series two blocks, its runs (x, y) and its medians (x, median, low, high). Blocks have
--- two empty lines between them.
---@return string
function figure:data()
  local texts = {}
  for _, panel in ipairs(self.panels) do
    for _, block in ipairs(blocks_of(self, panel)) do texts[#texts + 1] = table.concat(block.lines, "\n") end
  end
  return table.concat(texts, "\n\n\n") .. "\n"
end

local HEAD <const> = [[
data = %s
set key noenhanced
set xlabel %s noenhanced
set ylabel %s noenhanced
set yrange [%s]
set offsets graph 0.05, graph 0.05, graph 0.05, 0
set grid
]]

local DRAWING <const> = [[
%sset terminal svg size 800,%d background 'white'
set output %s
%s
set terminal pdfcairo size 8in,%din
set output %s
%s
]]

-- The part of the script that is the same for all terminals.
local function body(self)
  local lines, index = {}, 0
  if #self.panels > 1 then lines[1] = ("set multiplot layout %d,1"):format(#self.panels) end
  for _, panel in ipairs(self.panels) do
    local parts = {}
    for _, block in ipairs(blocks_of(self, panel)) do
      parts[#parts + 1] = ("data index %d %s"):format(index, block.draw)
      index = index + 1
    end
    if #parts > 0 then
      lines[#lines + 1] = ("set title %s noenhanced"):format(quoted(panel.name))
      lines[#lines + 1] = "plot " .. table.concat(parts, ", \\\n  ")
    end
  end
  if #self.panels > 1 then lines[#lines + 1] = "unset multiplot" end
  return table.concat(lines, "\n")
end

--- The script for gnuplot, which draws NAME.svg and NAME.pdf of NAME.dat, all in the directory that it runs in.
---@return string
function figure:script()
  local name, xtics = self:name(), {}
  for i, text in ipairs(self.names or {}) do xtics[i] = ("%s %d"):format(quoted(text), i) end
  local head = HEAD:format(quoted(name .. ".dat"), quoted(self.axes[1] or ""), quoted(y_label(self)),
    self.is_share and "0:1" or "*<0:*")
  if self.is_log then head = head .. "set logscale x\n" end
  if #xtics > 0 then head = head .. ("set xtics noenhanced (%s)\n"):format(table.concat(xtics, ", ")) end
  local drawing = body(self)
  return DRAWING:format(head, 400 * #self.panels, quoted(name .. ".svg"), drawing, 4 * #self.panels,
    quoted(name .. ".pdf"), drawing)
end

--- How many dots it has.
---@return integer
function figure:count()
  local count = 0
  for _, point in ipairs(self.results.plan.points) do count = count + #dots_of(self, point) end
  return count
end

--- A sentence about the dots, without its stop: "Each run is a dot"
---@return string
function figure:legend()
  if self.every == 1 then return "Each run is a dot" end
  return ("Of %d runs one in %d is a dot, by size, and the greatest of each point"):format(self.runs, self.every)
end

--- The share at a point, or the median; nil if no run has it, or the runs are in more than one state.
---@param point table
---@return number|nil
function figure:middle(point)
  local numbers, is_truth = self.results:numbers(point, self.measure.name)
  if #numbers == 0 or self.results:mixture(point, self.measure.name) then return nil end
  return is_truth and statistics.mean(numbers) or interval.middle(numbers)
end

-- -- the terminal ------------------------------------------------------------------------------

local function medians_of(self, series, xs)
  local at = {}
  for _, point in ipairs(series.points) do
    at[self:x(point)] = self:middle(point)
  end
  local ys = {}
  for i, x in ipairs(xs) do ys[i] = at[x] or 0 / 0 end
  return ys
end

--- The medians as a plot of plain characters; nil where x has fewer than two numbers, or there are too many series.
---@return string|nil
function figure:text()
  local xs, series, count = {}, {}, 0
  for _, point in ipairs(self.results.plan.points) do xs[self:x(point) or 0] = true end
  xs = value.sorted_keys(xs)
  if self.names or #xs < 2 then return nil end
  for _, panel in ipairs(self.panels) do
    for _, one in ipairs(panel.series) do
      local name = (panel.name .. " " .. title(self, one.name)):match "^%s*(.-)%s*$"
      series[name], count = medians_of(self, one, xs), count + 1
    end
  end
  if count > MOST_SERIES then return nil end
  return tostring(plot.line { x = xs, series = count > 1 and series or nil,
    y = count == 1 and select(2, next(series)) or nil, xscale = self.is_log and "log" or nil, xlabel = self.axes[1],
    ylabel = y_label(self) .. (self.is_share and ", shares" or ", medians") })
end

return figure
