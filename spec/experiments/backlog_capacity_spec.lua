local isolation = require "lunet.isolation"
local lunet = require "lunet"
local backlog_capacity = dofile "experiments/backlog_capacity.lua"

local somaxconn = isolation.SYSCTLS["net.core.somaxconn"]

describe("backlog_capacity", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Of clients, as many connect as fit; the one after them is number limit + 2.
  local function assert_full(outcome, limit, patience)
    assert.same({ limit + 1, limit + 1, limit, limit + 2, "TIMEOUT", true, "connected" },
      { outcome.connected, outcome.depth, outcome.limit, outcome.next_client.number, outcome.next_client.error,
        outcome.accepted, outcome.late_client })
    assert.is_true(outcome.next_client.seconds >= patience)
  end

  it("holds as it is", function()
    local outcome, holds, why = backlog_capacity()
    assert.is_true(holds, why)
    assert_full(outcome, 3, 0.3)
  end)

  for _, backlog in ipairs { 0, 1, 5, 100 } do
    it(("holds with a backlog of %d: the kernel queues %d"):format(backlog, backlog + 1), function()
      local outcome, holds, why = backlog_capacity { backlog = backlog, clients = backlog + 2, patience = 0.1 }
      assert.is_true(holds, why)
      assert_full(outcome, backlog, 0.1)
    end)
  end

  for _, clients in ipairs { 3, 4, 50 } do
    it(("stops at the first client that finds no room, of %d"):format(clients), function()
      local outcome, holds, why = backlog_capacity { backlog = 1, clients = clients, patience = 0.1 }
      assert.is_true(holds, why)
      assert_full(outcome, 1, 0.1)
    end)
  end

  for _, patience in ipairs { 0.1, 0.2 } do
    it(("lets the client without room wait %g s, and no less"):format(patience), function()
      local outcome, holds, why = backlog_capacity { backlog = 0, clients = 2, patience = patience }
      assert.is_true(holds, why)
      assert_full(outcome, 0, patience)
    end)
  end

  it("sees the kernel count every SYN that found no room", function()
    assert.equal(1, backlog_capacity({ backlog = 0, clients = 2, patience = 0.1 }).overflows)
    assert.equal(0, backlog_capacity({ backlog = 1, clients = 2, patience = 0.1 }).overflows)
  end)

  it("control: with clients = backlog + 1 everybody finds room", function()
    local outcome, holds, why = backlog_capacity { backlog = 5, clients = 6 }
    assert.is_false(holds)
    assert.equal("every client found room", why)
    assert.same({ accepted = true, connected = 6, depth = 6, limit = 5, late_client = "connected",
      overflows = 0 }, outcome)
  end)

  for _, backlog in ipairs { 5000, somaxconn + 1000 } do
    it(("is granted no more than somaxconn of a backlog of %d"):format(backlog), function()
      local outcome, holds = backlog_capacity { backlog = backlog, clients = 6 }
      assert.is_false(holds)
      assert.same({ 6, 6, math.min(backlog, somaxconn) }, { outcome.connected, outcome.depth, outcome.limit })
    end)
  end

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() backlog_capacity { backlog = 1.5 } end,
      "knob backlog: 1.5 is not allowed; it is a whole number, 0 or more %(connections%)$")
    assert.error_matches(function() backlog_capacity { clients = 0 } end,
      "knob clients: 0 is not allowed; it is a whole number from 1 to 10000 %(clients%)$")
    assert.error_matches(function() backlog_capacity { patience = -0.1 } end, "knob patience: %-0.1 is not allowed")
  end)
end)
