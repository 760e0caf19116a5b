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

-- From and to of the first arrow in a diagram: x, y, x, y.
local function arrow(body)
  local d = body:match 'class="marks segments"><g .-d="(M[^"]-)"'
  local numbers = {}
  for number in d:gmatch "-?[%d.]+" do numbers[#numbers + 1] = tonumber(number) end
  return table.unpack(numbers)
end

describe("a diagram", function()
  it("has an arrow from where a segment left to where it arrived", function()
    local drawn = draw { segment(0), segment(0.05, { flags = "ACK", sequence = 1, acknowledgement = 1 }) }
    local x, y, to_x, to_y = arrow(drawn.body)
    assert.is_true(math.abs(to_x - x) > 100)
    assert.is_true(to_y > y + 5, "it is not slanted")
    assert.match(">SYN<", drawn.body)
  end)

  it("ends what was lost on the way before the other lane, by a cross, and says so", function()
    local drawn = draw { segment(0), segment(1, { lost = "link" }), segment(2, { lost = "rule", again = true }) }
    assert.equal(2, count(drawn.body, "l9 9m0 %-9l%-9 9"))
    assert.match("SYN, lost on the way<", drawn.body)
    assert.match("SYN again, lost by a rule<", drawn.body)
    assert.match('class="bad lost again"', drawn.body)
    local _, _, whole = arrow(draw({ segment(0) }).body)
    local _, _, cut = arrow(draw({ segment(0, { lost = "link" }) }).body)
    assert.is_true(math.abs(cut - whole) > 30)
  end)

  it("leads an arrow back to the lane of a connection with itself, which is a client's", function()
    local list = { call(0, "connect", { peer_address = A, peer_port = 5000 }) }
    for i, flags in ipairs { "SYN", "SYN,ACK", "ACK" } do
      list[i + 1] = segment(0.1 * i, { to = A, to_host = 2, flags = flags, acknowledgement = i - 1 })
    end
    local drawn = draw(list)
    local x, y, turn, to_y, back = arrow(drawn.body)
    assert.equal(x, back)
    assert.is_true(turn > x and to_y > y)
    assert.is_true(drawn.width > turn)
    assert.match("A connects to itself: success", drawn.body)
    assert.match("A &#45;&gt; itself: SYN", (drawn.body:gsub("%-&gt;", "&#45;&gt;")))
    assert.equal(0, count(drawn.body, "server"))
  end)

  it("shows a wait from its beginning to its end, and what failed as a square", function()
    local drawn = draw { call(0, "send"), call(0.3, "receive", { code = "TIMEOUT", since = 0.1, bytes = 0 }) }
    assert.match('class="waits"><path class="client" d="M[^"]*v%d+h', drawn.body)
    assert.match('<g class="bad" id="m2"><title>.-</title><path d="M[^"]*h7v7h%-7z"/>', drawn.body)
    assert.match("waited 200.000 ms", drawn.body)
  end)

  it("shows the depth of the queue where it changed", function()
    local function queue(at, depth) return { kind = "queue", at = at, host = 1, socket = 1, depth = depth, limit = 5,
      local_port = 7000 } end
    local drawn = draw { { kind = "listen", at = 0, host = 1, socket = 1, bytes = 5, local_port = 7000,
      local_address = "0.0.0.0:7000" }, queue(0, 0), queue(1, 2), queue(2, 1) }
    for _, words in ipairs { "0/5", "2/5", "1/5" } do assert.match(">" .. words .. "<", drawn.body) end
    local queues = drawn.body:match 'class="marks queues">(.-)\n<g class="marks segments"'
    assert.equal(2, count(queues, "<path d="))
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

  it("has an element with an id for each event, which others on the same spot share", function()
    local one, other, again = segment(0), call(1, "send"), call(1, "send")
    local drawn = draw { one, other, again }
    assert.same({ [one] = "m1", [other] = "m2", [again] = "m2" }, drawn.places)
    for _, id in ipairs { "m1", "m2" } do assert.equal(1, count(drawn.body, ('id="%s"'):format(id))) end
  end)

  it("does not repeat what the row of an event says", function()
    local list = { segment(0), call(1, "send") }
    local run = run_of { events = list, hosts = HOSTS }
    local group = { events = list, lines = run:lines() }
    local function body_of(options) return diagram.draw(group, run, options).body end
    assert.match("<title>1000.000 ms  A sends 8 bytes\n10.0.0.2:5000 → 10.0.0.1:7000</title>", body_of {}, 1, true)
    local short = body_of { has_rows = true }
    assert.match("<title>10.0.0.2:5000 → 10.0.0.1:7000</title>", short, 1, true)
    assert.match("<title>10.0.0.2:5000 → 10.0.0.1:7000, SYN, seq 0, win 9, 10.000 ms under way</title>", short, 1, true)
  end)

  it("can be an excerpt, which says what is missing", function()
    local list = {}
    for i = 1, 100 do list[i] = call(i, "send") end
    local run = run_of { events = list, hosts = HOSTS }
    local drawn = diagram.draw({ events = list, lines = run:lines() }, run, { most = 9 })
    assert.match(">91 events are not drawn here.<", drawn.body, 1, true)
    assert.same({ 10, 91 }, { drawn.drawn, drawn.left_out })
    assert.same({ true, nil }, { drawn.missing[list[50]], drawn.missing[list[1]] })
    assert.is_nil(drawn.places[list[50]])
    assert.equal("91 events are not drawn.", diagram.limits(drawn))
  end)

  it("shows frames that a wire lost where no tap saw a segment", function()
    local drawn = draw { call(0, "send"), { kind = "loss", at = 1, host = 2, label = "A", bytes = 0, cause = "cut" } }
    assert.match("lost where the wire is", drawn.body)
    assert.match('<g class="bad" id="m2">', drawn.body, 1, true)
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
