local experiment = require "lunet.experiment"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local plot = require "lunet.text.plot"

local function nothing() end

--- An experiment that needs no more than what a test is about.
local function make(fields)
  return experiment(merged({ claim = "It holds.", run = function() return {} end, check = nothing }, fields))
end

describe("whether the claim holds", function()
  local function verdict_of(check)
    local _, holds, why = make { check = check }()
    return holds, why
  end

  it("is true when the check ends well, whatever it returns but false", function()
    assert.is_true(verdict_of(nothing))
    assert.is_true(verdict_of(function() return true end))
    assert.is_true(verdict_of(function() return nil end))
    assert.is_true(verdict_of(function() return 0 end))
  end)

  it("is false when the check returns false", function()
    assert.same({ false, "the check returned false" }, { verdict_of(function() return false end) })
  end)

  it("is false when an assert of the check fails, for the reason that it gives", function()
    assert.same({ false, "nobody connected" }, { verdict_of(function() _G.assert(nil, "nobody connected") end) })
  end)

  it("is false when the check calls error, with a position or without", function()
    assert.same({ false, "no luck" }, { verdict_of(function() error "no luck" end) })
    assert.same({ false, "no luck" }, { verdict_of(function() error("no luck", 0) end) })
  end)

  it("keeps a text that only looks like a position", function()
    assert.same({ false, "port:80: closed" }, { verdict_of(function() error("port:80: closed", 0) end) })
  end)

  it("is false when an assertion of luassert fails, with its text", function()
    local holds, why = verdict_of(function() assert.equal(1, 2) end)
    assert.is_false(holds)
    assert.match("Expected objects to be equal", why)
    assert.match("Expected:\n%(number%) 1", why)
  end)

  it("is false for an error object, by its message or its __tostring", function()
    assert.same({ false, "as a field" }, { verdict_of(function() error { message = "as a field" } end) })
    local object = setmetatable({}, { __tostring = function() return "as a text" end })
    assert.same({ false, "as a text" }, { verdict_of(function() error(object) end) })
  end)

  it("is neither when the check says that it cannot tell, and why", function()
    assert.same({ nil, "5 of 6 runs were disturbed" },
      { verdict_of(function() experiment.not_judged("%d of %d runs were disturbed", 5, 6) end) })
  end)

  it("is no verdict but an error when the check itself is mistaken", function()
    local mistakes = {
      ["attempt to index a nil value"] = function(outcome) return outcome.missing.field end,
      ["attempt to compare number with nil"] = function(outcome) return outcome.missing > 1 end,
      ["bad argument #1 to 'rep'"] = function() return string.rep() end,
      ["sleep: a timeout is a number of seconds"] = function() return lunet.sleep "long" end,
      ["attempt to call a nil value"] = function() return _G.no_such_function() end,
    }
    for text, check in pairs(mistakes) do
      local ok, message = pcall(make { check = check })
      assert.is_false(ok)
      assert.match("^the check of the experiment is wrong: ", message)
      assert.match(text, message, 1, true)
      assert.match("stack traceback:", message, 1, true)
      assert.match("judge_spec.lua:" .. debug.getinfo(check, "S").linedefined .. ": ", message, 1, true)
    end
  end)
end)

describe("the figures and the plot of an experiment", function()
  local function execute(fields)
    fields.knobs = { backlog = { 5, "connections", "how many" } }
    fields.run = function() return { depth = 6 } end
    local declared = make(fields)
    return declared:execute(declared:settings())
  end

  it("are texts made of the outcome and the knobs", function()
    local function tell(outcome, knobs) return ("%d of %d"):format(outcome.depth, knobs.backlog) end
    local run = execute { figures = tell, plot = function(...) return "plot of " .. tell(...) end }
    assert.same({ "6 of 5", "plot of 6 of 5" }, { run.figures, run.plot })
    assert.is_nil(run.mistake)
  end)

  it("may be a plot to draw", function()
    local bars = plot.bars { names = {}, values = {} }
    assert.equal(bars, execute({ plot = function() return bars end }).plot)
    assert.matches("it returned no plot, but table", execute({ plot = function() return {} end }).mistake)
    assert.matches("it returned no text, but table", execute({ figures = function() return bars end }).mistake)
  end)

  it("are told of a claim that does not hold, too", function()
    local run = execute { figures = function() return "none" end, check = function() return false end }
    assert.same({ "does not hold", "none" }, { run.verdict, run.figures })
  end)

  it("are not needed", function()
    local run = execute {}
    assert.same({}, { run.figures, run.plot, run.mistake })
  end)

  it("are told of a claim that is not judged, too", function()
    local run = execute { figures = function() return "none" end, check = function() experiment.not_judged "why" end }
    assert.same({ "not judged", "why", "none" }, { run.verdict, run.why, run.figures })
  end)

  it("leave no verdict when they are mistaken, and say where", function()
    for field, wanted in pairs { figures = "text", plot = "plot" } do
      local run = execute { [field] = function(outcome) return outcome.missing.field end }
      assert.equal("could not run", run.verdict)
      assert.match(("^mistake in the %s of the experiment: [^\n]*attempt to index a nil value[^\n]*$"):format(field),
        run.why)
      assert.is_nil(run[field])
      assert.match(("^mistake in the %s of the experiment: .*attempt to index a nil value"):format(field), run.mistake)
      assert.match("judge_spec.lua:", run.mistake, 1, true)
      assert.equal(("mistake in the %s of the experiment: it returned no %s, but number"):format(field, wanted),
        execute({ [field] = function() return 5 end }).mistake)
    end
  end)
end)
