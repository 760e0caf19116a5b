-- Whether runs that share a worker process are like those that have one each: 200 runs of each way.
local json = require "lunet.text.json"
local lunet = require "lunet"
local runner = require "lunet.sweep.runner"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

local SCRIPT <const> = os.getenv "LUNET_SOURCE" .. "/experiments/stale_replay.lua"
local RUNS <const>, AT_A_TIME <const> = 200, 8

local function jobs_from(first)
  local jobs = {}
  for i = 1, RUNS do
    jobs[i] = { name = ("%012x-r1"):format(first + i), point = ("%012x"):format(first + i), replicate = 1, attempt = 1,
      identity = 1, experiment = "stale_replay", knobs = { patience = "0.01" } }
  end
  return jobs
end

-- How often each outcome came, without the times in it.
local function outcomes_of(runs, jobs)
  local counts = {}
  for _, job in ipairs(jobs) do
    local record = assert(runs:read(job.name))
    assert.equal("holds", record.verdict, record.why)
    record.outcome.b_connect_seconds = nil
    local text = json.encode(record.outcome)
    counts[text] = (counts[text] or 0) + 1
  end
  return counts
end

describe("runs that share a worker process", function()
  it("have the outcomes of those that have one each, as often", function()
    local place <close> = scratch.open()
    local runs = store.new(place.path)
    assert(runs:make())
    local how = { command = { os.getenv "LUNET" }, processors = 1, jobs = AT_A_TIME, timeout = 60,
      ended = function() end }
    local shared, apart = jobs_from(0), jobs_from(RUNS)
    assert(runner.run(runs, SCRIPT, shared, how))
    local at, lanes = 0, {}
    for i = 1, AT_A_TIME do lanes[i] = i end
    lunet.together(lanes, function()
      while at < #apart do
        at = at + 1
        assert(runner.run(runs, SCRIPT, { apart[at] }, how))
      end
    end)
    local expected = outcomes_of(runs, apart)
    assert.is_truthy(next(expected))
    assert.same(expected, outcomes_of(runs, shared))
  end)
end)
