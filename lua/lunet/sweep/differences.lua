--- Differences between the points of a sweep. Runs of the same seed at two points are a pair, which met the same draws.
--- So the difference of pairs is known better than that of the points' means.
local csv = require "lunet.text.csv"
local interval = require "lunet.sweep.interval"
local results = require "lunet.sweep.results"
local value = require "lunet.text.value"

local differences = {}

local COLUMNS <const> = { "figure", "pairs", "difference", "low", "high", "method" }

-- The numbers of a figure at a point, by the number of the run.
local function by_replicate(found, point, name)
  local numbers = {}
  for _, row in ipairs(found.by_point[point.id]) do numbers[row.record.replicate] = found:number_of(row, name) end
  return numbers
end

-- base: the numbers of the figure at the first point.
local function row_of(found, name, base, first, point)
  local others, values, bases = by_replicate(found, point, name), {}, {}
  for replicate = 1, found.plan:runs_of(point) do
    if base[replicate] and others[replicate] then
      values[#values + 1], bases[#bases + 1] = others[replicate], base[replicate]
    end
  end
  local range, why = interval.difference(values, bases)
  return { point = point.id, against = first.id, figure = name, pairs = #values, difference = range and range.value,
    low = range and range.low, high = range and range.high, method = range and range.method or "none: " .. why }
end

--- The differences of each point from the first one, in each measure and in `holds`.
---@param found lunet.sweep_results
---@return table<string, any>[] rows none if the runs have no seeds
function differences.of(found)
  local rows, first = {}, found.plan.points[1]
  if not found.plan.seeded then return rows end
  local names = { results.HOLDS }
  for _, measure in ipairs(found:drawn_measures()) do names[#names + 1] = measure.name end
  local base_of = {}
  for _, name in ipairs(names) do base_of[name] = by_replicate(found, first, name) end
  for i = 2, #found.plan.points do
    local point = found.plan.points[i]
    for _, name in ipairs(names) do
      local row = row_of(found, name, base_of[name], first, point)
      for _, axis in ipairs(found.plan.axes) do row["knob." .. axis] = point.knobs[axis] end
      rows[#rows + 1] = row
    end
  end
  return rows
end

--- differences.csv: a row for each point but the first, and for each figure.
---@param found lunet.sweep_results
---@param rows table<string, any>[] from of
---@return string
function differences.csv(found, rows)
  local columns = { "point" }
  for i, axis in ipairs(found.plan.axes) do columns[i + 1] = "knob." .. axis end
  columns[#columns + 1] = "against"
  return csv.encode(table.move(COLUMNS, 1, #COLUMNS, #columns + 1, columns), rows)
end

--- The same for a page, without the columns that are the same in all rows.
---@param found lunet.sweep_results
---@param rows table<string, any>[] from of
---@return string[] head
---@return string[][] texts
function differences.table(found, rows)
  local head, texts = table.move(found.plan.axes, 1, #found.plan.axes, 1, {}), {}
  table.move({ "figure", "pairs", "difference" }, 1, 3, #head + 1, head)
  for i, row in ipairs(rows) do
    local cells = {}
    for k, axis in ipairs(found.plan.axes) do cells[k] = row["knob." .. axis] end
    local text = row.difference and ("%s (%s to %s)"):format(value.round(row.difference), value.round(row.low),
      value.round(row.high)) or row.method
    texts[i] = table.move({ row.figure, tostring(row.pairs), text }, 1, 3, #cells + 1, cells)
  end
  return head, texts
end

return differences
