local diagrams = require "lunet.report.diagrams"
local page_events = require "lunet.report.page_events"
local run_of = require("lunet.run.run").of

local function send(at, host)
  return { kind = "send", at = at, host = host, socket = host, bytes = 1, label = "<A" .. host,
    local_address = ("10.0.%d.1:5"):format(host), local_port = 5 }
end

local function run_with(events) return run_of { events = events, hosts = { "h1", "h2" } } end

local function html_of(run, options) return page_events.html(run, (diagrams.of(run, options))) end

describe("the table of events", function()
  it("has a row for each event, with a link to its mark", function()
    local run = run_with { send(0, 1), { kind = "note", at = 1, text = "A & B" }, send(2, 2), send(3, 1) }
    local list = diagrams.of(run)
    local html = page_events.html(run, list)
    assert.matches('<tr><td><a href="#1-1">0.000</a><td><td>&lt;A1<td>sends 1 byte\n', html, 1, true)
    assert.matches('<tr class="note"><td><a href="#1-2">1000.000</a><td colspan="3">A &amp; B\n', html, 1, true)
    assert.matches('<tr><td><a href="#2-2">2000.000</a><td><td>&lt;A2<td>sends 1 byte\n', html, 1, true)
    for number, id in html:gmatch 'href="#((%d+)%-%d+)"' do
      assert.matches(('id="%s"'):format(number), list[tonumber(id)].drawn.body, 1, true)
    end
    assert.matches("<summary>4 rows</summary>", html, 1, true)
  end)

  it("has one link for events that share a mark", function()
    local html = html_of(run_with { send(0, 1), send(0, 1) })
    assert.equal(2, select(2, html:gsub('href="#1%-1"', "")))
  end)

  it("says where it leaves out events", function()
    local events = {}
    for i = 1, 60 do events[i] = send(i, 1) end
    local html = html_of(run_with(events), { most = 30, has_rows = true })
    assert.matches('<tr class="gap"><td><td colspan="3">30 events are not shown here', html, 1, true)
    assert.matches("<summary>30 of 60 rows</summary>", html, 1, true)
    assert.matches("60 events are not shown here", page_events.html(run_with(events), {}), 1, true)
  end)

  it("is folded if it is long", function()
    local events = {}
    for i = 1, 300 do events[i] = send(i, 1) end
    assert.matches("<details><summary>300 rows", html_of(run_with(events)), 1, true)
    assert.matches('<details open="open"><summary>1 row<', html_of(run_with { send(0, 1) }), 1, true)
  end)
end)
