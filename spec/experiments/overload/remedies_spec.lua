local lunet = require "lunet"
local merged = require "spec.support.merged"
local remedies = dofile "experiments/overload/remedies.lua"
local it, judge = require "spec.support.patient"(it)

-- With these knobs a burst is served in time on a busy machine, too, and before a client sends its SYN again.
local GENEROUS = { part = "scenario", patience = 0.9, service = 0.02 }

local function generous(knobs) return remedies(merged(GENEROUS, knobs)) end

describe("remedies", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds in the scenario: a remedy shows what it does beside a server that has none", function()
    local outcome, holds, why = generous {}
    assert.is_true(holds, why)
    assert.same({ again = 1, burst = 5, half = "served", patient = "served", stale = 0, trips = 0, trips_half = 0 },
      outcome.with)
    assert.same({ again = 2, burst = 5, half = "served", patient = "served", stale = 3, trips = 0, trips_half = 0 },
      outcome.without)
    assert.is_nil(outcome.capacity)
  end)

  it("holds in the scenario for a naive version, which is not as good", function()
    local outcome, holds, why = generous { remedy = "check_liveness", naive = "FIN is gone" }
    assert.is_true(holds, why)
    assert.same({ "dropped", 0 }, { outcome.with.half, outcome.with.stale })
    assert.is_nil(outcome.with.trips) -- which are counted of remedies alone
  end)

  it("holds on a link with a delay", function()
    local outcome, holds, why = generous { remedy = "check_liveness", delay = 0.02 }
    assert.is_true(holds, why)
    assert.same({ 0, 3 }, { outcome.with.stale, outcome.without.stale })
  end)

  for naive, stale in pairs { no = 0, ["no check"] = 4 } do
    it(("shows what destroying ghosts in the queue does; naive: %s #part_ghosts"):format(naive), function()
      local host <close> = assert(lunet.host())
      if select(3, host:destroy { local_port = 1 }) == "EOPNOTSUPP" then
        return pending "this kernel was built without CONFIG_INET_DIAG_DESTROY"
      end
      local outcome, holds, why = generous { remedy = "destroy_ghosts", naive = naive }
      assert.is_true(holds, why)
      assert.same({ "reset", "served", stale }, { outcome.with.half, outcome.with.patient, outcome.with.stale })
    end)
  end

  it("drops by the patience that it is given #part_ghosts", function()
    local began = lunet.now()
    local outcome, holds, why = generous { remedy = "request_age", patience = 1.5 }
    assert.is_true(lunet.now() - began >= 1.5)
    assert.is_true(holds, why)
    assert.equal("dropped", outcome.with.patient)
  end)

  it("control: doing nothing is no remedy #part_control", function()
    assert.same({ remedy = "none", part = "scenario" }, remedies.control)
    local outcome, holds, why = generous(remedies.control)
    assert.is_false(holds)
    assert.equal("none: again is 2, not 1", why)
    assert.is_nil(outcome.without)
  end)

  local SHORT = { part = "overload", patience = 0.2, service = 0.02, warm_up = 0.2, seconds = 0.8 }

  it("judges nothing of a server with little load, which needs no remedy #part_control", function()
    local outcome, holds, why = remedies(merged(SHORT, { remedy = "short_backlog", load = 0.3 }))
    assert.same({ nil, "there was no overload" }, { holds, why })
    assert.is_nil(outcome.with.stale) -- which the scenario tells
  end)

  it("judges no overload if the clients were late #part_control", function()
    local _, holds, why = remedies(merged(SHORT, { lateness = 0, seconds = 0.3 }))
    assert.is_nil(holds)
    assert.match("^the machine disturbed ", why)
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() remedies { remedy = "hope" } end, 'knob remedy: "hope" is not allowed')
    assert.error_matches(function() remedies { delay = 1.0 } end, "knob delay: 1.0 is not allowed")
    assert.error_matches(function() remedies { remedy = "lifo", naive = "no watch" } end,
      'knob naive: "no watch" is not allowed; of lifo it is one of no, keeps all$')
    assert.error_matches(function() remedies { remedy = "none", warm_up = 7.0 } end,
      "knob warm_up: 7%.0 is not allowed; it is less than seconds, which is 5%.0$")
  end)
end)

describe("remedies in overload #part_overload", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Each of them is far from what it is compared with, so clients may be late by half of a service. The times are two
  -- thirds of the experiment's own: 20 ms.
  local OVERLOAD = { part = "overload", service = 0.04, patience = 0.4, warm_up = 1.2, seconds = 3.4, lateness = 0.5 }

  for name, shows in pairs {
    ["newest_in_time #part_restored"] = function(with, without)
      return with.goodput > 60 and with.wasted < without.wasted and with.stale_work < 20 and with.held > without.held
    end,
    check_liveness = function(with) return with.goodput < 45 and with.stale_work < 20 and with.wasted > 50 end,
    retry_budget = function(with, without) return with.tries < without.tries and with.goodput < 45 end,
  } do
    it("holds for " .. name, function()
      local outcome, holds, why = judge(remedies, merged(OVERLOAD, { remedy = name:match "%S+" }))
      assert.is_true(holds, why)
      assert.is_true(outcome.without.goodput < 45 and outcome.without.stale_work > 50)
      assert.is_true(shows(outcome.with, outcome.without))
    end)
  end

  it("holds for a naive version: a server that keeps all has more connections open #part_restored", function()
    local outcome, holds, why = judge(remedies, merged(OVERLOAD, { remedy = "lifo", naive = "keeps all" }))
    assert.is_true(holds, why)
    assert.is_true(outcome.with.held > 60)
  end)
end)
