local lunet = require "lunet"
local pending_data = dofile "experiments/pending_data.lua"

local MOST = 64 * 1024 * 1024

-- Without finding out how much is taken in other cases.
local function run(knobs)
  knobs.vary = knobs.vary or "none"
  return pending_data(knobs)
end

local function absorbed(knobs)
  local outcome, holds, why = run(knobs)
  assert.is_true(holds, why)
  assert.equal(1, #outcome.absorbed)
  return outcome.absorbed[1]
end

-- More than one send, and less than would never block. All that was taken is on one of the two sides.
local function assert_absorbed(case)
  assert.is_true(case.taken > 1000 and case.taken < MOST)
  assert.is_true(case.server > 0 and case.client > 0)
  assert.equal(case.taken, case.server + case.client)
end

describe("pending_data", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, and tries every variation", function()
    local outcome, holds, why = pending_data()
    assert.is_true(holds, why)
    assert.same({ 1000, 1000, 0, 1000, 1, true, "none" }, { outcome.taken, outcome.waiting_in_queue,
      outcome.waiting_with_client, outcome.received, outcome.queue_depth, outcome.is_intact, outcome.send_error })
    local varied = {}
    for i, case in ipairs(outcome.absorbed) do
      assert_absorbed(case)
      varied[i] = { case.varied, case.write, case.rcvbuf, case.sndbuf, case.delay }
    end
    assert.same({
      { "none", 65536, 0, 0, 0.0 }, { "write", 4096, 0, 0, 0.0 }, { "write", 1048576, 0, 0, 0.0 },
      { "rcvbuf", 65536, 8192, 0, 0.0 }, { "rcvbuf", 65536, 131072, 0, 0.0 },
      { "sndbuf", 65536, 0, 8192, 0.0 }, { "sndbuf", 65536, 0, 131072, 0.0 },
      { "delay", 65536, 0, 0, 0.001 }, { "delay", 65536, 0, 0, 0.01 },
    }, varied)
  end)

  -- Under the 4096 bytes that tcp_rmem and tcp_wmem have at least, so that it fits whatever they are.
  for _, bytes in ipairs { 0, 1, 1000 } do
    it(("holds for %d bytes, which wait with the connection in the queue"):format(bytes), function()
      local outcome, holds, why = run { bytes = bytes, patience = 0 }
      assert.is_true(holds, why)
      assert.same({ bytes, bytes, 0, bytes, 1, true, "none" }, { outcome.taken, outcome.waiting_in_queue,
        outcome.waiting_with_client, outcome.received, outcome.queue_depth, outcome.is_intact, outcome.send_error })
    end)
  end

  it("holds for 100000 bytes, wherever they wait", function()
    local outcome, holds, why = run { bytes = 100000 }
    assert.is_true(holds, why)
    assert.same({ 100000, 100000, 1, true },
      { outcome.taken, outcome.received, outcome.queue_depth, outcome.is_intact })
    assert.is_true(outcome.waiting_in_queue > 0)
    assert.equal(100000, outcome.waiting_in_queue + outcome.waiting_with_client)
  end)

  it("holds for more than the server's buffer takes: the rest waits with the client", function()
    local outcome, holds, why = run { bytes = 30000, rcvbuf = 4096 }
    assert.is_true(holds, why)
    assert.same({ 30000, 30000, true }, { outcome.taken, outcome.received, outcome.is_intact })
    assert.is_true(outcome.waiting_in_queue > 0 and outcome.waiting_in_queue <= 8192) -- twice what was asked for
    assert.is_true(outcome.waiting_with_client >= 30000 - 8192)
  end)

  for _, write in ipairs { 1, 7, 1000 } do
    it(("holds for writes of %d bytes"):format(write), function()
      local outcome, holds, why = run { write = write, patience = 0, rcvbuf = 8192, sndbuf = 4096 }
      assert.is_true(holds, why)
      assert.same({ 1000, 1000, true }, { outcome.waiting_in_queue, outcome.received, outcome.is_intact })
    end)
  end

  for _, delay in ipairs { 0.001, 0.02 } do
    it(("holds over a link with a delay of %g s"):format(delay), function()
      local outcome, holds, why = run { delay = delay, bytes = 20000 }
      assert.is_true(holds, why)
      assert.same({ 20000, 20000, 0, true }, { outcome.received, outcome.waiting_in_queue,
        outcome.waiting_with_client, outcome.is_intact })
    end)
  end

  for _, patience in ipairs { 0, 0.01, 0.2 } do
    it(("finds what a queued connection takes when its sender is patient for %g s, and no less"):format(patience),
      function()
        local started = lunet.now()
        assert_absorbed(absorbed { patience = patience })
        assert.is_true(lunet.now() - started >= patience)
      end)
  end

  it("lets most wait with the client, whose buffer grows", function()
    local case = absorbed {}
    assert.is_true(case.server > 10000 and case.server <= 131072) -- tcp_rmem's second number
    assert.is_true(case.client > case.server)
  end)

  -- The kernel doubles what it is asked for.
  for _, rcvbuf in ipairs { 4096, 65536 } do
    it(("fills a receive buffer of %d bytes, and no more"):format(rcvbuf), function()
      local case = absorbed { rcvbuf = rcvbuf }
      assert_absorbed(case)
      assert.is_true(case.server > rcvbuf // 4 and case.server <= 2 * rcvbuf, "it took " .. case.server)
    end)
  end

  it("lets less wait with a client whose send buffer is small, since that does not grow", function()
    local small, large = absorbed { sndbuf = 8192 }, absorbed { sndbuf = 100000 }
    assert.is_true(small.client < 100000, "it took " .. small.client)
    assert.is_true(large.client > 100000, "it took " .. large.client)
  end)

  it("takes few bytes if both buffers are small, also in small writes without delay by Nagle's algorithm", function()
    for _, nodelay in ipairs { false, true } do
      local case = absorbed { sndbuf = 4096, rcvbuf = 4096, write = 100, nodelay = nodelay }
      assert_absorbed(case)
      assert.is_true(case.taken < 65536, "it took " .. case.taken)
    end
  end)

  for _, varied in ipairs { "write", "rcvbuf", "sndbuf", "delay" } do
    it("can be asked for one variation alone: " .. varied, function()
      local outcome = run { vary = varied, patience = 0.05 }
      local names = {}
      for i, case in ipairs(outcome.absorbed) do names[i] = case.varied end
      assert.same({ "none", varied, varied }, names)
    end)
  end

  it("control: with 64 MiB the send blocks, and what was taken until then arrives whole", function()
    local outcome, holds, why = run { bytes = pending_data.control.bytes, patience = 0.05 }
    assert.is_false(holds)
    assert.equal(("send took %d bytes and then blocked"):format(outcome.taken), why)
    assert.same({ MOST, "TIMEOUT" }, { pending_data.control.bytes, outcome.send_error })
    assert.is_true(outcome.taken > 1000 and outcome.taken < MOST)
    assert.same({ outcome.taken, true, 1 }, { outcome.received, outcome.is_intact, outcome.queue_depth })
    assert.is_true(outcome.waiting_in_queue > 0 and outcome.waiting_with_client > 0)
    assert.equal(outcome.taken, outcome.waiting_in_queue + outcome.waiting_with_client)
  end)

  it("tells its figures", function()
    assert.equal("takes 842 KB: server 128 KB, client 714 KB",
      pending_data.figures { absorbed = { { taken = 841999, server = 127872, client = 714127 } } })
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() pending_data { bytes = -1 } end,
      "knob bytes: %-1 is not allowed; it is a whole number from 0 to 67108864 %(bytes%)$")
    assert.error_matches(function() pending_data { bytes = MOST + 1 } end, "knob bytes: 67108865 is not allowed")
    assert.error_matches(function() pending_data { patience = "long" } end, 'knob patience: "long" is not allowed')
    assert.error_matches(function() pending_data { write = 0 } end,
      "knob write: 0 is not allowed; it is a whole number from 1 to 67108864 %(bytes%)$")
    assert.error_matches(function() pending_data { rcvbuf = -1 } end, "knob rcvbuf: %-1 is not allowed")
    assert.error_matches(function() pending_data { sndbuf = 0.5 } end, "knob sndbuf: 0.5 is not allowed")
    assert.error_matches(function() pending_data { nodelay = 1 } end,
      "knob nodelay: 1 is not allowed; it is true or false %(flag%)$")
    assert.error_matches(function() pending_data { delay = 2 } end, "knob delay: 2 is not allowed")
    assert.error_matches(function() pending_data { vary = "bytes" } end,
      'knob vary: "bytes" is not allowed; it is one of all, none, write, rcvbuf, sndbuf, delay %(knob%)$')
  end)
end)
