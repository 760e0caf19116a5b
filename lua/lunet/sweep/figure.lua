--- A figure: one measure over the points of a sweep. Each run is a dot, the interval of the median a bar. The sweep's
--- first knob is along x, the second a colour, the third a panel.
local plot = require "lunet.text.plot"
local value = require "lunet.text.value"

local figure = {}
figure.__index = figure

local ROW2 <const>, ROW4 <const> = "%.14g %.14g", "%.14g %.14g %.14g %.14g"
local MOST_SERIES <const> = 8 -- of a plot in the terminal

-- -- series ------------------------------------------------------------------------------------

local function text_of(self, point, place)
  local axis = self.results.plan.axes[place]
  return axis and point.knobs[axis] or ""
end

-- The points in panels, and in each panel in series, all in the order of the plan.
local function panels_of(self)
  local panels, by_name = {}, {}
  for _, point in ipairs(self.results.plan.points) do
    local panel_name, series_name = text_of(self, point, 3), text_of(self, point, 2)
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

--- Makes the figure of a measure.
---@param results lunet.sweep_results
---@param measure table from the plan
---@return lunet.sweep_figure
function figure.new(results, measure)
  local self = setmetatable({ results = results, measure = measure }, figure)
  read_x(self)
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

-- A second or third knob with its value: "patience = 0.2".
local function title(self, place, name)
  local axis = self.results.plan.axes[place]
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

-- The runs of a series (x, y), and their medians (x, median, low, high), as lines.
local function lines_of(self, series)
  local runs, medians = {}, {}
  for _, point in ipairs(series.points) do
    local x, range = self:x(point), self.results:interval(point, self.measure.name)
    for _, y in ipairs(self.results:numbers(point, self.measure.name)) do runs[#runs + 1] = ROW2:format(x, y) end
    if range then medians[#medians + 1] = ROW4:format(x, range.value, range.low, range.high) end
  end
  return runs, medians
end

-- gnuplot's blocks of data in their order, without empty ones, since it complains of these: `draw` says how.
local function blocks_of(self, panel)
  local blocks = {}
  for i, series in ipairs(panel.series) do
    local runs, medians = lines_of(self, series)
    local name = quoted(title(self, 2, series.name))
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
set yrange [*<0:*]
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
      lines[#lines + 1] = ("set title %s noenhanced"):format(quoted(title(self, 3, panel.name)))
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
  local head = HEAD:format(quoted(name .. ".dat"), quoted(self.results.plan.axes[1] or ""), quoted(y_label(self)))
  if #xtics > 0 then head = head .. ("set xtics noenhanced (%s)\n"):format(table.concat(xtics, ", ")) end
  return DRAWING:format(head, 400 * #self.panels, quoted(name .. ".svg"), body(self), 4 * #self.panels,
    quoted(name .. ".pdf"), body(self))
end

--- How many dots it has: the runs that have the figure.
---@return integer
function figure:count()
  local count = 0
  for _, point in ipairs(self.results.plan.points) do
    count = count + #self.results:numbers(point, self.measure.name)
  end
  return count
end

-- -- the terminal ------------------------------------------------------------------------------

local function medians_of(self, series, xs)
  local at = {}
  for _, point in ipairs(series.points) do
    local numbers = self.results:numbers(point, self.measure.name)
    table.sort(numbers)
    at[self:x(point)] = numbers[(#numbers + 1) // 2]
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
      local name = (title(self, 3, panel.name) .. " " .. title(self, 2, one.name)):match "^%s*(.-)%s*$"
      series[name], count = medians_of(self, one, xs), count + 1
    end
  end
  if count > MOST_SERIES then return nil end
  return plot.line { x = xs, series = count > 1 and series or nil, y = count == 1 and select(2, next(series)) or nil,
    xlabel = self.results.plan.axes[1], ylabel = y_label(self) .. ", medians" }
end

return figure
