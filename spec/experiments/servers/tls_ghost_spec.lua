local lunet = require "lunet"
local listing = require "spec.support.listing"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local tls_ghost = dofile "experiments/servers/tls_ghost.lua"
local it = require "spec.support.patient"(it)

-- By case: whether the server's kernel had the request, nginx's status, and whether it was carried out.
local function facts(outcome)
  local found = {}
  for _, case in ipairs(outcome.cases) do
    assert.is_nil(found[case.case])
    found[case.case] = { case.has_request, case.status, case.carried_out }
  end
  return found
end

local HANDSHAKE_ONLY = { false, "none", false }
local CARRIED_OUT = { true, "200", true }

describe("tls_ghost", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: early data brings back what a handshake prevents", function()
    local outcome, holds, why = tls_ghost()
    assert.is_true(holds, why)
    assert.same({ plain = CARRIED_OUT, ["tls1.2"] = HANDSHAKE_ONLY, ["tls1.3"] = HANDSHAKE_ONLY,
      resumed = HANDSHAKE_ONLY, early = CARRIED_OUT, early_425 = { true, "425", false }, connected = CARRIED_OUT },
      facts(outcome))
    assert.equal("carried out, of 7: plain, early, connected", tls_ghost.figures(outcome))
  end)

  for _, name in ipairs { "plain", "tls1.2", "tls1.3", "resumed", "early", "early_425", "connected" } do
    it("can be asked for one case alone, and judges what is in the middle of a handshake: " .. name, function()
      local outcome, holds, why = tls_ghost { case = name, patience = 0 }
      if name == "plain" or name == "connected" then
        assert.same({ nil, "no client was in the middle of a handshake" }, { holds, why })
      else
        assert.is_true(holds, why)
      end
      assert.equal(1, #outcome.cases)
      local case = outcome.cases[1]
      assert.same({ name, "TIMEOUT" }, { case.case, case.reply })
      assert.is_true(case.bytes > 0)
    end)
  end

  it("holds when the client waits 0.2 s, and no less", function()
    local started = lunet.now()
    local _, holds, why = tls_ghost { case = "early", patience = 0.2 }
    assert.is_true(lunet.now() - started >= 0.2)
    assert.is_true(holds, why)
  end)

  it("control: a server that refuses early data carries it out for nobody", function()
    assert.same({ too_early = "refuse" }, tls_ghost.control)
    local outcome, holds, why = tls_ghost(tls_ghost.control)
    assert.is_false(holds)
    assert.equal("early: carried_out is false, not true", why)
    assert.same({ true, "425", false }, facts(outcome).early)
  end)

  it("judges nothing of early data if the server takes none", function()
    local outcome, holds, why = tls_ghost { early_data = "off" }
    assert.is_nil(holds)
    assert.equal("the server takes no early data", why)
    assert.same({ plain = CARRIED_OUT, ["tls1.2"] = HANDSHAKE_ONLY, ["tls1.3"] = HANDSHAKE_ONLY,
      resumed = HANDSHAKE_ONLY, early = HANDSHAKE_ONLY, early_425 = HANDSHAKE_ONLY, connected = CARRIED_OUT },
      facts(outcome))
  end)

  it("carries out no early data that is 12 s late: OpenSSL refuses it after about 10 s #slow", function()
    local outcome, holds, why = tls_ghost { case = "early", patience = 12 }
    assert.is_false(holds)
    assert.equal("early: carried_out is false, not true", why)
    assert.same({ early = { true, "none", false } }, facts(outcome))
  end)

  it("leaves no key and no directory behind", function()
    local place <close> = scratch.open()
    local result = program.shell(([[TMPDIR=%s exec "$LUNET" experiments/servers/tls_ghost.lua --json --patience 0 \
      --case early]]):format(place.path))
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.same({}, listing(place.path))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() tls_ghost { case = "ssl3" } end,
      "knob case: \"ssl3\" is not allowed; it is one of all, plain, tls1.2, tls1.3, resumed, early, early_425, "
      .. "connected %(case%)$")
    assert.error_matches(function() tls_ghost { early_data = "maybe" } end, "one of on, off %(setting%)$")
    assert.error_matches(function() tls_ghost { patience = -1 } end, "knob patience: %-1 is not allowed")
  end)
end)
