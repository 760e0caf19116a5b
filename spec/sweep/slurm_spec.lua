-- The batch script for Slurm. A real Slurm runs it in slurm_node_spec.lua, slurm_ghost_spec.lua and
-- slurm_job_spec.lua.
local lunet = require "lunet"
local program = require "spec.support.program"
local slurm = require "lunet.sweep.slurm"
local stage = require "spec.support.command_stage"
local store = require "lunet.sweep.store"

local FAKE <const> = [[
  return require "lunet.experiment" { claim = "It is so.", exclusive = IS_EXCLUSIVE, check = function() end,
    knobs = { backlog = { 5, "connections", "" }, seed = { 1, "number", "" } },
    run = function(knobs) return { goodput = knobs.backlog * 100 + knobs.seed } end }]]

describe("a chunk of a sweep", function()
  it("is named by its number and how many there are", function()
    assert.same({ 3, 16 }, { slurm.chunk "3/16" })
    assert.same({ 1, 1 }, { slurm.chunk "1/1" })
    for _, name in ipairs { "", "0/4", "5/4", "1/0", "1/", "/4", "-1/4", "1.5/4", "1/4/4", "0123456789ab-r1" } do
      assert.is_nil((slurm.chunk(name)))
    end
  end)

  it("has every n-th run, and all together have each once", function()
    assert.same({ "b", "e" }, slurm.runs({ "a", "b", "c", "d", "e" }, 2, 3))
    assert.same({}, slurm.runs({ "a" }, 2, 3))
    local list, all = {}, {}
    for i = 1, 100 do list[i] = i end
    for number = 1, 7 do
      for _, run in ipairs(slurm.runs(list, number, 7)) do all[#all + 1] = run end
    end
    table.sort(all)
    assert.same(list, all)
  end)
end)

describe("job.sh", function()
  local place
  before_each(function()
    place = stage.open()
    place:write("fake.lua", (FAKE:gsub("IS_EXCLUSIVE", "false")))
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function well(words)
    local result = stage.run("sweep " .. words)
    assert.same({ 0, "" }, { result.status, result.errors })
    return result.output
  end

  local function plan(directory, words)
    well(("fake.lua --backlog 1..4 %s --into '%s' --plan"):format(words or "--runs 3", directory))
  end

  -- Runs the script as one job of an array.
  local function job(number)
    return program.shell(("cd %s && SLURM_ARRAY_TASK_ID=%d exec sh job.sh"):format(place.path, number))
  end

  it("does a chunk, of which it does no run twice, and tells how far that is", function()
    plan "out"
    place:write("job.sh", well "--slurm out --chunks 5")
    local runs = store.new(place.path .. "/out")
    local result = job(2)
    assert.same({ 0, "" }, { result.status, result.output })
    assert.equal("lunet: chunk 2/5: 3 of 3 runs done: 3 hold, 0 do not; 0 invalid, 0 failed, 0 missing\n",
      result.errors)
    local first = runs:names()
    assert.equal(3, #first)
    local text = place:read(("out/runs/%s.json"):format(first[1]))
    assert.equal(0, job(2).status)
    assert.equal(text, place:read(("out/runs/%s.json"):format(first[1])))
    for number = 1, 5 do assert.equal(0, job(number).status) end
    assert.equal("fake: 12 of 12 runs done: 12 hold, 0 do not; 0 invalid, 0 failed, 0 missing.\n", well "--status out")
  end)

  it("asks Slurm for an array, for SIGINT before the end, and to be run again when a node dies", function()
    plan "out"
    local text = well "--slurm out --chunks 5"
    for _, line in ipairs { "#!/bin/sh", '#SBATCH --job-name="fake"', "#SBATCH --array=1-5", "#SBATCH --requeue",
      "#SBATCH --open-mode=append", "#SBATCH --signal=B:INT@60",
      ('#SBATCH --output="%s/out/slurm-%%A-%%a.out"'):format(place.path),
      ('exec %s sweep --run %s/out "$SLURM_ARRAY_TASK_ID/5"'):format(os.getenv "LUNET", place.path) } do
      assert.matches("\n" .. line .. "\n", "\n" .. text, 1, true)
    end
    assert.is_nil(text:find("--exclusive", 1, true))
    assert.matches("# fake: 12 runs are missing.", text, 1, true)
  end)

  it("does the runs as the options say, and so does a single line", function()
    plan "out"
    local how = ("%s sweep --jobs 3 --timeout 7.5 --run %s/out "):format(os.getenv "LUNET", place.path)
    assert.matches(("\nexec %s\"$SLURM_ARRAY_TASK_ID/12\"\n"):format(how),
      well "--slurm out --jobs 3 --timeout 7.5", 1, true)
    local lines = well "--list out --jobs 3 --timeout 7.5"
    assert.equal(how, lines:sub(1, #how))
    assert.equal(0, program.shell(lines:match "[^\n]+").status)
    assert.equal(1, #store.new(place.path .. "/out"):names())
  end)

  it("asks for whole nodes where the experiment is exclusive", function()
    place:write("fake.lua", (FAKE:gsub("IS_EXCLUSIVE", "true")))
    plan "out"
    assert.matches("\n#SBATCH --exclusive\n", well "--slurm out", 1, true)
  end)

  it("has no more chunks than runs are missing", function()
    plan "out"
    assert.matches("\n#SBATCH --array=1-12\n", well "--slurm out", 1, true)
    plan("more", "--runs 20")
    assert.matches("\n#SBATCH --array=1-16\n", well "--slurm more", 1, true)
  end)

  it("is written where there is no sbatch", function()
    plan "out"
    local result = stage.run("sweep --slurm out", "PATH=/none")
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.matches("^#!/bin/sh\n", result.output)
  end)

  it("is none when no run is missing, and the user hears why", function()
    plan "out"
    assert.equal(0, stage.run("sweep --run out 1/1").status)
    local result = stage.run "sweep --slurm out"
    assert.same({ 0, "", "lunet: note: no run is missing, so there is nothing to submit\n" },
      { result.status, result.output, result.errors })
  end)

  -- Slurm 22.05 cannot launch a job with a backslash in the name of its output.
  for name, line in pairs { [ [[o u"t'%j$HOME`]] ] = [[/o u\"t'%%j\$HOME\`/slurm-%A-%a.out"]], [ [[a\b]] ] = false } do
    it("names the directory whatever its name is: " .. name, function()
    place:write("name/x", "")
    assert(os.rename(place.path .. "/name", place.path .. "/" .. name))
    local quoted = program.quote(name)
    assert.equal(0, stage.run(("sweep fake.lua --backlog 1 --runs 1 --into %s --plan"):format(quoted)).status)
    place:write("job.sh", well("--slurm " .. quoted))
    assert.equal(0, job(1).status)
    assert.equal(1, #store.new(place.path .. "/" .. name):names())
    local text = place:read "job.sh"
    assert.equal(line and 1 or 0, select(2, text:gsub("#SBATCH %-%-output=", "")))
    if line then assert.matches(line, text, 1, true) end
  end)
  end

  it("is refused where the directory's name has a line break, as are single lines", function()
    place:write("a\nb/x", "")
    assert.equal(0, stage.run("sweep fake.lua --runs 1 --into 'a\nb' --plan").status)
    for _, option in ipairs { "--slurm", "--list" } do
      local result = stage.run(("sweep %s 'a\nb'"):format(option))
      assert.same({ 3, "" }, { result.status, result.output })
      assert.equal("lunet: sweep: a\\nb: no line of a script can name it: its name has a line break or the like\n",
        result.errors)
    end
  end)
end)
