-- Slurm gives up a node for lost whose jobs go on, and runs them a second time: of each run the first record stays.
local lunet = require "lunet"
local scenario = require "spec.support.scenario"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

local RUNS <const> = 6

-- One job does the runs one after the other. It waits in the second one until Slurm has given up its node. Then another
-- one does the same run, and both go on.
local SCENARIO <const> = [[
  $LUNET sweep fake.lua --gate 2 --runs 6 --into out --plan
  $LUNET sweep --slurm out --chunks 1 --jobs 1 >job.sh
  sbatch job.sh
  wait_for has_begun 2 1
  node=$(squeue -h -o %N)
  lose_slurmd "$node"
  wait_for is_down "$node"
  log_all
  wait_for hurried has_begun 2 2
  touch go
  wait_for is_done out
  wait_for has_no_jobs
  log_all
  wait_for grep -q 'was done twice' out/slurm-1-1.out
  cat out/slurm-*.out
]]

describe("a job that Slurm runs twice at a time, #slow", function()
  it("counts each run once, by its first record, and names the second", function()
    if not scenario.has "sbatch slurmctld slurmd munged" then
      return pending "slurm is not installed (script/packages sweep)"
    end
    local place <close> = scratch.open()
    place:write("fake.lua", scenario.FAKE)
    local status, output = scenario.run(place, "slurm", SCENARIO)
    assert.equal(0, status)
    local runs = store.new(place.path .. "/out")
    assert.equal(RUNS, #runs:names())
    local twice = {}
    for name in output:gmatch "lunet: sweep: (%x+%-r%d+) was done twice: the first record stays\n" do
      twice[#twice + 1] = name
    end
    assert.is_true(#twice >= 1, output)
    for _, name in ipairs(twice) do assert.equal("done", (runs:state(name))) end
    local _, ended = output:gsub("lunet: chunk 1/1: 6 of 6 runs done: 6 hold", "")
    assert.equal(2, ended)
    assert.same({}, lunet.open_handles())
  end)
end)
