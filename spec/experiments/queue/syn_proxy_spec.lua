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
    local heard = {}
    for _, row in ipairs(outcome.rows) do
      heard[#heard + 1] = ("%s %d %s: %s"):format(row.server, row.mtu, row.speaks, row.heard)
    end
    table.remove(heard, 4) -- a refusal comes just before connect's end, or just after it
    assert.same({ "listens 1500 client: hello", "listens 1500 later: hello", "listens 1500 server: hello",
      "full 1500 client: nothing", "full 1400 client: hello" }, heard)
  end)

  it("holds at a short and a long path, where the server rejects what a client says later", function()
    for _, delay in ipairs { 0.002, 0.02 } do
      local outcome, holds, why = judge(syn_proxy, { delay = delay, server = "listens" })
      if assert_holds(holds, why) and outcome.rows[2].bad_ts then assert.is_true(outcome.rows[2].bad_ts > 1) end
    end
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
      { table.unpack(rows.fields(outcome.rows, "server", "connect"), 4) })
    for i = 5, 6 do assert.equal("hello", outcome.rows[i].heard) end
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() syn_proxy { server = "asleep" } end, "knob server: \"asleep\" is not allowed")
    assert.error_matches(function() syn_proxy { timestamps = 2 } end, "knob timestamps: 2 is not allowed")
    assert.error_matches(function() syn_proxy { delay = 0 } end, "knob delay: 0 is not allowed")
    assert.error_matches(function() syn_proxy { patience = 1 } end, "knob patience: 1 is not allowed")
  end)
end)
