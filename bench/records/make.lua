-- Makes a sweep of stored runs without running them, to measure what lunet does with many:
--
--     build/release/lunet bench/records/make.lua DIR 100000
--     build/release/lunet sweep --status DIR
--
-- One run is done. The others' records are its record with names and figures of their own.
local directory = require "lunet.sweep.directory"
local execution = require "lunet.run.execution"
local line = require "lunet.command.sweep_line"
local random = require "lunet.load.random"
local run_type = require "lunet.run.run"
local script = require "lunet.sweep.script"
local worker = require "lunet.sweep.worker"

local SCRIPT <const> = arg[0]:gsub("[^/]*$", "experiment.lua")
local RUNS <const> = 100 -- of a point

local path, count = arg[1], math.tointeger(tonumber(arg[2]))
if not path or not count or count < 1 or count % RUNS ~= 0 then
  io.stderr:write(("usage: lunet bench/records/make.lua DIR COUNT, a multiple of %d\n"):format(RUNS))
  os.exit(2)
end

-- The record of a run that was done, as the worker makes it.
local function one_record(plan, run)
  local job = { point = run.point.id, replicate = run.replicate, seed = run.seed, attempt = 1, identity = 1 }
  local record = worker.record(job)
  local experiment = assert(script.new(plan.script):load())
  local done = run_type.new(experiment, experiment:settings { seed = run.seed }, plan.experiment)
  execution.execute(done, { record = "none" })
  record.state, record.seconds, record.cpu, record.lateness = "done", 0.2, 0.004, 0.001
  for field, value in pairs(done:record()) do record[field] = value end
  return record
end

local options = assert(line.read(SCRIPT, { "--backlog", ("1..%d"):format(count // RUNS), "--runs", tostring(RUNS) }))
local opened = assert(directory.begin(path, options.plan))
local record, stream = nil, random.new(1, "figures")
for _, run in ipairs(opened.plan:list()) do
  record = record or one_record(opened.plan, run)
  record.point, record.replicate, record.seed = run.point.id, run.replicate, run.seed
  record.knobs.backlog, record.knobs.seed = math.tointeger(run.point.knobs.backlog), run.seed
  record.outcome.goodput, record.outcome.waited = 100 * stream:uniform(), stream:uniform()
  assert(opened.store:add(run.name, record))
end
print(("%d records in %s"):format(count, path))
