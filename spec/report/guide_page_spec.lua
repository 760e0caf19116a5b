-- The page of the field guide, as text and as a browser sees it.
local browser = require "spec.support.browser"
local guide = require "lunet.report.guide"
local scratch = require "lunet.peer.scratch"
local guide_page = require "lunet.report.guide_page"

local EVIL <const> = '</title><script>alert(1)</script>"\'|`\xFF\0'

local function section(title)
  return { title = title, words = "One asks.", experiment = "one", file = "experiments/one.lua", list = "rows",
    program = { "program" }, columns = { { "says", "it says", "in its log" }, { "n", "how many" } },
    hurts = { "n", function(row) return row.n end }, knobs = { server = "program" } }
end

local function html_of(rows, title)
  local record = { experiment = "one", verdict = "holds", knobs = { server = "all" }, outcome = { rows = rows },
    environment = { kernel = "Linux 6", lunet = "0.1" } }
  local other = section "Is that known?"
  other.experiment = "other"
  local parts = guide.parts({ { path = "one.json", record = record } }, function() return {} end,
    { section(title or "Is it?"), other })
  return guide_page.html(parts, guide.commands(parts))
end

local ROWS <const> = {
  { program = "redis 7", says = "full", n = 0 }, { program = "nginx 1", says = "200", n = 2 },
  { program = "Apache 2", says = "", n = 1 },
}

describe("the page of the field guide", function()
  it("has each row with its command, and marks what hurts", function()
    local html = html_of(ROWS)
    assert.matches('<a href="#again%-1">nginx 1</a></th><td>200</td><td class="number bad">2</td>', html)
    assert.matches('<a href="#again%-3">redis 7</a></th><td>full</td><td class="number">0</td>', html)
    assert.matches('<tr data%-name="redis 7" id="again%-3">.-<code>script/run experiments/one.lua %-%-server', html)
    assert.matches("lunet 0.1 on Linux 6%. The claim of this run: holds%.", html)
  end)

  it("says which question has no answer", function()
    local html = html_of(ROWS)
    assert.matches('<p class="missing">other was not run%.</p>', html)
    assert.matches("Is that known%?</a> %(not run%)", html)
  end)

  it("escapes whatever programs say", function()
    local html = html_of({ { program = EVIL, says = EVIL, n = 1 } }, EVIL)
    assert.equal(1, select(2, html:gsub("<script>", "")))
    assert.is_nil(html:find("alert(1)</script>", 1, true))
    assert.is_not_nil(utf8.len(html))
    assert.is_nil(html:find "\0")
  end)

  it("needs nothing from elsewhere", function()
    local html = html_of(ROWS)
    assert.is_nil(html:find "https?://")
    assert.is_nil(html:find "%ssrc=")
    for address in html:gmatch 'href="([^"]*)"' do
      assert.is_truthy(html:find(('id="%s"'):format(address:match "^#(.*)"), 1, true), address)
    end
  end)
end)

describe("a browser with the field guide", function()
  local place, browse, refused

  setup(function()
    place = scratch.open()
    browse, refused = browser.open(place)
  end)
  teardown(function() place:close() end)

  it("complains of nothing, and prints A4", function()
    if refused then return pending(refused) end
    place:write("g.html", html_of(ROWS))
    local _, errors = browse(("--dump-dom 'file://%s/g.html'"):format(place.path))
    assert.is_nil(errors:find "CONSOLE", errors)
    browse(("--print-to-pdf='%s/g.pdf' 'file://%s/g.html'"):format(place.path, place.path))
    local width, height = place:read("g.pdf"):match "/MediaBox %[0 0 ([%d.]+) ([%d.]+)%]"
    assert.same({ 842, 595 }, { math.floor(width + 0.5), math.floor(height + 0.5) })
  end)

  it("filters by name, by keyboard", function()
    if refused then return pending(refused) end
    place:write("f.html", (html_of(ROWS):gsub("</body>", function()
      return [[<script>
        const said = [], field = document.getElementById("filter");
        const press = key => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        const shown = () => [...document.querySelectorAll("tbody tr")].filter(r => r.offsetHeight > 0).length;
        said.push(shown());
        press("/"); said.push(document.activeElement === field);
        document.execCommand("insertText", false, "APA");
        said.push(shown(), document.getElementById("found").textContent);
        document.execCommand("insertText", false, "x"); said.push(shown());
        press("/"); said.push(field.value);
        press("Escape"); said.push(shown(), field.value, document.activeElement === field);
        document.body.dataset.said = said.join(" | ");
      </script></body>]]
    end)))
    local dom, errors = browse(("--dump-dom 'file://%s/f.html'"):format(place.path))
    assert.equal("6 | true | 2 | 2 of 6 rows | 0 | APAx | 6 |  | false", dom:match 'data%-said="([^"]*)"', errors)
  end)
end)
