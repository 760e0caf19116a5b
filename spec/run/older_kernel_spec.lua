local experiment = require "lunet.experiment"
local junit = require "lunet.files.junit"
local merged = require "spec.support.merged"
local older_kernel = require "lunet.run.older_kernel"
local tap = require "lunet.files.tap"

local NEXT <const> = "99.1" -- a Linux that this kernel is older than

local function difference(fields)
  return merged({ before = NEXT, because = "the queue holds two more", check = function(outcome)
    assert(outcome.held == 4, "not four")
  end }, fields or {})
end

local function declare(fields)
  return experiment(merged({ claim = "The queue holds two.", run = function() return { held = 4 } end,
    check = function(outcome) assert(outcome.held == 2, "held " .. outcome.held) end }, fields))
end

local function run_of(fields)
  local declared = declare(fields)
  return declared:execute(declared:settings())
end

describe("a known difference of older kernels", function()
  it("applies to those before its version", function()
    local list = { difference { before = "6.14" }, difference { before = "6.1" } }
    assert.same({ list[1] }, older_kernel.of(list, "6.12.117"))
    assert.same({ list[1] }, older_kernel.of(list, "6.1.176"))
    assert.same(list, older_kernel.of(list, "5.10.46"))
    assert.same({}, older_kernel.of(list, "6.14.0-rc1"))
  end)

  it("gives a claim that does not hold a verdict of its own, with the reason", function()
    local run = run_of { expects = { difference() } }
    assert.same({ "known difference", "the queue holds two more (Linux before 99.1)" }, { run.verdict, run.why })
    assert.same({ "The claim does not hold, as expected of this kernel", run.why }, { run:judgement() })
  end)

  it("leaves a claim that does not hold in another way as it is", function()
    local run = run_of { expects = { difference { check = function(outcome) assert(outcome.held == 3) end } } }
    assert.same({ "does not hold", "held 4" }, { run.verdict, run.why })
  end)

  it("leaves the verdict of a newer kernel, and a claim that holds", function()
    assert.equal("does not hold", run_of { expects = { difference { before = "4.0" } } }.verdict)
    assert.equal("holds", run_of { expects = { difference() }, check = function() end }.verdict)
  end)

  it("has a mistake in its check told", function()
    local ok, message = pcall(run_of, { expects = { difference { check = function() return nil .. "" end } } })
    assert.is_false(ok)
    assert.match("^the check of the experiment is wrong: .*a nil value", message)
  end)

  it("passes in test results, with the reason", function()
    local record = run_of { expects = { difference() } }:listed()
    assert.match("\nok 1 %- .*\n  verdict: \"known difference\"\n  why: \"the queue holds two more",
      tap.of_records { record })
    local xml = junit.of_records { record }
    assert.match('errors="0" failures="0" name="lunet" skipped="0" tests="1"', xml, 1, true)
    assert.match("known difference: the queue holds two more", xml, 1, true)
  end)

  it("is refused unless it has a version, a reason and a check", function()
    for field, wrong in pairs {
      before = { 6.14, "6", "Linux 6.14" }, because = { false, 5 }, check = { "held 4" },
    } do
      for _, any in ipairs(wrong) do
        local ok, message = pcall(declare, { expects = { difference { [field] = any } } })
        assert.is_false(ok)
        assert.match("experiment: expects: " .. field .. " is a ", message, 1, true)
      end
    end
    for _, list in ipairs { { "6.14" }, { before = "6.14" } } do
      assert.error_matches(function() declare { expects = list } end,
        "experiment: expects is a list of { before =, because =, check = }", 1, true)
    end
    assert.error_matches(function() declare { expects = { difference { after = "6.1" } } } end, "unknown field 'after'")
  end)
end)
