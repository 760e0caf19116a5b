local lunet = require "lunet"
local rows = require "spec.support.rows"
local partitions = dofile "experiments/timeouts/partitions.lua"
local it, judge = require "spec.support.patient"(it)

describe("partitions", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: no waiting client learns anything, and each works again after the healing", function()
    local outcome, holds, why = judge(partitions)
    assert.is_true(holds, why)
    assert.equal(70, #outcome.rows)
    for _, row in ipairs(outcome.rows) do
      if row.act == "receive" then
        assert.is_nil(row.code)
        assert.is_true(row.after == "works" or row.after == nil)
      end
    end
    assert.is_true(#partitions.figures(outcome) <= 60)
  end)

  it("does not hold if the waiting client has keepalive", function()
    local outcome, holds, why = judge(partitions, { way = "silence", waits = "keepalive", patience = 4.0 })
    assert.is_false(holds)
    assert.equal("silence, receive: ETIMEDOUT", why)
    assert.equal("ETIMEDOUT", rows.find(outcome.rows, "receive", "act").code)
  end)

  it("refuses a patience that no code could come within", function()
    assert.error_matches(function() partitions { patience = 1 } end, "knob patience: 1 is not allowed")
  end)
end)
