--- The results of a sweep as tables: a row for each run, and a row for each point and figure.
local csv = require "lunet.text.csv"
local interval = require "lunet.sweep.interval"
local statistics = require "lunet.load.statistics"
local value = require "lunet.text.value"

local results = {}
results.__index = results

local BEFORE <const> = { "point", "replicate", "seed", "state", "verdict" } -- columns before those of knobs and figures
local BEHIND <const> = { "identity", "attempt", "started", "seconds", "cpu", "load", "lateness", "host", "why" }

--- The figure that every experiment has: the share of its judged runs whose claim holds.
results.HOLDS = "holds"

---@class lunet.results_row
---@field record table
---@field figures table<string, any> numbers, texts and booleans of the outcome; "a.b" is field b of table a

---@class lunet.sweep_results
---@field plan lunet.plan
---@field rows lunet.results_row[] in the order of the plan's points, then of the replicates
---@field environment? table of the first run
---@field by_point table<string, lunet.results_row[]> those that are done, by the point's id
---@field counts table<string, {invalid: integer, failed: integer}> by the point's id

local function flatten(outcome, figures, path)
  for key, any in pairs(outcome) do
    if type(any) == "table" then flatten(any, figures, path .. key .. ".") else figures[path .. key] = any end
  end
  return figures
end

local function add(self, record)
  local row = { record = record, figures = flatten(record.outcome or {}, {}, "") }
  self.rows[#self.rows + 1] = row
  if record.state == "done" then
    table.insert(self.by_point[record.point], row)
  else
    self.counts[record.point][record.state] = self.counts[record.point][record.state] + 1
  end
end

--- Reads the records of a sweep. Raises an error if one cannot be read.
---@param opened lunet.sweep_directory
---@return lunet.sweep_results
function results.of(opened)
  local self = setmetatable({ plan = opened.plan, rows = {}, by_point = {}, counts = {} }, results)
  local first
  for _, point in ipairs(self.plan.points) do
    self.by_point[point.id], self.counts[point.id] = {}, { invalid = 0, failed = 0 }
    for replicate = 1, self.plan:runs_of(point) do
      local name = self.plan:run_of(point, replicate).name
      if opened.store:state(name) ~= "missing" then
        first = first or name
        add(self, assert(opened.store:read_brief(name)))
      end
    end
  end
  self.environment = first and assert(opened.store:read(first)).environment
  return self
end

-- -- a row for each run ------------------------------------------------------------------------

-- Columns that the rows have in a part of them. A name that another column has gets the part's before it.
local function columns_of(self, part, get, taken)
  local names, columns = {}, {}
  for _, row in ipairs(self.rows) do
    for name in pairs(get(row)) do names[name] = true end
  end
  for i, name in ipairs(value.sorted_keys(names)) do
    local column = taken[name] and part .. "." .. name or name
    taken[column] = true
    columns[i] = { name = name, column = column, get = get }
  end
  return columns
end

local function knobs_of(row)
  local knobs = {}
  for name, any in pairs(row.record.knobs or {}) do
    if name ~= "seed" then knobs[name] = type(any) == "table" and table.concat(any, "+") or any end
  end
  return knobs
end

--- results.csv: a row for each run, whatever became of it.
---@return string
function results:runs_csv()
  local taken, names, rows = {}, {}, {}
  for _, list in ipairs { BEFORE, BEHIND } do
    for _, name in ipairs(list) do taken[name] = true end
  end
  local columns = columns_of(self, "knob", knobs_of, taken)
  local figures = columns_of(self, "outcome", function(row) return row.figures end, taken)
  table.move(figures, 1, #figures, #columns + 1, columns)
  table.move(BEFORE, 1, #BEFORE, 1, names)
  for _, column in ipairs(columns) do names[#names + 1] = column.column end
  table.move(BEHIND, 1, #BEHIND, #names + 1, names)
  for i, row in ipairs(self.rows) do
    rows[i] = {}
    for _, list in ipairs { BEFORE, BEHIND } do
      for _, name in ipairs(list) do rows[i][name] = row.record[name] end
    end
    for _, column in ipairs(columns) do rows[i][column.column] = column.get(row)[column.name] end
  end
  return csv.encode(names, rows)
end

-- -- a row for each point and figure -------------------------------------------------------------

--- The numbers of a figure in the runs of a point that are done; true is 1, and false 0.
---@param point table
---@param name string
---@return number[]
---@return boolean is_share whether they are true and false
function results:numbers(point, name)
  local numbers, is_share = {}, false
  for _, row in ipairs(self.by_point[point.id]) do
    local any = row.figures[name]
    if name == results.HOLDS then any = row.record.verdict == "holds" end
    if type(any) == "boolean" then any, is_share = any and 1 or 0, true end
    if math.type(any) then numbers[#numbers + 1] = any end
  end
  return numbers, is_share
end

--- The interval that describes a figure at a point: of the share of runs, or of the median.
---@param point table
---@param name string
---@return lunet.interval|nil
---@return string? why there is none
function results:interval(point, name)
  local numbers, is_share = self:numbers(point, name)
  if not is_share then return interval.median(numbers) end
  local count = 0
  for _, one in ipairs(numbers) do count = count + one end
  return interval.share(count, #numbers)
end

-- All figures that are a number or a truth in some run: those that the experiment declares come first.
local function figure_names(self)
  local names, known = { results.HOLDS }, { [results.HOLDS] = true }
  for _, measure in ipairs(self.plan.measures) do
    if not known[measure.name] then names[#names + 1] = measure.name end
    known[measure.name] = true
  end
  local others = {}
  for _, row in ipairs(self.rows) do
    for name, any in pairs(row.figures) do
      if not known[name] and (math.type(any) or type(any) == "boolean") then others[name] = true end
    end
  end
  local sorted = value.sorted_keys(others)
  return table.move(sorted, 1, #sorted, #names + 1, names)
end

local function summary_row(self, point, name)
  local numbers = self:numbers(point, name)
  local range, why = self:interval(point, name)
  local row = { point = point.id, figure = name, n = #numbers, invalid = self.counts[point.id].invalid,
    failed = self.counts[point.id].failed, mean = statistics.mean(numbers),
    median = #numbers > 0 and interval.middle(numbers) or nil, low = range and range.low, high = range and range.high,
    method = range and range.method or "none: " .. why }
  for _, axis in ipairs(self.plan.axes) do row["knob." .. axis] = point.knobs[axis] end
  return row
end

--- The columns of the summary: the knobs that the sweep names are "knob.NAME".
---@return string[]
function results:summary_columns()
  local columns = { "point" }
  for i, axis in ipairs(self.plan.axes) do columns[i + 1] = "knob." .. axis end
  local rest = { "figure", "n", "invalid", "failed", "median", "mean", "low", "high", "method" }
  return table.move(rest, 1, #rest, #columns + 1, columns)
end

--- A row for each point and figure.
---@return table<string, any>[]
function results:summary()
  local rows, names = {}, figure_names(self)
  for _, point in ipairs(self.plan.points) do
    for _, name in ipairs(names) do rows[#rows + 1] = summary_row(self, point, name) end
  end
  return rows
end

--- summary.csv: a row for each point and figure.
---@return string
function results:summary_csv() return csv.encode(self:summary_columns(), self:summary()) end

return results
