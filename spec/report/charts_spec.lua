local charts = require "lunet.report.charts"
local events = require "spec.support.events"
local run_of = require("lunet.run.run").of

local function queue(at, depth, limit, socket)
  return { kind = "queue", at = at, host = 1, socket = socket or 1, depth = depth, limit = limit, local_port = 7000 }
end

local function draw_queues(list)
  return charts.queues(list, run_of { events = list, hosts = { "server" } }, charts.axis(list))
end

describe("the chart of queues", function()
  it("has a line of steps for the depth, and one for the limit", function()
    local svg = draw_queues { queue(0, 0, 2), queue(1, 3, 2), queue(2, 1, 4), queue(3, 1, 4) }
    assert.match('class="steps" d="M150 %d+H%d+V%d+H%d+V%d+H%d+"', svg)
    assert.match('class="limit" d="M150 %d+H%d+V%d+H%d+"', svg)
    assert.match(">limit 2<", svg)
    assert.match("the queue of server: at most 3 connections, limit 4", svg)
    assert.match('role="img"', svg)
  end)

  it("says that a limit is far above, and does not flatten the depth for it", function()
    local svg = draw_queues { queue(0, 0, 4096), queue(1, 2, 4096) }
    assert.match("limit 4096, far above", svg)
    assert.is_nil(svg:find('class="limit"', 1, true))
  end)

  it("is none without a queue, and says how many it leaves out", function()
    assert.is_nil((draw_queues {}))
    local list = {}
    for i = 1, 15 do list[i] = queue(i, 1, 1, i) end
    local _, left_out = draw_queues(list)
    assert.equal(3, left_out)
  end)

  it("stays small, however often the depth changes", function()
    local list = {}
    for i = 1, 20000 do list[i] = queue(i, i % 7, 7) end
    assert.is_true(#draw_queues(list) < 20000)
  end)
end)

describe("the chart of states", function()
  it("has bars with the states' names, where they fit, and all of them on request", function()
    local list = events.run(14).events
    local run = run_of { events = list, hosts = { "server", "A", "A" } }
    local svg, left_out, ends = charts.states(list, run, charts.axis(list))
    assert.match("ESTABLISHED", svg)
    assert.match("SYN_SENT", svg)
    assert.match('<path class="open" d="M%d+ 4h%d+v14h%-%d+z"><title>ESTABLISHED, 1.%d+ to 1.%d+ ms', svg)
    assert.match("A to server: SYN_SENT, ESTABLISHED, ", svg, 1, true)
    assert.same({ 0, 2 }, { left_out, #ends })
  end)

  it("is none without a connection", function()
    assert.is_nil((charts.states({}, run_of {}, charts.axis {})))
  end)
end)
