local diagram = require "lunet.report.diagram"
local events = require "spec.support.events"
local markup = require "lunet.text.markup"
local merged = require "spec.support.merged"
local run_of = require("lunet.run.run").of

local HOSTS <const> = { "server", "A" }
local A <const>, SERVER <const> = "10.0.0.2:5000", "10.0.0.1:7000"

local function segment(at, fields)
  local e = merged({ kind = "segment", at = at, arrived = at + 0.01, host = 2, to_host = 1, from = A, to = SERVER,
    flags = "SYN", sequence = 0, bytes = 0, window = 9 }, fields)
  if e.lost == "link" then e.arrived = nil end
  return e
end

local function call(at, kind, fields)
  return merged({ kind = kind, at = at, host = 2, socket = 2, bytes = 8, label = "A", local_address = A,
    local_port = 5000, peer_address = SERVER, peer_port = 7000 }, fields)
end

local function draw(list, hosts)
  local run = run_of { events = list, hosts = hosts or HOSTS }
  return diagram.draw({ events = list, lines = run:lines() }, run)
end

local function count(content, pattern)
  local _, n = content:gsub(pattern, "")
  return n
end

-- From and to of the arrow in a mark: x, y, x, y.
local function arrow(body, class)
  local d = body:match('class="mark [^"]*' .. class .. '.-d="(M[^"]-)"')
  local numbers = {}
  for number in d:gmatch "-?[%d.]+" do numbers[#numbers + 1] = tonumber(number) end
  return table.unpack(numbers)
end

describe("a diagram", function()
  it("has an arrow from where a segment left to where it arrived", function()
    local drawn = draw { segment(0), segment(0.05, { flags = "ACK", sequence = 1, acknowledgement = 1 }) }
    local x, y, to_x, to_y = arrow(drawn.body, "segment")
    assert.is_true(math.abs(to_x - x) > 100)
    assert.is_true(to_y > y + 5, "it is not slanted")
    assert.match(">SYN<", drawn.body)
  end)

  it("ends what was lost on the way before the other lane, by a cross, and says so", function()
    local drawn = draw { segment(0), segment(1, { lost = "link" }), segment(2, { lost = "rule", again = true }) }
    assert.equal(2, count(drawn.body, 'class="stroke cross bad"'))
    assert.match("SYN, lost on the way<", drawn.body)
    assert.match("SYN again, lost by a rule<", drawn.body)
    assert.match('class="mark lost resent segment"', drawn.body)
    local _, _, whole = arrow(draw({ segment(0) }).body, "segment")
    local _, _, cut = arrow(draw({ segment(0), segment(1, { lost = "link" }) }).body, "lost")
    assert.is_true(math.abs(cut - whole) > 30)
  end)

  it("shows a wait from its beginning to its end, and what failed as a square", function()
    local drawn = draw { call(0, "send"), call(0.3, "receive", { code = "TIMEOUT", since = 0.1, bytes = 0 }) }
    assert.match('<rect class="wait client"', drawn.body)
    assert.match('event failure.-<rect class="bad"', drawn.body)
    assert.match("waited 200.000 ms", drawn.body)
  end)

  it("shows the depth of the queue where it changed", function()
    local function queue(at, depth) return { kind = "queue", at = at, host = 1, socket = 1, depth = depth, limit = 5,
      local_port = 7000 } end
    local drawn = draw { { kind = "listen", at = 0, host = 1, socket = 1, bytes = 5, local_port = 7000,
      local_address = "0.0.0.0:7000" }, queue(0, 0), queue(1, 2), queue(2, 1) }
    for _, words in ipairs { "0/5", "2/5", "1/5" } do assert.match(">" .. words .. "<", drawn.body) end
    assert.equal(2, count(drawn.body, 'class="depth"'))
    assert.match(">queue<", drawn.head)
  end)

  it("has notes as captions, and long silences folded, with their length", function()
    local drawn = draw { { kind = "note", at = 0, text = "It begins." }, call(0.001, "send"), call(5, "send") }
    assert.match(">It begins.<", drawn.body)
    assert.match('class="fold"[^>]*>5 s<', drawn.body)
  end)

  it("escapes what comes from scripts", function()
    local evil = '<script>alert("1")</script>\xFF'
    local list = { { kind = "note", at = 0, text = evil }, call(1, "send", { label = evil }) }
    local drawn = draw(list, { evil, evil })
    local svg = diagram.svg({ { drawn = drawn } }, evil, evil)
    assert.is_nil(svg:find("<script", 1, true))
    assert.is_not_nil(utf8.len(svg))
    assert.is_not_nil(svg:find(markup.escape(evil), 1, true))
  end)

  it("stands for many events by few marks, and says so", function()
    local run = events.run(20000)
    local drawn = draw(run.events)
    assert.is_true(drawn.drawn < 4000, drawn.drawn)
    assert.is_true(drawn.height < 20000, drawn.height)
    assert.match("marks stand for", diagram.limits(drawn))
    assert.is_nil(diagram.limits(draw(events.run(25).events)))
  end)

  it("is drawn for one host, for a host with itself, and for none", function()
    assert.match("sends 8 bytes", draw({ call(0, "send", { host = 0, peer_address = false }) }).body)
    local own = draw { segment(0, { host = 1, to_host = 1, from = "127.0.0.1:5", to = "127.0.0.1:6" }) }
    assert.equal(1, own.drawn)
    assert.equal(0, draw({}).drawn)
  end)

  it("is a file of its own, well formed", function()
    local drawn = draw { segment(0), segment(1, { lost = "link" }), call(2, "send") }
    local svg = diagram.svg({ { drawn = drawn, title = "a & b" }, { drawn = drawn } }, "title", "description")
    assert.match('^<%?xml version="1.0" encoding="UTF%-8"%?>\n<svg', svg)
    assert.match('role="img"', svg)
    assert.match('<title id="title">title</title>', svg)
    assert.match("Nothing happened", diagram.svg({}, "t", "d"))
    if not os.execute "command -v xmllint >/dev/null" then return pending "xmllint is not installed" end
    local pipe = assert(io.popen("xmllint --noout - 2>&1", "w"))
    pipe:write(svg)
    assert.is_true(pipe:close())
  end)
end)
