-- A sweep by a real Slurm, one node of which dies in its midst: nothing is lost, and nothing is counted twice.
local lunet = require "lunet"
local scenario = require "spec.support.scenario"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

local RUNS <const> = 40

-- Each chunk has every other replicate of a point. The first four have done two runs each when they wait for the file
-- go. `before` has the records of then, `done` those of the moment when all were there: Slurm runs the dead node's jobs
-- again after that.
local SCENARIO <const> = [[
  $LUNET sweep fake.lua --backlog 1..4 --gate 5 --runs 10 --into out --plan
  $LUNET sweep --slurm out --chunks 8 >job.sh
  sbatch job.sh
  wait_for has_runs out 8
  kill_node n2
  cp -r out/runs before
  touch go
  sbatch job.sh
  wait_for is_done out
  cp -r out/runs done
  wait_for is_down n2
  log_all
  wait_for hurried has_no_jobs
  log_all
  grep . out/slurm-*.out
]]

describe("a sweep by Slurm, one node of which dies, #slow", function()
  it("loses no run, and counts none twice", function()
    if not scenario.has "sbatch slurmctld slurmd munged" then
      return pending "slurm is not installed (script/packages sweep)"
    end
    local place <close> = scratch.open()
    place:write("fake.lua", scenario.FAKE)
    local status, output = scenario.run(place, "slurm", SCENARIO)
    assert.equal(0, status)
    assert.matches("n2%s+1%s+all%*%s+down%*", output) -- sinfo
    assert.is_nil(output:find "was done twice")
    assert.matches("JobState=PENDING[^\n]*\n[^\n]*Restarts=1", output) -- scontrol: a job of the dead node

    local runs = store.new(place.path .. "/out")
    assert.equal(RUNS, #runs:names())
    for _, name in ipairs(runs:names()) do
      local record = runs:read(name)
      assert.same({ "done", { depth = record.knobs.backlog + 1, seed = record.seed } },
        { record.state, record.outcome })
      local text = place:read(("out/runs/%s.json"):format(name))
      assert.equal(text, place:read(("done/%s.json"):format(name)))
    end
    local before = 0
    for _, name in ipairs(runs:names()) do
      local ok, text = pcall(place.read, place, ("before/%s.json"):format(name))
      if ok and text then
        before = before + 1
        assert.equal(text, place:read(("out/runs/%s.json"):format(name)))
      end
    end
    assert.is_true(before >= 8 and before < RUNS)
    assert.same({}, lunet.open_handles())
  end)
end)
