--- A process that does runs of one script, one after the other: each on fresh hosts, in a fresh Lua environment of the
--- script. It reads a line of JSON for each run and answers with a line, when the record of the run is written.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local environment = require "lunet.run.environment"
local execution = require "lunet.run.execution"
local interference = require "lunet.run.interference"
local interrupt = require "lunet.text.interrupt"
local lateness = require "lunet.run.lateness"
local points = require "lunet.sweep.points"
local run_type = require "lunet.run.run"
local script = require "lunet.sweep.script"
local shortage = require "lunet.run.shortage"
local store = require "lunet.sweep.store"
local verdict = require "lunet.run.verdict"

local dkjson = dependency "dkjson"

local worker = {}

local STATES <const> = { ["holds"] = "done", ["does not hold"] = "done", ["known difference"] = "done",
  ["not judged"] = "invalid", ["could not run"] = "failed" }

--- The fields that the sweep gives a run's record before the run.
---@param job table what the runner asks for
---@return table
function worker.record(job)
  local file <close> = assert(io.open "/proc/loadavg")
  return {
    point = job.point, replicate = job.replicate, seed = job.seed, attempt = job.attempt, identity = job.identity,
    started = core.wall_now(), load = file:read "n", host = environment.sysctl "kernel.hostname",
  }
end

-- The values of all knobs: those of the point, and the seed of the replicate.
local function settings_of(experiment, job)
  local settings = { [points.SEED] = job.seed }
  for _, k in ipairs(experiment.knobs) do
    if job.knobs[k.name] then settings[k.name] = k:parse(job.knobs[k.name]) end
  end
  return experiment:settings(settings)
end

-- The record holds the run's outcome, and the whole of an error, since nobody else saw it.
local function execute(run, record)
  local machine <close> = lateness.watch()
  local find_interference = interference.watch()
  local how = { record = "none", find_interference = find_interference }
  local ok, failure = interrupt.pcall(execution.execute, run, how)
  record.lateness = machine:worst()
  if ok then return end
  local why = find_interference()
  run:fail(why or shortage.found() or core.traceback(failure))
  record.state = why and "invalid"
end

local function name_of(path) return path:match "([^/]+)%.lua$" or path:match "[^/]+$" end

-- Does one run, and returns its record. Many go on at a time: a thread of each that keeps a processor awake before
-- deadlines would take it from the others.
local function do_run(own, job)
  local record, began, clock = worker.record(job), core.now(), os.clock()
  local experiment, message = own:load()
  local run = run_type.of { name = name_of(own.path) }
  if experiment then
    if not experiment.exclusive then core.let_sleep() end
    run = run_type.new(experiment, settings_of(experiment, job), run.name)
    execute(run, record)
  else
    run:fail(message)
  end
  record.seconds, record.cpu = core.now() - began, os.clock() - clock
  for field, value in pairs(run:record()) do record[field] = value end
  record.state = record.state or STATES[record.verdict]
  return record
end

-- The script's own output must not mix with the answers.
local function do_diverted(own, job)
  local kept = assert(core.divert_output())
  local _restore <close> = setmetatable({}, { __close = function() assert(core.restore_output(kept)) end })
  return do_run(own, job)
end

--- Does the runs that standard input asks for, until it ends.
---@param path string the script
---@param directory string of the sweep
function worker.serve(path, directory)
  rawset(_G, "arg", { [0] = path })
  local own, runs = script.new(path), store.new(directory)
  for line in io.stdin:lines() do
    local job = assert(dkjson.decode(line))
    local record = do_diverted(own, job)
    local ok, message, code = runs:add(job.name, record)
    local answer = { state = record.state, verdict = record.verdict, seconds = record.seconds, cpu = record.cpu,
      why = record.why, lost = not ok and message or nil, code = code }
    io.stdout:write(dkjson.encode(answer), "\n")
    io.stdout:flush()
  end
end

--- `lunet sweep-worker SCRIPT DIRECTORY`, which a sweep starts. It is a command of its own: so a worker loads no more
--- than it needs.
---@param _ string the command's own word
---@param arguments string[] script and directory
---@return integer status the program's exit status
function worker.run(_, arguments)
  if #arguments ~= 2 then
    io.stderr:write "lunet: sweep-worker: lunet sweep starts this command, with a script and a directory\n"
    return verdict.WRONG_USE
  end
  worker.serve(arguments[1], arguments[2])
  return verdict.DONE
end

return worker
