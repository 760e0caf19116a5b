-- The report of a real run, and of made-up ones, as a browser sees them.
local report = require "lunet.report.page"
local run_of = require("lunet.run.run").of
local scratch = require "lunet.peer.scratch"
local browser = require "spec.support.browser"
local events = require "spec.support.events"
local merged = require "spec.support.merged"
local program = require "spec.support.program"

local function count(content, words)
  local n, at = 0, 1
  while true do
    local from, to = content:find(words, at, true)
    if not from then return n end
    n, at = n + 1, to + 1
  end
end

local function page(fields)
  local run = { name = "an_experiment", claim = "It holds.", outcome = {}, verdict = "holds", environment = {} }
  return report.html(run_of(merged(run, fields)))
end

describe("a report", function()
  it("says what the claim is, and the verdict with its figures, or why not", function()
    assert.match('<h1 id="claim">It holds.</h1>', page {})
    assert.match("<strong>The claim holds:</strong> 5 of 6%.", page { figures = "5 of 6" })
    assert.match("<strong>The claim does not hold:</strong> too slow",
      page { verdict = "does not hold", why = "too slow" })
    assert.match('<p class="verdict open" id="verdict"><strong>The claim is not judged:</strong> disturbed',
      page { verdict = "not judged", why = "disturbed" })
  end)

  it("is light on paper, also in a browser that prefers dark", function()
    local html = page {}
    assert.is_true(count(html, "prefers-color-scheme: dark") > 0)
    assert.equal(count(html, "prefers-color-scheme: dark"), count(html, "screen and (prefers-color-scheme: dark)"))
  end)

  it("is written without events, and without segments, and says so", function()
    local html = page {}
    assert.match("Nothing was recorded", html)
    assert.match("Segments were not recorded", html)
    assert.match("The outcome is empty", html)
    assert.match("7 earlier events are lost", page { lost = 7 })
    assert.match("Nothing was recorded", page { events = {}, taps = { dropped = 0, error = 1e-7 } })
  end)

  it("escapes whatever comes from scripts", function()
    local evil = '</title><script>alert(1)</script>"\'\xFF\0'
    local html = page { events = { { kind = "note", at = 0, text = evil } }, name = evil, claim = evil,
      outcome = { [evil] = evil, list = { { [evil] = evil } } }, figures = evil, plot = evil,
      environment = { kernel = evil }, knobs = { { name = "k", unit = evil, meaning = evil } }, values = { k = evil } }
    assert.equal(1, count(html, "<script>"))
    assert.equal(0, count(html, "alert(1)</script>"))
    assert.is_not_nil(utf8.len(html))
    assert.is_nil(html:find "\0")
  end)

end)

-- A run on so many groups of hosts, each with so many events, whose names are long.
local function wide_run(groups, each)
  local run = { name = "wide", claim = "It is wide.", events = {}, hosts = {}, outcome = {}, verdict = "holds",
    environment = {} }
  local name = ("a host whose name is long "):rep(4)
  for host = 1, groups do
    run.hosts[host] = name .. host
    run.events[#run.events + 1] = { kind = "note", at = #run.events, text = ("A long note. "):rep(20) .. host }
    for i = 1, each do
      run.events[#run.events + 1] = { kind = "send", at = #run.events, host = host, socket = host, bytes = i,
        label = name, local_address = ("10.0.%d.1:%d"):format(host, i), local_port = i }
    end
  end
  return run_of(run)
end

describe("the size of a report #part_size", function()
  it("is bounded, however much was recorded, and the report says what it leaves out", function()
    local html = report.html(events.run(40000)) -- no experiment records more by default
    assert.is_true(#html <= report.MOST and #html > report.MOST * 0.8, #html)
    assert.match(">%d+ events are not drawn here%.<", html)
    assert.match("%d+ more ends of connections are not drawn", html)
    assert.match("<summary>%d+ of %d+ rows</summary>", html)
    assert.match('<tr class="gap"><td><td colspan="3">%d+ events are not shown here', html)
  end)

  it("is bounded with many groups of hosts, and with long names and notes", function()
    for _, shape in ipairs { { 100, 30 }, { 60, 2 }, { 2, 3000 } } do
      local html = report.html(wide_run(table.unpack(shape)))
      assert.is_true(#html <= report.MOST, #html)
      assert.match('<g class="marks events"><g ', html, 1, true)
    end
  end)

  it("is bounded with a large outcome", function()
    local list = {}
    for i = 1, 20000 do list[i] = { i = i, words = ("word "):rep(9) } end
    local run = events.run(5000)
    run.outcome = { list = list, text = ("word "):rep(20000) }
    local html = report.html(run)
    assert.is_true(#html <= report.MOST, #html)
    assert.match("%d+ more rows are not shown%.", html)
  end)
end)

describe("the report of stale_replay", function()
  local place, path, svg, browse, refused

  setup(function()
    place = scratch.open()
    path, svg = place.path .. "/r.html", place.path .. "/r.svg"
    local run = program.shell(("exec '%s' experiments/stale_replay.lua --report %s --svg %s"):format(
      os.getenv "LUNET", path, svg))
    assert(run.status == 0, run.errors)
    browse, refused = browser.open(place)
  end)

  teardown(function() place:close() end)

  it("needs nothing from elsewhere", function()
    for _, name in ipairs { "r.html", "r.svg" } do
      local content = place:read(name)
      assert.is_nil(content:gsub('xmlns="http://www.w3.org/2000/svg"', ""):find "https?://")
      assert.is_nil(content:find '%ssrc=')
    end
  end)

  it("opens without a complaint, with everything in it", function()
    if refused then return pending(refused) end
    local dom, errors = browse(("--dump-dom 'file://%s'"):format(path))
    assert.is_nil(errors:find "CONSOLE", errors)
    assert.match('<h1 id="claim">A request whose client gave up while queued is still carried out.</h1>', dom)
    assert.match("The claim holds:", dom)
    for _, words in ipairs { ">SYN<", ">SYN-ACK<", ">FIN<", ">RST<", "gives up waiting", 'class="steps"',
      ">ESTABLISHED<", "CLOSE_WAIT", 'class="fold"', "<td>ghost_state</td>", "accepts B", "patience" } do
      assert.is_not_nil(dom:find(words, 1, true), words)
    end
  end)

  it("prints on pages", function()
    if refused then return pending(refused) end
    browse(("--print-to-pdf='%s/r.pdf' 'file://%s'"):format(place.path, path))
    local pdf = place:read "r.pdf"
    assert.match("^%%PDF", pdf)
  end)

  it("has a diagram that is an image of its own", function()
    if refused then return pending(refused) end
    browse(("--screenshot='%s/r.png' 'file://%s'"):format(place.path, svg))
    local _, errors = browse(("--dump-dom 'file://%s'"):format(svg))
    assert.is_nil(errors:find "CONSOLE", errors)
    assert.match("^\x89PNG", place:read "r.png")
  end)
end)
