local knob = require "lunet.run.knob"
local values = require "lunet.sweep.values"

local backlog = knob.new("backlog", { 5, "connections", "", min = 0, max = 100 })
local patience = knob.new("patience", { 0.2, "s", "", min = 0 })
local order = knob.new("order", { "fifo", "kind", "", choices = { "fifo", "lifo" } })
local is_fast = knob.new("is_fast", { true, "or not", "" })
local sizes = knob.new("sizes", { { 3, 5 }, "bytes", "" })

describe("the values of a knob in a sweep", function()
  local texts = {
    { "a list", backlog, "1,3,5", { 1, 3, 5 } },
    { "a range in steps of 1", backlog, "1..4", { 1, 2, 3, 4 } },
    { "a range in steps, which need not meet its end", backlog, "1..20/5", { 1, 6, 11, 16 } },
    { "a range that ends where its steps do", backlog, "0..20/5", { 0, 5, 10, 15, 20 } },
    { "a range by a factor", backlog, "1..64*2", { 1, 2, 4, 8, 16, 32, 64 } },
    { "a range of one", backlog, "7..7", { 7 } },
    { "lists and ranges joined", backlog, "1,4..6,10..40*2", { 1, 4, 5, 6, 10, 20, 40 } },
    { "negative ends", knob.new("x", { 0, "", "" }), "-2..1", { -2, -1, 0, 1 } },
    { "fractions without noise in their last digits", patience, "0.1..0.7/0.2", { 0.1, 0.3, 0.5, 0.7 } },
    { "fractions by a factor", patience, "0.1..0.8*2", { 0.1, 0.2, 0.4, 0.8 } },
    { "an unlimited one", patience, "1,inf", { 1.0, math.huge } },
    { "choices", order, "lifo,fifo", { "lifo", "fifo" } },
    { "booleans", is_fast, "true,false", { true, false } },
    { "lists", sizes, "3+5+40,7", { { 3, 5, 40 }, { 7 } } },
    { "lists of one, from a range", sizes, "1..3", { { 1 }, { 2 }, { 3 } } },
    { "names with dots, which are no range", knob.new("name", { "", "", "" }), "a..b", { "a..b" } },
  }
  for _, case in ipairs(texts) do
    local what, of, text, expected = table.unpack(case)
    it("are " .. what .. ": " .. text, function()
      local list, is_expression = values.parse(of, text)
      assert.same({ expected, false }, { list, is_expression })
    end)
  end

  it("are whole numbers where the range is, so that names of points do not end with .0", function()
    for _, text in ipairs { "1..9", "1..9/2", "1..8*2" } do
      for _, value in ipairs(values.parse(backlog, text)) do assert.equal("integer", math.type(value)) end
    end
  end)

  it("may be an expression, which is read for each point", function()
    assert.same({ "2*backlog", true }, { values.parse(patience, "=2*backlog") })
  end)

  local wrong = {
    { backlog, "", "knob backlog: \"\" is not allowed" },
    { backlog, "1,,3", "knob backlog: \"\" is not allowed" },
    { backlog, "1,", "knob backlog: \"\" is not allowed" },
    { backlog, "two", "knob backlog: \"two\" is not allowed; it is a whole number from 0 to 100 (connections)" },
    { backlog, "101", "knob backlog: 101 is not allowed" },
    { backlog, "1.5", "knob backlog: 1.5 is not allowed" },
    { backlog, "1..x", "knob backlog: '1..x': 'x' is no number" },
    { backlog, "1..", "knob backlog: \"1..\" is not allowed" },
    { backlog, "1..9/", "knob backlog: \"1..9/\" is not allowed" },
    { backlog, "1..inf", "knob backlog: '1..inf': 'inf' is no number" },
    { backlog, "1..1e999", "knob backlog: '1..1e999': '1e999' is no number" },
    { backlog, "9..1", "knob backlog: '9..1': a range begins with its least value" },
    { backlog, "1..5/8", "knob backlog: '1..5/8': the range has one value only: its step is 8" },
    { patience, "0.1..0.5", "knob patience: '0.1..0.5': the range has one value only: its step is 1" },
    { backlog, "0..9*20", "knob backlog: '0..9*20': a factor is above 1" },
    { backlog, "1..9*20", "knob backlog: '1..9*20': the range has one value only: its step is 20" },
    { backlog, "1..9/0", "knob backlog: '1..9/0': a step is above 0" },
    { backlog, "1..9/-1", "knob backlog: '1..9/-1': a step is above 0" },
    { backlog, "1..9*1", "knob backlog: '1..9*1': a factor is above 1, and begins above 0" },
    { backlog, "0..9*2", "knob backlog: '0..9*2': a factor is above 1, and begins above 0" },
    { patience, "0..1/0.000001", "knob patience: '0..1/0.000001': these are more than 100000 values" },
    { order, "random", "knob order: \"random\" is not allowed; it is one of fifo, lifo (kind)" },
    { is_fast, "yes", "knob is_fast: \"yes\" is not allowed" },
    { sizes, "3+x", "knob sizes: \"3,x\" is not allowed" },
  }
  for _, case in ipairs(wrong) do
    local of, text, message = table.unpack(case)
    it(("of %s are not '%s', and the reason names the knob"):format(of.name, text), function()
      local ok, failure = pcall(values.parse, of, text)
      assert.is_false(ok)
      assert.matches(message, failure, 1, true)
    end)
  end
end)
