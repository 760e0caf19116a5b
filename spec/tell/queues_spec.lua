local queues = require "lunet.tell.queues"
local run_of = require("lunet.run.run").of

local function queue(at, socket, depth, limit, fields)
  local e = { kind = "queue", at = at, host = 1, socket = socket, depth = depth, limit = limit, local_port = 80 }
  for name, value in pairs(fields or {}) do e[name] = value end
  return e
end

local function found(at, socket) return { kind = "found", at = at, host = 1, socket = socket } end

describe("the queues of a run", function()
  it("are drawn over time where a program listens", function()
    local run = run_of { hosts = { "server" }, events = { found(0, 1), queue(0, 1, 0, 5, { label = "shop" }),
      queue(1, 1, 4, 5), queue(2, 1, 0, 5), { kind = "gone", at = 3, socket = 1 }, { kind = "note", at = 3 } } }
    local lines = queues.lines(run)
    assert.equal("  * shop, port 80, limit 5", lines[1])
    assert.match("^  5 %+$", lines[2])
    assert.match("^    | +%*+$", lines[3])
    assert.match("^  0 %+%*+ +%*+$", lines[#lines - 2])
    for _, line in ipairs(lines) do assert.is_true(#line <= 80) end
  end)

  it("are left to the timeline where all listeners are lunet's own", function()
    assert.is_nil(queues.lines(run_of { hosts = {}, events = { queue(0, 1, 0, 5), queue(1, 1, 4, 5) } }))
    assert.is_nil(queues.lines(run_of { hosts = {}, events = {} }))
  end)

  it("are drawn of the deepest, and of the others it is said how many they are", function()
    local events = {}
    for i = 1, 6 do
      events[#events + 1] = found(0, i)
      events[#events + 1] = queue(0, i, i, 100, { label = "p" .. i })
    end
    local lines = queues.lines(run_of { hosts = {}, events = events })
    local legend = table.concat(lines, "\n", 1, 2)
    for i = 1, 6 do assert.equal(i > 2, legend:find("p" .. i, 1, true) ~= nil) end
    assert.equal("  (2 more queues are not drawn)", lines[#lines])
  end)
end)
