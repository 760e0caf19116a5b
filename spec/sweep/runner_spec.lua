-- Runs in worker processes, each answered for whatever becomes of its process.
local exclusive = require "lunet.run.exclusive"
local lunet = require "lunet"
local runner = require "lunet.sweep.runner"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

local SCRIPT <const> = [[
  local lunet = require "lunet"
  local experiment = require "lunet.experiment"
  return experiment {
    claim = "It is so.",
    knobs = { what = { "well", "way", "" }, seed = { 1, "number", "" }, patience = { 1.0, "s", "" } },
    run = function(knobs)
      print "words that are no answer"
      count = (count or 0) + 1
      if knobs.what == "hang" then lunet.sleep(600) end
      if knobs.what == "error" then error("no luck", 0) end
      if knobs.what == "die" then io.stderr:write "its last words\n" os.exit(7) end
      if knobs.what == "kill" then os.execute("kill -9 $PPID") end
      return { seed = knobs.seed, count = count, hosts = lunet.open_handles(), patience = knobs.patience }
    end,
    check = function(_, knobs)
      if knobs.what == "disturbed" then experiment.not_judged "it slept" end
      assert(knobs.what ~= "wrong", "it is wrong")
    end,
  }]]

describe("the runner of a sweep", function()
  local place, runs, script
  before_each(function()
    place = scratch.open()
    runs, script = store.new(place.path), place:write("fake.lua", SCRIPT)
    assert(runs:make())
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function job(number, knobs)
    return { name = ("%012x-r1"):format(number), point = ("%012x"):format(number), replicate = 1, seed = number,
      attempt = 1, identity = 1, experiment = "fake", knobs = knobs }
  end

  -- Does runs of these ways; jobs = 0 asks for no number. Returns their records, and how often `ended` was called.
  local function run(ways, how)
    local jobs, records, ended = {}, {}, 0
    for i, what in ipairs(ways) do jobs[i] = job(i, { what = what }) end
    local options = { command = { os.getenv "LUNET" }, processors = 2, jobs = 2, exclusive = false, timeout = 60,
      ended = function() ended = ended + 1 end }
    for name, value in pairs(how or {}) do options[name] = value end
    options.jobs = options.jobs > 0 and options.jobs or nil
    assert(runner.run(runs, script, jobs, options))
    for i, one in ipairs(jobs) do records[i] = assert(runs:read(one.name)) end
    return records, ended
  end

  it("writes a record of each, with what it was, when, where and how", function()
    local records, ended = run { "well", "wrong", "disturbed", "error" }
    assert.equal(4, ended)
    local found = {}
    for i, record in ipairs(records) do
      found[i] = { record.state, record.verdict, record.why }
      assert.same({ i, ("%012x"):format(i), 1, 1, 1 },
        { record.seed, record.point, record.replicate, record.attempt, record.identity })
      for _, field in ipairs { "started", "seconds", "cpu", "load", "lateness" } do
        assert.is_number(record[field])
      end
      assert.matches("^%S+$", record.host)
    end
    assert.same({ { "done", "holds" }, { "done", "does not hold", "it is wrong" },
      { "invalid", "not judged", "it slept" }, { "failed", "could not run", "no luck" } }, found)
  end)

  -- A thread spins before each deadline, which many runs at a time have no processor for.
  for _, case in ipairs { { "false", 1 }, { "true", 2 } } do
    it(("has %d threads where the experiment's exclusive is %s"):format(case[2], case[1]), function()
      script = place:write("threads.lua", ([[
        local core = require "lunet.core"
        local lunet = require "lunet"
        return require "lunet.experiment" { claim = "It is so.", exclusive = %s, check = function() end,
          knobs = { what = { "well", "way", "" }, seed = { 1, "", "" } }, run = function()
            local host <close> = assert(lunet.host "a")
            return { threads = tonumber(core.read_file(nil, "/proc/self/status"):match "\nThreads:%%s+(%%d+)") }
          end }]]):format(case[1]))
      local records = run({ "well", "well" }, { exclusive = case[1] == "true" })
      assert.is_nil(records[1].why)
      assert.same({ case[2], case[2] }, { records[1].outcome.threads, records[2].outcome.threads })
    end)
  end

  it("gives each the knobs of its point and the seed of its replicate, in a fresh Lua on fresh hosts", function()
    local ways = {}
    for i = 1, 6 do ways[i] = "well" end
    for i, record in ipairs(run(ways)) do
      assert.same({ seed = i, count = 1, patience = 1.0, hosts = { "host home" } }, record.outcome)
    end
  end)

  it("leaves out a run that another process has done when its turn comes", function()
    local jobs, asked = { job(1, {}), job(2, {}), job(3, {}) }, {}
    assert(runner.run(runs, script, jobs, { command = { os.getenv "LUNET" }, processors = 1, jobs = 1,
      exclusive = false, timeout = 60, ended = function(one) asked[#asked + 1] = "ended " .. one.seed end,
      is_due = function(one)
        asked[#asked + 1] = "asked " .. one.seed
        return one.seed ~= 2
      end }))
    assert.same({ "asked 1", "ended 1", "asked 2", "asked 3", "ended 3" }, asked)
    assert.same({ jobs[1].name, jobs[3].name }, runs:names())
  end)

  it("loses no run but the one whose process ends, and says how that ended", function()
    local records, ended = run { "well", "die", "well", "kill", "well", "die", "well" }
    assert.equal(7, ended)
    for i, record in ipairs(records) do assert.equal(i % 2 == 1 and "done" or "failed", record.state) end
    assert.equal("its process ended with status 7: its last words", records[2].why)
    assert.matches("^its process was killed by SIGKILL", records[4].why)
    assert.same({ "fake", "could not run", { what = "die" } },
      { records[2].experiment, records[2].verdict, records[2].knobs })
  end)

  it("ends a run that takes too long, and goes on", function()
    for _, record in ipairs(run({ "hang", "hang" }, { timeout = 0.3, jobs = 1 })) do
      assert.same({ "failed", "not over after 0.3 s" }, { record.state, record.why })
    end
  end)

  it("says that a script which has become wrong has failed, at each run", function()
    place:write("fake.lua", "return =")
    local records = run { "well", "well" }
    assert.same({ "failed", "failed" }, { records[1].state, records[2].state })
    assert.matches("unexpected symbol", records[1].why, 1, true)
  end)

  it("stops when a record cannot be written, and says so", function()
    local directory = place.path .. "/runs"
    assert(os.remove(directory))
    place:write("runs", "no directory")
    local ended = 0
    local ok, message = runner.run(runs, script, { job(1, {}), job(2, {}), job(3, {}) }, {
      command = { os.getenv "LUNET" }, processors = 1, jobs = 1, exclusive = false, timeout = 60,
      ended = function() ended = ended + 1 end })
    assert.same({ nil, 0 }, { ok, ended })
    assert.matches("runs/%.%x+: Not a directory", message)
  end)

  describe("at a time", function()
    local WAITS <const> = [[
      local lunet = require "lunet"
      return require "lunet.experiment" { claim = "It is so.", exclusive = EXCLUSIVE, check = function() end,
        knobs = { seed = { 1, "number", "" } }, run = function()
          local began = lunet.now()
          lunet.sleep(0.05)
          return { began = began, ended = lunet.now() }
        end }]]

    -- How many of the runs were under way at once, at most.
    local function overlap(records)
      local most = 0
      for _, one in ipairs(records) do
        local count = 0
        for _, other in ipairs(records) do
          local is_under_way = other.outcome.began <= one.outcome.began and other.outcome.ended > one.outcome.began
          count = count + (is_under_way and 1 or 0)
        end
        most = math.max(most, count)
      end
      return most
    end

    local ways = { "", "", "", "", "", "", "", "" }

    it("does exclusive ones one by one, whatever is asked for", function()
      place:write("fake.lua", (WAITS:gsub("EXCLUSIVE", "true")))
      assert.equal(1, overlap(run(ways, { exclusive = true, jobs = 8 })))
    end)

    it("takes the lock of exclusive ones for each run, and its workers find it held", function()
      place:write("fake.lua", (WAITS:gsub("EXCLUSIVE", "true")))
      local enter, locks, held = exclusive.enter, {}, os.getenv(exclusive.VARIABLE)
      exclusive.enter = function(say)
        locks[#locks + 1] = say
        return enter(say)
      end
      local records = run(ways, { exclusive = true, say = print })
      exclusive.enter = enter
      assert.same({ print, print, print, print, print, print, print, print }, locks)
      assert.equal(held, os.getenv(exclusive.VARIABLE))
      for _, record in ipairs(records) do assert.equal("done", record.state) end
    end)

    it("does more than there are processors, where runs leave these idle and nothing is asked for", function()
      place:write("fake.lua", (WAITS:gsub("EXCLUSIVE", "false")))
      local many = {}
      for i = 1, 40 do many[i] = "" end
      assert.is_true(overlap(run(many, { jobs = 0, processors = 1 })) > 1)
    end)

    it("does no more than is asked for", function()
      place:write("fake.lua", (WAITS:gsub("EXCLUSIVE", "false")))
      assert.is_true(overlap(run(ways, { jobs = 2 })) <= 2)
    end)
  end)
end)
