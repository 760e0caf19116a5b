local experiment = require "lunet.experiment"
local judgement_of = require "spec.support.judgement"
local lateness = require "lunet.run.lateness"
local lunet = require "lunet"
local stay_busy_until = require "spec.support.stay_busy_until"

-- Keeps the processor from every other task for so many seconds.
local function hog(seconds) stay_busy_until(lunet.now() + seconds) end

describe("a bound from above", function()
  local function verdict_of(seconds, late, unseen)
    local declared = experiment { claim = "It is so.", run = function() return {} end,
      check = function() lateness.at_most("it ended", seconds, 1, late, unseen) end }
    local run = judgement_of(declared, {}, {})
    return { run.verdict, run.why }
  end

  it("is kept by a time that the grain of the clocks makes too short, and broken by a shorter one", function()
    assert.has_no.errors(function() lateness.between("it ended", 1 - lateness.GRAIN, 1, 2, 0) end)
    assert.error_matches(function() lateness.between("it ended", 0.97, 1, 2, 5) end,
      "^it ended after 0.97 s, before 1 s$")
    assert.error_matches(function() lateness.between("it ended", 2.1, 1, 2, 0) end,
      "^it ended after 2.1 s, more than 2 s$")
  end)

  it("is kept, broken, or not judged if the machine may have broken it", function()
    assert.same({ "holds" }, verdict_of(1, 0))
    assert.same({ "does not hold", "it ended after 1.5 s, more than 1 s" }, verdict_of(1.5, 0.4))
    assert.same({ "not judged", "the machine was 0.6 s late" }, verdict_of(1.5, 0.6))
    assert.same({ "not judged", "it ended after 1.5 s: the machine may have been late with the program" },
      verdict_of(1.5, 0.2, 0.4))
    assert.same({ "does not hold", "it ended after 1.5 s, more than 1 s" }, verdict_of(1.5, 0.2, 0.2))
  end)
end)

describe("the lateness of the machine", function()
  it("is what something that does not wait costs the others", function()
    local watch <close> = lateness.watch()
    lunet.sleep(0.02) -- the first look is due
    hog(0.3)
    lunet.sleep(0.02)
    assert.is_true(watch:worst() >= 0.28, watch:worst())
  end)

  it("is the worst, not the last", function()
    local watch <close> = lateness.watch()
    lunet.sleep(0.02)
    hog(0.1)
    lunet.sleep(0)
    local worst = watch:worst()
    lunet.sleep(0.05)
    assert.is_true(watch:worst() >= worst and worst >= 0.08)
  end)

  it("is forgotten when the first task begins to measure, but not when others do", function()
    local watch <close> = lateness.watch()
    lunet.sleep(0.02)
    hog(0.2)
    lunet.sleep(0.02)
    local before = watch:worst()
    watch:begin()
    lunet.sleep(0.02)
    assert.is_true(watch:worst() < before)
    hog(0.2)
    lunet.sleep(0.02)
    watch:begin()
    assert.is_true(watch:worst() > 0.1)
  end)

  it("does not count what came before the first task began, nor leaves out what has not ended", function()
    local watch <close> = lateness.watch()
    lunet.sleep(0.02)
    hog(0.3)
    local other <close> = lateness.watch()
    watch:begin()
    lunet.sleep(0.02)
    assert.is_true(watch:worst() < other:worst() + 0.2, watch:worst()) -- a busy machine makes both late
    hog(0.3)
    assert.is_true(watch:worst() >= 0.28, watch:worst())
  end)

  it("is no more looked for when the watch is closed", function()
    local watch = lateness.watch()
    lunet.sleep(0.02)
    watch:close()
    watch:close()
    local worst = watch:worst()
    hog(0.05)
    lunet.sleep(0.03)
    assert.equal(worst, watch:worst())
  end)
end)
