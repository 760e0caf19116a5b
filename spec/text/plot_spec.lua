local plot = require "lunet.text.plot"

-- Plots as characters.
local drawn = {}
for _, shape in ipairs { "line", "bars" } do drawn[shape] = function(given) return tostring(plot[shape](given)) end end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

local function misuse_of(fn, given)
  local ok, message = pcall(function() fn(given) end)
  assert.is_false(ok)
  return (message:gsub("^[^:]*:%d+: ", ""))
end

describe("plot.line", function()
  it("draws a curve above its axes, which have numbers and names", function()
    assert.equal(table.concat({
      "replies per s",
      "10 +         **",
      "   |       **",
      " 5 +    ***",
      "   |  **",
      " 0 +**",
      "   +-----------",
      "    0  load  10",
    }, "\n"), drawn.line {
      x = { 0, 10 }, y = { 0, 10 }, xlabel = "load", ylabel = "replies per s", width = 15, height = 5,
    })
  end)

  it("draws several, each with a mark of its own, which is told above", function()
    assert.equal(table.concat({
      "* down   o up",
      "2 +**      oo",
      "  |  **  oo",
      "1 +    ***",
      "  |  oo   **",
      "0 +oo       *",
      "  +----------",
      "   0        2",
    }, "\n"), drawn.line { x = { 0, 1, 2 }, series = { up = { 0, 1, 2 }, down = { 2, 1, 0 } }, width = 13, height = 5 })
  end)

  it("joins the points of a fall", function()
    assert.same({ "1 +****", "  |   *", "  |   *", "0 +   *******" }, table.move(lines_of(
      drawn.line { x = { 0, 3, 3, 9 }, y = { 1, 1, 0, 0 }, width = 13, height = 4 }), 1, 4, 1, {}))
  end)

  it("leaves a gap where a value is not finite", function()
    assert.same({ "1 +*        *", "0 +" }, table.move(lines_of(
      drawn.line { x = { 0, 1, 2 }, y = { 1, 0 / 0, 1 }, width = 13, height = 2 }), 1, 2, 1, {}))
    assert.equal("1 +\n0 +\n", drawn.line({ x = { 1 }, y = { math.huge }, height = 2 }):match "^.-\n.-\n")
  end)

  it("has 0 on its vertical axis, and ends it on a round number", function()
    local function ends_of(y)
      local lines = lines_of(drawn.line { x = { 1, 2 }, y = y, height = 3 })
      return lines[1]:match "^%s*(%S+) %+", lines[2]:match "^%s*(%S+) %+", lines[3]:match "^%s*(%S+) %+"
    end
    assert.same({ "200", "100", "0" }, { ends_of { 180, 190 } })
    assert.same({ "2500", "1250", "0" }, { ends_of { 2001, 2400 } })
    assert.same({ "0.005", "0.0025", "0" }, { ends_of { 0.003, 0.004 } })
    assert.same({ "0", "-2.5", "-5" }, { ends_of { -3, -5 } })
    assert.same({ "10", "0", "-10" }, { ends_of { -6, 7 } })
    assert.same({ "1", "0.5", "0" }, { ends_of { 0, 0 } })
  end)

  it("spaces x by its logarithm on request", function()
    local lines = lines_of(drawn.line { x = { 1, 10, 100 }, y = { 0, 1, 0 }, xscale = "log", width = 13, height = 2 })
    assert.same({ "1 +   *****", "0 +***     **" }, table.move(lines, 1, 2, 1, {}))
  end)

  it("takes one point, and none", function()
    assert.equal("1 +*\n0 +\n  +----------\n   5        5", drawn.line { x = { 5 }, y = { 1 }, width = 13, height = 2 })
    assert.equal("1 +\n0 +\n  +----------\n   0        1", drawn.line { x = {}, y = {}, width = 13, height = 2 })
  end)

  it("fits into 80 columns as it is, and into the width that it is given", function()
    for _, width in ipairs { 40, 60, 80 } do
      for _, line in ipairs(lines_of(drawn.line { x = { 0, 1e6 }, y = { 1e-5, 123456 }, width = width })) do
        assert.is_true(#line <= width, line)
      end
    end
    for _, line in ipairs(lines_of(drawn.line { x = { 0, 1 }, y = { 0, 1 } })) do assert.is_true(#line <= 80, line) end
  end)

  it("refuses what it cannot draw", function()
    local misuses = {
      ["plot.line: a table of options expected, not nil"] = false,
      ["plot.line: unknown option 'z' (known: height, series, width, x, xlabel, xscale, y, ylabel)"] =
        { x = {}, y = {}, z = {} },
      ["plot.line: x: a table expected, not 5"] = { x = 5, y = {} },
      ["plot.line: height: a whole number from 1 on expected, not \"5\""] = { x = {}, y = {}, height = "5" },
      ["plot.line: give x, and either y or series"] = { x = {} },
      ["plot.line: y is a list of 2 numbers"] = { x = { 1, 2 }, y = { 1 } },
      ["plot.line: y holds a string, not a number"] = { x = { 1 }, y = { "1" } },
      ["plot.line: series.a is a list of 1 numbers"] = { x = { 1 }, series = { a = 5 } },
      ["plot.line: x holds inf"] = { x = { math.huge }, y = { 1 } },
      ["plot.line: x holds 0"] = { x = { 0 }, y = { 1 }, xscale = "log" },
      ["plot.line: xscale: linear or log expected, not \"cubic\""] = { x = {}, y = {}, xscale = "cubic" },
    }
    for message, given in pairs(misuses) do
      assert.equal(message, misuse_of(plot.line, given or nil))
    end
    local many = {}
    for i = 1, 9 do many["series " .. i] = { 1 } end
    assert.equal("plot.line: at most 8 series", misuse_of(plot.line, { x = { 1 }, series = many }))
  end)
end)

describe("plot.bars", function()
  it("draws a bar for each name, with its value", function()
    assert.equal(table.concat({
      "goodput per s",
      "none         | 0",
      "accept_early |##### 50.12",
      "lifo         |########## 100.2",
    }, "\n"), drawn.bars { names = { "none", "accept_early", "lifo" }, values = { 0, 50.12, 100.2345 },
      label = "goodput per s", width = 30 })
  end)

  it("takes values that are all 0, and none", function()
    assert.equal("a | 0\nb | 0", drawn.bars { names = { "a", "b" }, values = { 0, 0.0 } })
    assert.equal("", drawn.bars { names = {}, values = {} })
  end)

  it("refuses what it cannot draw", function()
    assert.equal("plot.bars: names: a table expected, not nil", misuse_of(plot.bars, {}))
    assert.equal("plot.bars: unknown option 'x' (known: label, names, values, width)", misuse_of(plot.bars, { x = {} }))
    assert.equal("plot.bars: values is a list of 1 numbers", misuse_of(plot.bars, { names = { "a" }, values = {} }))
    assert.equal("plot.bars: values holds -1", misuse_of(plot.bars, { names = { "a" }, values = { -1 } }))
  end)
end)

describe("a plot", function()
  it("is told from everything else", function()
    assert.is_true(plot.is(plot.bars { names = {}, values = {} }))
    for _, other in ipairs { "text", 5, {}, { kind = "line" } } do assert.is_false(plot.is(other)) end
    assert.is_false(plot.is(nil))
  end)
end)
