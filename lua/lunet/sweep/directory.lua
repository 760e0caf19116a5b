--- A sweep's directory: its plan and its runs together, and what may be done to it.
local identity = require "lunet.sweep.identity"
local plan = require "lunet.sweep.plan"
local runner = require "lunet.sweep.runner"
local script = require "lunet.sweep.script"
local store = require "lunet.sweep.store"
local tally = require "lunet.sweep.tally"

local directory = {}
directory.__index = directory

---@class lunet.sweep_directory
---@field path string
---@field plan lunet.plan
---@field store lunet.store

local function failed(message) return nil, message end

--- Opens the directory of a sweep.
---@param path string
---@return lunet.sweep_directory|nil
---@return string? message
---@return string? code "ENOENT" if there is no plan in it
function directory.open(path)
  local its_plan, message, code = plan.load(path)
  if not its_plan then return nil, message, code end
  return setmetatable({ path = path, plan = its_plan, store = store.new(path) }, directory)
end

--- Opens the directory for a plan: makes it, or adds the plan to that of the directory. It is locked until `lock` is
--- closed.
---@param path string
---@param wanted lunet.plan
---@param mix? boolean whether script, lunet and kernel may differ from those of earlier runs
---@return lunet.sweep_directory|nil
---@return string? message
function directory.begin(path, wanted, mix)
  local self = setmetatable({ path = path, plan = wanted, store = store.new(path) }, directory)
  local ok, message = self.store:make()
  if ok then self.lock, message = self.store:lock(true) end
  if not self.lock then return nil, message end
  local former, why, code = plan.load(path)
  if not former and code ~= "ENOENT" then return nil, why end
  if former then
    self.plan = former
    ok, message = former:extend(wanted, mix)
    if not ok then return nil, ("%s: %s"):format(path, message) end
  elseif #self.store:names() > 0 then
    return nil, path .. ": it has runs and no plan.json"
  end
  ok, message = self.plan:save(path)
  if not ok then return nil, message end
  self.store:tidy()
  return self
end

-- -- its runs -------------------------------------------------------------------------------

--- Whether a run is missing, or must be repeated. Sets its fields `attempt`, the number of the next one, and `was`,
--- the state that it is in.
---@param run table from plan:list or plan:find
---@return boolean
function directory:is_due(run)
  local state, attempt = self.store:state(run.name)
  run.attempt, run.was = attempt + 1, state
  return state ~= "done" and attempt < store.ATTEMPTS
end

--- The runs that are missing or must be repeated, in their order.
---@param runs? table[] of these; by default of all of the plan
---@return table[] list as is_due has set them
function directory:due(runs)
  local due = {}
  for _, run in ipairs(runs or self.plan:list()) do
    if self:is_due(run) then due[#due + 1] = run end
  end
  return due
end

--- When the first run of the first point that has any was started: a time that stays the same.
---@return integer seconds since 1970; 0 if no run is there
function directory:began()
  for _, point in ipairs(self.plan.points) do
    for replicate = 1, self.plan:runs_of(point) do
      local record = self.store:read_brief(self.plan:run_of(point, replicate).name)
      if record then return math.floor(record.started) end
    end
  end
  return 0
end

---@return lunet.tally
function directory:tally() return tally.of(self.store, self.plan:list()) end

--- The number of the identity that runs have now.
---@return integer|nil number nil if script, lunet or kernel are not what the plan says
---@return string? message
function directory:identity()
  local own = script.new(self.plan.script)
  local experiment, message = own:load()
  if not experiment then return failed(message) end
  local now = identity.of(own:files())
  local number = self.plan:identity_of(now)
  if number then return number end
  local last = self.plan.identities[#self.plan.identities]
  return failed(("%s: %s"):format(self.path, identity.difference(last, now)))
end

local function job_of(self, run, number)
  return { name = run.name, point = run.point.id, replicate = run.replicate, seed = run.seed, attempt = run.attempt,
    identity = number, experiment = self.plan.experiment, knobs = run.point.knobs }
end

--- Does runs. Waits.
---@param due table[] from due
---@param how lunet.runner_options
---@return true|nil
---@return string? message no further run was begun
function directory:run(due, how)
  local number, message = self:identity()
  if not number then return failed(message) end
  local jobs = {}
  for i, run in ipairs(due) do jobs[i] = job_of(self, run, number) end
  how.exclusive, how.is_due = self.plan.exclusive, function(job) return self:is_due(job) end
  return runner.run(self.store, self.plan.script, jobs, how)
end

-- -- merging --------------------------------------------------------------------------------

--- Adds the runs of another directory of the same sweep. Those that are done here stay.
---@param other lunet.sweep_directory
---@return true|nil
---@return string? message
---@return string[]? twice the runs that both have done
function directory:merge(other)
  local twice = {}
  for _, name in ipairs(other.store:names()) do
    local record, message = other.store:read(name)
    if not record then return failed(message) end
    record.identity = self.plan:identity_of(other.plan.identities[record.identity])
    local state = self.store:state(name)
    if record.state == "done" or state ~= "done" then
      local ok, why, code = self.store:add(name, record)
      if code == "EEXIST" then twice[#twice + 1] = name
      elseif not ok then return failed(why) end
    end
  end
  return true, nil, twice
end

return directory
