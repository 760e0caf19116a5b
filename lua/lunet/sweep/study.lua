--- The page of a study: a sweep that answers one question, small enough to be kept beside the code. Markdown, the
--- figures that gnuplot drew, and a table of the measures as CSV.
local csv = require "lunet.text.csv"
local core = require "lunet.core"
local directory = require "lunet.sweep.directory"
local environment = require "lunet.run.environment"
local interval = require "lunet.sweep.interval"
local page = require "lunet.sweep.page"
local results = require "lunet.sweep.results"
local shell = require "lunet.text.shell"
local statistics = require "lunet.load.statistics"

local study = {}

---@class lunet.study
---@field name string of its files
---@field title string its question
---@field text string what it varies and why, in Markdown
---@field words string[] of `lunet sweep`, without --into
---@field measures string[] those whose figures the page shows; "NAME=STATE" is the share of runs in a state
---@field table? fun(found: lunet.sweep_results): string[][] rows of one more table, the first one its head

-- -- thresholds -----------------------------------------------------------------------------------

local function median(found, point, name)
  local numbers = found:numbers(point, name)
  return #numbers > 0 and interval.middle(numbers) or 0 / 0
end

-- The points in groups that differ in their backlog alone, in the order of the plan.
local function groups_of(found, axes)
  local groups, known = {}, {}
  for _, point in ipairs(found.plan.points) do
    local words = {}
    for i, axis in ipairs(axes) do words[i] = point.knobs[axis] end
    local key = table.concat(words, " ")
    if not known[key] then
      known[key] = { words = words }
      groups[#groups + 1] = known[key]
    end
    table.insert(known[key], point)
  end
  return groups
end

--- The measured threshold of goodput beside both predictions, for each patience and distribution.
---@param found lunet.sweep_results of retry_storm
---@return string[][] rows
function study.thresholds(found)
  local rows = { { "distribution", "patience", "capacity * patience - 2", "half by the model",
    "half measured up to", "less than half from" } }
  for _, group in ipairs(groups_of(found, { "distribution", "patience" })) do
    local half_to, half_from = -math.huge, math.huge
    for _, point in ipairs(group) do
      local backlog = tonumber(point.knobs.backlog)
      local share = median(found, point, "goodput") / median(found, point, "capacity")
      if share >= 0.5 then half_to = math.max(half_to, backlog) end
      if share < 0.5 then half_from = math.min(half_from, backlog) end
    end
    local function shown(any) return math.abs(any) < math.huge and ("%g"):format(any) or "none" end
    rows[#rows + 1] = { group.words[1], group.words[2] .. " s", shown(median(found, group[1], "threshold")),
      shown(median(found, group[1], "half_to")), shown(half_to), shown(half_from) }
  end
  return rows
end

-- -- the page ---------------------------------------------------------------------------------------

local function markdown_table(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for k, text in ipairs(row) do cells[k] = tostring(text):gsub("[|<]", "\\%0") end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
    if i == 1 then lines[2] = ("|---"):rep(#row) .. "|" end
  end
  return table.concat(lines, "\n") .. "\n"
end

local PAGE <const> = [[
# %s

%s

    %s

%s. Made on %s with %s by %d processors. A timer was late by %.1f ms in the median run, by %.1f ms in the worst.

%s%s
%s
[`%s.csv`](%s.csv) has the medians with their intervals of 95 %%. `script/studies %s` makes this page again.
]]

-- The points, without the knobs that have the same value in all of them.
local function points_of(found)
  local head, rows = page.points_table(found)
  table.insert(rows, 1, head)
  for column = #found.plan.axes, 1, -1 do
    local is_same = true
    for i = 3, #rows do is_same = is_same and rows[i][column] == rows[2][column] end
    for i = 1, is_same and #rows or 0 do table.remove(rows[i], column) end
  end
  return markdown_table(rows)
end

local function figures_of(asked, found)
  local texts, meanings = {}, {}
  for _, measure in ipairs(found:drawn_measures()) do meanings[measure.name] = measure.meaning end
  for i, name in ipairs(asked.measures) do
    texts[i] = ("![%s](%s-%s.svg)\n\n%s: %s. Each run is a dot; a bar is the median's interval.\n"):format(name,
      asked.name, name, name, assert(meanings[name], "no figure of " .. name))
  end
  return table.concat(texts, "\n")
end

local function lateness_of(found)
  local late = {}
  for i, row in ipairs(found.rows) do late[i] = 1000 * (row.record.lateness or 0) end
  return statistics.quantile(late, 0.5) or 0, statistics.quantile(late, 1) or 0
end

local function markdown(asked, opened, found)
  local first = found.rows[1] and found.rows[1].record.started or core.wall_now()
  local middle, worst = lateness_of(found)
  local more = asked.table and markdown_table(asked.table(found)) .. "\n" or ""
  return PAGE:format(asked.title, asked.text, shell.line { "lunet", table.unpack(asked.words) },
    opened:tally():sentence():gsub("^%l", string.upper), os.date("!%Y-%m-%d", math.floor(first)),
    found.environment and found.environment.kernel or "?", environment.processors(), middle, worst, more,
    points_of(found), figures_of(asked, found), asked.name, asked.name, asked.name)
end

-- The summary of the measures alone.
local function summary_of(found)
  local wanted, rows = { [results.HOLDS] = true }, {}
  for _, measure in ipairs(found:drawn_measures()) do wanted[measure.name] = true end
  for _, row in ipairs(found:summary()) do
    if wanted[row.figure] then rows[#rows + 1] = row end
  end
  return csv.encode(found:summary_columns(), rows)
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

--- Writes NAME.md, NAME.csv and NAME-MEASURE.svg of a sweep whose report is there. Raises an error if one cannot be
--- read or written.
---@param asked lunet.study
---@param swept string the sweep's directory
---@param into string a directory
function study.write(asked, swept, into)
  local opened = assert(directory.open(swept))
  local found = results.of(opened)
  local function write(name, text) assert(core.replace_file(("%s/%s"):format(into, name), text)) end
  for _, name in ipairs(asked.measures) do
    write(("%s-%s.svg"):format(asked.name, name), read(("%s/figure-%s.svg"):format(swept, name)))
  end
  write(asked.name .. ".csv", summary_of(found))
  write(asked.name .. ".md", markdown(asked, opened, found))
end

return study
