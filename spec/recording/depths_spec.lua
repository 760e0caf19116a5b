local depths = require "lunet.recording.depths"
local run_of = require("lunet.run.run").of

local function queue(at, socket, depth, limit, fields)
  local e = { kind = "queue", at = at, host = 1, socket = socket, depth = depth, limit = limit, local_port = 80 }
  for name, value in pairs(fields or {}) do e[name] = value end
  return e
end

local function found(at, socket) return { kind = "found", at = at, host = 1, socket = socket } end

describe("the depths of queues", function()
  it("are those of each listener, as long as it listens", function()
    local list = depths.of { queue(0, 1, 0, 5), found(1, 2), queue(1, 2, 0, 511, { label = "shop" }), queue(2, 1, 3, 5),
      queue(3, 1, 1, 7), { kind = "close", at = 4, socket = 1 }, { kind = "gone", at = 5, socket = 2 } }
    assert.same({ 3, 3, 7, 4 }, { #list[1], list[1].deepest, list[1].highest, list[1].finish })
    assert.same({ 1, 0, 511, 5, "shop", true },
      { #list[2], list[2].deepest, list[2].highest, list[2].finish, list[2].label, list[2].is_foreign })
  end)

  it("are drawn over time where a program listens", function()
    local run = run_of { hosts = { "server" }, events = { found(0, 1), queue(0, 1, 0, 5, { label = "shop" }),
      queue(1, 1, 4, 5), queue(2, 1, 0, 5), { kind = "gone", at = 3, socket = 1 }, { kind = "note", at = 3 } } }
    local lines = depths.lines(run)
    assert.equal("  * shop, port 80, limit 5", lines[1])
    assert.match("^  5 %+$", lines[2])
    assert.match("^    | +%*+$", lines[3])
    assert.match("^  0 %+%*+ +%*+$", lines[#lines - 2])
    for _, line in ipairs(lines) do assert.is_true(#line <= 80) end
  end)

  it("are left to the timeline where all listeners are lunet's own", function()
    assert.is_nil(depths.lines(run_of { hosts = {}, events = { queue(0, 1, 0, 5), queue(1, 1, 4, 5) } }))
    assert.is_nil(depths.lines(run_of { hosts = {}, events = {} }))
  end)

  it("are drawn of the deepest, and of the others it is said how many they are", function()
    local events = {}
    for i = 1, 6 do
      events[#events + 1] = found(0, i)
      events[#events + 1] = queue(0, i, i, 100, { label = "p" .. i })
    end
    local lines = depths.lines(run_of { hosts = {}, events = events })
    local legend = table.concat(lines, "\n", 1, 2)
    for i = 1, 6 do assert.equal(i > 2, legend:find("p" .. i, 1, true) ~= nil) end
    assert.equal("  (2 more queues are not drawn)", lines[#lines])
  end)
end)
