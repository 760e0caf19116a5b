local assert_judged = require "spec.support.assert_judged"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local metastable = dofile "experiments/overload/metastable.lua"
local it = require "spec.support.patient"(it)

-- Far from any threshold: a full queue takes eight times the patience, and attempts are twice what the server can
-- do. On a machine that is busy with other things runs are not valid, and the check judges nothing.
local FAR = {
  remedy = "none", service = 0.01, patience = 0.05, load = 0.7, retries = 2, backlog = 40, stall = 0.5, seeds = 1,
  before = 0.5, after = 1.5, closed_loop = 20, spare = 0,
}

local function run(more) return metastable(merged(FAR, more)) end

local function assert_down(outcome)
  local clients, server = outcome.remedies[1], outcome.last_second[1]
  assert.same({ "none", "none", "0/1" }, { clients.remedy, server.remedy, clients.recovered })
  assert.is_nil(clients.min_s)
  local last = outcome.goodput[#outcome.goodput].none
  assert.is_true(last < 10 and server.ghosts >= 90)
  assert.is_true(server.depth > 4 and server.depth <= 41)
end

local function slice_at(outcome, from)
  for _, row in ipairs(outcome.goodput) do
    if math.abs(row.from_s - from) < 0.01 then return row end
  end
  return nil
end

describe("metastable", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds: the queue stays full of ghosts when the stall has gone", function()
    local outcome, holds, why = run {}
    assert_judged(nil, outcome, holds, why)
    assert.same({ 1, 1 }, { #outcome.remedies, outcome.runs })
    assert.equal(5, #outcome.goodput) -- slices of 0.5 s
    if outcome.valid then
      assert_down(outcome)
      assert.is_true(outcome.last_second[1].attempts > 1.5 * outcome.offered)
      assert.is_true(slice_at(outcome, -1).none > 30 and slice_at(outcome, 0.5).none < 20)
    end
  end)

  it("control: at a load whose attempts the server carries, goodput comes back", function()
    assert.same({ load = 0.1 }, metastable.control)
    local outcome, holds, why = run(metastable.control)
    assert_judged("none: goodput came back in 1/1 runs", outcome, holds, why)
    if outcome.valid then assert.is_true(outcome.last_second[1].depth < 20) end
  end)

  local function assert_not_judged(reason, knobs)
    local outcome, holds, why = run(knobs)
    assert.is_nil(holds)
    if outcome.valid and not why:find "^the machine disturbed" then assert.equal(reason, why) end
    return outcome
  end

  it("judges nothing without retries: goodput comes back when the queue is empty again", function()
    -- The queue drains with the capacity that the load leaves: for about 1.4 s.
    local outcome = assert_not_judged("nothing is tried again", { retries = 0, after = 3.5 })
    if not outcome.valid then return end
    assert.is_true(slice_at(outcome, 0).none < slice_at(outcome, 2.5).none)
    assert.is_true(outcome.last_second[1].depth < 20)
  end)

  it("judges nothing with a short backlog, with which goodput comes back at once", function()
    assert.is_true(assert_not_judged("the queue is not deep", { backlog = 1 }).last_second[1].depth <= 2)
  end)

  it("judges nothing without a stall, or if every run has a remedy", function()
    assert_not_judged("there was no stall", { stall = 0, load = 0.3 })
    assert_not_judged("every run had a remedy", { remedy = "retry_budget" })
  end)

  it("compares the remedies: backoff alone does not help, and a short backlog keeps the queue short", function()
    local outcome, holds, why = run { remedy = "all", seed = 3, departure = "reset" }
    if not outcome.valid then assert_judged(nil, outcome, holds, why) end
    local names = {}
    for i, record in ipairs(outcome.remedies) do names[i] = record.remedy end
    assert.same({ "none", "backoff", "retry_budget", "short_backlog", "check_liveness" }, names)
    if outcome.valid then assert_down(outcome) end
    assert.is_nil(outcome.last_second[4].depth) -- which is only told where it stays full
    for _, name in ipairs(names) do assert.is_number(outcome.goodput[1][name]) end
  end)

  it("takes a budget and backoff also as knobs, and service times of an exponential distribution", function()
    local outcome = run { budget = 0.1, backoff = 0.01, distribution = "exponential", seeds = 2 }
    if outcome.valid then assert.is_true(outcome.last_second[1].attempts < 1.5 * outcome.offered) end
    assert.match("^[012]/[12]$", outcome.remedies[1].recovered)
  end)

  it("judges nothing if the clients were late", function()
    local outcome, holds, why = run { lateness = 0, spare = 1 }
    assert.same({ false, 1, 1, nil }, { outcome.valid, outcome.invalid, outcome.repeated, holds })
    assert.equal("the machine disturbed 1 of 1 runs", why)
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() metastable { remedy = "pray" } end,
      "one of all, none, backoff, retry_budget, short_backlog, check_liveness %(what%)$")
    assert.error_matches(function() metastable { stall = -1 } end,
      "knob stall: %-1 is not allowed; it is a number from 0 to 60 %(s%)$")
    assert.error_matches(function() metastable { load = 0 } end, "knob load: 0 is not allowed")
    assert.error_matches(function() metastable { after = 0.5 } end, "knob after: 0.5 is not allowed")
  end)
end)
