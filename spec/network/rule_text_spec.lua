local rule_text = require "lunet.network.rule_text"

local function chains(words)
  words.hooks, words.kinds = words.hooks or { input = true }, words.kinds or { any = true }
  return rule_text.chains(words)
end

local function assert_has(line, text) assert.matches(line, text, 1, true) end
local function assert_lacks(line, text) assert.not_matches(line, text, 1, true) end

-- Whether the kernel does with it what it says is for spec/network/rule_spec.lua.
describe("the text of a rule", function()
  it("looks at what comes in, at what goes out, or at both", function()
    local both = chains { hooks = { input = true, output = true } }
    assert_has("chain output {\ntype route hook output priority raw\n", both)
    assert_has("hook input priority raw\nmeta mark 0x6c6f7374 drop\njump judge\n", both)
    assert_lacks("chain output", chains { hooks = { input = true } })
    local out = chains { hooks = { output = true } }
    assert_lacks("hook input", out)
    -- Its routes send to the loopback what the output hook marks, and it is dropped where it comes in.
    assert_has("hook prerouting priority raw\nmeta mark 0x6c6f7374 drop\n}", out)
    assert_has('hook postrouting priority raw\nmeta mark 0x6c6f7374 meta oifname != "lo" drop\n}', out)
    assert.is_true(rule_text.diverts { hooks = { output = true } })
    assert.is_false(rule_text.diverts { hooks = { input = true } })
  end)

  it("changes no segment, which from Linux 7.2 on only root may do", function()
    for _, reject in ipairs { false, "reset" } do
      local text = chains { hooks = { input = true, output = true, forward = true }, first = 1, port = 80,
        reject = reject or nil }
      for expression in text:gmatch "[^\n]* set " do assert.matches("meta mark set $", expression) end
    end
  end)

  it("judges by addresses and ports, of either family", function()
    assert_has("meta l4proto tcp ip saddr 10.0.0.1 ip daddr 10.0.0.0/24 tcp sport 4000 tcp dport 80 goto kinds",
      chains { from = "10.0.0.1", to = "10.0.0.0/24", from_port = 4000, to_port = 80 })
    assert_has("meta l4proto tcp ip6 saddr fd00::1 goto kinds", chains { from = "fd00::1" })
    local either = chains { port = 80 }
    assert_has("meta l4proto tcp tcp sport 80 goto kinds", either)
    assert_has("meta l4proto tcp tcp dport 80 goto kinds", either)
  end)

  it("judges by the kinds that are wanted, the bare ACK last, which ends the search", function()
    local text = chains { kinds = { ACK = true, FIN = true } }
    assert_has("chain kinds {\n" .. rule_text.KINDS.FIN .. "\n" .. rule_text.KINDS.ACK .. "\n}", text)
    assert_lacks(rule_text.KINDS.SYN .. "\n", text)
  end)

  it("loses the first ones only, and never a RST if it answers by RST", function()
    assert_has("chain lose {\ncounter meta mark set", chains {})
    assert_has("chain lose {\nnumgen inc mod 4294967295 < 3 counter", chains { first = 3 })
    assert_has("chain lose {\ntcp flags & rst == 0 counter", chains { reject = "reset" })
  end)

  it("answers by RST or by ICMP where the segment is lost", function()
    for name, answer in pairs(rule_text.REJECTS) do
      local text = chains { reject = name, hooks = { input = true, output = true } }
      assert_has("jump judge\nmeta mark 0x6c6f7374 " .. answer, text)
      assert_lacks("prerouting", text) -- the answer goes where the segment would
      assert.is_false(rule_text.diverts { reject = name, hooks = { output = true } })
    end
  end)

  it("may try one expression alone", function()
    assert.equal("chain probe {\nmeta l4proto tcp\n}\n", rule_text.probe "meta l4proto tcp")
  end)
end)
