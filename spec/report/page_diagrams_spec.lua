local diagrams = require "lunet.report.diagrams"
local events = require "spec.support.events"
local page_diagrams = require "lunet.report.page_diagrams"
local run_of = require("lunet.run.run").of

local function send(at, host)
  return { kind = "send", at = at, host = host, socket = host, bytes = 1, label = "A",
    local_address = ("10.0.%d.1:5"):format(host), local_port = 5 }
end

local function html_of(run, charts) return page_diagrams.html(run, diagrams.of(run), charts or {}) end

local function count(content, words) return select(2, content:gsub(words, "")) end

describe("the diagrams on a page", function()
  it("are folded but for the first one, under lines that say what is in them", function()
    local note = { kind = "note", at = 0.5, text = "B <begins>." }
    local html = html_of(run_of { events = { send(0, 1), note, send(1, 2) }, hosts = { "h1", "h2" } })
    assert.matches('<details open="open"><summary>1 of 2: h1, 0.000 to 0.000 ms · 1 event</summary>', html, 1, true)
    assert.matches("<details><summary>2 of 2: h2, 1000.000 to 1000.000 ms · B &lt;begins&gt;. (2 events)</summary>",
      html, 1, true)
  end)

  it("say what is in the groups that have no diagram", function()
    local run = run_of { events = {}, hosts = {} }
    for host = 1, 63 do run.events[host], run.hosts[host] = send(host, host), "h" .. host end
    local html = html_of(run)
    assert.matches("<summary>3 more groups of hosts are not drawn</summary><ul><li>61 of 63: h61, 60000.000 to "
      .. "60000.000 ms · 1 event</li>", html, 1, true)
    assert.matches("</li></ul></details>$", html)
    assert.matches("<summary>63 more groups", page_diagrams.html(run, {}, {}), 1, true)
  end)

  it("are one open diagram for a single group", function()
    local html = html_of(run_of { events = { send(0, 1) }, hosts = { "h1" } })
    assert.is_nil(html:find("<details", 1, true))
    assert.matches('aria-label="Sequence diagram. The arrow keys walk through its 1 marks', html, 1, true)
  end)

  it("draw the heads of arrows once, and the pieces on paper from what is on the screen", function()
    local run = events.run(2000)
    local html = html_of(run)
    assert.equal(1, count(html, '<marker id="tip%-client"'))
    local pieces = count(html, '<use href="#diagram1"/>')
    assert.is_true(pieces > 5, pieces)
    assert.equal(pieces, count(html, '<use href="#head1"/>'))
  end)

  it("have charts as long as there is room", function()
    local run = events.run(100)
    assert.matches("Queue depth over time.*Connection states over time", page_diagrams.charts(run, 1e6)[1])
    assert.equal('<p class="quiet">The charts of this group are not drawn.</p>', page_diagrams.charts(run, 10)[1])
  end)
end)
