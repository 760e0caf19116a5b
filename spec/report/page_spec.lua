-- The report of a real run, and of made-up ones, as a browser sees them.
local report = require "lunet.report.page"
local run_of = require("lunet.run.run").of
local scratch = require "lunet.peer.scratch"
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

  it("shows the outcome: lists of records as tables, the plot as it is", function()
    local html = page { outcome = { n = 3, cases = { { size = 1, how = "a<b" }, { size = 22 } } }, plot = "* |\n<" }
    assert.match('<td>n</td><td class="value">3</td>', html)
    assert.match('<th>how</th><th class="number">size</th>', html)
    assert.match('<td>a&lt;b</td><td class="number">1</td>', html)
    assert.match("<pre>%* |\n&lt;</pre>", html)
  end)

  it("is written without events, and without segments, and says so", function()
    local html = page {}
    assert.match("Nothing was recorded", html)
    assert.match("Segments were not recorded", html)
    assert.match("The outcome is empty", html)
    assert.match("7 earlier events are lost", page { lost = 7 })
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

  it("says what it leaves out of very many events", function()
    local html = report.html(events.run(30000))
    assert.match("marks stand for %d+ events", html)
    assert.match("%d+ later rows are not shown", html)
    assert.match("%d+ more ends of connections are not drawn", html)
    assert.is_true(#html < 4e6, #html)
  end)
end)

-- A browser runs only where its own sandbox, fonts and libraries allow it.
local BROWSER <const> = "timeout -k 1 50 chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage "
  .. "--user-data-dir='%s/profile' --enable-logging=stderr --virtual-time-budget=2000 %s"

describe("the report of stale_replay", function()
  local place, path, svg, refused

  local function browse(options)
    local errors = place.path .. "/errors"
    local pipe = assert(io.popen(("%s </dev/null 2>'%s'"):format(BROWSER:format(place.path, options), errors)))
    local output = pipe:read "a"
    pipe:close()
    return output, place:read "errors"
  end

  setup(function()
    place = scratch.open()
    path, svg = place.path .. "/r.html", place.path .. "/r.svg"
    local run = program.shell(("exec '%s' experiments/stale_replay.lua --report %s --svg %s"):format(
      os.getenv "LUNET", path, svg))
    assert(run.status == 0, run.errors)
    if not os.execute "command -v chromium >/dev/null" then
      refused = "chromium is not installed"
    else
      place:write("empty.html", "<p>here</p>")
      local output, errors = browse(("--dump-dom 'file://%s/empty.html'"):format(place.path))
      if not output:find "here" then refused = "chromium does not run here: " .. errors:sub(1, 300) end
    end
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

  it("can be walked by keyboard", function()
    if refused then return pending(refused) end
    place:write("walk.html", (place:read "r.html":gsub("</body>", function()
      return [[<script>
        const frame = document.querySelector(".frame"), said = [];
        frame.focus();
        const press = key => document.activeElement.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        press("ArrowDown"); said.push(document.getElementById("detail").textContent.split("\n")[0]);
        press("ArrowDown"); said.push(document.getElementById("detail").textContent.split("\n")[0]);
        press("End"); press("ArrowDown"); said.push(document.activeElement.getAttribute("class"));
        press("Escape"); said.push(document.activeElement === frame, document.getElementById("detail").textContent);
        document.body.dataset.walk = said.join(" | ");
      </script></body>]]
    end)))
    local dom, errors = browse(("--dump-dom 'file://%s/walk.html'"):format(place.path))
    local walk = dom:match 'data%-walk="([^"]*)"'
    assert.is_string(walk, errors)
    assert.match("^0.000 ms  The server serves one client.-| %d+%.%d+ ms  .- | mark .-| true | $", walk)
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
