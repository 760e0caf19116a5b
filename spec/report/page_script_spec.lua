-- A report in a real browser, by keyboard.
local browser = require "spec.support.browser"
local page = require "lunet.report.page"
local run_of = require("lunet.run.run").of
local scratch = require "lunet.peer.scratch"

local function send(at, host, bytes)
  return { kind = "send", at = at, host = host, socket = host, bytes = bytes, label = "A",
    local_address = ("10.0.%d.1:5"):format(host), local_port = 5 }
end

local function html_of(list)
  return page.html(run_of { name = "x", claim = "It holds.", outcome = {}, verdict = "holds", environment = {},
    events = list, hosts = { "h1", "h2" } })
end

-- Two groups of hosts; the second one is folded.
local FEW <const> = { { kind = "note", at = 0, text = "It begins." }, send(0.1, 1, 7), send(0.2, 1, 8), send(1, 2, 9) }

local START <const> = [[
  const said = [], frame = document.querySelector(".frame"), field = document.getElementById("filter");
  const press = key => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const detail = () => document.getElementById("detail").textContent.split("\n")[0];
  const shown = () => [...document.querySelectorAll("#events tbody tr")].filter(r => r.checkVisibility()).length;
  const link = words => [...document.querySelectorAll("#events a")].find(a => a.textContent === words);
]]

describe("a browser with a report", function()
  local place, browse, refused

  setup(function()
    place = scratch.open()
    browse, refused = browser.open(place)
  end)
  teardown(function() place:close() end)

  -- Opens a page of these events, and returns the words that the script said.
  local function said_by(list, script)
    place:write("r.html", (html_of(list):gsub("</body>", function()
      return ("<script>%s%sdocument.body.dataset.said = said.join(' | ');</script></body>"):format(START, script)
    end)))
    local dom, errors = browse(("--dump-dom 'file://%s/r.html'"):format(place.path))
    assert.is_nil(errors:find "CONSOLE", errors)
    return dom:match 'data%-said="([^"]*)"'
  end

  it("walks through the marks, and says what they are", function()
    if refused then return pending(refused) end
    assert.equal("0.000 ms  It begins. | 100.000 ms  A  sends 7 bytes | note | true | ", said_by(FEW, [[
      frame.focus();
      press("ArrowDown"); said.push(detail());
      press("ArrowDown"); said.push(detail());
      press("Home"); press("ArrowUp"); said.push(document.activeElement.getAttribute("class"));
      press("Escape"); said.push(document.activeElement === frame, detail());
    ]]))
  end)

  it("goes from a row to its mark, which it shows, and by Enter back", function()
    if refused then return pending(refused) end
    assert.equal("false | 2-2 | true | 1000.000 ms  A  sends 9 bytes | #2-2 | 1000.000", said_by(FEW, [[
      const folded = document.querySelectorAll("details:has(.frame)")[1];
      said.push(folded.open);
      link("1000.000").click();
      said.push(document.activeElement.id, folded.open, detail(), location.hash);
      press("Enter"); said.push(document.activeElement.textContent);
    ]]))
  end)

  it("does so in a window in the background, too, which hears of no focus", function()
    if refused then return pending(refused) end
    assert.equal("1000.000", said_by(FEW, [[
      window.addEventListener("focusin", event => event.stopImmediatePropagation(), true);
      link("1000.000").click();
      press("Enter"); said.push(document.activeElement.textContent);
    ]]))
  end)

  it("filters the rows by their words and by what only the diagram says", function()
    if refused then return pending(refused) end
    assert.equal("4 | true | 1 | 1 of 4 rows | 3 | 4 |  | false", said_by(FEW, [[
      said.push(shown());
      press("/"); said.push(document.activeElement === field);
      document.execCommand("insertText", false, "7 BYTES");
      said.push(shown(), document.getElementById("found").textContent);
      field.select(); document.execCommand("insertText", false, "10.0."); said.push(shown());
      press("Escape"); said.push(shown(), field.value, document.activeElement === field);
    ]]))
  end)

  it("unfolds a long table to filter it, and hides the remarks of what is left out", function()
    if refused then return pending(refused) end
    local many = {}
    for i = 1, 9000 do many[i] = send(i, 1, i) end
    assert.equal("0 | 1 | none", said_by(many, [[
      said.push(shown());
      press("/"); document.execCommand("insertText", false, " 8999 bytes"); said.push(shown());
      said.push(getComputedStyle(document.querySelector("#events .gap")).display);
    ]]))
  end)
end)
