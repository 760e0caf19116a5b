local rule_meaning = require "lunet.network.rule_meaning"

local function segment(flags, bytes, from, to)
  return { flags = flags, bytes = bytes or 0, from = from or "10.0.0.1:4000", to = to or "10.0.0.2:80" }
end

-- As tcpdump would name them, with the kinds that the kernel's rules find in them.
local SEGMENTS = {
  { segment "SYN", { "any", "SYN" } },
  { segment "SYN,ACK", { "any", "SYN-ACK" } },
  { segment "ACK", { "ACK", "any" } },
  { segment("PSH,ACK", 3), { "any", "data" } },
  { segment("ACK", 1448), { "any", "data" } },
  { segment("SYN", 5), { "any", "SYN", "data" } },
  { segment("FIN,PSH,ACK", 3), { "any", "data", "FIN" } },
  { segment "FIN,ACK", { "any", "FIN" } },
  { segment "RST", { "any", "RST" } },
  { segment "RST,ACK", { "any", "RST" } },
}

local function loses(options, s) return rule_meaning.loses(options, s) end

describe("what a rule loses of the segments that arrive", function()
  it("goes by their kinds", function()
    for _, case in ipairs(SEGMENTS) do
      local s, expected = table.unpack(case)
      local found = {}
      for _, kind in ipairs { "any", "SYN", "SYN-ACK", "ACK", "data", "FIN", "RST" } do
        if loses({ flags = kind }, s) then found[#found + 1] = kind end
      end
      table.sort(found)
      table.sort(expected)
      assert.same(expected, found, s.flags)
      assert.is_true(loses({}, s))
    end
  end)

  it("may be of one of several kinds", function()
    assert.same({ true, true, false }, { loses({ flags = { "SYN", "RST" } }, segment "SYN"),
      loses({ flags = { "SYN", "RST" } }, segment "RST"), loses({ flags = { "SYN", "RST" } }, segment "ACK") })
  end)

  it("goes by addresses and ports", function()
    local s = segment "SYN"
    for _, options in ipairs { { from = "10.0.0.0/24" }, { to = "::ffff:10.0.0.2" }, { port = 80 }, { port = 4000 },
      { from_port = 4000 }, { to_port = 80 }, { from = "10.0.0.1", to_port = 80 } } do
      assert.is_true(loses(options, s))
    end
    for _, options in ipairs { { from = "10.0.0.2" }, { to = "10.0.1.0/24" }, { port = 81 }, { from_port = 80 },
      { to_port = 4000 }, { from = "10.0.0.1", to_port = 81 } } do
      assert.is_false(loses(options, s))
    end
    assert.is_true(loses({ from = "fd00::/64" }, segment("SYN", 0, "[fd00::7]:4000", "[fd00::8]:80")))
  end)

  it("is nothing if the rule is one for the way out", function()
    assert.same({ false, true, true }, { loses({ direction = "out" }, segment "SYN"),
      loses({ direction = "in" }, segment "SYN"), loses({ direction = "both" }, segment "SYN") })
  end)

  it("is no RST if the rule answers by RST", function()
    assert.same({ false, true, true }, { loses({ reject = "reset" }, segment "RST"),
      loses({ reject = "reset" }, segment "SYN"), loses({ reject = "unreachable" }, segment "RST") })
  end)
end)
