local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local judgement_of = require "spec.support.judgement"
local backlog_capacity = dofile "experiments/queue/backlog_capacity.lua"
local it, judge = require "spec.support.patient"(it)

local PATIENCE = 0.2

-- Without changes of the backlog, of which one takes a second.
local function run(knobs)
  return judge(backlog_capacity, merged({ patience = PATIENCE, change = "none" }, knobs))
end

local function control(knobs)
  return run(merged(backlog_capacity.control, knobs))
end

-- As many clients connect as fit, and one does not.
local function full(family, backlog, somaxconn)
  local limit = math.min(backlog, somaxconn)
  local is_tcp = family == "tcp"
  return { family = family, backlog = backlog, somaxconn = somaxconn, limit = limit, connected = limit + 1,
    depth = limit + 1, next = is_tcp and "TIMEOUT" or "EAGAIN", dropped = is_tcp and 1 or 0, late = true,
    syncookies = 1, handshakes = 0 }
end

local EACH = { { 0, 4096 }, { 1, 4096 }, { 2, 4096 }, { 5, 4096 }, { 128, 4096 }, { 5000, 128 }, { 5, 2 }, { 5, 0 } }

local function each_full(family, list)
  list = list or {}
  for _, case in ipairs(EACH) do list[#list + 1] = full(family, case[1], case[2]) end
  return list
end

-- The effect of a change of the backlog, by family and change. The waiter may be first if the machine stood still for
-- the second after which it sends its SYN again.
local function changes_of(outcome)
  local changes = {}
  for _, case in ipairs(outcome.changed) do
    local order, room_at = case.order, case.room_at
    if (case.early or 0) > 0 then order, room_at = order:gsub("waiter new", "new waiter"), case.stay end
    changes[case.family .. " " .. case.change] = { case.limit, case.stay, case.new, room_at, order }
  end
  return changes
end

local TCP_CHANGES = {
  ["tcp grow"] = { 3, 2, "connected", 2, "1 2 new waiter" },
  ["tcp shrink"] = { 1, 4, "TIMEOUT", 1, "1 2 3 4 new" },
  ["tcp to_zero"] = { 0, 4, "TIMEOUT", 0, "1 2 3 4 new" },
  ["tcp sysctl"] = { 1, 2, "TIMEOUT", 1, "1 2 new" },
}

local UNIX_CHANGES = {
  ["unix grow"] = { 3, 2, "connected", 2, "1 2 new" },
  ["unix shrink"] = { 1, 4, "EAGAIN", 1, "1 2 3 4 new" },
  ["unix to_zero"] = { 0, 4, "EAGAIN", 0, "1 2 3 4 new" },
  ["unix sysctl"] = { 1, 2, "EAGAIN", 1, "1 2 new" },
}

describe("backlog_capacity", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: one more than the limit connects, for every size, over TCP and Unix", function()
    local outcome, holds, why = backlog_capacity()
    assert_holds(holds, why)
    local expected = each_full("unix", each_full "tcp")
    expected[#expected + 1] = merged(full("tcp", 0, 4096), { syncookies = 0 })
    for _, row in ipairs(outcome.capacity) do row.dropped = math.min(row.dropped, 1) end -- a late SYN comes again
    assert.same(expected, outcome.capacity)
  end)

  it("leaves the queue alone when accept finds no descriptor: the client waits on, and is accepted later", function()
    local outcome = run { backlog = 0, family = "tcp" }
    assert.same({ accept = "EMFILE", depth = 1, client = "ESTABLISHED", accept_again = "accepted", depth_after = 0 },
      outcome.emfile)
    assert.is_nil(outcome.waiting)
  end)

  it("lets a blocking Unix connect wait for a place", function()
    local outcome = run { backlog = 0, family = "unix" }
    assert.same({ while_full = "TIMEOUT", with_room = "connected" }, outcome.waiting)
    assert.is_nil(outcome.emfile)
  end)

  it("takes a kernel before 6.13 for what it is: nobody is admitted at a backlog of 0 without syncookies", function()
    local values = backlog_capacity:settings { backlog = 0, family = "tcp", syncookies = 0, change = "none" }
    local outcome = run { backlog = 0, family = "tcp", syncookies = 0 }
    local old = { syncookies = 0, connected = 0, depth = 0, late = false, handshakes = 1 }
    outcome.capacity = { merged(full("tcp", 0, 4096), old) }
    assert.equal("holds", judgement_of(backlog_capacity, outcome, values).verdict)
    outcome.capacity[1].handshakes = 0 -- nobody is admitted, and not for that
    assert.equal("does not hold", judgement_of(backlog_capacity, outcome, values).verdict)
  end)

  for _, backlog in ipairs { 0, 1, 5, 100 } do
    it(("holds with a backlog of %d: the kernel queues %d"):format(backlog, backlog + 1), function()
      local outcome, holds, why = run { backlog = backlog }
      assert_holds(holds, why)
      assert.same({ full("tcp", backlog, 4096), full("unix", backlog, 4096) }, outcome.capacity)
    end)
  end

  for _, somaxconn in ipairs { 0, 3, 100 } do
    it(("holds with somaxconn = %d: a backlog of 5000 is cut to that"):format(somaxconn), function()
      local outcome, holds, why = run { backlog = 5000, somaxconn = somaxconn }
      assert_holds(holds, why)
      assert.same({ full("tcp", 5000, somaxconn), full("unix", 5000, somaxconn) }, outcome.capacity)
    end)
  end

  it("holds with a backlog of 5000 and the kernel's own somaxconn: 4097 connect", function()
    local outcome, holds, why = run { backlog = 5000, family = "tcp" }
    assert_holds(holds, why)
    assert.same({ full("tcp", 5000, 4096) }, outcome.capacity)
  end)

  for _, clients in ipairs { 2, 3, 50 } do
    it(("stops at the first client that finds no room, of %d beyond the limit"):format(clients), function()
      local outcome, holds, why = run { backlog = 1, clients = clients }
      assert_holds(holds, why)
      assert.same({ full("tcp", 1, 4096), full("unix", 1, 4096) }, outcome.capacity)
    end)
  end

  it("judges nothing if nobody comes beyond the last place", function()
    local outcome, holds, why = run { backlog = 5, clients = 1, family = "tcp" }
    assert.is_nil(holds)
    assert.equal("nobody came beyond the last place", why)
    assert.same({ merged(full("tcp", 5, 4096), { next = "none", dropped = 0 }) }, outcome.capacity)
  end)

  it("judges nothing if the clients give up before they can be answered", function()
    local _, holds, why = run { backlog = 1, family = "tcp", patience = 0.02, delay = 0.05 }
    assert.is_nil(holds)
    assert.equal("tcp, backlog 1, somaxconn 4096: a client gave up before it could be answered", why)
  end)

  for _, patience in ipairs { 0.1, 0.2 } do
    it(("lets the client without room wait %g s, and no less"):format(patience), function()
      local started = lunet.now()
      local outcome, holds, why = run { backlog = 0, family = "tcp", patience = patience }
      assert.is_true(lunet.now() - started >= patience)
      assert_holds(holds, why)
      assert.equal("TIMEOUT", outcome.capacity[1].next)
    end)
  end

  it("holds without patience for a Unix client, which learns at once", function()
    local outcome, holds, why = run { family = "unix", patience = 0 }
    assert_holds(holds, why)
    assert.same(each_full "unix", outcome.capacity)
  end)

  for _, syncookies in ipairs { 0, 1, 2 } do
    it(("holds with syncookies = %d for clients that come one by one"):format(syncookies), function()
      local outcome, holds, why = run { backlog = 2, family = "tcp", syncookies = syncookies }
      assert_holds(holds, why)
      assert.same({ merged(full("tcp", 2, 4096), { syncookies = syncookies }) }, outcome.capacity)
    end)
  end

  it("holds over a link with a delay for clients that come one by one", function()
    local outcome, holds, why = run { backlog = 2, family = "tcp", delay = 0.01, patience = 0.8, change = "grow" }
    assert_holds(holds, why)
    assert.same({ full("tcp", 2, 4096) }, outcome.capacity)
    assert.same({ ["tcp grow"] = TCP_CHANGES["tcp grow"] }, changes_of(outcome))
  end)

  describe("with racing clients #part_races", function()
    it("control: over a link with a delay more connect than the queue holds", function()
      local outcome, holds, why = control {}
      assert.is_false(holds)
      assert.equal("tcp, backlog 0, somaxconn 4096: more clients are connected than the queue holds", why)
      for i = 1, #EACH do
        local case = outcome.capacity[i]
        assert.same({ "tcp", case.limit + 1, case.limit + 2, "none" },
          { case.family, case.depth, case.connected, case.next })
        assert.is_true(case.dropped > 0)
      end
    end)

    it("lets as many connect as come at once: a queue of 3, and 20 clients that are connected", function()
      local outcome = control { backlog = 2, family = "tcp", clients = 18 }
      assert.same({ 3, 20 }, { outcome.capacity[1].depth, outcome.capacity[1].connected })
    end)

    it("holds without syncookies, since the kernel bounds the open handshakes too", function()
      local outcome, holds, why = control { backlog = 5, family = "tcp", clients = 10, syncookies = 0 }
      assert_holds(holds, why)
      assert.same({ merged(full("tcp", 5, 4096), { dropped = 9, handshakes = 9, syncookies = 0 }) },
        outcome.capacity)
    end)

    it("holds over Unix, where a connect is no handshake", function()
      local outcome, holds, why = control { family = "unix" }
      assert_holds(holds, why)
      assert.same(each_full "unix", outcome.capacity)
    end)
  end)

  describe("when the backlog of a full queue changes #part_changes", function()
    it("keeps who is queued, in order, and gives new room to the first SYN", function()
      local outcome, holds, why = run { backlog = 0, family = "tcp", change = "all" }
      assert_holds(holds, why)
      assert.same(TCP_CHANGES, changes_of(outcome))
    end)

    it("lets a client that was left out in when it has sent its SYN again, after 1 s", function()
      local started = lunet.now()
      local outcome = run { backlog = 0, family = "tcp", change = "grow" }
      assert.is_true(lunet.now() - started >= 1)
      assert.is_true(outcome.changed[1].syns >= 1)
      assert.same({ ["tcp grow"] = TCP_CHANGES["tcp grow"] }, changes_of(outcome))
    end)

    for _, change in ipairs { "shrink", "to_zero", "sysctl" } do
      it("can be asked for one change alone: " .. change, function()
        local outcome, holds, why = run { backlog = 0, family = "tcp", change = change }
        assert_holds(holds, why)
        assert.same({ ["tcp " .. change] = TCP_CHANGES["tcp " .. change] }, changes_of(outcome))
      end)
    end

    it("does the same over Unix, where nobody waits who has not blocked", function()
      local outcome, holds, why = run { backlog = 0, family = "unix", change = "all" }
      assert_holds(holds, why)
      assert.same(UNIX_CHANGES, changes_of(outcome))
    end)
  end)

  it("tells its figures", function()
    assert.equal("limit + 1 connect in 2 of 2 cases; 0 in no queue", backlog_capacity.figures((run { backlog = 5 })))
    assert.equal("limit + 1 connect in 0 of 1 cases; 3 in no queue",
      backlog_capacity.figures((control { backlog = 5, family = "tcp", clients = 4 })))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() backlog_capacity { backlog = 1.5 } end,
      "knob backlog: 1.5 is not allowed; it is a whole number, %-1 or more %(connections%)$")
    assert.error_matches(function() backlog_capacity { clients = 0 } end,
      "knob clients: 0 is not allowed; it is a whole number from 1 to 10000 %(clients%)$")
    assert.error_matches(function() backlog_capacity { patience = -0.1 } end, "knob patience: %-0.1 is not allowed")
    assert.error_matches(function() backlog_capacity { somaxconn = -1 } end, "knob somaxconn: %-1 is not allowed")
    assert.error_matches(function() backlog_capacity { family = "ipx" } end,
      'knob family: "ipx" is not allowed; it is one of all, tcp, unix %(family%)$')
    assert.error_matches(function() backlog_capacity { arrival = "late" } end,
      'knob arrival: "late" is not allowed; it is one of one_by_one, racing %(way%)$')
    assert.error_matches(function() backlog_capacity { delay = 2 } end, "knob delay: 2 is not allowed")
    assert.error_matches(function() backlog_capacity { syncookies = 3 } end, "knob syncookies: 3 is not allowed")
  end)
end)
