--- Runs a script that returns an experiment: `lunet experiments/stale_replay.lua [--json] [--KNOB VALUE ...]`. Loads a
--- module that only some runs need for those runs alone, so that lunet starts in milliseconds.
local core = require "lunet.core"
local execution = require "lunet.run.execution"
local interference = require "lunet.run.interference"
local interrupt = require "lunet.text.interrupt"
local invocation = require "lunet.command.invocation"
local knob = require "lunet.run.knob"
local option_table = require "lunet.text.options"
local outputs = require "lunet.command.outputs"
local recording = require "lunet.recording.recording"
local run_class = require "lunet.run.run"
local shortage = require "lunet.run.shortage"
local standard = require "lunet.command.standard"
local verdict = require "lunet.run.verdict"

local command = {}

-- The knobs of the control, as on a command line.
local function control_text(experiment)
  local words = {}
  for _, k in ipairs(experiment.knobs) do
    local value = experiment.control[k.name]
    if value ~= nil then words[#words + 1] = ("--%s %s"):format(k.name, knob.text(value)) end
  end
  return table.concat(words, " ")
end

local function parser_for(script, experiment)
  local parser = standard.parser(script, experiment.claim, verdict.EPILOG)
  parser:mutex(
    parser:flag "--json":description "Print one JSON object and nothing else.",
    parser:flag "--tap":description "Print the verdict as a test result in the Test Anything Protocol.")
  parser:flag "--machine":description "Run on the machine's own network stack, not on one of its own."
  parser:option "--record":argname "LEVEL":convert(recording.level):description(
    "What to record: none (only the script's calls), kernel (also queues, counters and sockets), or segments (also "
    .. "those). Default: segments for a story or a file, kernel for --json; for an exclusive experiment none, or "
    .. "segments for a file.")
  parser:flag "--open":description("Open the report in the browser: a program of $BROWSER, or xdg-open. Without "
    .. "--report it is in the user's cache, which keeps the ten newest reports.")
  parser:flag "--timeline":description "Print the whole timeline, however long it is."
  if experiment.control then
    parser:flag "--control":description(("Run with knobs with which the claim must not hold (%s). This shows that the "
      .. "check can fail; the right exit status is 1."):format(control_text(experiment)))
  end
  for _, kind in ipairs(outputs.kinds) do
    parser:option("--" .. kind.name):argname(kind.argname):description(kind.description)
  end
  for _, k in ipairs(experiment.knobs) do
    parser:option("--" .. k.name):argname("VALUE"):target("knob_" .. k.name):description(
      ("%s (%s; default %s; %s)."):format(k.meaning, k.unit, knob.text(experiment:default(k)), k:allowed()))
  end
  return parser
end

--- Explains argparse's complaint in one line, with the allowed words.
local function explain_misuse(experiment, message)
  if message:find "^unknown option '%-%-control'" then
    return "--control: the experiment declares no control, knobs with which its claim must not hold"
  end
  local options = { "--help", "--json", "--tap", "--machine", "--open", "--record", "--timeline" }
  if experiment.control then options[#options + 1] = "--control" end
  for _, kind in ipairs(outputs.kinds) do options[#options + 1] = "--" .. kind.name end
  for _, k in ipairs(experiment.knobs) do
    if message:find(("^option '%%-%%-%s' "):format(k.name)) then
      return ("%s; it is %s (%s)"):format(message, k:allowed(), k.unit)
    end
    options[#options + 1] = "--" .. k.name
  end
  return ("%s (known: %s)"):format(message, table.concat(options, ", "))
end

--- The knobs' values from the command line; or nil and the complaint.
local function read_knobs(experiment, options)
  local given = option_table.merged(options.control and experiment.control)
  for _, k in ipairs(experiment.knobs) do
    local text = options["knob_" .. k.name]
    if text then
      local ok, value = pcall(k.parse, k, text)
      if not ok then return nil, value end
      given[k.name] = value
    end
  end
  return experiment:settings(given)
end

--- Describes an error of a run. The message of an assert on a failed call is enough; any other error has its traceback.
--- Only a message handler may call it.
local function describe(failure)
  local cause = shortage.found() -- the error that follows from it says less
  if cause or shortage.is(failure) then return cause or failure end
  local text = core.traceback(failure)
  if type(failure) ~= "string" then return text end
  local raiser = debug.getinfo(3, "f")
  local is_assert = raiser and raiser.func == assert
    or text:find("\nstack traceback:\n\t[C]: in function 'assert'", 1, true) -- in a task or a scope
  local has_traceback = failure:find("\nstack traceback:\n", 1, true)
  return (is_assert or has_traceback) and failure or text
end

local function complain(name, why) standard.complain(("%s: %s"):format(name, why)) end

local function could_not_run(run, why)
  standard.complain(("%s could not run: %s"):format(run.name, why))
  run:fail(why)
end

--- Executes a run; complains if it could not run.
local function execute(run, options)
  local are_here, missing = run.experiment:find_needs(run.values)
  if not are_here then return could_not_run(run, missing) end
  local find_interference = interference.watch()
  local ok, failure = xpcall(execution.execute, function(failure)
    return interrupt.is(failure) and failure or describe(failure)
  end, run, option_table.merged(options, { find_interference = find_interference }))
  if ok and run.note then standard.complain(("note: %s %s"):format(run.name, run.note)) end
  if ok then return end
  if interrupt.is(failure) then error(failure, 0) end
  could_not_run(run, find_interference() or failure)
end

-- Output of the script, or of a program that it starts, does not belong into the record. Returns whether lunet has its
-- standard output back, without which it cannot print the record; and why not.
local function execute_diverted(run, options)
  local kept, refused = core.divert_output()
  if not kept then
    could_not_run(run, refused)
    return true
  end
  local is_back, why
  do
    local _restore <close> = setmetatable({}, { __close = function() is_back, why = core.restore_output(kept) end })
    execute(run, options)
  end
  return is_back, why
end

-- The function that makes the text of a run's record; nil if the user wants the story.
local function encoder_of(options)
  if options.json then
    local record = require "lunet.run.record"
    return function(run) return record.encode(run:record()) end
  end
  if options.tap then
    local tap = require "lunet.files.tap"
    return function(run) return tap.of_records { run:listed() } end
  end
  return nil
end

local function run_for_programs(run, options, encode)
  local is_back, why = execute_diverted(run, options)
  if not is_back then return nil, why end
  return standard.print(encode(run))
end

-- Colours are for a terminal, unless the user declines them (https://no-color.org).
local function sequence_style()
  local locale = os.getenv "LC_ALL" or os.getenv "LC_CTYPE" or os.getenv "LANG" or ""
  local declined = os.getenv "NO_COLOR"
  return {
    unicode = locale:upper():find "UTF%-?8" ~= nil,
    colour = core.is_terminal(1) and os.getenv "TERM" ~= "dumb" and (declined == nil or declined == ""),
  }
end

local CONTROL <const> = {
  ["does not hold"] = "That is right: with these knobs of the control (%s) it must not hold.",
  ["holds"] = "That is wrong: with these knobs of the control (%s) it must not hold. The check does not see it.",
}

local function control_sentence(run)
  local sentence = CONTROL[run.verdict]
    or "With these knobs of the control (%s) the claim must not hold."
  return sentence:format(control_text(run.experiment))
end

local function run_as_story(run, options)
  local story = require "lunet.tell.story"
  standard.print(story.opening(run) .. "\n")
  execute(run, options)
  if not run.outcome then return true end
  local style = { is_whole = options.timeline, sequence = sequence_style() }
  local told, why = standard.print(story.rest(run, style))
  if told and options.control then told, why = standard.print("\n" .. control_sentence(run)) end
  return told, why
end

local function status_of(run, told, why)
  if not told then complain(run.name, "standard output: " .. why) end
  if run.mistake then complain(run.name, run.mistake) end
  return told and verdict.statuses[run.verdict] or verdict.COULD_NOT_RUN
end

-- Does not run, since it could not write a file that the user asked for.
local function refuse(run, options, why)
  complain(run.name, why)
  run:fail(why)
  local encode = encoder_of(options)
  if encode then standard.print(encode(run)) end
  return verdict.COULD_NOT_RUN
end

-- Returns the exit status if that fails.
local function write_files(files, run)
  local ok, why = files:write(run)
  if ok then return nil end
  complain(run.name, why)
  return verdict.COULD_NOT_RUN
end

-- Prepares the browser, if the user asks for it; nil and the complaint if that fails.
local function prepare_opening(options, name)
  if not options.open then return nil end
  local opener, why = require "lunet.command.opening".prepare(options.report, name)
  if not opener then return nil, "--open: " .. why end
  options.report = options.report or opener.path
  return opener
end

-- Returns the exit status if that fails.
local function open_report(opener, run)
  if not (opener and run.outcome) then return nil end
  local ok, why = opener:open()
  if ok then return nil end
  complain(run.name, "--open: " .. why)
  return verdict.COULD_NOT_RUN
end

-- The level of recording; nil and the complaint if a file needs more than the user asked for.
local function level_of(options, files, experiment)
  local needs_segments = files:needs_segments()
  if needs_segments and options.record and options.record ~= "segments" then
    return nil, ("%s needs --record segments, not %s"):format(needs_segments, options.record)
  end
  if options.record then return options.record end
  if files:needs_events() then return "segments" end
  if experiment.exclusive then return "none" end
  return (options.json or options.tap) and "kernel" or "segments"
end

--- Runs an experiment.
---@param experiment table
---@param script string the script's file name
---@param arguments string[] the words after it
---@return integer status the program's exit status
function command.run(experiment, script, arguments)
  local name = run_class.name_of(script)
  local parser = parser_for(script, experiment)
  local ok, options = parser:pparse(invocation.join_negative_values(arguments))
  if not ok then return standard.misuse(name, explain_misuse(experiment, options)) end
  if options.help then return standard.help(parser, name) end
  local values, wrong = read_knobs(experiment, options)
  if not values then return standard.misuse(name, wrong) end
  local this = run_class.new(experiment, values, name)
  this.file = script
  local opener <close>, no_browser = prepare_opening(options, name)
  if no_browser then return refuse(this, options, no_browser) end
  local files, refused, is_misuse = outputs.open(options, script)
  if not files and is_misuse then return standard.misuse(name, refused) end
  if not files then return refuse(this, options, refused) end
  options.record, refused = level_of(options, files, experiment)
  if not options.record then return standard.misuse(name, refused) end
  options.follow = files:follower(this)
  local encode = encoder_of(options) -- before the run, which must not be late
  local told, why = (encode and run_for_programs or run_as_story)(this, options, encode)
  local status = status_of(this, told, why)
  return write_files(files, this) or open_report(opener, this) or status
end

return command
