local precision = require "lunet.sweep.precision"
local stage = require "spec.support.command_stage"
local store = require "lunet.sweep.store"

describe("the rule of --until", function()
  it("is a figure and a width in percent", function()
    assert.same({ figure = "goodput", share = 0.05 }, precision.parse "goodput 5%")
    assert.same({ figure = "queue.depth", share = 0.025 }, precision.parse " queue.depth  2.5% ")
  end)

  it("is nothing else", function()
    for _, text in ipairs { "", "goodput", "5%", "goodput 5", "goodput 0%", "goodput -5%", "goodput x%", "good put 5%",
      "goodput 1.2.3%" } do
      local rule, message = precision.parse(text)
      assert.is_nil(rule)
      assert.equal(("--until: '%s' is not FIGURE PERCENT%%, as in 'goodput 5%%'"):format(text), message)
    end
  end)
end)

describe("a sweep with --until", function()
  local FAKE <const> = [[
    return require "lunet.experiment" {
      claim = "It is so.",
      knobs = { spread = { 0, "of 100", "" }, seed = { 1, "number", "", max = 40 } },
      run = function(knobs)
        local stream = require "lunet.load.random".new(knobs.seed, "goodput")
        return { goodput = 100 + stream:uniform(-1, 1) * knobs.spread, is_odd = knobs.seed % 2 == 1 }
      end,
      check = function() end,
    }]]

  local place
  before_each(function()
    place = stage.open()
    place:write("fake.lua", FAKE)
  end)
  after_each(function() place:close() end)

  local function sweep(words) return stage.run(("sweep fake.lua %s --into out"):format(words)) end

  -- How many runs each point has, by its spread.
  local function runs_by_spread()
    local runs, counts = store.new(place.path .. "/out"), {}
    for _, name in ipairs(runs:names()) do
      local spread = runs:read(name).knobs.spread
      counts[spread] = (counts[spread] or 0) + 1
    end
    return counts
  end

  it("does more runs of the points whose interval is wide, and no more than --most", function()
    local words = "--spread 0,20,90 --runs 6 --until 'goodput 8%' --most 20"
    local result = sweep(words)
    assert.same({ 0, result.errors }, { result.status, result.errors })
    local counts = runs_by_spread()
    assert.same({ 6, 20 }, { counts[0], counts[90] })
    assert.is_true(counts[20] > 6 and counts[20] < 20)
    assert.equal(0, sweep(words).status)
    assert.same(counts, runs_by_spread())
  end)

  it("goes on where it was stopped, with the runs that it would have done", function()
    local words = "--spread 20 --runs 6 --until 'goodput 8%' --most 20"
    assert.equal(0, sweep(words).status)
    local counts, runs = runs_by_spread(), store.new(place.path .. "/out")
    for i, name in ipairs(runs:names()) do
      if i % 2 == 0 then assert(os.remove(("%s/out/runs/%s.json"):format(place.path, name))) end
    end
    assert.equal(0, sweep(words).status)
    assert.same(counts, runs_by_spread())
  end)

  it("is the same by single lines: the list has more runs when all are done, until the intervals are narrow", function()
    local words = "--spread 0,20,90 --runs 6 --until 'goodput 8%' --most 20"
    assert.equal(0, sweep(words).status)
    local whole = runs_by_spread()
    assert(os.rename(place.path .. "/out", place.path .. "/whole"))
    assert.equal(0, sweep(words .. " --plan").status)
    local rounds = 0
    while stage.run("sweep --list out").output ~= "" do
      rounds = rounds + 1
      assert.equal(stage.run("sweep --list out").output, stage.run("sweep --list out").output)
      assert.equal(0, stage.run("sweep --run out 1/1").status)
    end
    assert.same(whole, runs_by_spread())
    assert.is_true(rounds > 2)
    assert.matches("no run is missing", stage.run("sweep --slurm out").errors)
  end)

  it("keeps the further runs of a point when directories are merged", function()
    local words = "--spread 90 --runs 6 --until 'goodput 8%' --most 20"
    assert.equal(0, stage.run("sweep fake.lua --spread 90 --runs 6 --into both").status)
    assert.equal(0, sweep(words).status)
    assert.equal(20, runs_by_spread()[90])
    local result = stage.run "sweep --merge both out"
    assert.matches("^20 of 20 runs done: 20 hold", result.output)
  end)

  it("adds to no list while runs go on elsewhere", function()
    assert.equal(0, sweep("--spread 90 --runs 6 --until 'goodput 8%' --most 20 --plan").status)
    assert.equal(0, stage.run("sweep --run out 1/1").status)
    local _lock <close> = assert(store.new(place.path .. "/out"):lock(false))
    local result = stage.run "sweep --list out"
    assert.same({ 3, "", "lunet: sweep: out: another sweep is at work in it\n" },
      { result.status, result.output, result.errors })
  end)

  it("takes the percents of a share as they are", function()
    assert.equal(0, sweep("--runs 6 --until 'is_odd 18%' --most 30").status)
    local count = runs_by_spread()[0]
    assert.is_true(count > 20 and count < 30) -- Wilson's interval of a half is so wide with 27 runs
  end)

  it("refuses a figure that no run has, and a seed that --most does not allow", function()
    local result = sweep "--runs 2 --until 'goodputs 5%' --most 20"
    assert.equal(3, result.status)
    assert.matches("lunet: sweep: --until: no run has a figure 'goodputs' (known: holds, ", result.errors, 1, true)
    assert.equal(1, #store.new(place.path .. "/out"):names()) -- one run has told
    result = sweep "--runs 2 --until 'goodput 5%'"
    assert.same({ 2, "" }, { result.status, result.output })
    assert.matches("knob seed: 50 is not allowed", result.errors, 1, true)
    assert.equal(2, sweep("--until goodput").status)
  end)
end)
