-- Jobs of a real Slurm: suspended and resumed, ended by a signal, on whole nodes.
local lunet = require "lunet"
local scenario = require "spec.support.scenario"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

-- Freezes a program, and tells in the end in which state it is. The file begun appears when it is frozen; the run waits
-- for the file go.
local FROZEN <const> = [[
  local lunet = require "lunet"
  local function exists(path) return os.rename(path, path) end
  return require "lunet.experiment" {
    claim = "A frozen program stays frozen.",
    knobs = { seed = { 1, "number", "" } },
    run = function()
      local program <close> = assert(lunet.exec { "sleep", "2000" })
      assert(program:freeze())
      assert(lunet.eventually(function() return program:tree()[1].state == "T" end, 20))
      io.open("begun", "w"):close()
      assert(lunet.eventually(function() return exists "go" end, 300))
      return { state = program:tree()[1].state }
    end,
    check = function(outcome) assert(outcome.state == "T", "it is " .. outcome.state) end,
  }]]

-- Slurm stops a job in steps. The job is resumed when all of it has stopped.
local SUSPENDED <const> = [[
  is_thawed() { ps -C sleep -o stat=,args= | grep 'sleep 2000' | grep -qv '^T'; }
  is_stopped() { ! ps -C lunet -o stat= | grep -qv '^T'; }
  $LUNET sweep frozen.lua --runs 1 --into out --plan
  $LUNET sweep --slurm out >job.sh
  sbatch job.sh
  wait_for test -e begun
  scontrol suspend 1_1
  wait_for is_stopped
  squeue
  scontrol resume 1_1
  wait_for is_thawed
  touch go
  wait_for has_no_jobs
  cp -r out first
  $LUNET sweep --failed out
  sbatch job.sh
  wait_for has_no_jobs
  log_all
]]

-- A job of one minute gets its SIGINT at once, or some time later: sbatch(1). One that scancel ends gets SIGTERM.
local ENDED <const> = [=[
  has_nothing_left() {
    [[ -z $(ps -C lunet,lunet-guard,lunet-undertake -o args=; find . -maxdepth 1 -name 'lunet-*') ]]
  }
  $LUNET sweep frozen.lua --runs 2 --into out --plan
  $LUNET sweep --slurm out --chunks 1 >job.sh
  sbatch --time=1 job.sh
  wait_for has_no_jobs
  log_all
  rm -f begun
  sbatch job.sh
  wait_for test -e begun
  scancel "$(squeue -h -r -o %i)"
  wait_for has_no_jobs
  log_all
  cat out/slurm-*.out
  wait_for has_nothing_left
]=]

-- Each node has two processors. Jobs of one processor would be four at a time. The runs do not wait for the machine's
-- own lock (lunet.run.exclusive), which has nothing to do with nodes.
local EXCLUSIVE <const> = [[
  export LUNET_EXCLUSIVE=held
  $LUNET sweep fake.lua --runs 4 --into out --plan
  $LUNET sweep --slurm out --chunks 4 >job.sh
  sbatch job.sh
  wait_for has_begun 1 1
  echo "at a time: $(squeue -h -r -t RUNNING | wc -l)"
  log_all
  touch go
  wait_for has_no_jobs
  is_done out
]]

describe("a job of Slurm's, #slow", function()
  local place
  before_each(function()
    place = scratch.open()
    place:write("frozen.lua", FROZEN)
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function is_missing()
    return not scenario.has "sbatch slurmctld slurmd munged"
      and pending "slurm is not installed (script/packages sweep)"
  end

  it("that was suspended and resumed has an invalid run, and does it again when it is submitted again", function()
    if is_missing() then return end
    local status, output = scenario.run(place, "slurm", SUSPENDED)
    assert.equal(0, status)
    assert.matches(" invalid, attempt 1: it was suspended and resumed (SIGCONT) while it ran\n", output, 1, true)
    local runs = store.new(place.path .. "/out")
    local name = runs:names()[1]
    assert.matches("^[RS]$", store.new(place.path .. "/first"):read(name).outcome.state) -- Slurm has thawed it
    local record = runs:read(name)
    assert.same({ "done", 2, { state = "T" } }, { record.state, record.attempt, record.outcome })
  end)

  it("has a node to itself where the experiment is exclusive", function()
    if is_missing() then return end
    place:write("fake.lua", (scenario.FAKE:gsub("claim =", "exclusive = true, %0")))
    local status, output = scenario.run(place, "slurm", EXCLUSIVE)
    assert.equal(0, status)
    assert.matches("at a time: [12]\n", output)
    assert.matches("NumNodes=1 NumCPUs=2 ", output, 1, true)
    assert.matches("OverSubscribe=NO", output, 1, true)
  end)

  it("that Slurm ends leaves no process, no record and no directory", function()
    if is_missing() then return end
    local status, output = scenario.run(place, "slurm", ENDED)
    assert.equal(0, status)
    assert.matches("ExitCode=130:0", output, 1, true)
    assert.matches("JobState=CANCELLED", output, 1, true)
    assert.same({}, store.new(place.path .. "/out"):names())
  end)
end)
