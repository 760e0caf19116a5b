local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local drain = dofile "experiments/operations/drain.lua"
local it, judge = require "spec.support.patient"(it)

-- About 25 clients: 8 are served before the stop, and about 5 wait then.
local QUICK = { seconds = 0.5, stop = 0.15, busy = 0.1, gap = 0.1 }

local function quick(more) return judge(drain, merged(QUICK, more)) end

-- Both records of a case in one, by its order.
local function by_order(outcome)
  local cases = {}
  for i, case in ipairs(outcome.cases) do cases[case.order] = merged(case, outcome.kernel[i]) end
  return cases
end

local function assert_nobody_lost(case)
  assert.same({ case.offered, 0, 0, 0, 0 }, { case.served, case.reset, case.refused, case.hung, case.rsts })
end

-- Everybody in the queue, and in the middle of a handshake, was reset.
local function assert_queue_reset(case, socket)
  assert.is_true(case.left > 0)
  assert.equal(case.left + case.mid, case.reset)
  assert.is_true(case.rsts >= case.reset)
  assert.same({ 0, 0, socket or "new" }, { case.hung, case.migrated, case.socket })
end

local expectations = {
  close = function(case)
    assert_queue_reset(case)
    assert.is_true(case.refused >= 1)
  end,
  shutdown_read = function(case)
    assert_queue_reset(case)
    assert.is_true(case.refused >= 1)
    assert.equal("EINVAL", case.accept)
  end,
  listen_again = function(case)
    assert_queue_reset(case, "same")
    assert.is_true(case.refused >= 1)
    assert.equal("EINVAL", case.accept)
  end,
  shutdown_write = function(case)
    assert_nobody_lost(case)
    assert.is_true(case.left > 0)
    assert.equal("same", case.socket)
  end,
  accept_then_close = function(case)
    assert.same({ 0, 0, "new" }, { case.left, case.hung, case.socket })
    assert.is_true(case.queued > 0)
    assert.equal(case.mid, case.reset)
    assert.is_true(case.refused >= 1)
  end,
  block_syn_then_accept = function(case)
    assert_nobody_lost(case)
    assert.same({ 0, 0, "new" }, { case.left, case.mid, case.socket })
    assert.is_true(case.syns >= 1)
    assert.is_true(case.slowest >= 0.9) -- the SYN that was sent again
  end,
  pass_descriptor = function(case)
    assert_nobody_lost(case)
    assert.is_true(case.left > 0)
    assert.equal("same", case.socket)
  end,
  ["reuseport_migrate 0"] = function(case)
    assert_queue_reset(case)
    assert.equal(0, case.refused)
  end,
  ["reuseport_migrate 1"] = function(case)
    assert_nobody_lost(case)
    assert.is_true(case.left > 0)
    assert.equal(case.left + case.mid, case.migrated)
    assert.equal("new", case.socket)
  end,
}

local function assert_as_expected(outcome)
  for order, case in pairs(by_order(outcome)) do
    assert.equal(case.offered, case.served + case.reset + case.refused + case.hung)
    expectations[order](case)
  end
end

describe("drain", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: four orders lose nobody, the others do", function()
    local outcome, holds, why = drain()
    assert_holds(holds, why)
    assert_as_expected(outcome)
    local orders = {}
    for i, case in ipairs(outcome.cases) do
      orders[i] = case.order
      assert.equal(case.order, outcome.kernel[i].order)
      assert.equal(49, case.offered)
    end
    assert.same({ "close", "accept_then_close", "block_syn_then_accept", "shutdown_read", "shutdown_write",
      "listen_again", "pass_descriptor", "reuseport_migrate 0", "reuseport_migrate 1" }, orders)
  end)

  it("holds without a delay: nobody is in the middle of a handshake", function()
    local outcome, holds, why = quick { delay = 0, seed = 2 }
    assert_holds(holds, why)
    assert_as_expected(outcome)
    for _, case in pairs(by_order(outcome)) do assert.is_true((case.mid or 0) == 0) end
    assert.equal(0, by_order(outcome).accept_then_close.reset)
  end)

  it("can be asked for one order alone: pass_descriptor", function()
    local outcome, holds, why = quick { order = "pass_descriptor", rate = 80, service = 0.002 }
    assert_holds(holds, why)
    assert.equal(1, #outcome.cases)
    assert_as_expected(outcome)
  end)

  for _, order in ipairs { "close", "accept_then_close", "shutdown_read", "shutdown_write", "listen_again" } do
    it("judges nothing by one order alone that does not keep clients: " .. order, function()
      local outcome, holds, why = quick { order = order, rate = 80, service = 0.002 }
      assert.is_nil(holds)
      assert.equal("no order was tried that may lose nobody", why)
      assert.equal(1, #outcome.cases)
      assert_as_expected(outcome)
    end)
  end

  it("can be asked for one order alone: reuseport_migrate, which is two", function()
    local outcome, holds, why = quick { order = "reuseport_migrate", delay = 0.02 }
    assert_holds(holds, why)
    assert.equal(2, #outcome.cases)
    assert_as_expected(outcome)
  end)

  it("control: who waits for less than the second after which a SYN is sent again is lost to a rule", function()
    assert.same({ order = "block_syn_then_accept", patience = 0.7 }, drain.control)
    local outcome, holds, why = quick(drain.control)
    local case = by_order(outcome).block_syn_then_accept
    assert.is_false(holds)
    assert.equal(("block_syn_then_accept: lost %d of %d clients: 0 reset, 0 refused, %d hung"):format(case.hung,
      case.offered, case.hung), why)
    assert.is_true(case.hung >= 1 and case.syns >= 1)
    assert.same({ 0, 0, 0 }, { case.reset, case.refused, case.rsts })
  end)

  it("judges nothing if nobody waits in the queue", function()
    local outcome, holds, why = quick { order = "close", seconds = 0.1, stop = 1, delay = 0 }
    assert.is_nil(holds)
    assert.equal("close: nobody waited when the server stopped", why)
    assert.same({ 0, 0, 0 }, { outcome.cases[1].reset, outcome.kernel[1].left, outcome.kernel[1].queued })
    assert.equal(1, outcome.cases[1].refused) -- who came when it had gone
  end)

  it("does not fail with one client in a second", function()
    local _, holds = drain { rate = 1 }
    assert.not_equal(false, holds)
  end)

  it("moves a full queue", function()
    local outcome, holds, why = quick { order = "reuseport_migrate", backlog = 3, rate = 200, delay = 0 }
    assert_holds(holds, why)
    local case = by_order(outcome)["reuseport_migrate 1"]
    assert.same({ 4, 4 }, { case.left, case.migrated })
  end)

  it("tells its figures", function()
    local cases = { { offered = 49, served = 24 }, { offered = 49, served = 49 }, { offered = 49, served = 40 } }
    assert.equal("1 of 3 orders lose nobody; the worst 25 of 49 clients", drain.figures { cases = cases })
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() drain { order = "kill" } end, 'knob order: "kill" is not allowed; it is one of '
      .. "all, close, accept_then_close, block_syn_then_accept, shutdown_read, shutdown_write, listen_again, ")
    assert.error_matches(function() drain { rate = 0 } end, "knob rate: 0 is not allowed")
    assert.error_matches(function() drain { delay = 1 } end,
      "knob delay: 1 is not allowed; it is a number from 0 to 0.2 %(s%)$")
    assert.error_matches(function() drain { patience = 0 } end, "knob patience: 0 is not allowed")
    assert.error_matches(function() drain { backlog = 0 } end, "knob backlog: 0 is not allowed")
  end)
end)
