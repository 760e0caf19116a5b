local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local proxy_chain = dofile "experiments/timeouts/proxy_chain.lua"
local it, judge = require "spec.support.patient"(it)

local function run(more) return judge(proxy_chain, merged({ patience = 0.05, service = 0.08 }, more)) end

-- By mode: how often the request was carried out, for each number of hops.
local function counts_of(outcome)
  local counts = {}
  for _, record in ipairs(outcome.chains) do
    counts[record.mode] = counts[record.mode] or {}
    counts[record.mode][record.hops] = record.executed
  end
  return counts
end

-- Exact even on a machine that is late: what every hop sends again, all of it is carried out.
local function assert_multiplied(outcome, retries)
  for _, record in ipairs(outcome.chains) do
    assert.is_false(record.answered)
    if record.mode == "same" or record.mode == "decreasing" then
      local expected = math.tointeger((retries + 1) ^ record.hops)
      assert.same({ expected, expected, expected }, { record.executed, record.predicted, record.opened })
    else
      assert.equal(retries + 1, record.predicted)
    end
  end
end

describe("proxy_chain", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: 27 for one request over three hops, and 17 of them for nobody", function()
    local outcome, holds, why = proxy_chain()
    assert_holds(holds, why)
    assert_multiplied(outcome, 2)
    local counts = counts_of(outcome)
    assert.same({ { 3, 9, 27 }, { 3, 9, 27 } }, { counts.same, counts.decreasing })
    for hops = 1, 3 do assert.is_true(counts.deadline[hops] <= 3) end
    assert.same({ "same", 3, 17 },
      { outcome.chains[3].mode, outcome.chains[3].hops, outcome.chains[3].after_pred })
    assert.is_true(outcome.chains[3].after > 0)
    assert.is_true(outcome.chains[3].left_s >= 1.2)
  end)

  for _, retries in ipairs { 1, 3, 4 } do
    it(("holds with %d retries"):format(retries), function()
      local outcome, holds, why = run { retries = retries, hops = 2 }
      assert_holds(holds, why)
      assert_multiplied(outcome, retries)
    end)
  end

  for hops = 2, 5 do
    it(("holds over %d hops"):format(hops), function()
      local outcome, holds, why = run { retries = 1, hops = hops }
      assert_holds(holds, why)
      assert.equal(4 * hops, #outcome.chains)
      assert_multiplied(outcome, 1)
    end)
  end

  for _, mode in ipairs { "same", "decreasing" } do
    it("can be asked for one mode alone: " .. mode, function()
      local outcome, holds, why = run { mode = mode, hops = 2 }
      assert_holds(holds, why)
      assert.same({ [mode] = { 3, 9 } }, counts_of(outcome))
    end)
  end

  local function assert_nothing_tried(knobs)
    local outcome, holds, why = run(knobs)
    assert.is_nil(holds)
    assert.equal("no request failed at two hops that both send again", why)
    return outcome
  end

  for _, mode in ipairs { "watch", "deadline" } do
    it(("judges nothing by the mode %s alone, which multiplies nothing"):format(mode), function()
      local outcome = assert_nothing_tried { mode = mode, hops = 3 }
      assert.equal(3, #outcome.chains)
      for _, count in ipairs(counts_of(outcome)[mode]) do assert.is_true(count < 9) end
    end)
  end

  it("judges nothing by one hop, which has no proxy, or without retries", function()
    assert.same({ { 3 } }, { counts_of(assert_nothing_tried { mode = "same", hops = 1 }).same })
    assert.same({ { 1, 1 } }, { counts_of(assert_nothing_tried { mode = "same", hops = 2, retries = 0 }).same })
  end)

  it("begins nothing after the deadline", function()
    for _, record in ipairs(run { mode = "deadline", hops = 4 }.chains) do assert.equal(0, record.after) end
  end)

  it("lets the client wait out its patience in every attempt", function()
    assert.is_true(run { mode = "same", hops = 1, retries = 1, patience = 0.1, service = 0.3 }.chains[1].left_s >= 0.2)
  end)

  it("judges nothing if the server answers in time", function()
    local outcome, holds = run { mode = "same", service = 0, patience = 20, hops = 2 }
    assert.is_nil(holds)
    assert.same({ same = { 1, 1 } }, counts_of(outcome))
    for _, record in ipairs(outcome.chains) do
      assert.same({ true, 1, 1 }, { record.answered, record.opened, record.predicted })
    end
  end)

  it("control: if the client alone tries again, nothing is multiplied", function()
    assert.same({ retrying = "client" }, proxy_chain.control)
    local outcome, holds, why = run(proxy_chain.control)
    assert.is_false(holds)
    assert.equal("same, 2 hops: opened is 3, not 9", why)
    local counts = counts_of(outcome)
    assert.same({ { 3, 3, 3 }, { 3, 3, 3 } }, { counts.same, counts.decreasing })
  end)

  it("tells its figures, and draws", function()
    local function record(mode, hops, count) return { mode = mode, hops = hops, executed = count } end
    local outcome = { chains = { record("same", 1, 3), record("same", 2, 9), record("watch", 1, 3),
      record("watch", 2, 3) } }
    assert.equal("carried out: same 9, watch 3", proxy_chain.figures(outcome, { hops = 2, mode = "all" }))
    local function draw(mode) return tostring(proxy_chain.plot(outcome, { hops = 2, mode = mode })) end
    local drawn = draw "all"
    assert.match("carried out for one request\n%* same\n", drawn)
    assert.match("hops", drawn)
    assert.match("o watch", draw "watch")
    table.remove(outcome.chains, 1) -- an incomplete line is left out
    assert.not_match("same", draw "watch")
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() proxy_chain { hops = 0 } end,
      "knob hops: 0 is not allowed; it is a whole number from 1 to 5 %(hops%)$")
    assert.error_matches(function() proxy_chain { retries = 5 } end, "knob retries: 5 is not allowed")
    assert.error_matches(function() proxy_chain { mode = "budget" } end,
      'knob mode: "budget" is not allowed; it is one of all, same, decreasing, watch, deadline %(way%)$')
    assert.error_matches(function() proxy_chain { patience = 0 } end, "knob patience: 0 is not allowed")
    assert.error_matches(function() proxy_chain { service = -1 } end, "knob service: %-1 is not allowed")
  end)
end)
