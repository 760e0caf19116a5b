local agreement = require "spec.support.agreement"
local compare = require "spec.figures.compare"
local core = require "lunet.core"
local experiment = require "lunet.experiment"
local program = require "spec.support.program"

local function differences(others, outcome, options)
  return agreement.differences(others, outcome, options)
end

describe("the agreement of outcomes", function()
  it("is told by field, with the length of lists", function()
    assert.same({ ["a.b"] = 1, ["rows.#"] = 2, ["rows.1.c"] = true, ["rows.2.c"] = "x" },
      agreement.fields { a = { b = 1 }, rows = { { c = true }, { c = "x" } } })
    assert.equal("rows[].c", agreement.name "rows.12.c")
    assert.equal("rows[]", agreement.name "rows.#")
  end)

  it("of strings, booleans and counts is equality", function()
    local others = { { state = "OPEN", is_there = true, count = 3 } }
    assert.same({}, differences(others, { state = "OPEN", is_there = true, count = 3 }))
    assert.same({ state = "FIN, not OPEN", is_there = "false, not true", count = "4, not from 3 to 3" },
      differences(others, { state = "FIN", is_there = false, count = 4 }))
  end)

  it("of a field that varies by itself: it is one of the others, or among them", function()
    local others = { { state = "A", count = 3 }, { state = "B", count = 7 } }
    assert.same({}, differences(others, { state = "B", count = 5 }))
    assert.same({ state = "C, not A, B", count = "8, not from 3 to 7" },
      differences(others, { state = "C", count = 8 }))
  end)

  it("of sizes goes as far as 0.5 %", function()
    local options = { sizes = { taken = true } }
    assert.same({}, differences({ { taken = 1000, bytes = 1000 } }, { taken = 1005, bytes = 995 }, options))
    assert.same({ taken = "1006, not from 1000 to 1000", bytes = "994, not from 1000 to 1000" },
      differences({ { taken = 1000, bytes = 1000 } }, { taken = 1006, bytes = 994 }, options))
    assert.same({ taken = "1005, not from 1000 to 1000" }, differences({ { taken = 1000 } }, { taken = 1005 }))
  end)

  it("of times goes half the spread further, and 2 ms", function()
    local others = { { seconds = 1.0, wait_ms = 300 }, { seconds = 1.1, wait_ms = 340 } }
    assert.same({}, differences(others, { seconds = 1.15, wait_ms = 361 }))
    assert.same({ seconds = "1.16, not from 1.0 to 1.1", wait_ms = "363, not from 300 to 340" },
      differences(others, { seconds = 1.16, wait_ms = 363 }))
  end)

  it("of times goes further still where that is asked for", function()
    local options = { longer = 0.05, part = 0.1 }
    assert.same({}, differences({ { seconds = 1.0 } }, { seconds = 1.149 }, options))
    assert.same({ seconds = "1.16, not from 1.0 to 1.0" },
      differences({ { seconds = 1.0 } }, { seconds = 1.16 }, options))
  end)

  it("leaves out how late the machine was", function()
    assert.same({}, differences({ { lateness = 0.1 } }, { lateness = 5.5 }))
  end)

  it("of times goes further by as much as a run was late, and no other agreement does", function()
    local function run(seconds, late) return { seconds = seconds, ms = 1000 * seconds, count = 3, share = 0.5,
      state = "OPEN", lateness = late } end
    local others = { run(0.001, 0), run(0.0122, 0) }
    assert.same({}, differences(others, run(0.0822, 0.07)))
    assert.same({ seconds = "0.0822, not from 0.001 to 0.0122", ms = "82.2, not from 1.0 to 12.2" },
      differences(others, run(0.0822, 0.05)))
    assert.same({}, differences({ run(0.0822, 0.09) }, run(0.001, 0)))
    local wrong = run(0.001, 9)
    wrong.count, wrong.share, wrong.state = 4, 0.6, "FIN"
    assert.same({ count = "4, not from 3 to 3", share = "0.6, not from 0.5 to 0.5", state = "FIN, not OPEN, OPEN" },
      differences(others, wrong))
  end)

  it("takes what is named after for a time if it is no whole number", function()
    local function run(after, depth) return { after = after, depth_after = depth, lateness = 2 } end
    assert.same({ depth_after = "1, not from 0 to 0" }, differences({ run(3.0, 0) }, run(4.5, 1)))
  end)

  it("lacks what one side alone has", function()
    assert.same({ ["rows.#"] = "1, not from 2 to 2", ["rows.2.a"] = "none, where others have 2",
      b = "3, where others have none" },
      differences({ { rows = { { a = 1 }, { a = 2 } } } }, { rows = { { a = 1 } }, b = 3 }))
  end)

  it("has a bound of its own where one is given, by name or path", function()
    local others = { { rows = { { a = 100 }, { a = 100 } } } }
    local function try(bounds)
      return differences(others, { rows = { { a = 110 }, { a = 111 } } }, { bounds = bounds })
    end
    assert.same({ ["rows.2.a"] = "111, not from 100 to 100" }, try { ["rows[].a"] = { part = 0.1, why = "why" } })
    assert.same({ ["rows.1.a"] = "110, not from 100 to 100" }, try { ["rows.2.a"] = { part = 0.2, why = "why" } })
    local options = { bounds = { drawn = { part = 0.2, why = "why" } } }
    assert.same({ other = "b, not a" }, differences({ { drawn = "0 1", other = "a" } }, { drawn = "0 2", other = "b" },
      options))
  end)
end)

describe("runs of several ways", function()
  -- An experiment that finds something else while it is recorded, or when told.
  local disturbed = experiment { claim = "It is so.", check = function() end,
    run = function()
      local _, is_recording = core.record(true)
      core.record(is_recording)
      return { count = is_recording and 4 or 3 }
    end }

  local function run(level)
    return function() return compare.execute(disturbed, {}, level) end
  end

  it("have outcomes that tell how late lunet was", function()
    local busy = experiment { claim = "It is so.", check = function() end, run = function()
      local deadline = core.now() + 0.05
      core.sleep(0)
      while core.now() < deadline do end
      core.sleep(0)
      return { seconds = 0.05 }
    end }
    assert.is_true(compare.execute(busy, {}, "none").outcome.lateness > 0.03)
  end)

  it("tell a time that recording changes from one that a late machine does", function()
    local function run_of(seconds, late)
      return function() return { verdict = "holds", outcome = { seconds = seconds, lateness = late } } end
    end
    local results = compare.run(run_of(0.01, 0.001), { { name = "late", run = run_of(0.3, 0.35) },
      { name = "changed", run = run_of(0.3, 0.001) } }, {})
    assert.same({}, results[1].differences)
    assert.same({ seconds = "0.3, not from 0.01 to 0.01" }, results[2].differences)
  end)

  it("disagree when one finds something else, however often it is run", function()
    local results, bases = compare.run(run "none", { { name = "same", run = run "none" }, { name = "kernel",
      run = run "kernel" } }, {})
    assert.same({}, results[1].differences)
    assert.same({ count = "4, not from 3 to 3" }, results[2].differences)
    assert.equal(10, #bases)
  end)

  it("agree as soon as each field agrees in one of them", function()
    local count = 0
    local results, bases = compare.run(run "none", { { name = "rare", run = function()
      count = count + 1
      return { verdict = "holds", outcome = { count = count } }
    end } }, {})
    assert.same({}, results[1].differences)
    assert.same({ 3, 3 }, { count, #bases })
  end)

  it("disagree by their verdicts, too", function()
    local results = compare.run(run "none", { { name = "false", run = function()
      return { verdict = "does not hold", outcome = { count = 3 } }
    end } }, {})
    assert.same({ verdict = "does not hold, not holds, holds, holds, holds, holds, holds, holds, holds, holds, holds" },
      results[1].differences)
  end)
end)

describe("the comparison of recorded and unrecorded runs", function()
  it("passes for an experiment that recording leaves alone, and gives its row of the table", function()
    local command = "unset LUNET_SOURCE; exec %s spec/figures/recorded.lua stale_replay --row"
    local result = program.shell(command:format(os.getenv "LUNET"))
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.match("^| stale_replay | holds | %d+ | %d+ | %d+ | 0 |  |\n$", result.output)
  end)
end)
