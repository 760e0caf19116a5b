local merged = require "spec.support.merged"
local prometheus = require "lunet.queues.prometheus"

local function entry(more)
  local one = { address = "0.0.0.0:80", port = 80, program = "nginx", depth = 3, limit = 2, drops = 7, left_by_fin = 1,
    bytes = 5, oldest_seconds = 0.25, half_open = 0, peak = 4 }
  return merged(one, more)
end

local function encode(...) return prometheus.encode { time = 1.5, listeners = { ... }, clients = {} } end

local LABELS <const> = '{address="0.0.0.0:80",port="80",program="nginx"} '

describe("the text for Prometheus", function()
  it("has each known number of a queue, and leaves out what is unknown", function()
    local text = encode(entry())
    for name, value in pairs { depth = "3", limit = "2", full = "1", drops_total = "7", left_by_fin = "1", bytes = "5",
      oldest_seconds = "0.25", half_open = "0", peak = "4" } do
      assert.matches(("\nlunet_queue_%s%s%s\n"):format(name, LABELS, value), text, 1, true)
    end
    assert.is_nil(text:find("lunet_queue_left_by_reset{", 1, true))
    assert.matches("\nlunet_queues_look_time_seconds 1.500\n$", text)
  end)

  it("counts the full ones of several listeners", function()
    local members = { { depth = 3, limit = 2 }, { depth = 2, limit = 2 }, { depth = 4, limit = 2 } }
    assert.matches("\nlunet_queue_full" .. LABELS .. "2\n", encode(entry { members = members }), 1, true)
  end)

  it("has the clients that wait", function()
    local client = { address = "1.1.1.1:53", port = 53, connecting = 1, waiting = 2, oldest_seconds = 9.5 }
    local text = prometheus.encode { time = 1, listeners = {}, clients = { client } }
    assert.matches('\nlunet_client_waiting{address="1.1.1.1:53",port="53",program=""} 2\n', text, 1, true)
    assert.matches('\nlunet_client_oldest_seconds{address="1.1.1.1:53",port="53",program=""} 9.5\n', text, 1, true)
  end)

  it("escapes labels, and has each line once", function()
    local odd = entry { address = 'unix:/a"b\\c\nd\xff' }
    odd.port = nil
    local text = encode(odd, odd)
    local _, count = text:gsub("\nlunet_queue_depth{", "")
    assert.equal(1, count)
    assert.matches('address="unix:/a\\"b\\\\c\\nd\\\\xff",port=""', text, 1, true)
  end)

  it("has no other metrics than those that it names, each with its type", function()
    local names = prometheus.names()
    for name in encode(entry()):gmatch "\n([%l_]+)[{ ]" do assert.is_true(names[name], name) end
    for name in pairs(names) do assert.matches("# TYPE " .. name .. " ", encode(entry()), 1, true) end
  end)
end)
