local lunet = require "lunet"
local merged = require "spec.support.merged"
local retry_storm = dofile "experiments/overload/retry_storm.lua"
local it, judge = require "spec.support.patient"(it)

-- Far from the threshold, which is at a backlog of 8. So clients may be late by 20 ms.
local FAR = { load = 3, warmup = 0.8, seconds = 0.4, closed_loop = 8, lateness = 2 }

local function run(more) return judge(retry_storm, merged(FAR, more)) end

local function assert_collapse(outcome)
  assert.is_true(outcome.goodput < 0.25 * outcome.capacity, ("goodput is %g"):format(outcome.goodput))
  assert.is_true(outcome.wasted > 75 and outcome.ghosts > 75)
  assert.is_true(outcome.depth > 10 and outcome.depth <= 41)
  assert.is_true(outcome.collapsed)
end

describe("retry_storm", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds: a deep queue answers nobody, and the server works all the time", function()
    local outcome, holds, why = run {}
    assert.is_true(holds, why)
    assert_collapse(outcome)
    assert.is_true(outcome.served > 0 and outcome.capacity <= 101)
    assert.is_true(math.abs(outcome.threshold - (outcome.capacity * 0.1 - 2)) < 0.1)
    assert.is_true(outcome.predicted < 1 and outcome.half_to < 40)
  end)

  it("holds on the other side of the threshold, too: a short queue answers all that the server can", function()
    local outcome, holds, why = run { backlog = 2 }
    assert.is_true(holds, why)
    assert.is_true(outcome.predicted > 0.9 * outcome.capacity)
    assert.is_true(outcome.overflows > 0 and outcome.depth <= 3)
    assert.is_true(outcome.wasted < 50 and not outcome.collapsed)
  end)

  it("control: a server that carries out what it can still answer does not collapse, however deep its queue", function()
    assert.same({ server = "in_time" }, retry_storm.control)
    local outcome, holds, why = run(retry_storm.control)
    assert.is_false(holds)
    assert.match("^goodput is [%d.]+, not from ", why)
    assert.is_false(outcome.collapsed)
  end)

  it("judges nothing at half of the capacity: no queue fills, however deep it may be", function()
    -- After a disturbance retries alone could keep the queue full: see metastable.
    local _, holds, why = run { load = 0.5, retries = 0 }
    assert.same({ nil, "there was no overload" }, { holds, why })
  end)

  -- The check is left out: in 0.4 s such service times are 40, whose sum is anything from half to twice its mean.
  it("collapses for service times of an exponential distribution, and for clients that leave with RST", function()
    assert_collapse(run { distribution = "exponential", departure = "reset" })
  end)
end)

describe("retry_storm with other knobs #part_knobs", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds without retries, too, since the queue is full in any overload", function()
    local outcome, holds, why = run { retries = 0 }
    assert.is_true(holds, why)
    assert_collapse(outcome)
    assert.is_true(outcome.attempts < 1.4 * outcome.offered)
  end)

  it("sees twice as many attempts with a retry each, and few more with a budget", function()
    local outcome, holds, why = run { backoff = 0.01 }
    assert.is_true(holds, why)
    assert.is_true(outcome.attempts > 1.5 * outcome.offered)
    outcome, holds, why = run { budget = 0.1 }
    assert.is_true(holds, why)
    assert_collapse(outcome)
    assert.is_true(outcome.attempts < 1.4 * outcome.offered)
  end)

  it("judges nothing if the clients were late", function()
    local outcome, holds, why = retry_storm(merged(FAR, { lateness = 0 }))
    assert.is_nil(holds)
    assert.is_true(outcome.late_ms > 0)
    assert.match("^the machine disturbed ", why)
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() run { backlog = 65536 } end,
      "knob backlog: 65536 is not allowed; it is a whole number from 0 to 65535 %(connections%)$")
    assert.error_matches(function() retry_storm { retries = 17 } end,
      "knob retries: 17 is not allowed; it is a whole number from 0 to 16 %(retries%)$")
    assert.error_matches(function() retry_storm { patience = 0 } end, "knob patience: 0 is not allowed")
    assert.error_matches(function() retry_storm { distribution = "pareto" } end, "one of fixed, exponential")
  end)
end)
