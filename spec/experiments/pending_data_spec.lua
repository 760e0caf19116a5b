local lunet = require "lunet"
local pending_data = dofile "experiments/pending_data.lua"

local MOST = 64 * 1024 * 1024

describe("pending_data", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Under the 4096 bytes that tcp_rmem and tcp_wmem have at least, so that it fits whatever they are.
  for _, bytes in ipairs { 0, 1, 1000 } do
    it(("holds for %d bytes, which wait with the connection in the queue"):format(bytes), function()
      local outcome, holds, why = pending_data { bytes = bytes, patience = 0 }
      assert.is_true(holds, why)
      assert.same({ bytes, bytes, bytes, 1, true, 0 }, { outcome.taken, outcome.waiting_at_accept, outcome.received,
        outcome.queue_depth, outcome.is_intact, outcome.never_sent })
      assert.is_nil(outcome.send_error)
    end)
  end

  it("holds for 100000 bytes, wherever they wait", function()
    local outcome, holds, why = pending_data { bytes = 100000 }
    assert.is_true(holds, why)
    assert.same({ 100000, 100000, 1, true },
      { outcome.taken, outcome.received, outcome.queue_depth, outcome.is_intact })
    assert.is_true(outcome.waiting_at_accept > 0 and outcome.waiting_at_accept <= 100000)
  end)

  for _, patience in ipairs { 0, 0.01, 0.2 } do
    it(("finds what a queued connection takes when its sender is patient for %g s, and no less"):format(patience),
      function()
        local started = lunet.now()
        local outcome, holds, why = pending_data { patience = patience }
        assert.is_true(lunet.now() - started >= patience)
        assert.is_true(holds, why)
        assert.is_true(outcome.capacity > 1000 and outcome.capacity < MOST)
        assert.is_true(outcome.capacity_in_client >= 0 and outcome.capacity_in_client < outcome.capacity)
      end)
  end

  it("control: with 64 MiB the send blocks, and what was taken until then arrives whole", function()
    local outcome, holds, why = pending_data { bytes = MOST, patience = 0.05 }
    assert.is_false(holds)
    assert.equal(("send took %d bytes and then blocked"):format(outcome.taken), why)
    assert.equal("TIMEOUT", outcome.send_error)
    assert.is_true(outcome.taken > 1000 and outcome.taken < MOST)
    assert.same({ outcome.taken, true, 1 }, { outcome.received, outcome.is_intact, outcome.queue_depth })
    assert.is_true(outcome.never_sent > 0 and outcome.never_sent <= outcome.unacknowledged)
    -- What the kernel has acknowledged is in the queue entry; acknowledgements may still have come.
    assert.is_true(outcome.waiting_at_accept >= outcome.taken - outcome.unacknowledged)
    assert.is_true(outcome.waiting_at_accept < outcome.taken)
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() pending_data { bytes = -1 } end,
      "knob bytes: %-1 is not allowed; it is a whole number from 0 to 67108864 %(bytes%)$")
    assert.error_matches(function() pending_data { bytes = MOST + 1 } end, "knob bytes: 67108865 is not allowed")
    assert.error_matches(function() pending_data { patience = "long" } end, 'knob patience: "long" is not allowed')
  end)
end)
