local experiment = require "lunet.experiment"
local points = require "lunet.sweep.points"

local function nothing() return {} end

local sweep_of = experiment {
  claim = "It is so.", run = nothing, check = nothing,
  knobs = {
    backlog = { 5, "connections", "", min = 0, max = 20 }, patience = { 0.2, "s", "", min = 0 },
    order = { "fifo", "kind", "", choices = { "fifo", "lifo" } }, seed = { 1, "number", "" },
  },
}

-- The points as "backlog patience order" each.
local function make(axes, rules)
  local texts = {}
  for i, p in ipairs(points.make(sweep_of, axes, rules)) do
    texts[i] = ("%d %g %s"):format(p.backlog, p.patience, p.order)
  end
  return texts
end

local function refusal(axes, rules)
  local ok, message = pcall(points.make, sweep_of, axes, rules)
  assert.is_false(ok)
  return message
end

describe("the points of a sweep", function()
  it("are all combinations, in which the last knob changes first", function()
    assert.same({ "1 0.1 fifo", "1 0.5 fifo", "2 0.1 fifo", "2 0.5 fifo" },
      make { { name = "backlog", list = { 1, 2 } }, { name = "patience", list = { 0.1, 0.5 } } })
  end)

  it("are one if no knob is named, with the defaults and without a seed", function()
    assert.same({ { backlog = 5, patience = 0.2, order = "fifo" } }, points.make(sweep_of, {}))
  end)

  it("have values that go together where these are zipped, and combine with the others", function()
    assert.same({ "1 0.1 fifo", "1 0.1 lifo", "2 0.5 fifo", "2 0.5 lifo" }, make({
      { name = "backlog", list = { 1, 2 } }, { name = "order", list = { "fifo", "lifo" } },
      { name = "patience", list = { 0.1, 0.5 } } }, { zip = { { "patience", "backlog" } } }))
  end)

  it("have values that follow from others, in whatever order they are named", function()
    local expected = { "1 0.2 fifo", "3 0.6 fifo" }
    local list, follows = { name = "backlog", list = { 1, 3 } }, { name = "patience", expression = "backlog / 5" }
    assert.same(expected, make { list, follows })
    assert.same(expected, make { follows, list })
  end)

  it("have values that follow from what follows itself", function()
    assert.same({ "4 0.4 fifo" }, make { { name = "patience", expression = "backlog / 10" },
      { name = "backlog", expression = "order == 'fifo' and 4 or 8" } })
  end)

  it("are left out where `where` is false", function()
    local axes = { { name = "backlog", list = { 1, 2, 3 } } }
    assert.same({ "3 0.2 fifo" }, make(axes, { where = "backlog * patience > 0.5" }))
  end)

  it("see a false value of a knob as that, not as none", function()
    local with_boolean = experiment { claim = "It is so.", run = nothing, check = nothing,
      knobs = { a = { true, "", "" }, b = { true, "", "" } } }
    local made = points.make(with_boolean, { { name = "a", list = { false, true } }, { name = "b", expression = "a" } })
    assert.same({ { a = false, b = false }, { a = true, b = true } }, made)
  end)

  describe("are refused before the first run", function()
    it("with the point's number and its values, by the knob's own rules", function()
      local list = {}
      for i = 1, 9 do list[i] = 14 + i end
      assert.equal("point 7 of 9 (backlog=21): knob backlog: 21 is not allowed; it is a whole number from 0 to 20 "
        .. "(connections)", refusal { { name = "backlog", list = list } })
    end)

    local expressions = {
      ["backlog / nothing"] = "=backlog / nothing: 'nothing' is no knob",
      ["seed + 1"] = "=seed + 1: 'seed' is no knob",
      ["os.exit()"] = "=os.exit(): 'os' is no knob",
      ["backlog +"] = "=backlog +: unexpected symbol near <eof>",
      ["order + 1"] = "=order + 1: ",
      ["patience"] = "knob patience depends on itself",
      ["nil"] = "=nil: it gives no value",
      ["-1"] = "knob patience: -1 is not allowed",
      ["(function() while true do end end)()"] = ": an expression has no functions",
      ["1; while true do end"] = "=1; while true do end: ",
    }
    for text, message in pairs(expressions) do
      it(("with the expression: %s"):format(text), function()
        local failure = refusal { { name = "backlog", list = { 3 } }, { name = "patience", expression = text } }
        assert.matches("^point 1 of 1 %(backlog=3%): ", failure)
        assert.matches(message, failure, 1, true)
      end)
    end

    it("with a wrong `where`", function()
      assert.equal("point 1 of 1 (backlog=3): --where backlog > depth: 'depth' is no knob",
        refusal({ { name = "backlog", list = { 3 } } }, { where = "backlog > depth" }))
    end)

    it("if `where` leaves none", function()
      assert.equal("--where leaves no point", refusal({}, { where = "backlog > 100" }))
    end)

    it("if zipped knobs have different numbers of values, or none", function()
      local axes = { { name = "backlog", list = { 1, 2 } }, { name = "patience", list = { 1 } } }
      assert.equal("--zip: knob backlog has 2 values, and knob patience 1",
        refusal(axes, { zip = { { "backlog", "patience" } } }))
      assert.equal("--zip: knob order has no list of values here", refusal(axes, { zip = { { "order" } } }))
      assert.equal("--zip: knob backlog is named twice", refusal(axes, { zip = { { "backlog", "backlog" } } }))
    end)

    it("if they are too many, before they are made", function()
      local list = {}
      for i = 1, 1000 do list[i] = i end
      assert.equal("these are 1000000 points, more than 100000",
        refusal { { name = "backlog", list = list }, { name = "patience", list = list } })
    end)
  end)
end)
