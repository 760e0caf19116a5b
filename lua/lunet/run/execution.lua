--- Executes a run: in a scope of its own, on a home host of its own, with recording on.
local core = require "lunet.core"
local environment = require "lunet.run.environment"
local exclusive = require "lunet.run.exclusive"
local interference = require "lunet.run.interference"
local isolation = require "lunet.run.isolation"
local judge = require "lunet.run.judge"
local recording = require "lunet.recording.recording"
local shortage = require "lunet.run.shortage"
local unrun = require "lunet.run.unrun"

local execution = {}

local function check_plain(value, path, above)
  local kind = type(value)
  if kind == "table" then
    if above[value] then error(path .. " contains itself: an outcome is plain data", 0) end
    above[value] = true
    for key, inner in pairs(value) do
      if type(key) ~= "string" and math.type(key) ~= "integer" then
        error(("%s has a key that is a %s: an outcome is plain data"):format(path, type(key)), 0)
      end
      check_plain(inner, path .. "." .. key, above)
    end
    above[value] = nil
  elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    error(("%s is a %s: an outcome is plain data"):format(path, kind), 0)
  end
end

-- The program has the generational collector, like the stock interpreter. It sometimes stops everything for up to 15
-- ms, which would make clients late.
local function collect_in_steps()
  local mode = collectgarbage "incremental"
  return setmetatable({}, { __close = function() collectgarbage(mode) end })
end

-- Calls the experiment's run, with the follower beside it.
local function outcome_of(run, recorder, follow)
  local follower <close> = follow and follow(recorder)
  local outcome = core.scope(function()
    local following = follower and core.spawn(follower.follow, follower)
    local result = core.scope(run.experiment.run, run:copy_of_values())
    if following then following:cancel() end
    return result
  end)
  local cause = shortage.found()
  if cause then error(cause, 0) end
  if type(outcome) ~= "table" then error("run returned no outcome (a table), but " .. type(outcome), 0) end
  check_plain(outcome, "outcome", {})
  return outcome
end

--- Executes a run, and judges its outcome. A run of an exclusive experiment first waits until no other one goes on.
--- Raises an error of the experiment's run as it is, and an error if a program is missing.
---@param run lunet.run from run.new
---@param how? {machine: boolean?, record: lunet.record_level?,
--- follow: nil|fun(recorder: lunet.recording): lunet.trace?, find_interference: nil|fun(holds: boolean?): string?}
--- machine: on the machine's own network stack instead; record: the level of recording, by default "none" for an
--- exclusive experiment and "kernel" for others; follow: begins what writes the events beside the run;
--- find_interference: of a watch that the caller has begun (interference.watch)
---@return lunet.run run
function execution.execute(run, how)
  how = how or {}
  local experiment = run.experiment
  unrun.ran(experiment)
  local are_here, missing = experiment:find_needs(run.values)
  if not are_here then error(missing, 0) end
  if not experiment.shortage then shortage.watch() end
  local _alone <close> = experiment.exclusive and exclusive.enter() or nil
  local find_interference = how.find_interference or interference.watch()
  local home <close> = how.machine and isolation.on_machine() or isolation.enter(experiment.sysctl)
  local _steps <close> = collect_in_steps()
  local recorder <close> = recording.start(how.record or experiment.exclusive and "none" or "kernel")
  run.began = recorder.began
  local _clock <close> = setmetatable({}, { __close = function() run.seconds = core.now() - run.began end })
  run.outcome = outcome_of(run, recorder, how.follow)
  for field, value in pairs(recorder:finish()) do run[field] = value end
  judge.judge(run)
  local why = not run.mistake and find_interference(run.verdict == "holds")
  if why then run.verdict, run.why = "not judged", why end
  run.environment, run.note = environment.read(recorder.level), home.note
  return run
end

return execution
