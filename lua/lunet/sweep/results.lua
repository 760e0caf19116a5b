--- The results of a sweep as tables: a row for each run, and a row for each point and figure.
local csv = require "lunet.text.csv"
local index = require "lunet.sweep.index"
local interval = require "lunet.sweep.interval"
local measure_type = require "lunet.run.measure"
local statistics = require "lunet.load.statistics"
local value = require "lunet.text.value"

local results = {}
results.__index = results

local BEFORE <const> = { "point", "replicate", "seed", "state", "verdict" } -- columns before those of knobs and figures
local BEHIND <const> = { "identity", "attempt", "started", "seconds", "cpu", "load", "lateness", "host", "why" }

--- The figure that every experiment has: the share of its judged runs whose claim holds.
results.HOLDS = "holds"

---@class lunet.results_row
---@field record table its fields that results.csv has, and `claim`
---@field knobs table<string, any> without the seed; a list of a knob is a text
---@field states table<string, boolean> whether it is in a state, by "NAME=STATE"
---@field figures table<string, any> numbers, texts and booleans of the outcome; "a.b" is field b of table a

---@class lunet.sweep_results
---@field plan lunet.plan
---@field measures lunet.measure[] the plan's; one with states is followed by a measure for each of them, "NAME=STATE",
--- which is the share of the runs in that state
---@field rows lunet.results_row[] in the order of the plan's points, then of the replicates
---@field environment? table of the first run
---@field by_point table<string, lunet.results_row[]> those that are done, by the point's id
---@field counts table<string, {invalid: integer, failed: integer}> by the point's id
---@field known table<string, table> numbers and intervals that were asked for, by figure and point

local function flatten(outcome, figures, path)
  for key, any in pairs(outcome) do
    if type(any) == "table" then flatten(any, figures, path .. key .. ".") else figures[path .. key] = any end
  end
  return figures
end

local function knobs_of(record)
  local knobs = {}
  for name, any in pairs(record.knobs or {}) do
    if name ~= "seed" then knobs[name] = type(any) == "table" and table.concat(any, "+") or any end
  end
  return knobs
end

-- Whether two tables have the same fields.
local function is_same(a, b)
  for name, any in pairs(a) do
    if b[name] ~= any or math.type(b[name]) ~= math.type(any) then return false end
  end
  for name in pairs(b) do
    if a[name] == nil then return false end
  end
  return true
end

-- Keeps this much of a record: there may be 100,000.
local function row_of(record)
  local row = { record = { claim = record.claim }, knobs = knobs_of(record),
    figures = flatten(record.outcome or {}, {}, "") }
  for _, list in ipairs { BEFORE, BEHIND } do
    for _, name in ipairs(list) do row.record[name] = record[name] end
  end
  return row
end

-- Keeps once what a row has in common with the last one.
local function share(row, last)
  if not last then return end
  if is_same(last.knobs, row.knobs) then row.knobs = last.knobs end
  if last.record.claim == row.record.claim then row.record.claim = last.record.claim end
end

local NONE <const> = {} -- one for the many rows without states

-- Which states a run is in.
local function states_of(self, row)
  if not self.has_states then return NONE end
  local states = {}
  for _, measure in ipairs(self.measures) do
    if measure.whole then
      local state = measure_type.state(measure.whole, row.figures[measure.whole.name])
      if state then states[measure.name] = state == measure.state end
    end
  end
  return states
end

local function add(self, row)
  local point, state = row.record.point, row.record.state
  share(row, self.rows[#self.rows])
  row.states = states_of(self, row)
  self.rows[#self.rows + 1] = row
  if state == "done" then
    table.insert(self.by_point[point], row)
  else
    self.counts[point][state] = self.counts[point][state] + 1
  end
end

-- The measures of a plan, with those of states. A measure that is no number is its states alone.
local function measures_of(plan)
  local measures = {}
  for _, measure in ipairs(plan.measures) do
    local names, is_number = {}, true
    if measure.states then names, is_number = measure_type.states(measure) end
    if is_number then measures[#measures + 1] = measure end
    for i, name in ipairs(names) do
      measures[#measures + 1] = { name = measure.name .. "=" .. name, unit = "share of runs", whole = measure,
        state = name, is_rest = #names == 2 and i == 1,
        meaning = ("in how many runs it is %s (%s)"):format(name, measure.meaning) }
    end
  end
  return measures
end

-- The report, and whoever else reads all records, tells this in a line.
local function must(record, message)
  if message then error({ lost = message .. " (without it the run is missing, and is done again)" }, 0) end
  return record
end

-- The row of a run, from the index or from its record; nil if the run is missing.
local function find_row(opened, known, name)
  local row = known:find(name)
  if row then return row end
  local record = must(opened.store:read_brief(name))
  if not record then return nil end
  row = row_of(record)
  known:add(name, row)
  return row
end

--- Reads the records of a sweep, or its index where it is current. Raises { lost = message } if one cannot be read.
---@param opened lunet.sweep_directory
---@return lunet.sweep_results
function results.of(opened)
  local self = setmetatable({ plan = opened.plan, measures = measures_of(opened.plan), rows = {}, by_point = {},
    counts = {}, known = {} }, results)
  for _, measure in ipairs(self.measures) do self.has_states = self.has_states or measure.whole ~= nil end
  local first
  local known = index.open(opened.path)
  for _, point in ipairs(self.plan.points) do
    self.by_point[point.id], self.counts[point.id] = {}, { invalid = 0, failed = 0 }
    for replicate = 1, self.plan:runs_of(point) do
      local name = self.plan:run_of(point, replicate).name
      local row = find_row(opened, known, name)
      if row then
        first = first or name
        add(self, row)
      end
    end
  end
  known:save()
  self.environment = first and must(opened.store:read(first)).environment
  return self
end

-- -- a row for each run ------------------------------------------------------------------------

-- Columns for the fields that the rows have in a part of them. A name that another column has gets a prefix.
local function columns_of(self, part, prefix, taken)
  local names, columns = {}, {}
  for _, row in ipairs(self.rows) do
    for name in pairs(row[part]) do names[name] = true end
  end
  for i, name in ipairs(value.sorted_keys(names)) do
    local column = taken[name] and prefix .. "." .. name or name
    taken[column] = true
    columns[i] = { name = name, column = column, part = part }
  end
  return columns
end

-- The columns of the records' own fields.
local function own_columns(names)
  local columns = {}
  for i, name in ipairs(names) do columns[i] = { name = name, column = name, part = "record" } end
  return columns
end

--- results.csv: a row for each run, whatever became of it.
---@return string
function results:runs_csv()
  local taken, columns, names = {}, own_columns(BEFORE), {}
  for _, list in ipairs { BEFORE, BEHIND } do
    for _, name in ipairs(list) do taken[name] = true end
  end
  for _, more in ipairs { columns_of(self, "knobs", "knob", taken), columns_of(self, "figures", "outcome", taken),
    own_columns(BEHIND) } do
    table.move(more, 1, #more, #columns + 1, columns)
  end
  local parts, fields = {}, {}
  for i, column in ipairs(columns) do names[i], parts[i], fields[i] = column.column, column.part, column.name end
  return csv.encode(names, self.rows, function(row, i) return row[parts[i]][fields[i]] end)
end

-- -- a row for each point and figure -------------------------------------------------------------

--- The number of a figure in a run; true is 1, and false 0.
---@param row lunet.results_row
---@param name string of a figure; or "NAME=STATE"
---@return number|nil
---@return boolean is_truth whether it is true or false
function results:number_of(row, name)
  local any = row.figures[name]
  if any == nil then any = row.states[name] end
  if name == self.HOLDS then any = row.record.verdict == "holds" end
  if type(any) == "boolean" then return any and 1 or 0, true end
  return math.type(any) and any or nil, false
end

local function find_numbers(self, point, name)
  local numbers, is_share = {}, false
  for _, row in ipairs(self.by_point[point.id]) do
    local number, is_truth = self:number_of(row, name)
    numbers[#numbers + 1], is_share = number, is_share or is_truth
  end
  return numbers, is_share
end

-- The numbers and the interval of a figure at a point, found once: tables and figures ask for them several times.
local function known_of(self, point, name)
  local by_point = self.known[name] or {}
  self.known[name] = by_point
  if not by_point[point.id] then
    local numbers, is_share = find_numbers(self, point, name)
    by_point[point.id] = { numbers = numbers, is_share = is_share }
  end
  return by_point[point.id]
end

--- The numbers of a figure in the runs of a point that are done; true is 1, and false 0.
---@param point table
---@param name string of a figure; or "NAME=STATE"
---@return number[] numbers as the runs have them; a caller leaves the list as it is
---@return boolean is_share whether they are true and false
function results:numbers(point, name)
  local known = known_of(self, point, name)
  return known.numbers, known.is_share
end

--- The measures that are drawn: the share of the first of two states is the rest of the other one's.
---@return lunet.measure[]
function results:drawn_measures()
  local drawn = {}
  for _, measure in ipairs(self.measures) do
    if not measure.is_rest then drawn[#drawn + 1] = measure end
  end
  return drawn
end

--- How many runs of a point are in each state of a measure, in words, if they are in more than one: "collapsed 3,
--- works 7". Their mean and median say nothing then.
---@param point table
---@param name string of a measure
---@return string|nil
function results:mixture(point, name)
  local words = {}
  for _, measure in ipairs(self.measures) do
    if measure.whole and measure.whole.name == name then
      local count = 0
      for _, one in ipairs((self:numbers(point, measure.name))) do count = count + one end
      if count > 0 then words[#words + 1] = ("%s %d"):format(measure.state, count) end
    end
  end
  return words[2] and table.concat(words, ", ") or nil
end

local function find_interval(numbers, is_share)
  if not is_share then return interval.median(numbers) end
  local count = 0
  for _, one in ipairs(numbers) do count = count + one end
  return interval.share(count, #numbers)
end

--- The interval that describes a figure at a point: of the share of runs, or of the median.
---@param point table
---@param name string
---@return lunet.interval|nil
---@return string? why there is none
function results:interval(point, name)
  local known = known_of(self, point, name)
  if not known.interval and not known.why then
    known.interval, known.why = find_interval(known.numbers, known.is_share)
  end
  return known.interval, known.why
end

--- All figures that are a number or a truth in some run: those that the experiment declares come first.
---@return string[]
function results:figure_names()
  local names, known = { results.HOLDS }, { [results.HOLDS] = true }
  for _, measure in ipairs(self.measures) do
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
  local numbers, is_share = self:numbers(point, name)
  local range, why = self:interval(point, name)
  local row = { point = point.id, figure = name, n = #numbers, invalid = self.counts[point.id].invalid,
    failed = self.counts[point.id].failed, mean = statistics.mean(numbers),
    median = #numbers > 0 and interval.middle(numbers) or nil, low = range and range.low, high = range and range.high,
    method = range and range.method or "none: " .. why }
  local mixture = self:mixture(point, name)
  if mixture then row.method = ("%s; in more than one state: %s"):format(row.method, mixture) end
  if is_share then row.median = nil end
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
  local rows, names = {}, self:figure_names()
  for _, point in ipairs(self.plan.points) do
    for _, name in ipairs(names) do rows[#rows + 1] = summary_row(self, point, name) end
  end
  return rows
end

--- summary.csv: a row for each point and figure.
---@return string
function results:summary_csv() return csv.encode(self:summary_columns(), self:summary()) end

return results
