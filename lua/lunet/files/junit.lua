--- A file of test results in JUnit's XML, for CI systems. JUnit has no standard. doc/junit.xsd describes the file:
--- Jenkins (junit-10.xsd of its plugin xunit), GitLab and others read all of it.
---
--- A run that holds has passed, and so has a known difference of an older kernel. One that does not hold is a failure,
--- and one that is not judged is skipped, with the reason. One that could not run is an error, which many systems count
--- among the failures.
local core = require "lunet.core"
local knob = require "lunet.run.knob"
local markup = require "lunet.text.markup"
local options = require "lunet.text.options"
local value = require "lunet.text.value"

local junit = {}

local ELEMENTS <const> = { ["does not hold"] = "failure", ["not judged"] = "skipped", ["could not run"] = "error" }

local function seconds_text(seconds) return ("%.3f"):format(seconds or 0) end

-- The folders of a file, which CI systems show as a package: "experiments.queue".
local function class_of(file)
  local folders = {}
  for folder in (file or ""):gmatch "([^/]+)/" do
    if folder ~= "." and folder ~= ".." then folders[#folders + 1] = folder end
  end
  return #folders > 0 and table.concat(folders, ".") or "lunet"
end

-- The facts about a run, a line each.
local function words_about(record)
  local lines = { record.claim }
  if record.file then lines[#lines + 1] = "file: " .. record.file end
  for _, name in ipairs(value.sorted_keys(record.knobs or {})) do
    lines[#lines + 1] = ("%s: %s"):format(name, knob.text(record.knobs[name]))
  end
  if record.verdict == "known difference" then lines[#lines + 1] = "known difference: " .. record.why end
  if record.figures then lines[#lines + 1] = "figures: " .. record.figures end
  return table.concat(lines, "\n")
end

local function result_of(record)
  local element = ELEMENTS[record.verdict]
  if not element then return "" end
  local why = record.why or ""
  return markup.element(element, { message = why:match "[^\n]*", type = record.verdict }, markup.escape(why)) .. "\n"
end

local function test_case(record)
  local content = ("\n%s%s\n"):format(result_of(record), markup.element("system-out", {},
    markup.escape(words_about(record))))
  return markup.element("testcase", { name = record.variant or record.experiment, classname = class_of(record.file),
    time = seconds_text(record.seconds) }, content)
end

local function totals_of(records)
  local counts, seconds = { failure = 0, skipped = 0, error = 0 }, 0
  for _, record in ipairs(records) do
    local element = ELEMENTS[record.verdict]
    if element then counts[element] = counts[element] + 1 end
    seconds = seconds + (record.seconds or 0)
  end
  return { name = "lunet", tests = tostring(#records), failures = tostring(counts.failure),
    errors = tostring(counts.error), time = seconds_text(seconds) }, tostring(counts.skipped)
end

--- Makes the file of several runs.
---@param records table[] from run:listed() or lunet.command.catalogue
---@return string
function junit.of_records(records)
  local cases = {}
  for i, record in ipairs(records) do cases[i] = test_case(record) end
  local totals, skipped = totals_of(records)
  local suite = markup.element("testsuite", options.merged(totals, { skipped = skipped }),
    ("\n%s\n"):format(table.concat(cases, "\n")))
  local suites = markup.element("testsuites", totals, ("\n%s\n"):format(suite)) -- which have no count of the skipped
  return ('<?xml version="1.0" encoding="UTF-8"?>\n%s\n'):format(suites)
end

--- Makes the file of one run.
---@param run lunet.run
---@return string
function junit.encode(run) return junit.of_records { run:listed() } end

--- Writes the file of a run that could not run.
---@param path string
---@param run lunet.run
---@return boolean? ok
---@return string? why
function junit.fail(path, run) return core.replace_file(path, junit.encode(run)) end

return junit
