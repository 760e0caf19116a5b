local lunet = require "lunet"
local judgement_of = require "spec.support.judgement"
local pending_data = dofile "experiments/pending_data.lua"
local it = require "spec.support.patient"(it)

local MOST = 64 * 1024 * 1024
local PATIENT <const> = 1 -- s; a busy kernel may need more than the default to move what a sender has given it

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
local function assert_complete(case)
  assert.is_true(case.taken > 1000 and case.taken < MOST, "it took " .. case.taken)
  assert.is_true(case.at_server > 0)
  assert.equal(case.taken, case.at_server + case.at_client)
end

-- The server's buffer filled before the client gave up, so the rest waits with the client.
local function assert_absorbed(case)
  assert_complete(case)
  assert.is_true(case.at_client > 0)
end

local function is_bbr_allowed()
  local file <close> = assert(io.open "/proc/sys/net/ipv4/tcp_allowed_congestion_control")
  return file:read "a":find "bbr" ~= nil
end

describe("pending_data", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, and tries every variation", function()
    local outcome, holds, why = pending_data()
    assert.is_true(holds, why)
    assert.same({ 1000, 1000, 0, 1000, 1, true, "none" }, { outcome.taken, outcome.waiting_at_server,
      outcome.waiting_at_client, outcome.received, outcome.queue_depth, outcome.is_intact, outcome.send_error })
    local changed = {}
    for i, case in ipairs(outcome.absorbed) do
      if case.changed == "path unix" then
        assert.same({ case.taken, 0 }, { case.at_server, case.at_client })
      else
        assert_absorbed(case)
      end
      changed[i] = not case.changed:find "cubic" and not case.changed:find "bbr" and case.changed or nil
    end
    local ours = {}
    for i = 1, #outcome.absorbed do ours[#ours + 1] = changed[i] end
    assert.same({ "none", "write 64", "write 1000", "write 1048576", "rcvbuf 8192", "rcvbuf 131072", "sndbuf 8192",
      "sndbuf 131072", "delay 0.001", "delay 0.01", "client retry", "client blocking", "path loopback", "path unix" },
      ours)
  end)

  -- Under the 4096 bytes that tcp_rmem and tcp_wmem have at least, so that it fits whatever they are.
  for _, bytes in ipairs { 1, 1000 } do
    it(("holds for %d bytes, which wait with the connection in the queue"):format(bytes), function()
      local outcome, holds, why = run { bytes = bytes, patience = 0 }
      assert.is_true(holds, why)
      assert.same({ bytes, bytes, 0, bytes, 1, true, "none" }, { outcome.taken, outcome.waiting_at_server,
        outcome.waiting_at_client, outcome.received, outcome.queue_depth, outcome.is_intact, outcome.send_error })
    end)
  end

  it("holds for 100000 bytes, wherever they wait", function()
    local outcome, holds, why = run { bytes = 100000 }
    assert.is_true(holds, why)
    assert.same({ 100000, 100000, 1, true },
      { outcome.taken, outcome.received, outcome.queue_depth, outcome.is_intact })
    assert.is_true(outcome.waiting_at_server > 0)
    assert.equal(100000, outcome.waiting_at_server + outcome.waiting_at_client)
  end)

  it("holds for more than the server's buffer takes: the rest waits with the client", function()
    local outcome, holds, why = run { bytes = 30000, rcvbuf = 4096 }
    assert.is_true(holds, why)
    assert.same({ 30000, 30000, true }, { outcome.taken, outcome.received, outcome.is_intact })
    assert.is_true(outcome.waiting_at_server > 0 and outcome.waiting_at_server <= 8192) -- twice what was asked for
    assert.is_true(outcome.waiting_at_client >= 30000 - 8192)
  end)

  for _, write in ipairs { 1, 7, 1000 } do
    it(("holds for writes of %d bytes"):format(write), function()
      local outcome, holds, why = run { write = write, patience = 0, rcvbuf = 8192, sndbuf = 4096 }
      assert.is_true(holds, why)
      assert.same({ 1000, 1000, true }, { outcome.waiting_at_server, outcome.received, outcome.is_intact })
    end)
  end

  for _, delay in ipairs { 0.001, 0.02 } do
    it(("holds over a link with a delay of %g s"):format(delay), function()
      local outcome, holds, why = run { delay = delay, bytes = 20000 }
      assert.is_true(holds, why)
      assert.same({ 20000, 20000, 0, true }, { outcome.received, outcome.waiting_at_server,
        outcome.waiting_at_client, outcome.is_intact })
    end)
  end

  -- A sender that gives up before the kernel has moved what it was given has sent less than the server's buffer takes.
  for _, patience in ipairs { 0, 0.01, PATIENT } do
    it(("finds what a queued connection takes when its sender is patient for %g s, and no less"):format(patience),
      function()
        local started, case = lunet.now(), absorbed { patience = patience }
        assert.is_true(lunet.now() - started >= patience)
        if patience < PATIENT then return assert_complete(case) end
        assert_absorbed(case)
      end)
  end

  it("lets most wait with the client, whose buffer grows", function()
    local case = absorbed { patience = PATIENT }
    assert.is_true(case.at_server > 10000 and case.at_server <= 131072) -- tcp_rmem's second number
    assert.is_true(case.at_client > case.at_server)
  end)

  -- The kernel doubles what it is asked for.
  for _, rcvbuf in ipairs { 4096, 65536 } do
    it(("fills a receive buffer of %d bytes, and no more"):format(rcvbuf), function()
      local case = absorbed { rcvbuf = rcvbuf, patience = PATIENT }
      assert_absorbed(case)
      assert.is_true(case.at_server > rcvbuf // 4 and case.at_server <= 2 * rcvbuf, "it took " .. case.at_server)
    end)
  end
end)

describe("pending_data with other knobs #part_knobs", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("lets less wait with a client whose send buffer is small, since that does not grow", function()
    local small, large = absorbed { sndbuf = 8192 }, absorbed { sndbuf = 100000 }
    assert.is_true(small.at_client < 100000, "it took " .. small.at_client)
    assert.is_true(large.at_client > 100000, "it took " .. large.at_client)
  end)

  it("takes few bytes if both buffers are small, also in small writes without delay by Nagle's algorithm", function()
    for _, nodelay in ipairs { false, true } do
      local case = absorbed { sndbuf = 4096, rcvbuf = 4096, write = 100, nodelay = nodelay }
      assert_absorbed(case)
      assert.is_true(case.taken < 65536, "it took " .. case.taken)
    end
  end)

  for _, varied in ipairs { "write", "rcvbuf", "sndbuf", "delay", "client", "path" } do
    it("can be asked for one variation alone: " .. varied, function()
      local outcome, holds, why = run { vary = varied, patience = 0.05 }
      assert.is_true(holds, why)
      assert.equal("none", outcome.absorbed[1].changed)
      assert.is_true(#outcome.absorbed >= 3)
      for i = 2, #outcome.absorbed do assert.match(varied .. " ", outcome.absorbed[i].changed, 1, true) end
    end)
  end

  it("is not judged when nothing is sent", function()
    local outcome, holds, why = run { bytes = 0 }
    assert.same({ nil, "the client sent nothing", 0, 0 }, { holds, why, outcome.taken, outcome.received })
  end)

  for _, client in ipairs { "poll", "retry", "blocking" } do
    for _, path in ipairs { "link", "loopback", "unix" } do
      it(("holds for a client that does %s, by %s"):format(client, path), function()
        local outcome, holds, why = run { client = client, path = path, bytes = 30000, write = 7000, patience = 0.05 }
        assert.is_true(holds, why)
        assert.same({ 30000, 30000, true, 1, "none" }, { outcome.taken, outcome.received, outcome.is_intact,
          outcome.queue_depth, outcome.send_error })
        assert.equal(30000, outcome.waiting_at_server + outcome.waiting_at_client)
        assert.is_true(outcome.absorbed[1].taken > 30000)
      end)
    end

    it(("does not hold for a client that does %s when its send blocks, and all it took arrives"):format(client),
      function()
        local outcome, holds, why = run { client = client, bytes = 300000, sndbuf = 4096, rcvbuf = 4096,
          patience = 0.05 }
        assert.same({ false, ("send took %d bytes and then blocked"):format(outcome.taken), "TIMEOUT", true },
          { holds, why, outcome.send_error, outcome.is_intact })
        assert.is_true(outcome.taken > 0)
        assert.equal(outcome.taken, outcome.received)
        assert.equal(outcome.taken, outcome.waiting_at_server + outcome.waiting_at_client)
      end)
  end
end)

describe("pending_data, compared with itself #part_compared", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Which segments TCP merges hangs on who runs when: so in one of several tries.
  local function eventually_more(than, knobs)
    local few, many = {}, {}
    for i = 1, 10 do
      few[i], many[i] = absorbed(than).taken, absorbed(knobs).taken
      if many[i] > few[i] then return end
    end
    error(("%s is not more than %s"):format(table.concat(many, ", "), table.concat(few, ", ")))
  end

  it("takes more of a client that tries again than of one that waits to be told, since a third must be free for that",
    function()
      eventually_more({ write = 1000 }, { write = 1000, client = "retry" })
    end)

  it("takes as much of one that blocks as of one that polls", function()
    local polled, blocked = {}, {}
    for i = 1, 10 do
      polled[i], blocked[i] = absorbed({ write = 1000 }).taken, absorbed({ write = 1000, client = "blocking" }).taken
      if math.abs(polled[i] - blocked[i]) < 0.005 * polled[i] then return end
    end
    error(("%s polled, %s blocked"):format(table.concat(polled, ", "), table.concat(blocked, ", ")))
  end)

  it("takes more under bbr, which lets the send buffer grow to three times the window, than under reno", function()
    if not is_bbr_allowed() then return pending "this machine lets nobody use bbr" end
    eventually_more({ congestion = "reno" }, { congestion = "bbr" })
    eventually_more({ congestion = "bbr" }, { congestion = "bbr", client = "retry" })
  end)

  for _, congestion in ipairs { "reno", "bbr" } do
    for _, write in ipairs { 65536, 1000, 64 } do
      it(("takes as much while segments are recorded as unrecorded: %s, writes of %d bytes"):format(congestion, write),
        function()
          if congestion == "bbr" and not is_bbr_allowed() then return pending "this machine lets nobody use bbr" end
          -- With small writes it is the speed of a client that polls that decides, recorded or not.
          local values = pending_data:settings { congestion = congestion, write = write, vary = "none",
            client = write == 64 and "retry" or "poll" }
          -- A client of small writes fills the buffer as fast as acknowledgements empty it, so its speed decides. An
          -- unrecorded client that spends 1 us more on each write takes 491,800 bytes, not 486,056. Recording a write
          -- takes 0.4 us. On a busy machine each way takes either amount.
          local part = write == 64 and 0.03 or 0.005
          local without, recorded = {}, {}
          for i = 1, 10 do
            without[i] = pending_data:execute(values, { record = "none" }).outcome.absorbed[1].taken
            recorded[i] = pending_data:execute(values, { record = "segments" }).outcome.absorbed[1].taken
            for _, taken in ipairs(without) do
              if math.abs(recorded[i] - taken) <= part * taken then return end
            end
          end
          error(("%s unrecorded, %s recorded"):format(table.concat(without, ", "), table.concat(recorded, ", ")))
        end)
    end
  end

  it("notices a row that is missing, was not asked for, or does not add up", function()
    local function judge(change)
      local rows = {}
      for i, changed in ipairs { "none", "delay 0.001", "delay 0.01" } do
        rows[i] = { changed = changed, taken = 500, at_server = 200, at_client = 300 }
      end
      change(rows)
      return judgement_of(pending_data, { taken = 1000, send_error = "none", queue_depth = 1, waiting_at_server = 1000,
        waiting_at_client = 0, received = 1000, is_intact = true, absorbed = rows },
        pending_data:settings { vary = "delay" })
    end
    assert.equal("holds", judge(function() end).verdict)
    for _, change in ipairs {
      function(rows) rows[3] = nil end,
      function(rows) rows[4] = rows[1] end,
      function(rows) rows[1].changed = "delay 0.001" end,
      function(rows) rows[1].taken = 501 end,
      function(rows) rows[1].at_server, rows[1].at_client = 0, 500 end,
      function(rows) rows[1].taken, rows[1].at_client = MOST, MOST - 200 end,
    } do
      assert.equal("does not hold", judge(change).verdict)
    end
  end)

  it("control: with 64 MiB the send blocks, and what was taken until then arrives whole", function()
    local outcome, holds, why = run { bytes = pending_data.control.bytes, patience = 0.05 }
    assert.is_false(holds)
    assert.equal(("send took %d bytes and then blocked"):format(outcome.taken), why)
    assert.same({ MOST, "TIMEOUT" }, { pending_data.control.bytes, outcome.send_error })
    assert.is_true(outcome.taken > 1000 and outcome.taken < MOST)
    assert.same({ outcome.taken, true, 1 }, { outcome.received, outcome.is_intact, outcome.queue_depth })
    assert.is_true(outcome.waiting_at_server > 0)
    assert.equal(outcome.taken, outcome.waiting_at_server + outcome.waiting_at_client)
  end)

  it("tells in its figures what they hang on", function()
    local row = { taken = 841999, at_server = 127872, at_client = 714127 }
    local knobs = { congestion = "bbr", client = "retry" }
    assert.equal("bbr, retry: takes 842 KB, 128 of them at the server",
      pending_data.figures({ absorbed = { row } }, knobs))
    assert.equal("bbr, retry: takes 842 KB, 128 of them at the server; otherwise 2 to 3000 KB",
      pending_data.figures({ absorbed = { row, { taken = 2000 }, { taken = 3000000 } } }, knobs))
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
      'knob vary: "bytes" is not allowed; it is one of all, none, congestion, client, write, '
        .. 'rcvbuf, sndbuf, delay, path %(knob%)$')
  end)
end)
