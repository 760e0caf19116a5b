local assert_judged = require "spec.support.assert_judged"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local retry_storm = dofile "experiments/overload/retry_storm.lua"
local it = require "spec.support.patient"(it)

-- Far from the threshold, which is at a backlog of 7: these come out so on a machine that is busy with other things,
-- too, where runs are not valid and the check judges nothing.
local FAR = {
  service = 0.01, patience = 0.1, load = 3, retries = 1, backlogs = { 0, 60 }, seeds = 1, warmup = 0.4, seconds = 0.3,
  closed_loop = 8, spare = 0,
}

local function run(more) return retry_storm(merged(FAR, more)) end

local function assert_collapse(outcome)
  local shallow, deep = outcome.sweep[1], outcome.sweep[2]
  if deep.served > 1.1 * outcome.capacity then return end -- measured too low: there was no overload
  assert.same({ 0, 60 }, { shallow.backlog, deep.backlog })
  assert.is_true(shallow.goodput > 4 * deep.goodput, ("goodput %g and %g"):format(shallow.goodput, deep.goodput))
  assert.is_true(deep.wasted > 75 and shallow.wasted < 50, ("wasted %g and %g"):format(deep.wasted, shallow.wasted))
  assert.is_true(outcome.traffic[2].ghosts > 75)
  assert.is_true(outcome.traffic[2].depth > 10)
  assert.is_true(outcome.traffic[1].overflows > 0)
  assert.is_true(outcome.traffic[1].depth <= 1 and outcome.traffic[2].depth <= 61)
end

describe("retry_storm", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds: a deep queue answers nobody, and the server works all the time", function()
    local outcome, holds, why = run {}
    assert_judged(nil, outcome, holds, why)
    assert_collapse(outcome)
    local threshold = outcome.thresholds[1]
    assert.is_true(outcome.sweep[2].served > 0 and outcome.capacity <= 100)
    if outcome.valid then
      assert.same({ 2, "0/1", "1/1" }, { outcome.runs, outcome.traffic[1].collapsed, outcome.traffic[2].collapsed })
      assert.same({ 0, 60, 60 }, { threshold.half_to, threshold.half_from, threshold.none_from })
    end
    assert.is_true(math.abs(threshold.predicted - (outcome.capacity * 0.1 - 2)) < 0.1)
  end)

  it("control: a server that carries out what it can still answer does not collapse, however deep its queue", function()
    assert.same({ server = "in_time" }, retry_storm.control)
    local outcome, holds, why = run(retry_storm.control)
    assert_judged("backlog 60: runs that collapsed is 0, not 1", outcome, holds, why)
  end)

  it("judges nothing at half of the capacity: no queue fills, however deep it may be", function()
    -- After a disturbance retries alone could keep the queue full: see metastable.
    local outcome, holds, why = run { load = 0.5, retries = 0 }
    assert.is_nil(holds)
    if outcome.valid then assert.match("^there was no overload$", why) end
  end)

  -- The check is left out: in 0.3 s such service times are 30, whose sum is anything from half to twice its mean.
  it("collapses for service times of an exponential distribution, and for clients that leave with RST", function()
    local outcome = run { distribution = "exponential", departure = "reset" }
    assert_collapse(outcome)
    assert.is_nil(outcome.thresholds[1].distribution) -- which is only told where it is swept
  end)

  it("holds without retries, too, since the queue is full in any overload", function()
    local outcome, holds, why = run { retries = 0 }
    assert_judged(nil, outcome, holds, why)
    assert_collapse(outcome)
    if outcome.valid then assert.is_true(outcome.sweep[2].attempts < 1.4 * outcome.offered) end
  end)

  it("sees twice as many attempts with a retry each, and few more with a budget", function()
    local outcome = run { backoff = 0.01 }
    if outcome.valid then assert.is_true(outcome.sweep[2].attempts > 1.5 * outcome.offered) end
    outcome = run { budget = 0.1 }
    assert_collapse(outcome)
    if outcome.valid then assert.is_true(outcome.sweep[2].attempts < 1.4 * outcome.offered) end
  end)

  it("has a run for each seed", function()
    local outcome = run { seed = 7, seeds = 2 }
    assert.equal(4, outcome.runs)
    assert.match("^[012]/[12]$", outcome.traffic[2].collapsed)
  end)

  it("judges nothing if the clients were late", function()
    local outcome, holds, why = run { lateness = 0, spare = 1 }
    assert.same({ false, 2 }, { outcome.valid, outcome.invalid })
    assert.same({ nil, "the machine disturbed 2 of 2 runs" }, { holds, why })
    assert.equal(2, outcome.repeated)
  end)

  it("judges nothing if the backlogs are on one side of the threshold", function()
    local outcome, holds, why = run { backlogs = { 60 } }
    assert.is_nil(holds)
    if outcome.valid then assert.equal("the backlogs are not on both sides of the threshold", why) end
  end)

  it("sweeps patience: the threshold moves with it, for both distributions", function()
    local outcome, holds, why = retry_storm {
      sweep = "patience", service = 0.005, patience = 0.02, load = 3, retries = 1, seeds = 1, warmup = 0.1,
      seconds = 0.1, closed_loop = 12, spare = 0,
    }
    local distributions = {}
    for i, threshold in ipairs(outcome.thresholds) do
      distributions[i] = threshold.distribution
      assert.equal(({ 10, 20, 40 })[(i - 1) % 3 + 1], threshold.patience)
      local predicted = outcome.capacity * threshold.patience / 1000 - 2
      assert.is_true(math.abs(threshold.predicted - predicted) < 0.1)
    end
    assert.same({ "fixed", "fixed", "fixed", "exponential", "exponential", "exponential" }, distributions)
    assert.is_nil(outcome.sweep)
    if not outcome.valid then assert_judged(nil, outcome, holds, why) end
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() run { backlogs = { 1, "x" } } end, "knob backlogs: .* is not allowed; it is whole "
      .. "numbers from 0 to 65535, with commas between them, 1 to 1000 of them %(connections%)$")
    assert.error_matches(function() run { backlogs = {} } end, "knob backlogs: .* is not allowed")
    assert.error_matches(function() retry_storm { sweep = "load" } end,
      "knob sweep: \"load\" is not allowed; it is one of backlog, patience %(what%)$")
    assert.error_matches(function() retry_storm { retries = 17 } end,
      "knob retries: 17 is not allowed; it is a whole number from 0 to 16 %(retries%)$")
    assert.error_matches(function() retry_storm { patience = 0 } end, "knob patience: 0 is not allowed")
    assert.error_matches(function() retry_storm { distribution = "pareto" } end, "one of fixed, exponential")
  end)
end)
