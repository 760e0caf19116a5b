local plot = require "lunet.text.plot"
local plots = require "lunet.report.plots"

local function count(content, words) return select(2, content:gsub(words, "")) end

describe("a plot in a report", function()
  it("has curves over axes with numbers and names", function()
    local svg = plots.html(plot.line { x = { 0, 5, 10 }, y = { 0, 20, 10 }, xlabel = "load", ylabel = "replies" })
    assert.matches('<path class="curve look1" d="M80 286h0L410 26L740 156"/>', svg, 1, true)
    for _, words in ipairs { ">replies<", ">load<", ">0<", ">10<", ">20<" } do assert.matches(words, svg, 1, true) end
    assert.matches('role="img"', svg, 1, true)
    assert.matches('aria-label="Curves of replies over load: one"', svg, 1, true)
  end)

  it("gives each curve its own look, and its name at its end; names do not cover each other", function()
    local svg = plots.html(plot.line { x = { 1, 2 }, series = { b = { 1, 1 }, a = { 1, 1.01 } } })
    assert.equal(4, count(svg, 'class="curve look[12]"')) -- the curve, and a piece of it beside the name
    local a, b = svg:match 'y="(%d+)">a</text>', svg:match 'y="(%d+)">b</text>'
    assert.is_true(math.abs(a - b) >= 14)
  end)

  it("has a gap where a value is not finite, and dots between gaps", function()
    local svg = plots.html(plot.line { x = { 0, 1, 2, 3, 4 }, y = { 1, 0 / 0, 1, math.huge, 0 } })
    assert.matches('d="M80 26h0M410 26h0M740 286h0"', svg, 1, true)
  end)

  it("spaces x by its logarithm if the plot does", function()
    local svg = plots.html(plot.line { x = { 1, 10, 100 }, y = { 1, 1, 1 }, xscale = "log" })
    assert.matches('d="M80 26h0L410 26L740 26"', svg, 1, true)
  end)

  it("has a bar for each name, with its value", function()
    local svg = plots.html(plot.bars { names = { "none", "lifo" }, values = { 5, 10 }, label = "goodput" })
    local half, whole = svg:match 'class="bar" d="M[%d. ]+h([%d.]+)v16.-class="bar" d="M[%d. ]+h([%d.]+)v16'
    assert.same({ 280, 560 }, { tonumber(half), tonumber(whole) })
    assert.matches('aria-label="Bars of goodput: none 5, lifo 10"', svg, 1, true)
  end)

  it("is drawn of nothing, and of zeros", function()
    for _, empty in ipairs { plot.bars { names = {}, values = {} }, plot.bars { names = { "a" }, values = { 0 } },
      plot.line { x = {}, y = {} }, plot.line { x = { 1 }, series = {} } } do
      local svg = plots.html(empty)
      assert.matches("<svg", svg, 1, true)
      assert.is_nil(svg:find "nan" or svg:find "inf")
    end
  end)

  it("stays characters if the experiment made them, and text if names are markup", function()
    assert.equal("<pre>* |\n&lt;</pre>", plots.html "* |\n<")
    local evil = "<script>"
    for _, bad in ipairs { plot.bars { names = { evil }, values = { 1 }, label = evil },
      plot.line { x = { 1 }, series = { [evil] = { 1 }, b = { 2 } }, xlabel = evil, ylabel = evil } } do
      assert.is_nil(plots.html(bad):find(evil, 1, true))
    end
  end)
end)
