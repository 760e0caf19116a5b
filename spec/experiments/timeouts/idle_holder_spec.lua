local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local idle_holder = dofile "experiments/timeouts/idle_holder.lua"
local it, judge = require "spec.support.patient"(it)

-- Short waits; of one sort each, unless asked for more.
local function run(more)
  return judge(idle_holder,
    merged({ idle_timeout = 0.01, patience = 5, holder = "silent", cut = "request" }, more))
end

describe("idle_holder", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: those behind wait for three idle timeouts, or for ever", function()
    local outcome, holds, why = idle_holder()
    assert_holds(holds, why)
    local waits = {}
    for i, record in ipairs(outcome.waits) do
      waits[i] = ("%s %s: %d of %d, %s, cut %d"):format(record.holder, record.cut, record.answered, record.queued,
        record.predicted == "never" and "never" or "in time", record.holders_cut)
      assert.is_true(record.wait_ms >= (record.predicted == "never" and 1000 or 299.9))
    end
    assert.same({
      "silent none: 0 of 5, never, cut 0", "silent idle: 2 of 5, in time, cut 3",
      "silent request: 2 of 5, in time, cut 3", "pool none: 0 of 5, never, cut 0",
      "pool idle: 2 of 5, in time, cut 3", "pool request: 2 of 5, in time, cut 3",
      "trickle none: 0 of 5, never, cut 0", "trickle idle: 0 of 5, never, cut 0",
      "trickle request: 2 of 5, in time, cut 3",
    }, waits)
  end)

  for _, holders in ipairs { 1, 2, 7 } do
    it(("lets those behind wait for %d idle timeouts"):format(holders), function()
      local outcome, holds, why = run { holders = holders, holder = "all" }
      assert_holds(holds, why)
      for _, record in ipairs(outcome.waits) do
        assert.is_true(record.wait_ms >= 10 * holders - 0.1)
        assert.same({ 10.0 * holders, holders }, { record.predicted, record.holders_cut })
      end
    end)
  end

  for _, clients in ipairs { 1, 5 } do
    it(("lets all of %d clients wait"):format(clients), function()
      local outcome, holds, why = run { clients = clients, holder = "pool", cut = "idle" }
      assert_holds(holds, why)
      assert.same({ clients, clients + 3 }, { outcome.waits[1].answered, outcome.waits[1].queued })
    end)
  end

  it("judges nothing if the patience ends before an idle timeout", function()
    local outcome, holds, why = run { idle_timeout = 0.15, patience = 0.1, holders = 2, cut = "idle" }
    assert.is_nil(holds)
    assert.equal("nobody behind the silent connections waited for as long as it takes to cut them", why)
    assert.same({ 0, 0, 3 }, { outcome.waits[1].answered, outcome.waits[1].holders_cut, outcome.waits[1].left })
  end)

  it("judges nothing by the default patience if the idle timeout is 5 s", function()
    local outcome, holds, why = run { idle_timeout = 5, patience = 0.1, cut = "all", holder = "all" }
    assert.is_nil(holds)
    assert.equal("nobody behind the silent connections waited for as long as it takes to cut them", why)
    for _, record in ipairs(outcome.waits) do assert.same({ 0, 0 }, { record.answered, record.holders_cut }) end
  end)

  it("judges nothing by a trickle alone, which is never idle", function()
    local _, holds = run { holder = "trickle", cut = "idle", idle_timeout = 0.1, patience = 0.3 }
    assert.is_nil(holds)
  end)

  it("control: without a timeout those behind wait in vain", function()
    local outcome, holds, why = run { cut = idle_holder.control.cut, holder = "all", patience = 0.1 }
    assert.is_false(holds)
    assert.equal("the clients behind the silent connections waited in vain: nothing cut them", why)
    for _, record in ipairs(outcome.waits) do
      assert.same({ 0, 0, 4 }, { record.answered, record.holders_cut, record.left })
      assert.is_true(record.wait_ms >= 100)
    end
  end)

  it("tells its figures, which are measured", function()
    local waits = { { answered = 0, wait_ms = 1000 }, { answered = 2, wait_ms = 307.5 } }
    assert.equal("clients behind waited for 307.5 ms", idle_holder.figures({ waits = waits }, idle_holder:settings()))
    assert.equal("clients behind waited in vain", idle_holder.figures({ waits = { waits[1] } }, idle_holder:settings()))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() idle_holder { holders = 0 } end,
      "knob holders: 0 is not allowed; it is a whole number from 1 to 1000 %(connections%)$")
    assert.error_matches(function() idle_holder { clients = 0 } end, "knob clients: 0 is not allowed")
    assert.error_matches(function() idle_holder { holder = "loud" } end,
      'knob holder: "loud" is not allowed; it is one of all, silent, pool, trickle %(kind%)$')
    assert.error_matches(function() idle_holder { cut = "early" } end, 'knob cut: "early" is not allowed')
    assert.error_matches(function() idle_holder { idle_timeout = 0 } end, "knob idle_timeout: 0 is not allowed")
    assert.error_matches(function() idle_holder { patience = -1 } end, "knob patience: %-1 is not allowed")
  end)
end)
