local experiment = require "lunet.experiment"
local measure = require "lunet.run.measure"

describe("a measure", function()
  it("has a name, a unit, a meaning, and what is better", function()
    assert.same({ name = "goodput", unit = "/s", meaning = "answered in time", better = "more" },
      measure.new("goodput", { "/s", "answered in time", better = "more" }))
    assert.same({ name = "queue.depth_2", unit = "", meaning = "" }, measure.new("queue.depth_2", { "", "" }))
  end)

  local wrong = {
    { 5, { "", "" }, "measure 5: its name is a field of the outcome" },
    { "", { "", "" }, "measure : its name is a field of the outcome" },
    { "a..b", { "", "" }, "measure a..b: its name is a field of the outcome" },
    { "a.", { "", "" }, "measure a.: its name is a field of the outcome" },
    { "a b", { "", "" }, "measure a b: its name is a field of the outcome" },
    { "a", "s", "measure a: declared as {unit, meaning}, which are strings" },
    { "a", { "s" }, "measure a: declared as {unit, meaning}, which are strings" },
    { "a", { "s", 5 }, "measure a: declared as {unit, meaning}, which are strings" },
    { "a", { "s", "", best = "more" }, "measure a: unknown field 'best' (known: better)" },
    { "a", { "s", "", "more" }, "measure a: unknown field '3' (known: better)" },
    { "a", { "s", "", better = "much" }, "measure a: better is \"more\" or \"less\"" },
  }
  for _, case in ipairs(wrong) do
    it("is not declared like this: " .. case[3], function()
      local ok, message = pcall(measure.new, case[1], case[2])
      assert.is_false(ok)
      assert.equal(1, (message:find(case[3], 1, true)))
    end)
  end

  it("is declared by an experiment, in order of names", function()
    local function nothing() return {} end
    local made = experiment { claim = "It is so.", run = nothing, check = nothing,
      measures = { b = { "s", "B" }, a = { "/s", "A" } } }
    assert.same({ { name = "a", unit = "/s", meaning = "A" }, { name = "b", unit = "s", meaning = "B" } },
      made.measures)
    assert.same({}, experiment { claim = "It is so.", run = nothing, check = nothing }.measures)
    assert.error_matches(function()
      experiment { claim = "It is so.", run = nothing, check = nothing, measures = { a = "s" } }
    end, "experiment: measure a: declared as {unit, meaning}, which are strings$")
  end)
end)
