--- `lunet sweep`: runs an experiment over many values of its knobs, many times each, and tells how far it is.
local archive = require "lunet.sweep.archive"
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local directory = require "lunet.sweep.directory"
local environment = require "lunet.run.environment"
local estimate = require "lunet.sweep.estimate"
local invocation = require "lunet.command.invocation"
local line = require "lunet.command.sweep_line"
local lunet = require "lunet"
local precision = require "lunet.sweep.precision"
local report = require "lunet.sweep.report"
local shell = require "lunet.text.shell"
local slurm = require "lunet.sweep.slurm"
local standard = require "lunet.command.standard"
local tally_class = require "lunet.sweep.tally"
local verdict = require "lunet.run.verdict"
local width = require "lunet.text.width"

local argparse = dependency "argparse"

local command = {}

local INVALID <const> = verdict.statuses["not judged"]

local EPILOG <const> = "Exit status: 0 all runs are done, 4 the machine disturbed some, 3 some have failed or cannot "
  .. "be done, 2 wrong use, 130 Ctrl-C, 143 SIGTERM."

local function parser_for()
  local parser = argparse("lunet sweep", "Run an experiment over many values of its knobs, and many times:\n\n"
    .. "   lunet sweep FILE.lua --KNOB VALUES ... --into DIR [--runs 10] [--seed 1]\n\n"
    .. "The same command again does what is missing. lunet sweep FILE.lua --help lists its options.")
  parser:usage_max_width(80):help_max_width(80):add_help(false):epilog(EPILOG)
  parser:flag "-h --help":description "Show this and exit."
  parser:option "--status":argname "DIR":description "Say how many of its runs are done."
  parser:option "--failed":argname "DIR":description(
    "List the runs that have failed or were disturbed, why, and the line that repeats each.")
  parser:option "--list":argname "DIR":description(
    "Print a command for each run that is missing, for parallel(1).")
  parser:option "--slurm":argname "DIR":description(
    "Print a script for sbatch(1), which does the runs that are missing by an array of jobs.")
  parser:option "--chunks":argname "N":convert(line.whole(1, "chunks")):description(
    ("With --slurm: how many jobs (default %d, and no more than runs are missing)."):format(slurm.CHUNKS))
  parser:option "--report":argname "DIR":description(
    "Write results.csv, summary.csv, README.md and the figures of its runs so far, as each sweep does at its end.")
  parser:option "--archive":argname "FILE.tar.gz":description(
    "With --report: pack the report, the records, and the script with its modules into one file.")
  parser:option "--run":args(2):argname { "DIR", "RUN" }:description(
    "Do one run of it, unless it is done, or those of a chunk: 3/16 is every sixteenth run, from the third on.")
  parser:option "--merge":args "2+":argname "DIR":description(
    "Add to the first directory the runs of the others, which are of the same sweep.")
  parser:flag "--mix":description "With --merge: though script, lunet or kernel differ."
  line.add_run_options(parser)
  return parser
end

local function refuse(why, status)
  standard.complain("sweep: " .. width.shown(why))
  return status or verdict.COULD_NOT_RUN
end

local function tell(words)
  local ok, why = standard.print(words)
  return ok and verdict.DONE or refuse("standard output: " .. why)
end

local function open(path)
  local opened, message = directory.open(path)
  if opened then return opened end
  refuse(message)
end

local function lunet_and(words)
  local all = invocation.words()
  return shell.line(table.move(words, 1, #words, #all + 1, all))
end

-- Opens a directory, and finds the runs that are to be done elsewhere. When all are done, its points get the runs that
-- --until asks for.
local function open_due(path)
  if path:find "%c" then
    return refuse(path .. ": no line of a script can name it: its name has a line break or the like") and nil
  end
  local opened = open(path)
  local due = opened and opened:due()
  if not opened or #due > 0 or not opened.plan.rule then return opened, due end
  local lock <close>, message = opened.store:lock(true)
  opened = lock and open(path) -- another process may have added to the plan
  if not opened then return message and refuse(message) and nil end
  local added, why = precision.add_runs(opened, opened.plan.rule, opened.plan.most)
  if added == nil then return refuse(why) and nil end
  return opened, opened:due()
end

-- -- doing runs -------------------------------------------------------------------------------

local function status_of(tally)
  if tally.failed > 0 or tally.missing > 0 then return verdict.COULD_NOT_RUN end
  return tally.invalid > 0 and INVALID or verdict.DONE
end

-- Tells of a run that has ended what the line of progress does not.
local function say(job, answer)
  local words = answer.lost or answer.state == "failed" and ("%s failed: %s"):format(job.name, answer.why or "") or nil
  if words then standard.complain("sweep: " .. words:match "[^\n]*") end
end

-- Tells the first wait of exclusive runs alone.
local function say_once()
  local has_said = false
  return function(words)
    if not has_said then standard.complain(words) end
    has_said = true
  end
end

local function options_of(options, ended)
  return { command = invocation.words(), processors = environment.processors(), jobs = options.jobs,
    timeout = options.timeout, ended = ended, say = say_once() }
end

-- Does runs with a line of progress; true, or nil and why not all.
local function do_runs(opened, due, options)
  if #due == 0 then return true end
  local tally, was = opened:tally(), {}
  tally:begin(due, lunet.now(), core.is_terminal(2))
  for _, run in ipairs(due) do was[run.name] = run.was end
  local _line <close> = setmetatable({}, { __close = function() tally:finish() end })
  return opened:run(due, options_of(options, function(job, answer)
    tally:finish()
    say(job, answer)
    tally:count(was[job.name], answer, lunet.now())
  end))
end

-- Finds whether there is the figure of `--until`. If no run is done yet, does one that tells.
local function find_figure(opened, options)
  local ok, message = precision.check(opened, opened.plan.rule)
  if ok and opened:tally().done == 0 then
    ok, message = do_runs(opened, { opened:due()[1] }, options)
    if ok then ok, message = precision.check(opened, opened.plan.rule) end
  end
  return ok, message
end

-- Does all runs of the plan, and then more of the points that need them for `--until`.
local function do_all(opened, options)
  local ok, message = true, nil
  if opened.plan.rule then ok, message = find_figure(opened, options) end
  if ok then ok, message = do_runs(opened, opened:due(), options) end
  while ok and opened.plan.rule do
    local added, why = precision.add_runs(opened, opened.plan.rule, opened.plan.most)
    if not added then return added == false or nil, why end
    ok, message = do_runs(opened, opened:due(), options)
  end
  return ok, message
end

-- Writes the report of what is there, and tells the plots; the status if that fails.
local function tell_report(opened, tally, how)
  local written, message = report.write(opened, tally, how)
  if not written then return refuse(message) end
  for _, note in ipairs(written.notes) do standard.complain("note: " .. note) end
  for _, plot in ipairs(written.plots) do
    local status = tell("\n" .. plot)
    if status ~= verdict.DONE then return status end
  end
  local without = #opened.plan.measures == 0 and "; no figure, since the experiment declares no measures" or ""
  standard.complain(("the report is %s/README.md, and %s/report.html%s"):format(opened.path, opened.path, without))
end

-- Ends a command that tells how far a sweep is. `how` says how to repeat single runs: only what does runs may do so,
-- since a sweep may be at work there.
local function finish(opened, ok, message, how)
  local tally = opened:tally()
  local status = tell(tally:sentence() .. ".")
  if not ok then return refuse(message) end
  if status ~= verdict.DONE then return status end
  return tell_report(opened, tally, how) or status_of(tally)
end

-- -- what the options say -------------------------------------------------------------------

local function tell_dry(options)
  local plan, opened, message, code = options.plan, nil, nil, nil
  if options.into then opened, message, code = directory.open(options.into) end
  if message and code ~= "ENOENT" then return refuse(message) end
  if opened then
    local ok, why = opened.plan:extend(plan, options.mix)
    if not ok then return refuse(("%s: %s"):format(options.into, why), verdict.WRONG_USE) end
    plan = opened.plan
  end
  local how = options_of(options, function() end)
  how.say, how.most = standard.complain, options.rule and options.most
  return tell(estimate.sentence(plan, opened, how))
end

local function sweep(path, arguments)
  local options, message = line.read(path, arguments)
  if not options then return refuse(message, verdict.WRONG_USE) end
  if options.help then return tell(width.lines_shown(options.help)) end
  if options.dry then return tell_dry(options) end
  if not options.into then return refuse("--into DIR is missing", verdict.WRONG_USE) end
  local opened
  opened, message = directory.begin(options.into, options.plan, options.mix)
  if not opened then return refuse(message) end
  if not opened.plan.seeded then standard.complain("note: not seeded: the experiment has no knob seed") end
  if options.only_plan then return tell(opened:tally():sentence() .. ".") end
  local how, ok, why = options_of(options), do_all(opened, options)
  how.say = standard.complain
  return finish(opened, ok, why, how)
end

local function report_of(path)
  local opened = open(path)
  return opened and finish(opened, true) or verdict.COULD_NOT_RUN
end

-- No sweep may be at work there meanwhile.
local function archive_of(path, file)
  local opened = open(path)
  if not opened then return verdict.COULD_NOT_RUN end
  local files, message, is_misuse = archive.check(opened, file)
  if not files then return refuse("--archive: " .. message, is_misuse and verdict.WRONG_USE) end
  local lock <close>, busy = opened.store:lock(true)
  if not lock then return refuse(busy) end
  local tally = opened:tally()
  local status = finish(opened, true)
  if status ~= status_of(tally) then return status end
  local ok, why = archive.write(opened, file, files)
  return ok and status or refuse("--archive: " .. why)
end

local function tell_status(path)
  local opened = open(path)
  if not opened then return verdict.COULD_NOT_RUN end
  local tally = opened:tally()
  local status = tell(("%s: %s."):format(opened.plan.experiment, tally:sentence()))
  return status == verdict.DONE and status_of(tally) or status
end

local function tell_failed(path)
  local opened = open(path)
  if not opened then return verdict.COULD_NOT_RUN end
  local lines = {}
  for _, run in ipairs(opened.plan:list()) do
    local state, attempt = opened.store:state(run.name)
    if state == "failed" or state == "invalid" then
      local record = opened.store:read(run.name)
      lines[#lines + 1] = ("%s %s, attempt %d: %s"):format(run.name, state, attempt,
        width.lines_shown(record and record.why or ""))
      lines[#lines + 1] = "  " .. lunet_and(opened.plan:words(run))
    end
  end
  return #lines == 0 and verdict.DONE or tell(table.concat(lines, "\n"))
end

-- The words that do runs of a directory from elsewhere. The names of the runs come behind them.
local function run_words(path, options)
  local words = line.run_words(options)
  table.insert(words, 1, "sweep")
  return table.move({ "--run", invocation.absolute(path) }, 1, 2, #words + 1, words)
end

local function tell_list(path, options)
  local opened, due = open_due(path)
  if not opened then return verdict.COULD_NOT_RUN end
  local lines = {}
  local line_start = lunet_and(run_words(path, options))
  for i, run in ipairs(due) do lines[i] = ("%s %s"):format(line_start, run.name) end
  return #lines == 0 and verdict.DONE or tell(table.concat(lines, "\n"))
end

local function tell_slurm(path, options)
  local opened, due = open_due(path)
  if not opened then return verdict.COULD_NOT_RUN end
  if #due == 0 then
    standard.complain "note: no run is missing, so there is nothing to submit"
    return verdict.DONE
  end
  return tell(slurm.script { path = invocation.absolute(path), experiment = opened.plan.experiment, missing = #due,
    exclusive = opened.plan.exclusive, chunks = math.min(options.chunks or slurm.CHUNKS, #due),
    status = lunet_and { "sweep", "--status", invocation.absolute(path) },
    run = lunet_and(run_words(path, options)) })
end

-- The runs of a name, which is that of one run or of a chunk.
local function runs_named(plan, name)
  local number, of = slurm.chunk(name)
  if number then return slurm.runs(plan:list(), number, of) end
  local run = plan:find(name)
  return run and { run }
end

-- Does runs while other processes do others, and perhaps the same. Looks at no other run, since each of 100,000 runs
-- may be a call of its own.
local function run_some(path, name, options)
  local opened = open(path)
  if not opened then return verdict.COULD_NOT_RUN end
  local runs = runs_named(opened.plan, name)
  if not runs then return refuse(("%s has no run '%s'"):format(path, name), verdict.WRONG_USE) end
  local lock <close>, message = opened.store:lock(false)
  if not lock then return refuse(message) end
  local due = opened:due(runs)
  local ok, why = true, nil
  if #due > 0 then ok, why = opened:run(due, options_of(options, say)) end
  local tally = tally_class.of(opened.store, runs)
  if slurm.chunk(name) then standard.complain(("chunk %s: %s"):format(name, tally:sentence())) end
  return ok and status_of(tally) or refuse(why)
end

local function merge(into, others, mix)
  local opened, message, twice
  for _, path in ipairs(others) do
    local other = open(path)
    if not other then return verdict.COULD_NOT_RUN end
    if opened then opened.lock:close() end
    opened, message = directory.begin(into, other.plan, mix)
    if not opened then return refuse(message) end
    local ok
    ok, message, twice = opened:merge(other)
    if not ok then return refuse(message) end
    for _, name in ipairs(twice) do
      standard.complain(("note: %s was done twice: that of %s is left out"):format(name, path))
    end
  end
  return finish(opened, true)
end

local KNOWN <const> = "known: FILE.lua, --help, --status, --failed, --list, --slurm, --report, --archive, --run, "
  .. "--merge"

local function act(options, parser)
  if options.help then return tell(parser:get_help()) end
  if options.status then return tell_status(options.status) end
  if options.failed then return tell_failed(options.failed) end
  if options.list then return tell_list(options.list, options) end
  if options.slurm then return tell_slurm(options.slurm, options) end
  if options.archive and options.report then return archive_of(options.report, options.archive) end
  if options.archive then return refuse("--archive goes with --report DIR", verdict.WRONG_USE) end
  if options.report then return report_of(options.report) end
  if options.run then return run_some(options.run[1], options.run[2], options) end
  if options.merge then
    return merge(options.merge[1], table.move(options.merge, 2, #options.merge, 1, {}), options.mix)
  end
  return refuse(("nothing to do (%s)"):format(KNOWN), verdict.WRONG_USE)
end

--- Does what the command line says.
---@param _ string the command's own word
---@param arguments string[] what followed it
---@return integer status the program's exit status
function command.run(_, arguments)
  local first = arguments[1] or ""
  if first ~= "" and first:sub(1, 1) ~= "-" then return sweep(first, table.move(arguments, 2, #arguments, 1, {})) end
  local parser = parser_for()
  local ok, options = parser:pparse(arguments)
  if ok then return act(options, parser) end
  return refuse(("%s (%s)"):format(options:gsub("%c+", " "), KNOWN), verdict.WRONG_USE)
end

return command
