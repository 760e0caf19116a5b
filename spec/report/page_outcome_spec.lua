local page_outcome = require "lunet.report.page_outcome"
local plot = require "lunet.text.plot"
local run_of = require("lunet.run.run").of

local function html_of(outcome, made) return page_outcome.html(run_of { outcome = outcome, plot = made }) end

describe("the outcome on a page", function()
  it("has lists of records as tables", function()
    local html = html_of { n = 3, cases = { { size = 1, how = "a<b" }, { size = 22 } } }
    assert.match('<td>n</td><td class="value">3</td>', html)
    assert.match('<th>how</th><th class="number">size</th>', html)
    assert.match('<td>a&lt;b</td><td class="number">1</td>', html)
  end)

  it("begins with the plot: drawn, or as the lines that the experiment made", function()
    assert.match("^<h2>Outcome</h2>\n<pre>%* |\n&lt;</pre>", html_of({ n = 1 }, "* |\n<"))
    assert.match('^<h2>Outcome</h2>\n<div class="scroll"><svg [^>]*aria%-label="Bars: a 1"',
      html_of({ n = 1 }, plot.bars { names = { "a" }, values = { 1 } }))
  end)

  it("says that it is empty", function() assert.match("The outcome is empty%.", html_of {}) end)

  it("leaves out rows without room, and says how many", function()
    local list = {}
    for i = 1, 5000 do list[i] = { i = i } end
    local html = html_of { list = list }
    local _, shown = html:gsub("<tr>", "")
    local left_out = html:match "<p>(%d+) more rows are not shown%.</p>"
    assert.equal(5000, shown - 1 + left_out)
    assert.is_true(#html < 70000, #html)
  end)
end)
