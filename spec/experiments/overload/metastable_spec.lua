local lunet = require "lunet"
local merged = require "spec.support.merged"
local metastable = dofile "experiments/overload/metastable.lua"
local it, judge = require "spec.support.patient"(it)

-- Far from any threshold: a full queue takes eight times the patience, and attempts are twice what the server can
-- do. So clients may be late by 20 ms.
local FAR = { patience = 0.05, load = 0.7, retries = 2, backlog = 40, stall = 0.5, after = 2.0, closed_loop = 8,
  lateness = 2 }

local function run(more) return judge(metastable, merged(FAR, more)) end

local function slice_at(outcome, from)
  for _, slice in ipairs(outcome.slices) do
    if math.abs(slice.from_s - from) < 0.01 then return slice.goodput end
  end
  return nil
end

local function assert_down(outcome)
  assert.is_false(outcome.recovered)
  assert.is_true(outcome.slices[#outcome.slices].goodput < 10 and outcome.ghosts >= 90)
  assert.is_true(outcome.depth > 4 and outcome.depth <= 41)
end

-- Runs where goodput comes back, so that the claim does not hold.
local function assert_back(knobs)
  local outcome, holds, why = run(knobs)
  assert.is_false(holds)
  assert.match("^goodput came back [%d.]+ s after the stall$", why)
  assert.is_true(outcome.recovered and outcome.depth < 20)
  return outcome
end

describe("metastable", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds: the queue stays full of ghosts when the stall has gone", function()
    local outcome, holds, why = run {}
    assert.equal(6, #outcome.slices) -- of 0.5 s
    assert.is_true(holds, why)
    assert_down(outcome)
    assert.is_nil(outcome.predicted_s) -- it never ends
    assert.is_true(outcome.storm_s > 1 and outcome.attempts > 1.5 * outcome.offered)
    assert.is_true(slice_at(outcome, -1) > 30 and slice_at(outcome, 0.5) < 20)
  end)

  it("control: at a load whose attempts the server carries, goodput comes back", function()
    assert.same({ load = 0.1 }, metastable.control)
    assert_back(metastable.control)
  end)

  it("judges nothing if the clients were late, or if nobody can tell that all was well before", function()
    local _, holds, why = metastable(merged(FAR, { lateness = 0 }))
    assert.is_nil(holds)
    assert.match("^the machine disturbed ", why)
    _, holds, why = run { patience = 0.5, retries = 0 }
    assert.same({ nil, "patience is not shorter than before" }, { holds, why })
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() metastable { remedy = "pray" } end,
      "one of none, backoff, retry_budget, short_backlog, check_liveness %(what%)$")
    assert.error_matches(function() metastable { stall = -1 } end,
      "knob stall: %-1 is not allowed; it is a number from 0 to 60 %(s%)$")
    assert.error_matches(function() metastable { load = 0 } end, "knob load: 0 is not allowed")
    assert.error_matches(function() metastable { after = 0.5 } end, "knob after: 0.5 is not allowed")
  end)
end)

describe("metastable with other loads #part_loads", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("does not hold without retries: goodput comes back when the queue is empty again", function()
    -- The queue drains with the capacity that the load leaves: for about 1.2 s.
    local outcome = assert_back { retries = 0, after = 3.5 }
    assert.is_true(outcome.predicted_s > 0.5 and outcome.storm_s > 0.3)
    assert.is_true(slice_at(outcome, 0) < slice_at(outcome, 2.5))
  end)

  it("does not hold with a short backlog, with which goodput comes back at once", function()
    assert.is_true(assert_back({ backlog = 1 }).depth <= 2)
  end)

  it("does not hold without a stall", function() assert_back { stall = 0, load = 0.3 } end)
end)

describe("metastable with a remedy #part_remedies", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  for _, remedy in ipairs { "retry_budget", "short_backlog", "check_liveness" } do
    it("does not hold with the remedy " .. remedy, function() assert_back { remedy = remedy, load = 0.5, seed = 3 } end)
  end
end)

describe("metastable with other retries #part_retries", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds with backoff alone, and for clients that leave with RST", function()
    local outcome, holds, why = run { remedy = "backoff", departure = "reset" }
    assert.is_true(holds, why)
    assert_down(outcome)
  end)

  it("takes a budget and backoff also as knobs, and service times of an exponential distribution", function()
    local outcome = run { budget = 0.1, backoff = 0.01, distribution = "exponential" }
    assert.is_true(outcome.attempts < 1.5 * outcome.offered)
  end)
end)
