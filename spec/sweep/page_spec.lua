local page = require "lunet.sweep.page"
local plan_type = require "lunet.sweep.plan"
local results = require "lunet.sweep.results"

local ID <const> = "0123456789ab"

local function record(replicate, goodput, more)
  local made = { point = ID, replicate = replicate, seed = replicate, state = "done", verdict = "holds",
    claim = "It <is> so & well.", knobs = { backlog = 3 }, outcome = { goodput = goodput, text = "<b>" },
    environment = { sysctl = { ["net.core.somaxconn"] = 4096 } } }
  for field, any in pairs(more or {}) do made[field] = any end
  return made
end

local function page_of(records, measures, svgs, timelines)
  local plan = setmetatable({ experiment = "fake", script = "/a b/fake.lua",
    command = "lunet sweep fake.lua --where 'a<b'", axes = { "backlog" },
    points = { { id = ID, knobs = { backlog = "3" } } }, runs = #records, seed = 1, seeded = true,
    measures = measures, identities = { { kernel = "Linux 6.1", script = "abc" } } }, plan_type)
  local by_name = {}
  for i, one in ipairs(records) do by_name[("%s-r%d"):format(ID, i)] = one end
  return page.html(results.of { path = "/nowhere", plan = plan, store = {
    read = function(_, name) return by_name[name] end,
    read_brief = function(_, name) return by_name[name].state ~= "missing" and by_name[name] or nil end,
  } }, "3 of 3 runs done.", svgs or {}, function(name) return timelines and timelines[name] end)
end

local function runs(...)
  local records = {}
  for i, goodput in ipairs { ... } do records[i] = record(i, goodput) end
  return records
end

local GOODPUT <const> = { name = "goodput", unit = "/s", meaning = "answered in time", better = "more" }

local function has(html, words) assert.is_truthy(html:find(words, 1, true), words .. "\nis not in\n" .. html) end

describe("the page of a sweep", function()
  it("has the claim, the command, the points, and what the runs were done with", function()
    local html = page_of(runs(4, 2, 3, 1, 5, 6), { GOODPUT })
    has(html, "<h1>It &lt;is&gt; so &amp; well.</h1>")
    has(html, "<p>3 of 3 runs done.</p>")
    has(html, "<pre>lunet sweep fake.lua --where &#39;a&lt;b&#39;</pre>")
    has(html, "<tr><th>backlog</th><th>held</th><th>goodput</th></tr>")
    has(html, "<tr><td>3</td><td>6 of 6 (0.61 to 1.00)</td><td>3.5 (1 to 6)</td></tr>")
    has(html, "<tr><td>1</td><td>kernel</td><td>Linux 6.1</td></tr>")
    has(html, "<tr><td>net.core.somaxconn</td><td>4096</td></tr>")
  end)

  it("has the worst and the median run, with the line that repeats each", function()
    local html = page_of(runs(4, 2, 3), { GOODPUT })
    has(html, ("<summary>the worst run: %s-r2, holds</summary>"):format(ID))
    has(html, ("<summary>the median run: %s-r3, holds</summary>"):format(ID))
    has(html, "<pre>lunet &#39;/a b/fake.lua&#39; --backlog 3 --seed 2 --report run.html</pre>")
    has(html, "<tr><td>text</td><td>&quot;&lt;b&gt;&quot;</td></tr>")
    has(page_of(runs(4, 2, 3), { { name = "goodput", unit = "", meaning = "", better = "less" } }),
      ("<summary>the worst run: %s-r1, holds</summary>"):format(ID))
    has(page_of(runs(4, 2, 3), { { name = "goodput", unit = "", meaning = "" } }),
      ("<summary>the least one: %s-r2, holds</summary>"):format(ID))
  end)

  it("has the timeline of a single run that was repeated, and says that it is another run", function()
    local timelines = { [ID .. "-r2"] = "1 ms A <sends>", [ID .. "-r1"] = "of no run that it shows" }
    local html = page_of(runs(4, 2, 3), { GOODPUT }, {}, timelines)
    has(html, "<p>The run repeated, with recording. That is another run of the same knobs and seed: its figures may "
      .. "differ.</p><pre>1 ms A &lt;sends&gt;</pre>")
    assert.equal(1, select(2, html:gsub("The run repeated", "")))
    assert.is_nil(html:find "of no run that it shows")
  end)

  it("has the share of runs in each state, and no median where there are several", function()
    local measure = { name = "goodput", unit = "/s", meaning = "answered in time", better = "more",
      states = { "down", 50, "up" } }
    local html = page_of(runs(4, 92, 93, 94, 95, 96), { measure })
    has(html, "<th>goodput</th><th>goodput=down</th><th>goodput=up</th>")
    has(html, "<td>down 1, up 5</td><td>1 of 6 (0.03 to 0.56)</td><td>5 of 6 (0.44 to 0.97)</td>")
    has(html, "<h2>goodput=up (share of runs)</h2>")
    assert.is_nil(html:find("<h2>goodput=down", 1, true))
    has(page_of(runs(91, 92, 93, 94, 95, 96), { measure }), "<td>93.5 (91 to 96)</td><td>0 of 6 (0.00 to 0.39)</td>")
  end)

  it("has the figures in itself, and says where there is none", function()
    local html = page_of(runs(1), { GOODPUT }, { goodput = "<svg a='1%'/>\n" })
    has(html, '<img alt="goodput" src="data:image/svg+xml,%3Csvg a=%271%25%27/%3E%0A"/>')
    assert.is_nil(html:find "https?://")
    has(page_of(runs(1), { GOODPUT }), "No figure is drawn.")
  end)

  it("has no run of a figure that none has, and none that came to nothing", function()
    local html = page_of({ record(1, 1, { state = "invalid", verdict = "not judged" }), record(2, 2) }, { GOODPUT,
      { name = "none", unit = "", meaning = "" } })
    has(html, ("<summary>the worst run: %s-r2, holds</summary>"):format(ID))
    assert.equal(2, select(2, html:gsub("<summary>the ", "")))
  end)

  it("is there before any run is done", function()
    local html = page_of({ record(1, 1, { state = "missing" }) }, { GOODPUT })
    has(html, "<h1>fake</h1>")
    has(html, "<td>0 of 0</td>")
  end)
end)
