local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local rows = require "spec.support.rows"
local syn_proxy = dofile "experiments/queue/syn_proxy.lua"
local it, judge = require "spec.support.patient"(it)

describe("syn_proxy", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: a full queue loses the client for good, unless its segments are short", function()
    local outcome, holds, why = judge(syn_proxy)
    assert_holds(holds, why)
    assert.same({ { "listens", 1500, "client", "hello", 1 }, { "listens", 1500, "server", "hello", 1 },
      { "closed", 1500, "client", "nothing", 0 }, { "full", 1500, "client", "nothing", 0 },
      { "full", 1400, "client", "hello", 1 } },
      rows.fields(outcome.rows, "server", "mtu", "speaks", "heard", "opened"))
  end)

  it("holds without timestamps, where a server that speaks first is in time", function()
    local outcome, holds, why = judge(syn_proxy, { timestamps = 0, server = "listens" })
    assert_holds(holds, why)
    for _, row in ipairs(outcome.rows) do assert.equal(0, row.bad_ts or 0) end
  end)

  it("control: without a proxy a client is refused, or waits in connect for the queue", function()
    local outcome, holds, why = judge(syn_proxy, syn_proxy.control)
    assert.is_false(holds)
    assert.matches("listens, mtu 1500, the client speaks: tracked is nil, not ESTABLISHED", why, 1, true)
    assert.same({ { "closed", "ECONNREFUSED" }, { "full", "success" }, { "full", "success" } },
      { table.unpack(rows.fields(outcome.rows, "server", "connect"), 3) })
    for i = 4, 5 do assert.equal("hello", outcome.rows[i].heard) end
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() syn_proxy { server = "asleep" } end, "knob server: \"asleep\" is not allowed")
    assert.error_matches(function() syn_proxy { timestamps = 2 } end, "knob timestamps: 2 is not allowed")
    assert.error_matches(function() syn_proxy { patience = 1 } end, "knob patience: 1 is not allowed")
  end)
end)
