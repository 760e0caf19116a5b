local assert_holds = require "spec.support.assert_holds"
local features = require "lunet.network.features"
local lunet = require "lunet"
local rows = require "spec.support.rows"
local time_wait_reuse = dofile "experiments/timeouts/time_wait_reuse.lua"
local it, judge = require "spec.support.patient"(it)

local HAS_DELAY <const> = features.has_sysctl "net.ipv4.tcp_tw_reuse_delay"

describe("time_wait_reuse", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: the port is free again after the delay, where the setting allows it", function()
    local outcome, holds, why = judge(time_wait_reuse)
    if not assert_holds(holds, why) then return end
    local expected = { { "off", "link", 1, "EADDRNOTAVAIL" }, { "loopback", "link", 1, "EADDRNOTAVAIL" },
      { "loopback", "loopback", 1, "success" }, { "on", "link", 1, "success" } }
    if HAS_DELAY then expected[5] = { "on", "link", 0.1, "success" } end
    assert.same(expected, rows.fields(outcome.rows, "reuse", "path", "delay", "last"))
    assert.matches("^off over link never, .* on over link after %d", time_wait_reuse.figures(outcome))
  end)

  it("holds for a host that never takes such a port, however long the client tries", function()
    local outcome, holds, why = judge(time_wait_reuse, { reuse = "off", patience = 3 })
    assert.is_true(holds, why)
    assert.is_true(outcome.rows[1].seconds >= 3)
  end)

  it("control: without timestamps the port stays taken", function()
    local outcome, holds, why = judge(time_wait_reuse, time_wait_reuse.control)
    assert.is_false(holds)
    assert.equal("loopback, loopback: last is EADDRNOTAVAIL, not success", why)
    for _, row in ipairs(outcome.rows) do assert.equal("EADDRNOTAVAIL", row.last) end
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() time_wait_reuse { reuse = "maybe" } end, "knob reuse: \"maybe\" is not allowed")
    assert.error_matches(function() time_wait_reuse { patience = 1 } end, "knob patience: 1 is not allowed")
    assert.error_matches(function() time_wait_reuse { timestamps = 2 } end, "knob timestamps: 2 is not allowed")
  end)
end)
