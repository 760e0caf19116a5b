--- Does the runs of a sweep: several worker processes take them in order. A worker that dies loses the run that it was
--- in, and a new one goes on.
local dependency = require "lunet.text.dependency"
local exclusive = require "lunet.run.exclusive"
local json = require "lunet.text.json"
local lunet = require "lunet"
local run_record = require "lunet.run.record"
local scratch = require "lunet.peer.scratch"
local suspension = require "lunet.run.suspension"
local worker = require "lunet.sweep.worker"

local dkjson = dependency "dkjson"

local runner = {}

local FIRST_LOOK <const> = 1 -- runs for each processor, after which it is seen how busy these are
local GROWTH <const> = 16 -- times as many workers at most, at one look
local WORTH <const> = 4 -- runs that are left for a further worker, which takes the processor time of some to start
local LONG <const> = 5 -- s; bounds waits for what does come

--- How many runs go on at a time at most for each processor, however little a run takes of it.
runner.MOST_JOBS = 32

---@class lunet.runner_options
---@field command string[] the words that start lunet
---@field processors integer how many there are
---@field jobs? integer how many runs go on at a time; by default so many that the processors are busy
---@field exclusive boolean whether they go one at a time on a machine
---@field timeout number seconds after which a run has failed
---@field ended fun(job: table, answer: table) called after each run
---@field is_due? fun(job: table): boolean whether a run, when its turn comes, is still to be done
---@field say? fun(words: string) called when an exclusive run waits for another one, with which one

-- -- one worker -----------------------------------------------------------------------------

local function start(self)
  local words = table.move(self.how.command, 1, #self.how.command, 1, { stdin = "pipe", stdout = "pipe",
    stderr = "keep", env = { TMPDIR = self.place.path,
      [exclusive.VARIABLE] = self.how.exclusive and exclusive.HELD or nil } }) -- do_one holds it
  table.move({ "sweep-worker", self.script, self.store.directory }, 1, 3, #words + 1, words)
  return assert(lunet.exec(words))
end

-- How a worker that says no more has ended, and the last line that it said. Something may live on of what it started.
local function obituary(process)
  local status = process:wait(LONG)
  process:kill "SIGKILL"
  local said = (process.stderr:receive(nil, LONG) or ""):match "([^\n]+)%s*$"
  status = status or process:wait()
  local how = type(status) == "string" and "was killed by " .. status or ("ended with status %d"):format(status)
  return ("its process %s%s"):format(how, said and ": " .. said or "")
end

-- The record of a run: the worker's answer, or one in its place.
local function ask(self, process, job)
  local record = worker.record(job)
  local since, find_suspension = lunet.now(), suspension.watch()
  process.stdin:send(dkjson.encode(job) .. "\n")
  local line, _, code = process.stdout:receive("l", self.how.timeout)
  local answer = line and not code and dkjson.decode(line)
  if answer then return answer, true end
  local why = code == "TIMEOUT" and ("not over after %g s"):format(self.how.timeout) or obituary(process)
  local suspended = find_suspension()
  record.state, record.why = suspended and "invalid" or "failed", suspended or why
  record.verdict, record.seconds = "could not run", lunet.now() - since
  record.format, record.experiment, record.knobs = run_record.FORMAT, job.experiment, json.object(job.knobs)
  local ok, message, lost = self.store:add(job.name, record)
  return { state = record.state, verdict = record.verdict, seconds = record.seconds, cpu = 0, why = record.why,
    lost = not ok and message or nil, code = lost }, false
end

-- -- all of them ----------------------------------------------------------------------------

local work

local function add_workers(self)
  while self.workers < math.min(self.limit, #self.jobs) do
    self.workers = self.workers + 1
    lunet.spawn(work, self)
  end
end

-- Adds workers until their runs keep the processors busy. It looks at that when twice as many runs have ended as at the
-- last look: the first ones of a worker load its modules, and many together may wait for the kernel's locks.
local function measure(self, answer)
  self.cpu, self.measured = self.cpu + answer.cpu, self.measured + 1
  if self.how.jobs or self.how.exclusive or self.measured < self.next_look then return end
  local busy = self.cpu / (lunet.now() - self.since) / self.how.processors
  self.next_look, self.cpu, self.since = 2 * self.measured, 0, lunet.now()
  local most = runner.MOST_JOBS * self.how.processors
  local more = math.min(self.workers * math.min(1 / busy, GROWTH), most) - self.workers
  self.limit = self.workers + math.max(0, math.min(math.floor(more), (#self.jobs - self.at) // WORTH))
  add_workers(self)
end

local function do_one(self, process, job)
  local _lock <close> = self.how.exclusive and exclusive.enter(self.how.say) or nil
  local answer, is_alive = ask(self, process, job)
  if answer.lost and answer.code ~= "EEXIST" then error({ lost = answer.lost }, 0) end
  self.how.ended(job, answer)
  if is_alive then measure(self, answer) end
  return is_alive
end

function work(self)
  while self.at < #self.jobs do
    local process <close> = start(self)
    local is_alive = true
    while is_alive and self.at < #self.jobs do
      self.at = self.at + 1
      local job, is_due = self.jobs[self.at], self.how.is_due
      if not is_due or is_due(job) then is_alive = do_one(self, process, job) end
    end
  end
end

--- Does runs, and writes the record of each. Waits.
---@param store lunet.store
---@param script string the file
---@param jobs table[] name, point (its id), replicate, seed, attempt, identity, experiment, knobs of each
---@param how lunet.runner_options
---@return true|nil
---@return string? message a record could not be written; no further run was begun
function runner.run(store, script, jobs, how)
  local place <close> = scratch.open()
  local self = { store = store, script = script, jobs = jobs, how = how, place = place, at = 0, workers = 0,
    limit = how.exclusive and 1 or how.jobs or how.processors,
    measured = 0, next_look = FIRST_LOOK * how.processors, cpu = 0, since = lunet.now() }
  local ok, failure = pcall(lunet.scope, add_workers, self)
  if ok then return true end
  if type(failure) == "table" and failure.lost then return nil, failure.lost end
  error(failure, 0)
end

return runner
