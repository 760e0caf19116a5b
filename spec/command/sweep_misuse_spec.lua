-- Wrong use of `lunet sweep`: a clear line on standard error, exit status 2 or 3, and nothing lost.
local eventually = require "spec.support.eventually"
local lfs = require "lfs"
local lunet = require "lunet"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local stage = require "spec.support.command_stage"
local store = require "lunet.sweep.store"

local LUNET <const> = os.getenv "LUNET"
local BOUND <const> = require "spec.support.bound"

local FAKE <const> = [[
  return require "lunet.experiment" {
    claim = "It is so.",
    knobs = { backlog = { 5, "connections", "how many", min = 0, max = 20 }, seed = { 1, "number", "", max = 50 } },
    run = function(knobs) return { backlog = knobs.backlog, text = ("x"):rep(knobs.backlog * 1000) } end,
    check = function() end,
  }]]

describe("lunet sweep refuses", function()
  local place
  before_each(function()
    place = stage.open()
    place:write("fake.lua", FAKE)
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function sweep(words) return stage.run("sweep " .. words) end

  local function refused(words, status, message)
    local result = sweep(words)
    assert.same({ status, "" }, { result.status, result.output })
    assert.matches("^lunet: sweep: [^\n]+\n$", result.errors)
    assert.matches(message, result.errors, 1, true)
  end

  local wrong = {
    { "", "nothing to do (known: FILE.lua, --help, --status, --failed, --list, --slurm, --report, --archive, --run, "
      .. "--merge)" },
    { "--magic", "unknown option '--magic'" },
    { "--status", "option '--status' requires an argument" },
    { "--slurm", "option '--slurm' requires an argument" },
    { "--list", "option '--list' requires an argument" },
    { "--slurm out --chunks 0", "--chunks: 0 is not allowed; it is a whole number, 1 or more" },
    { "--run out", "option '--run' requires 2 arguments" },
    { "--merge out", "option '--merge' requires at least 2 arguments" },
    { "none.lua --into out", "none.lua" },
    { "fake.lua --backlog 1..3", "--into DIR is missing" },
    { "fake.lua --depth 3 --into out", "unknown option '--depth'" },
    { "fake.lua extra --into out", "too many arguments" },
    { "fake.lua --set depth=3 --into out", "--set: there is no knob 'depth' (known: backlog, seed)" },
    { "fake.lua --set backlog --into out", "--set: 'backlog' is not NAME=VALUES" },
    { "fake.lua --set seed=3 --into out", "--set: each run has a seed of its own; --seed is that of the first" },
    { "fake.lua --backlog 1 --set backlog=2 --into out", "--set: knob backlog is set twice" },
    { "fake.lua --backlog 15..23 --into out", "point 7 of 9 (backlog=21): knob backlog: 21 is not allowed" },
    { "fake.lua --into ''", "--into: the name of a directory is missing" },
    { "fake.lua --backlog 1..5/8 --into out", "knob backlog: '1..5/8': the range has one value only: its step is 8" },
    { "fake.lua --backlog two --into out", "knob backlog: \"two\" is not allowed; it is a whole number from 0 to 20" },
    { "fake.lua --backlog =depth --into out", "point 1 of 1 (): =depth: 'depth' is no knob" },
    { "fake.lua --backlog 1 --where depth --into out", "point 1 of 1 (backlog=1): --where depth: 'depth' is no knob" },
    { "fake.lua --backlog 1,2 --zip backlog,depth --into out", "--zip: knob depth has no list of values here" },
    { "fake.lua --runs 0 --into out", "--runs: 0 is not allowed; it is a whole number, 1 or more" },
    { "fake.lua --jobs 0 --into out", "--jobs: 0 is not allowed; it is a whole number, 1 or more" },
    { "fake.lua --seed -1 --into out", "--seed: -1 is not allowed; it is a whole number, 0 or more" },
    { "fake.lua --timeout 0 --into out", "--timeout: 0 is not allowed; it is a number of seconds, more than 0" },
    { "fake.lua --seed 42 --runs 10 --into out", "knob seed: 51 is not allowed; it is a whole number, 50 or less" },
  }
  for _, case in ipairs(wrong) do
    it(("the words: %s"):format(case[1]), function()
      refused(case[1], 2, case[2])
      assert.is_nil(lfs.attributes(place.path .. "/out"))
    end)
  end

  it("a script that returns no experiment, or breaks", function()
    place:write("none.lua", "return 5")
    refused("none.lua --into out", 2, "none.lua returns no experiment")
    place:write("none.lua", "error 'no luck'")
    refused("none.lua --into out", 2, "no luck")
  end)

  it("a directory without a plan", function()
    place:write("empty/file", "")
    for _, words in ipairs { "--status none", "--status empty", "--failed empty", "--list empty", "--slurm empty",
      "--report empty",
      "--run empty 0-r1", "--merge out empty" } do
      refused(words, 3, "plan.json: No such file or directory")
    end
  end)

  it("runs without a plan", function()
    place:write("out/runs/0123456789ab-r1.json", "{}")
    refused("fake.lua --into out", 3, "out: it has runs and no plan.json")
  end)

  it("a run that the plan does not have", function()
    assert.equal(0, sweep("fake.lua --runs 1 --into out").status)
    for _, name in ipairs { "0123456789ab-r1", "0/4", "5/4", "1/0", "1/", "1.5/4" } do
      refused("--run out " .. name, 2, ("out has no run '%s'"):format(name))
    end
  end)

  describe("and changes nothing of", function()
    local before, plan

    local function texts()
      local all, runs = {}, store.new(place.path .. "/out")
      for _, name in ipairs(runs:names()) do all[name] = place:read("out/runs/" .. name .. ".json") end
      return all
    end

    before_each(function()
      assert.equal(0, sweep("fake.lua --backlog 1,2 --runs 2 --into out").status)
      before, plan = texts(), place:read "out/plan.json"
    end)

    after_each(function()
      assert.same(before, texts())
      assert.equal(plan, place:read "out/plan.json")
    end)

    it("a directory of another sweep", function()
      place:write("other.lua", FAKE)
      refused("other.lua --backlog 1,2 --into out", 3, "out: it is of another sweep: experiment is fake, not other")
      refused("fake.lua --backlog 1,2 --seed 2 --into out", 3, "out: it is of another sweep: seed is 1, not 2")
    end)

    it("one of another script, which it names", function()
      place:write("fake.lua", FAKE .. " -- changed")
      refused("fake.lua --backlog 1..3 --runs 2 --into out", 3, "out: script was ")
      assert.equal(2, sweep("fake.lua --backlog 1..3 --runs 2 --into out --dry").status)
    end)

    it("one in which a sweep is at work", function()
      local lock = assert(store.new(place.path .. "/out"):lock(true))
      refused("fake.lua --backlog 1..3 --runs 2 --into out", 3, "out: another sweep is at work in it")
      refused("--run out " .. next(before), 3, "out: another sweep is at work in it")
      lock:close()
    end)
  end)

  it("a plan that was changed by hand", function()
    assert.equal(0, sweep("fake.lua --backlog 1,2 --runs 2 --into out").status)
    place:write("out/plan.json", (place:read "out/plan.json":gsub('"runs":2', '"runs":3')))
    for _, words in ipairs { "fake.lua --backlog 1,2 --runs 2 --into out", "--status out", "--list out" } do
      refused(words, 3, "out/plan.json: it was changed by hand, after its runs began")
    end
  end)

  it("a record that was broken, in a line that names it", function()
    assert.equal(0, sweep("fake.lua --backlog 1 --runs 2 --into out").status)
    local name = store.new(place.path .. "/out"):names()[1]
    local file = ("out/runs/%s.json"):format(name)
    place:write(file, (place:read(file):gsub('"host":"', '%0"')))
    for _, words in ipairs { "--report out", "fake.lua --backlog 1 --runs 2 --into out",
      "fake.lua --backlog 1 --runs 2 --into out --until 'backlog 5%'" } do
      local result = sweep(words)
      assert.equal(3, result.status)
      assert.equal(("lunet: sweep: out/runs/%s.json: this is no record (without it the run is missing, and is done "
        .. "again)\n"):format(name), result.errors)
    end
    assert(os.remove(("%s/out/runs/%s.json"):format(place.path, name)))
    assert.equal(0, sweep("fake.lua --backlog 1 --runs 2 --into out").status)
  end)

  it("to go on by single lines with another script", function()
    assert.equal(0, sweep("fake.lua --backlog 1 --runs 1 --into out").status)
    place:write("fake.lua", FAKE .. " -- changed")
    local name = store.new(place.path .. "/out"):names()[1]
    assert(os.remove(("%s/out/runs/%s.json"):format(place.path, name)))
    refused("--run out " .. name, 3, "out: script was ")
  end)

  it("a second sweep while one is at work, which goes on", function()
    place:write("slow.lua", (FAKE:gsub("return { backlog", 'require "lunet".sleep(0.02) %0')))
    local words = "slow.lua --backlog 1..20 --runs 5 --jobs 2 --into out"
    local process <close> = assert(lunet.exec { "sh", "-c", ("exec '%s' sweep %s"):format(LUNET, words),
      cwd = place.path, stderr = "null" })
    eventually(function() return lfs.attributes(place.path .. "/out/plan.json") end)
    local result = sweep(words)
    assert.equal(0, process:wait(BOUND))
    -- The first may have ended before the second began.
    if result.status ~= 0 then
      assert.same({ 3, "lunet: sweep: out: another sweep is at work in it\n" }, { result.status, result.errors })
    end
    assert.equal("slow: 100 of 100 runs done: 100 hold, 0 do not; 0 invalid, 0 failed, 0 missing.\n",
      sweep("--status out").output)
  end)

  it("to go on when the disk is full, and goes on when it is not", function()
    place:write("full/kept", "")
    local words = "%s sweep fake.lua --backlog 10 --runs 30 --jobs 1 --into full/out"
    local result = program.shell_with_mounts(("cd PLACE && mount -t tmpfs -o size=4160k none full && "
      .. "head -c 4000k /dev/zero >full/filler && { %s; echo $?; %s sweep --status full/out; rm full/filler; %s; "
      .. "echo $?; }"):format(words:format(LUNET), LUNET,
      words:format(LUNET)), place.path)
    local first, kept, later = result.output:match(
      "^(%d+ of 30 runs done:[^\n]+ 0 failed, %d+ missing%.\n3)\nfake: (%d+) of 30 [^\n]+\n(.*)$")
    assert.is_truthy(first, result.output .. result.errors)
    assert.is_true(tonumber(kept) > 0 and tonumber(kept) < 30)
    assert.equal("30 of 30 runs done: 30 hold, 0 do not; 0 invalid, 0 failed, 0 missing.\n0\n", later)
    assert.matches("\nlunet: sweep: full/out/runs/%.%x+: No space left on device\n", result.errors)
  end)
end)

describe("lunet sweep --mix", function()
  it("goes on with another script, and says in each record with which it was done", function()
    local place <close> = scratch.open()
    local function sweep(words)
      return program.shell(("cd %s && exec %s sweep %s"):format(place.path, LUNET, words))
    end
    place:write("fake.lua", FAKE)
    assert.equal(0, sweep("fake.lua --backlog 1 --runs 2 --into out").status)
    place:write("fake.lua", FAKE .. " -- changed")
    assert.equal(0, sweep("fake.lua --backlog 1 --runs 4 --into out --mix").status)
    local runs, identities = store.new(place.path .. "/out"), {}
    for _, name in ipairs(runs:names()) do
      local record = runs:read(name)
      identities[record.replicate] = record.identity
    end
    assert.same({ 1, 1, 2, 2 }, identities)
  end)
end)
