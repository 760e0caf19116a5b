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
    { "a", { "s", "", best = "more" }, "measure a: unknown field 'best' (known: better, states)" },
    { "a", { "s", "", "more" }, "measure a: unknown field '3' (known: better, states)" },
    { "a", { "s", "", better = "much" }, "measure a: better is \"more\" or \"less\"" },
  }
  for _, states in ipairs { {}, "up", { "up" }, { "up", "up" }, { "up", "" }, { "up", "so so" }, { "up", 5 },
    { "down", 5, "up", 5, "high" }, { "down", 5, "up", "high" }, { 5, "up" }, { "down", 0 / 0 }, { "up", true } } do
    wrong[#wrong + 1] = { "a", { "s", "", states = states }, "measure a: states are names" }
  end
  for _, case in ipairs(wrong) do
    it("is not declared like this: " .. case[3], function()
      local ok, message = pcall(measure.new, case[1], case[2])
      assert.is_false(ok)
      assert.equal(1, (message:find(case[3], 1, true)))
    end)
  end

  it("has states: of numbers with boundaries, of texts, or of false and true", function()
    local function states(list, values)
      local made, found = measure.new("a", { "", "", states = list }), {}
      for i, value in ipairs(values) do found[i] = tostring(measure.state(made, value)) end
      return table.concat(found, " ")
    end
    assert.equal("down down up up high nil nil", states({ "down", 5, "up", 7.5, "high" },
      { -1, 4.9, 5, 7, 7.5, true, "up" }))
    assert.equal("up down nil nil nil", states({ "down", "up", "high" }, { "up", "down", "gone", true, 5 }))
    assert.equal("stuck fine fine nil", states({ "fine", "stuck" }, { true, false, "fine", 1 }))
    assert.same({ { "down", "up" }, true }, { measure.states { states = { "down", 5, "up" } } })
    assert.same({ { "down", "up" }, false }, { measure.states { states = { "down", "up" } } })
  end)

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
