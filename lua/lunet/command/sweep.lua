--- `lunet sweep`: runs an experiment over many values of its knobs, many times each, and tells how far it is.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local directory = require "lunet.sweep.directory"
local invocation = require "lunet.command.invocation"
local line = require "lunet.command.sweep_line"
local lunet = require "lunet"
local precision = require "lunet.sweep.precision"
local report = require "lunet.sweep.report"
local shell = require "lunet.text.shell"
local shown = require "lunet.text.width".lines_shown
local standard = require "lunet.command.standard"
local verdict = require "lunet.run.verdict"

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
  parser:option "--report":argname "DIR":description(
    "Write results.csv, summary.csv, README.md and the figures of its runs so far, as each sweep does at its end.")
  parser:option "--run":args(2):argname { "DIR", "RUN" }:description "Do one run of it, unless it is done."
  parser:option "--merge":args "2+":argname "DIR":description(
    "Add to the first directory the runs of the others, which are of the same sweep.")
  parser:flag "--mix":description "With --merge: though script, lunet or kernel differ."
  line.add_run_options(parser)
  return parser
end

local function refuse(why, status)
  standard.complain("sweep: " .. why)
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

local function options_of(options, ended)
  return { command = invocation.words(), processors = invocation.processors(), jobs = options.jobs,
    timeout = options.timeout, ended = ended }
end

-- Does runs with a line of progress; true, or nil and why not all.
local function do_runs(opened, due, options)
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

-- Does all runs of the plan, and then more of the points that need them for `--until`.
local function do_all(opened, options)
  local ok, message = do_runs(opened, opened:due(), options)
  while ok and options.rule do
    local added, why = precision.add_runs(opened, options.rule, options.most)
    if not added then return added == false or nil, why end
    ok, message = do_runs(opened, opened:due(), options)
  end
  return ok, message
end

-- Writes the report of what is there, and tells the plots; the status if that fails.
local function tell_report(opened)
  local written, message = report.write(opened)
  if not written then return refuse(message) end
  for _, note in ipairs(written.notes) do standard.complain("note: " .. note) end
  for _, plot in ipairs(written.plots) do
    local status = tell("\n" .. plot)
    if status ~= verdict.DONE then return status end
  end
end

local function finish(opened, ok, message)
  local tally = opened:tally()
  local status = tell(tally:sentence() .. ".")
  if not ok then return refuse(message) end
  if status ~= verdict.DONE then return status end
  return tell_report(opened) or status_of(tally)
end

-- -- what the options say -------------------------------------------------------------------

-- By what the runs so far have taken, for so many at a time.
local function time_text(opened, due, jobs)
  local seconds, count = 0, 0
  for _, name in ipairs(opened and opened.store:names() or {}) do
    local record = opened.store:read(name)
    if record and record.state == "done" then seconds, count = seconds + record.seconds, count + 1 end
  end
  if count == 0 then return "the time is known when the first run is done" end
  return ("about %.0f s for %d at a time"):format(seconds / count * due / jobs, jobs)
end

local function tell_dry(options)
  local plan, opened = options.plan, options.into and directory.open(options.into)
  local due = #plan.points * plan.runs
  if opened then
    local ok, message = opened.plan:extend(plan, options.mix)
    if not ok then return refuse(("%s: %s"):format(options.into, message), verdict.WRONG_USE) end
    due = #opened:due()
    plan = opened.plan
  end
  local jobs = plan.exclusive and 1 or options.jobs or invocation.processors()
  return tell(("%d points, %d runs of each%s: %d runs, %d to do; %s."):format(#plan.points, plan.runs,
    plan.seeded and "" or " (not seeded)", #plan.points * plan.runs, due, time_text(opened, due, jobs)))
end

local function sweep(path, arguments)
  local options, message = line.read(path, arguments)
  if not options then return refuse(message, verdict.WRONG_USE) end
  if options.help then return tell(shown(options.help)) end
  if options.dry then return tell_dry(options) end
  if not options.into then return refuse("--into DIR is missing", verdict.WRONG_USE) end
  local opened
  opened, message = directory.begin(options.into, options.plan, options.mix)
  if not opened then return refuse(message) end
  if not opened.plan.seeded then standard.complain("note: not seeded: the experiment has no knob seed") end
  return finish(opened, do_all(opened, options))
end

local function report_of(path)
  local opened = open(path)
  return opened and finish(opened, true) or verdict.COULD_NOT_RUN
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
      lines[#lines + 1] = ("%s %s, attempt %d: %s"):format(run.name, state, attempt, shown(record and record.why or ""))
      lines[#lines + 1] = "  " .. lunet_and(opened.plan:words(run))
    end
  end
  return #lines == 0 and verdict.DONE or tell(table.concat(lines, "\n"))
end

local function tell_list(path)
  local opened = open(path)
  if not opened then return verdict.COULD_NOT_RUN end
  local lines = {}
  for i, run in ipairs(opened:due()) do lines[i] = lunet_and { "sweep", "--run", path, run.name } end
  return #lines == 0 and verdict.DONE or tell(table.concat(lines, "\n"))
end

-- Looks at no other run, since each of 100,000 runs may be a call of its own.
local function run_one(path, name, options)
  local opened = open(path)
  if not opened then return verdict.COULD_NOT_RUN end
  local run = opened.plan:find(name)
  if not run then return refuse(("%s has no run '%s'"):format(path, name), verdict.WRONG_USE) end
  local lock <close>, message = opened.store:lock(false)
  if not lock then return refuse(message) end
  if not opened:is_due(run) then return verdict.DONE end
  local ok, why = opened:run({ run }, options_of(options, say))
  if not ok then return refuse(why) end
  local state = opened.store:state(name)
  return state == "done" and verdict.DONE or state == "invalid" and INVALID or verdict.COULD_NOT_RUN
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

local KNOWN <const> = "known: FILE.lua, --help, --status, --failed, --list, --report, --run, --merge"

local function act(options, parser)
  if options.help then return tell(parser:get_help()) end
  if options.status then return tell_status(options.status) end
  if options.failed then return tell_failed(options.failed) end
  if options.list then return tell_list(options.list) end
  if options.report then return report_of(options.report) end
  if options.run then return run_one(options.run[1], options.run[2], options) end
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
  if first == "--worker" then
    require "lunet.sweep.worker".serve(arguments[2], arguments[3])
    return verdict.DONE
  end
  if first ~= "" and first:sub(1, 1) ~= "-" then return sweep(first, table.move(arguments, 2, #arguments, 1, {})) end
  local parser = parser_for()
  local ok, options = parser:pparse(arguments)
  if ok then return act(options, parser) end
  return refuse(("%s (%s)"):format(options:gsub("%c+", " "), KNOWN), verdict.WRONG_USE)
end

return command
