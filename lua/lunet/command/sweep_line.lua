--- The command line of a sweep of an experiment: `lunet sweep FILE.lua --KNOB VALUES ... --into DIR`.
local dependency = require "lunet.text.dependency"
local identity = require "lunet.sweep.identity"
local invocation = require "lunet.command.invocation"
local knob = require "lunet.run.knob"
local plan = require "lunet.sweep.plan"
local precision = require "lunet.sweep.precision"
local points = require "lunet.sweep.points"
local script = require "lunet.sweep.script"
local shell = require "lunet.text.shell"
local values = require "lunet.sweep.values"

local argparse = dependency "argparse"

local line = {}

local RUNS <const>, MOST <const>, SEED <const>, TIMEOUT <const> = 10, 50, 1, 600

local EPILOG <const> = "VALUES: 1,3,5 | 1..20 | 1..20/5 (a step) | 1..64*2 (a factor) | names | =EXPR, Lua over the "
  .. "other knobs' names; commas join them. A knob that is a list takes its items with + between them."

-- -- options --------------------------------------------------------------------------------

--- A converter for argparse: takes an option's word, and returns its value, or nil and what is allowed.
---@param least integer
---@param name string of the option
---@return fun(word: string): integer|nil, string?
function line.whole(least, name)
  return function(word)
    local number = math.tointeger(tonumber(word))
    if number and number >= least then return number end
    return nil, ("--%s: %s is not allowed; it is a whole number, %d or more"):format(name, word, least)
  end
end

local function seconds(word)
  local number = tonumber(word)
  if number and number > 0 and number < math.huge then return number end
  return nil, ("--timeout: %s is not allowed; it is a number of seconds, more than 0"):format(word)
end

--- The words of a command line that say how the runs are done, as the options do.
---@param options table
---@return string[]
function line.run_words(options)
  local words = {}
  if options.jobs then words = { "--jobs", tostring(options.jobs) } end
  if options.timeout ~= TIMEOUT then table.move({ "--timeout", tostring(options.timeout) }, 1, 2, #words + 1, words) end
  return words
end

local function directory_of(word)
  if word ~= "" then return #word > 1 and word:gsub("/+$", "") or word end
  return nil, "--into: the name of a directory is missing"
end

--- The options that say how the runs of a sweep are done.
---@param parser table argparse's
function line.add_run_options(parser)
  parser:option "--jobs":argname "N":convert(line.whole(1, "jobs")):description(
    "How many runs go on at a time (default: so many that their own processor time keeps the processors busy). "
    .. "Those of an experiment that declares itself exclusive go one at a time on a machine.")
  parser:option "--timeout":argname "SECONDS":convert(seconds):description(
    ("How long a run may take before it has failed (default %d)."):format(TIMEOUT)):default(TIMEOUT)
end

local SWEEP_OPTIONS <const> = { "help", "into", "runs", "until", "most", "seed", "set", "zip", "where", "mix", "dry",
  "plan", "jobs", "timeout" }

local function is_taken(name)
  for _, option in ipairs(SWEEP_OPTIONS) do
    if option == name then return true end
  end
  return false
end

-- `named` gets the knobs' texts in the order of the command line.
local function parser_for(path, experiment, named)
  local parser = argparse("lunet sweep " .. path, experiment.claim):add_help(false)
  parser:usage_max_width(80):help_max_width(80):epilog(EPILOG)
  parser:flag "-h --help":description "Show this and exit."
  parser:option "--into":argname "DIR":convert(directory_of):description(
    "The directory of the sweep; made if it is not there.")
  parser:option "--runs":argname "N":convert(line.whole(1, "runs")):default(RUNS):description(
    ("How many runs of each point (default %d)."):format(RUNS))
  parser:option "--until":target "rule":argname "'FIGURE 5%'":convert(precision.parse):description(
    "More runs of each point until the interval of this figure is so narrow: half of its width, of the median.")
  parser:option "--most":argname "N":convert(line.whole(1, "most")):default(MOST):description(
    ("With --until: at most so many runs of a point (default %d)."):format(MOST))
  parser:option "--seed":argname "N":convert(line.whole(0, "seed")):default(SEED):description(
    ("The knob seed of the first run of each point; the next run has the next one (default %d). It shuffles the "
    .. "points, too."):format(SEED))
  parser:option "--set":argname "NAME=VALUES":count "*":description(
    "The values of a knob whose name is an option of the sweep."):action(function(_, _, text)
      local name, list = text:match "^([^=]*)=(.*)$"
      named[#named + 1] = { name = name or text, text = list, option = "--set" }
    end)
  parser:option "--zip":argname "A,B":count "*":description "Knobs whose values go together, not in all combinations."
  parser:option "--where":argname "EXPR":description "Leave out the points of which this Lua expression is false."
  parser:flag "--mix":description "Go on though script, lunet or kernel are not those of the earlier runs."
  parser:flag "--dry":description(
    "Say points, runs and time, and write nothing. If no run is done yet, one of the first point tells the time.")
  parser:flag "--plan":target "only_plan":description(
    "Write the plan into DIR and run nothing: --list and --slurm print what does the runs.")
  line.add_run_options(parser)
  for _, k in ipairs(experiment.knobs) do
    if not is_taken(k.name) then
      parser:option("--" .. k.name):argname("VALUES"):target("knob_" .. k.name):description(
        ("%s (%s; default %s; %s)."):format(k.meaning, k.unit, knob.text(k.default), k:allowed())):action(
        function(_, _, text) named[#named + 1] = { name = k.name, text = text, option = "--" .. k.name } end)
    end
  end
  return parser
end

-- -- what they say --------------------------------------------------------------------------

local function knob_of(experiment, one)
  local names = {}
  for i, k in ipairs(experiment.knobs) do
    if k.name == one.name then return k end
    names[i] = k.name
  end
  error(("%s: there is no knob '%s' (known: %s)"):format(one.option, one.name, table.concat(names, ", ")), 0)
end

local function axes_of(experiment, named)
  local axes, has = {}, {}
  for i, one in ipairs(named) do
    if one.name == points.SEED then error("--set: each run has a seed of its own; --seed is that of the first", 0) end
    if not one.text then error(("--set: '%s' is not NAME=VALUES"):format(one.name), 0) end
    if has[one.name] then error(("%s: knob %s is set twice"):format(one.option, one.name), 0) end
    has[one.name] = true
    local list, is_expression = values.parse(knob_of(experiment, one), one.text)
    axes[i] = { name = one.name, list = not is_expression and list or nil, expression = is_expression and list or nil }
  end
  return axes
end

local function zipped(words)
  local groups = {}
  for i, text in ipairs(words) do
    groups[i] = {}
    for name in text:gmatch "[^,]+" do table.insert(groups[i], name) end
  end
  return groups
end

local function plan_of(own, experiment, options)
  local axes, names = axes_of(experiment, options.named), {}
  for i, axis in ipairs(axes) do names[i] = axis.name end
  local settings = points.make(experiment, axes, { zip = zipped(options.zip), where = options.where })
  return plan.new(experiment, settings, { name = own.path:match "([^/]+)%.lua$" or own.path:match "[^/]+$",
    script = invocation.absolute(own.path), command = options.command, arguments = options.arguments, axes = names,
    runs = options.runs, seed = options.seed, rule = options.rule, most = options.rule and options.most,
    identity = identity.of(own:files()) })
end

--- Reads the command line of a sweep.
---@param path string the script
---@param arguments string[] what followed it
---@return table|nil options help (the text), or plan, into, mix, dry, jobs, timeout, rule, most
---@return string? message
function line.read(path, arguments)
  local own, named = script.new(path), {}
  local experiment, message = own:load()
  if not experiment then return nil, message end
  local parser = parser_for(path, experiment, named)
  local ok, options = parser:pparse(invocation.join_negative_values(arguments))
  if not ok then return nil, (options:gsub("%c+", " ")) end
  if options.help then return { help = parser:get_help() } end
  options.named = named
  options.command, options.arguments = shell.line { "lunet", "sweep", path, table.unpack(arguments) }, arguments
  ok, message = pcall(plan_of, own, experiment, options)
  if not ok then return nil, message end
  options.plan = message
  return options
end

return line
