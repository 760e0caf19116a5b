local lunet = require "lunet"
local reply_on_reconnect = dofile "experiments/reply_on_reconnect.lua"
local it = require "spec.support.patient"(it)

-- By design: what came unasked, and the answers to login and balance; when the reply is late, and when it is early.
local right, misled = { "nothing", "nothing", "100" }, { "welcome", "nothing", "welcome" }
local mixed = { "nothing", "100", "nothing" }
local expected = {
  per_connection = { late = right, early = right },
  by_identity = { late = misled, early = right },
  by_address = { late = misled, early = right },
  by_order = { late = mixed, early = mixed },
  kept_buffer = { late = right, early = misled },
  pooled = { late = misled, early = misled },
  same_port = { late = right, early = right },
}

local function assert_expected(r)
  assert.same(expected[r.design][r.timing], { r.unasked, r.login, r.balance }, r.design .. " " .. r.timing)
end

describe("reply_on_reconnect", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, for every design", function()
    local outcome, holds, why = reply_on_reconnect()
    assert.is_true(holds, why)
    assert.equal(14, #outcome.reconnects)
    for _, r in ipairs(outcome.reconnects) do assert_expected(r) end
    assert.equal(7, #outcome.same_port)
    assert.equal("of 14 reconnects 5 old replies, 7 wrong answers", reply_on_reconnect.figures(outcome, {}))
  end)

  for _, design in ipairs { "by_identity", "by_address", "by_order", "kept_buffer", "pooled" } do
    it("holds for a program that keeps something: " .. design, function()
      local outcome, holds, why = reply_on_reconnect { design = design }
      assert.is_true(holds, why)
      assert.same({ 2, 0 }, { #outcome.reconnects, #outcome.same_port })
      for _, r in ipairs(outcome.reconnects) do
        assert.equal(design, r.design)
        assert_expected(r)
      end
    end)
  end

  it("brings an old reply as new bytes from a server, and as none from a client's buffer", function()
    local by_identity = reply_on_reconnect({ design = "by_identity" }).reconnects[1]
    assert.same({ "late", 8, "new" }, { by_identity.timing, by_identity.bytes, by_identity.port })
    local kept_buffer = reply_on_reconnect({ design = "kept_buffer" }).reconnects[2]
    assert.same({ "early", 0, "new" }, { kept_buffer.timing, kept_buffer.bytes, kept_buffer.port })
  end)

  it("ends the old connection by a new one from the same port, but not the request in it", function()
    local outcome, holds, why = reply_on_reconnect { design = "same_port" }
    assert.is_true(holds, why)
    local found = {}
    for i, r in ipairs(outcome.same_port) do
      found[i] = { r.departure, r.held, r.request, r.reply }
      assert.same({ "CLOSE", 4, "100" }, { r.old, r.bytes, r.balance })
      if r.held ~= "replied" then assert.equal(r.departure ~= "reset", r.challenged) end
    end
    assert.same({ { "close", "queued", "login", "EPIPE" }, { "close", "accepted", "login", "EPIPE" },
      { "reset", "queued", "login", "ECONNRESET" }, { "reset", "accepted", "login", "ECONNRESET" },
      { "lost", "queued", "login", "ECONNRESET" }, { "lost", "accepted", "login", "ECONNRESET" },
      { "lost", "replied", "nothing", "EPIPE" } }, found)
  end)

  it("tells which reuse of a port is refused, by bind or by connect", function()
    local found = {}
    for i, r in ipairs(reply_on_reconnect({ design = "same_port" }).reuses) do
      found[i] = ("%s %s %d: %s"):format(r.former, r.reuseaddr, r.timestamps, r.again)
    end
    assert.same({
      "open false 1: EADDRINUSE", "open true 1: EADDRNOTAVAIL", "fin_unacked true 1: EADDRNOTAVAIL",
      "fin_acked false 1: EADDRINUSE", "fin_acked true 1: connected", "fin_acked true 0: EADDRNOTAVAIL",
      "time_wait false 1: EADDRINUSE", "time_wait true 1: connected", "time_wait true 0: EADDRNOTAVAIL",
      "reset false 0: connected",
    }, found)
  end)

  it("holds for a program that keeps nothing: every reply stays with its connection", function()
    local outcome, holds, why = reply_on_reconnect { design = "per_connection" }
    assert.is_true(holds, why)
    for _, r in ipairs(outcome.reconnects) do
      assert_expected(r)
      assert.same({ 0, "new" }, { r.bytes, r.port })
    end
    assert.same({ {}, {} }, { outcome.same_port, outcome.reuses })
  end)

  for _, patience in ipairs { 0, 0.2 } do
    it(("holds when B waits %g s, and no less"):format(patience), function()
      local started = lunet.now()
      local _, holds, why = reply_on_reconnect { design = "by_identity", patience = patience }
      assert.is_true(lunet.now() - started >= patience)
      assert.is_true(holds, why)
    end)
  end

  it("control: with numbers no old reply is taken for an answer", function()
    assert.same({ numbered = true }, reply_on_reconnect.control)
    local outcome, holds, why = reply_on_reconnect(reply_on_reconnect.control)
    assert.is_false(holds)
    assert.equal("by_identity, late: balance is 100, not welcome", why)
    for _, r in ipairs(outcome.reconnects) do assert.same({ "nothing", "100" }, { r.login, r.balance }, r.design) end
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() reply_on_reconnect { design = "by_magic" } end,
      'knob design: "by_magic" is not allowed; it is one of all, per_connection, by_identity, by_address')
    assert.error_matches(function() reply_on_reconnect { patience = -1 } end,
      "knob patience: %-1 is not allowed; it is a number, 0 or more %(s%)$")
  end)
end)
