local depths = require "lunet.recording.depths"

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
end)
