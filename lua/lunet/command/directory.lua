--- Runs a directory: `lunet experiments/ [--all] [--jobs N] [--json | --markdown]`.
local catalogue = require "lunet.command.catalogue"
local core = require "lunet.core"
local invocation = require "lunet.command.invocation"
local lunet = require "lunet"
local overview = require "lunet.command.overview"
local progress = require "lunet.tell.progress"
local recording = require "lunet.recording.recording"
local standard = require "lunet.command.standard"
local verdict = require "lunet.run.verdict"

local directory = {}

local TIMEOUT <const> = 120 -- s; no experiment takes so long by default
local KNOWN <const> = " (known: --help, --all, --jobs, --timeout, --record, --json, --markdown)"
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
  parser:mutex(
    parser:flag "--json":description "Print one JSON array of all records and nothing else.",
    parser:option "--markdown":args "?":argname "FILE":description(
      "Print the directory's README.md, or replace FILE by it when all runs are over."))
  return parser
end

local function run_all(entries, options)
  local line <close> = progress.start(#entries, core.is_terminal(2))
  return catalogue.run(entries, {
    command = invocation.words(), jobs = options.jobs or invocation.processors(), timeout = options.timeout or TIMEOUT,
    record = options.record,
  }, {
    began = function(name) line:began(name) end,
    ended = function(name, errors)
      line:say(errors)
      line:ended(name)
    end,
  })
end

local function tell_results(results, options)
  if options.json then
    local note = overview.left_out(results.left_out)
    if note then standard.complain("note: " .. note) end
    return standard.tell(overview.json(results.records))
  end
  if not options.markdown then return standard.tell(overview.table(results)) end
  local page, file = overview.page(results), options.markdown[1]
  if not file then return standard.tell(page) end
  local ok, why = core.replace_file(file, page .. "\n")
  if not ok then standard.complain("--markdown: " .. why) end
  return ok
end

-- lunet asks before the runs, which take long.
local function can_write(options)
  local file = options.markdown and options.markdown[1]
  if not file then return true end
  local ok, why = core.can_replace_file(file)
  if not ok then standard.complain("--markdown: " .. why) end
  return ok
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
  if not can_write(options) then return verdict.COULD_NOT_RUN end
  local started = lunet.now()
  local entries, status = load_entries(path)
  if not entries then return status end
  local selected, left_out = select(entries, options.all)
  if #selected == 0 then return standard.misuse(path, overview.left_out(left_out)) end
  local records = run_all(selected, options)
  local results = { directory = path, records = records, seconds = lunet.now() - started, left_out = left_out }
  return tell_results(results, options) and overview.status(records) or verdict.COULD_NOT_RUN
end

return directory
