local judgement_of = require "spec.support.judgement"
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

  -- The kernel gives a neighbour up after 3 s, and a SYN may time out 10 ms before or after that.
  it("judges nothing if a search for the neighbour ended before the timer of the segment", function()
    local knobs = partitions:settings { way = "cable out here" }
    local function verdict(seconds)
      local outcome = { lateness = 0.0, rows = {} }
      for i, act in ipairs { "connect", "send", "receive", "keepalive", "queued" } do
        outcome.rows[i] = { way = knobs.way, act = act, code = "EHOSTUNREACH", seconds = seconds, after = "works" }
      end
      local judged = judgement_of(partitions, outcome, knobs)
      return judged.verdict, judged.why
    end
    assert.same({ "not judged",
      "cable out here, connect: the machine was so late that the search for the neighbour ended first" },
      { verdict(3.06) })
    assert.same({ "does not hold", "cable out here, connect: EHOSTUNREACH" }, { verdict(1.0) })
  end)

  it("refuses a patience that no code could come within", function()
    assert.error_matches(function() partitions { patience = 1 } end, "knob patience: 1 is not allowed")
  end)
end)
