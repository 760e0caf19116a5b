--- The records of a catalogue at a glance: a table for the terminal, a page, or JSON.
---@class lunet.results of a directory
---@field directory string
---@field records table[] from catalogue.run
---@field seconds number for all of them
---@field left_out string[] the names of slow experiments that did not run
local run_record = require "lunet.run.record"
local text = require "lunet.text.width"
local verdict = require "lunet.run.verdict"

local overview = {}

local function remark_of(record)
  return record.verdict == "holds" and record.figures or record.why or ""
end

local function seconds_of(record) return record.seconds and ("%.1f"):format(record.seconds) or "" end

local function counts_of(records)
  local counts = {}
  for name in pairs(verdict.statuses) do counts[name] = 0 end
  for _, record in ipairs(records) do counts[record.verdict] = counts[record.verdict] + 1 end
  return counts
end

local function summary_of(results)
  local counts = counts_of(results.records)
  return ("%d of %d claims hold, %d not; %d not judged, %d could not run. %.1f s in all."):format(counts["holds"],
    #results.records, counts["does not hold"], counts["not judged"], counts["could not run"], results.seconds)
end

--- Names the experiments that are left out, and how to run them; nil without any.
---@param names string[]
---@return string|nil
function overview.left_out(names)
  if #names == 0 then return nil end
  return ("Left out, since they are slow (--all runs them): %s."):format(table.concat(names, ", "))
end

-- The folder of a record's file, as a path from the directory; "" for the directory itself.
local function folder_of(record, directory)
  local start = directory:gsub("/*$", "/")
  local from_here = record.file:sub(1, #start) == start and record.file:sub(#start + 1) or record.file:match "[^/]+$"
  return from_here:match "^.*/" or "", from_here
end

--- The table for the terminal, with a heading for each folder. The last column has the figures, or the reason for
--- another verdict than "holds".
---@param results lunet.results
---@return string
function overview.table(results)
  local records, folder = results.records, ""
  local names, verdicts, times = { "experiment" }, { "verdict" }, { "seconds" }
  for _, record in ipairs(records) do
    names[#names + 1] = record.experiment
    verdicts[#verdicts + 1] = record.verdict
    times[#times + 1] = seconds_of(record)
  end
  local name_width, verdict_width, time_width = text.widest(names, 0), text.widest(verdicts, 0), text.widest(times, 0)
  local lines = {}
  for i, name in ipairs(names) do
    local here = i > 1 and folder_of(records[i - 1], results.directory) or folder
    if here ~= folder then
      folder = here
      table.move({ "", text.shown(folder) }, 1, 2, #lines + 1, lines)
    end
    local start = table.concat({ text.left(name, name_width), text.left(verdicts[i], verdict_width),
      text.right(times[i], time_width), "" }, "  ")
    text.add_wrapped(lines, start, i == 1 and "figures" or remark_of(records[i - 1]))
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = summary_of(results)
  lines[#lines + 1] = overview.left_out(results.left_out)
  return table.concat(lines, "\n")
end

local PAGE = [[
# Experiments

Each file states one claim. It says what one observes, why the kernel does that, and what to do about it.
The verdicts and figures come from a run of all of them with their default knobs.
%s
%s

Generated, not to be edited: `script/run %s --all --markdown %sREADME.md`.]]

-- A text as a cell of a table in GitHub's Markdown. It stays text: it cannot become markup.
local function cell(words) return (text.shown(words:gsub("%s+", " ")):gsub("[|<]", "\\%0")) end

local function environment_line(records)
  for _, record in ipairs(records) do
    local here = record.environment
    if here then return ("%s, lunet %s, Lua %s, libuv %s."):format(here.kernel, here.lunet, here.lua, here.libuv) end
  end
  return "None of them could run."
end

--- The README.md of the directory, in Markdown.
---@param results lunet.results
---@return string
function overview.page(results)
  local rows, folder = {}, nil
  for _, record in ipairs(results.records) do
    local here, path = folder_of(record, results.directory)
    if here ~= folder then
      folder = here
      if folder ~= "" then table.move({ "", "## " .. cell(folder) }, 1, 2, #rows + 1, rows) end
      table.move({ "", "| experiment | claim | verdict | figures |", "|---|---|---|---|" }, 1, 3, #rows + 1, rows)
    end
    rows[#rows + 1] = ("| [%s](%s) | %s | %s | %s |"):format(cell(record.experiment), path, cell(record.claim or ""),
      record.verdict, cell(remark_of(record)))
  end
  rows[#rows + 1] = ""
  local left_out = overview.left_out(results.left_out)
  if left_out then table.move({ left_out, "" }, 1, 2, #rows + 1, rows) end
  local directory = results.directory:gsub("/*$", "/")
  return PAGE:format(table.concat(rows, "\n"), environment_line(results.records), directory, directory)
end

--- One JSON array of all records.
---@param records table[] from catalogue.run
---@return string
function overview.json(records) return run_record.encode(records) end

--- The exit status of a run of all of them.
---@param records table[] from catalogue.run
---@return integer
function overview.status(records)
  return verdict.status_of_all(counts_of(records))
end

return overview
