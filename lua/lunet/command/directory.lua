--- Runs a directory: `lunet experiments/ [--all] [--jobs N] [--json | --tap | --markdown] [--junit FILE]`.
local catalogue = require "lunet.command.catalogue"
local core = require "lunet.core"
local environment = require "lunet.run.environment"
local invocation = require "lunet.command.invocation"
local junit = require "lunet.files.junit"
local lunet = require "lunet"
local outputs = require "lunet.command.outputs"
local overview = require "lunet.command.overview"
local progress = require "lunet.tell.progress"
local recording = require "lunet.recording.recording"
local standard = require "lunet.command.standard"
local tap = require "lunet.files.tap"
local verdict = require "lunet.run.verdict"

local directory = {}

local TIMEOUT <const> = 120 -- s; no experiment takes so long by default
local KNOWN <const> = " (known: --help, --all, --jobs, --timeout, --record, --junit, --json, --tap, --markdown)"
local EPILOG <const> = "Exit status: 0 every claim holds, 1 one does not hold, else 4 one is not judged, else 3 one "
  .. "could not run, 2 wrong use, 130 Ctrl-C, 143 SIGTERM."

local function jobs_of(word)
  local jobs = math.tointeger(tonumber(word))
  if jobs and jobs >= 1 then return jobs end
  return nil, ("--jobs: %s is not allowed; it is a whole number, 1 or more"):format(word)
end

local function timeout_of(word)
  local seconds = tonumber(word)
  if seconds and seconds > 0 and seconds < math.huge then return seconds end
  return nil, ("--timeout: %s is not allowed; it is a number of seconds, more than 0"):format(word)
end

local function parser_for(path)
  local parser = standard.parser(path,
    "Run the experiments of the directory and its folders, each in a process of its own.", EPILOG)
  parser:flag "--all":description "Run the slow experiments, too."
  parser:option "--jobs":argname "N":convert(jobs_of):description(
    "How many run at a time (default: the number of processors). Exclusive experiments run alone.")
  parser:option "--timeout":argname "SECONDS":convert(timeout_of):description(
    ("End an experiment that runs longer (default %d)."):format(TIMEOUT))
  parser:option "--record":argname "LEVEL":convert(recording.level):description(
    "What each records: none, kernel or segments (default: none for exclusive experiments, else kernel).")
  parser:option "--junit":argname "FILE.xml":description(
    "Write the verdicts as test results in JUnit's XML, for CI systems, when all runs are over.")
  parser:mutex(
    parser:flag "--json":description "Print one JSON array of all records and nothing else.",
    parser:flag "--tap":description "Print the verdicts as test results in the Test Anything Protocol.",
    parser:option "--markdown":args "?":argname "FILE":description(
      "Print the directory's README.md, or replace FILE by it when all runs are over."))
  return parser
end

local function run_all(entries, options)
  local line <close> = progress.start(#entries, core.is_terminal(2))
  return catalogue.run(entries, {
    command = invocation.words(), jobs = options.jobs or environment.processors(), timeout = options.timeout or TIMEOUT,
    record = options.record,
  }, {
    began = function(name) line:began(name) end,
    say = function(words) line:say(("lunet: %s\n"):format(words)) end,
    ended = function(name, errors)
      line:say(errors)
      line:ended(name)
    end,
  })
end

local function replace_file(option, path, text)
  local ok, why = core.replace_file(path, text)
  if not ok then standard.complain(("--%s: %s"):format(option, why)) end
  return ok
end

local function tell_records(text, left_out)
  local note = overview.left_out(left_out)
  if note then standard.complain("note: " .. note) end
  return standard.tell(text)
end

local function tell_results(results, options)
  if options.json then return tell_records(overview.json(results.records), results.left_out) end
  if options.tap then return tell_records(tap.of_records(results.records), results.left_out) end
  if not options.markdown then return standard.tell(overview.table(results)) end
  local page, file = overview.page(results), options.markdown[1]
  if not file then return standard.tell(page) end
  return replace_file("markdown", file, page .. "\n")
end

local function write_junit(results, options)
  return not options.junit or replace_file("junit", options.junit, junit.of_records(results.records))
end

-- Complains, before the runs, which take long, if lunet cannot write a file. Returns the exit status then.
local function refuse_files(path, options)
  local page, files = options.markdown and options.markdown[1], {}
  if page then files[1] = { kind = { name = "markdown" }, path = page } end
  if options.junit then files[#files + 1] = { kind = { name = "junit" }, path = options.junit } end
  for _, file in ipairs(files) do
    local ok, why = core.can_replace_file(file.path)
    if not ok then
      standard.complain(("--%s: %s"):format(file.kind.name, why))
      return verdict.COULD_NOT_RUN
    end
  end
  local double = outputs.find_double(files)
  return double and standard.misuse(path, double)
end

--- The experiments of a directory; complains and returns nil and the exit status if there are none.
local function load_entries(path)
  local entries, others = catalogue.load(path)
  if not entries then
    standard.complain(("%s: %s"):format(path, others))
    return nil, verdict.COULD_NOT_RUN
  end
  for _, file in ipairs(others) do standard.complain(("note: %s returns no experiment"):format(file)) end
  if #entries > 0 then return entries end
  standard.complain(path .. ": there is no experiment in it")
  return nil, verdict.WRONG_USE
end

-- Without --all slow experiments are left out. Returns the others, and the names of the slow ones.
local function select(entries, has_all)
  local selected, left_out = {}, {}
  for _, entry in ipairs(entries) do
    if not has_all and entry.experiment and entry.experiment.slow then
      left_out[#left_out + 1] = entry.name
    else
      selected[#selected + 1] = entry
    end
  end
  return selected, left_out
end

--- Runs the experiments of a directory.
---@param path string the directory
---@param arguments string[] the words after it
---@return integer status the program's exit status
function directory.run(path, arguments)
  local parser = parser_for(path)
  local ok, options = parser:pparse(arguments)
  if not ok then return standard.misuse(path, options .. KNOWN) end
  if options.help then return standard.help(parser) end
  local refused = refuse_files(path, options)
  if refused then return refused end
  local started = lunet.now()
  local entries, status = load_entries(path)
  if not entries then return status end
  local selected, left_out = select(entries, options.all)
  if #selected == 0 then return standard.misuse(path, overview.left_out(left_out)) end
  local records = run_all(selected, options)
  local results = { directory = path, records = records, seconds = lunet.now() - started, left_out = left_out }
  local is_told, is_written = tell_results(results, options), write_junit(results, options)
  return is_told and is_written and overview.status(records) or verdict.COULD_NOT_RUN
end

return directory
