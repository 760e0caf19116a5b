--- How long the runs of a sweep will take: by the runs that are done, or else by a trial run that is not kept.
local directory = require "lunet.sweep.directory"
local runner = require "lunet.sweep.runner"
local scratch = require "lunet.peer.scratch"
local tally = require "lunet.sweep.tally"

local estimate = {}

local ENOUGH <const> = 100 -- runs tell the time that a run takes

---@class lunet.run_time
---@field seconds number of a run, on average
---@field cpu number seconds of processor time of a run, on average
---@field by string what it comes from

--- The time of a run, by those that are done.
---@param opened lunet.sweep_directory
---@return lunet.run_time|nil time nil if none is done
function estimate.by_done(opened)
  local seconds, cpu, count = 0, 0, 0
  for _, run in ipairs(opened.plan:list()) do
    local record = opened.store:state(run.name) == "done" and opened.store:read_brief(run.name)
    if record then seconds, cpu, count = seconds + record.seconds, cpu + record.cpu, count + 1 end
    if count == ENOUGH then break end
  end
  if count == 0 then return nil end
  return { seconds = seconds / count, cpu = cpu / count, by = ("by %d that %s done (%.2g s each)"):format(count,
    count == 1 and "is" or "are", seconds / count) }
end

--- The time of a run, by one of the first point in a directory that is removed again. Waits.
---@param plan lunet.plan
---@param how lunet.runner_options
---@return lunet.run_time|nil
---@return string? message why the trial run failed
function estimate.by_trial(plan, how)
  local place <close> = scratch.open()
  local opened = assert(directory.begin(place.path .. "/trial", plan:first_run()))
  local _lock <close> = opened.lock
  local due = opened:due()
  local ok, message = opened:run(due, how)
  if not ok then return nil, message end
  local record = assert(opened.store:read(due[1].name))
  if record.state == "failed" then return nil, record.why end
  return { seconds = record.seconds, cpu = record.cpu,
    by = ("by a trial run of the first point (%.2g s), which is not kept"):format(record.seconds) }
end

--- "about 40 s, by ...": the runs' own time for so many at a time, but no less than their processor time.
---@param time lunet.run_time
---@param due integer how many runs
---@param how {jobs: integer?, processors: integer, exclusive: boolean}
---@return string
function estimate.text(time, due, how)
  local at_a_time = how.exclusive and 1 or how.jobs or runner.MOST_JOBS * how.processors
  local seconds = due * math.max(time.seconds / math.min(at_a_time, due), time.cpu / how.processors)
  return ("about %s, %s"):format(tally.duration(math.max(1, seconds)), time.by)
end

-- How long the missing runs take. If no run is done yet, it does one that is not kept.
local function time_text(plan, opened, due, how)
  if due == 0 then return "nothing is missing" end
  local time, why = opened and estimate.by_done(opened), nil
  if not time then
    how.say "note: does one run of the first point, to see how long it takes"
    time, why = estimate.by_trial(plan, how)
  end
  how.exclusive = plan.exclusive
  return time and estimate.text(time, due, how)
    or ("the time is not known: a trial run of the first point failed: %s"):format(why:match "[^\n]*")
end

--- "3 points, 10 runs of each: 30 runs, 30 to do; about 40 s, by ...". Waits.
---@param plan lunet.plan
---@param opened lunet.sweep_directory|nil the directory, with that plan, if there is one
---@param how lunet.runner_options and `most`, of a point, with --until
---@return string
function estimate.sentence(plan, opened, how)
  local due = opened and #opened:due() or #plan.points * plan.runs
  local most = how.most and (" or more, at most %d"):format(how.most) or ""
  local plural = #plan.points == 1 and "" or "s"
  return ("%d point%s, %d runs of each%s%s: %d runs, %d to do; %s."):format(#plan.points, plural, plan.runs, most,
    plan.seeded and "" or " (not seeded)", #plan.points * plan.runs, due,
    time_text(plan, opened, due, how))
end

return estimate
