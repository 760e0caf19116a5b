--- The report of a sweep, in its directory: results.csv, summary.csv, a figure for each measure, README.md,
--- report.html.
local core = require "lunet.core"
local differences = require "lunet.sweep.differences"
local figure = require "lunet.sweep.figure"
local interval = require "lunet.sweep.interval"
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local page = require "lunet.sweep.page"
local results = require "lunet.sweep.results"
local timelines = require "lunet.sweep.timelines"
local value = require "lunet.text.value"

local report = {}

local DRAWER <const> = { gnuplot = "gnuplot-nox" }
local DOT <const> = "<use xlink:href='#gpPt6'" -- how gnuplot's SVG draws a point of type 7

local function write(opened, name, text)
  local ok, message = core.replace_file(opened.path .. "/" .. name, text)
  if not ok then error({ lost = message }, 0) end
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a" or ""
end

-- -- drawing ---------------------------------------------------------------------------------

-- The fault of a drawing, or nil if it shows every run. gnuplot's exit status does not tell: it is 0 even if a file of
-- data is missing.
local function fault_of(opened, drawn)
  local image = read(("%s/%s.svg"):format(opened.path, drawn:name()))
  local dots = select(2, image:gsub(DOT, ""))
  if dots < drawn:count() then return ("it shows %d of %d dots"):format(dots, drawn:count()) end
  if read(("%s/%s.pdf"):format(opened.path, drawn:name())):sub(1, 5) ~= "%PDF-" then return "there is no PDF" end
  return nil
end

-- The PDF of the same runs is the same. gnuplot writes the time into it, which cannot be declined.
local function settle_date(opened, drawn)
  local name = drawn:name() .. ".pdf"
  local date = os.date("!%Y%m%d%H%M%S", opened:began())
  local text, count = read(opened.path .. "/" .. name):gsub("(/CreationDate %(D:)" .. ("%d"):rep(#date), "%1" .. date)
  if count > 0 then write(opened, name, text) end
end

-- Starts gnuplot, which draws while the tables are made.
local function begin(opened, drawn)
  local name = drawn:name()
  write(opened, name .. ".dat", drawn:data())
  write(opened, name .. ".gp", drawn:script())
  for _, ending in ipairs { ".svg", ".pdf" } do os.remove(opened.path .. "/" .. name .. ending) end
  return assert(lunet.exec { "gnuplot", name .. ".gp", cwd = opened.path, stderr = "stdout", env = { TZ = "UTC" } })
end

-- Waits for gnuplot. Returns what is wrong with its drawing, or nil.
local function finish(opened, drawn, process)
  local said, status = process.stdout:receive "a", process:wait()
  settle_date(opened, drawn)
  local fault = status ~= 0 and "gnuplot failed" or fault_of(opened, drawn)
  return fault and ("%s.gp: %s %s"):format(drawn:name(), fault, said:match "[^\n]*"):gsub("%s+$", "") or nil
end

-- Starts all drawings. Their processes end with the scope of the report at the latest.
local function begin_all(opened, drawings)
  local is_here, missing = needs.find(DRAWER)
  if not is_here then return {}, #drawings > 0 and "no figure is drawn: " .. missing or nil end
  local processes = {}
  for i, drawn in ipairs(drawings) do processes[i] = begin(opened, drawn) end
  return processes
end

-- -- README.md ---------------------------------------------------------------------------------

local PAGE <const> = [[
# %s

%s

%d point%s, %s runs of each, %s: %d runs are done, %d invalid, %d failed, %d missing.
The claim held in %s.

%s
%s
| file | what it has |
|---|---|
| `results.csv` | a row for each run |
| `summary.csv` | a row for each point and figure, with its interval of 95 %% |
| `differences.csv` | the differences of each point from the first one, by pairs of the same seeds; if there are seeds |
| `report.html` | all of this page, and single runs, in one file |
| `timelines/` | the timelines of single runs, which were repeated with recording for that |
| `plan.json`, `runs/` | the plan, and the record of each run |
%s
%s
]]

-- A text as a cell of a table in Markdown.
local function cell(any) return (tostring(any):gsub("%c", " "):gsub("[|<]", "\\%0")) end

-- The table of the points in Markdown.
local function table_of(found)
  local head, rows = page.points_table(found)
  local lines = { "", ("|---"):rep(#head) .. "|" }
  table.insert(rows, 1, head)
  for i, row in ipairs(rows) do
    local cells = {}
    for k, text in ipairs(row) do cells[k] = cell(text) end
    lines[i == 1 and 1 or i + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  return table.concat(lines, "\n") .. "\n"
end

local function figures_text(drawings)
  local lines = {}
  for i, drawn in ipairs(drawings) do
    local name, measure = drawn:name(), drawn.measure
    lines[i] = ("\n![%s](%s.svg)\n\n%s: %s. %s; a bar is the %s's interval. Drawn by `%s.gp`.\n"):format(
      cell(measure.name), name, cell(measure.name), cell(measure.meaning), drawn:legend(),
      drawn.is_share and "share" or "median", name)
  end
  return table.concat(lines)
end

local function identities_text(plan)
  local lines = {}
  for i, one in ipairs(plan.identities) do
    local words = {}
    for _, what in ipairs(value.sorted_keys(one)) do words[#words + 1] = ("%s %s"):format(what, one[what]) end
    lines[i] = ("Identity %d: %s.\n"):format(i, table.concat(words, ", "))
  end
  return table.concat(lines)
end

local function readme(opened, found, drawings, tally)
  local plan = opened.plan
  local most = plan:most_runs()
  local seeds = plan.seeded and ("seeds %d to %d"):format(plan.seed, plan.seed + most - 1) or "not seeded"
  local runs = most > plan.runs and ("%d to %d"):format(plan.runs, most) or plan.runs
  local claim = found.rows[1] and found.rows[1].record.claim or ""
  return PAGE:format(plan.experiment, cell(claim), #plan.points, #plan.points == 1 and "" or "s", runs, seeds,
    tally.done, tally.invalid, tally.failed, tally.missing, interval.share_text(tally.holds, tally.done),
    table_of(found), figures_text(drawings),
    "\n" .. identities_text(plan), "Its script was `" .. plan.script .. "`, and its command:\n\n    " .. plan.command)
end

-- -- all of it -----------------------------------------------------------------------------------

local function drawings_of(opened, found)
  local drawings, plots = {}, {}
  for _, measure in ipairs(found:drawn_measures()) do
    local drawn = figure.new(found, measure)
    if #opened.plan.axes > 0 and drawn.runs > 0 then
      drawings[#drawings + 1] = drawn
      plots[#plots + 1] = drawn:text()
    end
  end
  return drawings, plots
end

local function make(opened, tally, how)
  local found, svgs = results.of(opened), {}
  local drawings, plots = drawings_of(opened, found)
  local processes, not_drawn = begin_all(opened, drawings)
  write(opened, "results.csv", found:runs_csv())
  write(opened, "summary.csv", found:summary_csv())
  local pairs_of = differences.of(found)
  if #pairs_of > 0 then write(opened, "differences.csv", differences.csv(found, pairs_of)) end
  write(opened, "README.md", readme(opened, found, drawings, tally))
  local notes = { not_drawn }
  for i, process in ipairs(processes) do notes[#notes + 1] = finish(opened, drawings[i], process) end
  for _, drawn in ipairs(drawings) do
    local svg = read(("%s/%s.svg"):format(opened.path, drawn:name()))
    svgs[drawn.measure.name] = svg ~= "" and svg or nil
  end
  local more = how and timelines.keep(opened, page.singles(found), how) or {}
  table.move(more, 1, #more, #notes + 1, notes)
  write(opened, "report.html", page.html(found, tally:sentence() .. ".", svgs, function(name)
    return timelines.read(opened, name)
  end))
  return { notes = notes, plots = plots }
end

--- Writes the report of what is there. Waits.
---@param opened lunet.sweep_directory
---@param tally lunet.tally of it
---@param how? lunet.runner_options how to repeat single runs for their timelines; none repeats no run
---@return {notes: string[], plots: string[]}|nil written notes: what could not be drawn; plots for the terminal
---@return string? message a file could not be written
function report.write(opened, tally, how)
  local ok, written = pcall(lunet.scope, make, opened, tally, how)
  if ok then return written end
  if type(written) == "table" and written.lost then return nil, written.lost end
  error(written, 0)
end

return report
