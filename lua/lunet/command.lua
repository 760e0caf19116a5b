--- What the lunet program does with a script that returns an experiment:
--- `lunet experiments/stale_replay.lua [--json] [--KNOB VALUE ...]`.
local argparse = require "argparse"
local core = require "lunet.core"
local environment = require "lunet.environment"
local json = require "lunet.json"
local story = require "lunet.story"

local command = {}

-- Exit statuses; Ctrl-C (130) and errors of the script itself (1) are the program's.
local HELD, DID_NOT_HOLD, WRONG_USE, COULD_NOT_RUN = 0, 1, 2, 3

local function complain(text)
  io.stderr:write("lunet: ", text, "\n")
end

local function parser_for(name, script, experiment)
  local parser = argparse("lunet " .. script, experiment.claim):add_help(false):usage_max_width(80)
  parser:epilog "Exit status: 0 the claim held, 1 it did not, 2 wrong use, 3 could not run, 130 Ctrl-C."
  parser:flag "-h --help":description "Show this and exit."
  parser:flag "--json":description "Print one JSON object and nothing else."
  for _, k in ipairs(experiment.knobs) do
    parser:option("--" .. k.name):argname("VALUE"):target("knob_" .. k.name):description(
      ("%s (%s; default %s; %s)."):format(k.meaning, k.unit, tostring(k.default), k:allowed()))
  end
  return parser:name("lunet " .. (script or name))
end

-- "--backlog -1" would be taken for two options.
local function join_negative_values(arguments)
  local joined = {}
  local i = 1
  while i <= #arguments do
    local word, following = arguments[i], arguments[i + 1]
    if word:match "^%-%-[%w_]+$" and following and following:match "^%-[%d.i]" then
      word = word .. "=" .. following
      i = i + 1
    end
    joined[#joined + 1] = word
    i = i + 1
  end
  return joined
end

--- The knobs' values from the command line; or nil and what is wrong.
local function read_knobs(experiment, options)
  local given = {}
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

--- Runs it; or returns nil when it could not run, which it has said. An assert on a failed call says
--- all there is in its message; any other error is told with its traceback.
local function execute(name, experiment, values)
  local is_assert = false
  local ok, run = xpcall(experiment.execute, function(failure)
    local text = core.traceback(failure)
    local raiser = text:match "\nstack traceback:\n\t%[C%]: in function '(%w+)'"
    is_assert = type(failure) == "string" and raiser == "assert"
    return is_assert and failure or text
  end, experiment, values)
  if ok then return run end
  if run:find("^[^\n]*interrupted!") then error(run, 0) end
  complain(("%s could not run: %s"):format(name, run))
  return nil
end

-- What a script prints does not belong among the JSON.
local function print_to_stderr(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  io.stderr:write(table.concat(words, "\t"), "\n")
end

local function run_as_json(name, experiment, values)
  local stdout, print_to_stdout = io.output(), print
  io.output(io.stderr)
  _G.print = print_to_stderr
  local run = execute(name, experiment, values)
  io.output(stdout)
  _G.print = print_to_stdout
  if not run then return nil end
  local record = {
    experiment = name, claim = experiment.claim, holds = run.holds, why = run.why,
    knobs = json.object(values), outcome = json.object(run.outcome), environment = environment.read(),
  }
  print(json.encode(record, { "experiment", "claim", "holds", "why", "knobs", "outcome", "environment" }))
  return run
end

local function run_as_story(name, experiment, values)
  print(story.opening(name, experiment, values) .. "\n")
  io.stdout:flush()
  local run = execute(name, experiment, values)
  if run then print(story.rest(run)) end
  return run
end

--- Runs an experiment as the command line says.
---@param experiment table
---@param script string the script's file name
---@param arguments string[] what followed it
---@return integer status the program's exit status
function command.run(experiment, script, arguments)
  local name = script:match "([^/]+)%.lua$" or script:match "[^/]+$" or script
  local parser = parser_for(name, script, experiment)
  local ok, options = parser:pparse(join_negative_values(arguments))
  if not ok then
    complain(("%s: %s (lunet %s --help lists the knobs)"):format(name, options:gsub("\n", "; "), script))
    return WRONG_USE
  end
  if options.help then
    print(parser:get_help())
    return HELD
  end
  local values, wrong = read_knobs(experiment, options)
  if not values then
    complain(name .. ": " .. wrong)
    return WRONG_USE
  end
  local run = (options.json and run_as_json or run_as_story)(name, experiment, values)
  if not run then return COULD_NOT_RUN end
  return run.holds and HELD or DID_NOT_HOLD
end

return command
