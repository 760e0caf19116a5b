local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local idle_holder = dofile "experiments/timeouts/idle_holder.lua"

-- Short waits; of one sort each, unless asked for more.
local function run(more)
  return idle_holder(merged({ idle_timeout = 0.01, patience = 5, delay = 0.01, holder = "silent", cut = "request",
    race = "sent_first" }, more))
end

-- What each race is: FIN first, seen, executed, executions with the retry, whether by RST.
local RACES = {
  in_time = { false, "done", 1, 1, false },
  sent_first = { false, "EOF", 0, 1, true },
  closed_first = { false, "EOF", 0, 1, true },
  late = { true, "EOF", 0, 1, true },
  unread = { false, "ECONNRESET", 0, 1, true },
  done_close = { false, "EOF", 1, 2, false },
  done_reset = { false, "ECONNRESET", 1, 2, true },
  refused = { false, "503", 0, 1, true },
  refused_sending = { false, "503", 0, 1, true },
}
local IN_ORDER = { "in_time", "sent_first", "closed_first", "late", "unread", "done_close", "done_reset",
  "refused", "refused_sending" }

local function assert_race(record)
  assert.same(RACES[record.race],
    { record.fin_first, record.seen, record.executed, record.executions, record.rst })
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
    local acked = {}
    for i, record in ipairs(outcome.races) do
      assert.equal(IN_ORDER[i], record.race)
      assert_race(record)
      acked[record.race] = record.acked
    end
    -- FIN acknowledges what the server read, and not what came later.
    assert.same({ true, false, false, false, true },
      { acked.in_time, acked.sent_first, acked.closed_first, acked.late, acked.done_close })
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
    local _, holds = run { holder = "trickle", cut = "idle", idle_timeout = 0.1, patience = 0.3, race = "nothing" }
    assert.is_nil(holds)
  end)

  -- Linux keeps what came before the RST: the answer is read, though the connection is gone.
  it("lets a client read a 503 that was sent with its request unread, also one that was still sending", function()
    local refused = run({ race = "refused" }).races[1]
    assert.same({ "success", "503", "reset", true, 0 },
      { refused.send, refused.seen, refused.ends, refused.rst, refused.executed })
    local sending = run({ race = "refused_sending" }).races[1]
    assert.same({ "ECONNRESET", "503", "reset", false },
      { sending.send, sending.seen, sending.ends, sending.acked })
  end)

  for _, race in ipairs(IN_ORDER) do
    it("can be asked for one race alone: " .. race, function()
      local outcome, holds, why = run { race = race }
      assert_holds(holds, why)
      assert.equal(1, #outcome.races)
      assert_race(outcome.races[1])
    end)
  end

  it("loses what crosses the close over any delay", function()
    for _, delay in ipairs { 0.0005, 0.1 } do
      for _, race in ipairs { "sent_first", "closed_first" } do
        local outcome, holds, why = run { delay = delay, race = race }
        assert_holds(holds, why)
        assert_race(outcome.races[1])
      end
    end
  end)

  it("control: without a timeout those behind wait in vain", function()
    local outcome, holds, why = run { cut = idle_holder.control.cut, holder = "all", patience = 0.1, race = "nothing" }
    assert.is_false(holds)
    assert.equal("those behind the silent connections waited in vain: nothing cut them", why)
    assert.same({}, outcome.races)
    for _, record in ipairs(outcome.waits) do
      assert.same({ 0, 0, 4 }, { record.answered, record.holders_cut, record.left })
      assert.is_true(record.wait_ms >= 100)
    end
  end)

  it("tells its figures, which are measured", function()
    local function record(seen, executed) return { seen = seen, executed = executed } end
    local races = { record("done", 1), record("EOF", 0), record("ECONNRESET", 0), record("ECONNRESET", 1),
      record("503", 0) }
    local waits = { { answered = 0, wait_ms = 1000 }, { answered = 2, wait_ms = 307.5 } }
    assert.equal("those behind waited for 307.5 ms; no reply: 2 lost, 1 carried out",
      idle_holder.figures({ waits = waits, races = races }, idle_holder:settings()))
    assert.equal("those behind waited in vain; no reply: 0 lost, 0 carried out",
      idle_holder.figures({ waits = { waits[1] }, races = {} }, idle_holder:settings()))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() idle_holder { holders = 0 } end,
      "knob holders: 0 is not allowed; it is a whole number from 1 to 1000 %(connections%)$")
    assert.error_matches(function() idle_holder { clients = 0 } end, "knob clients: 0 is not allowed")
    assert.error_matches(function() idle_holder { holder = "loud" } end,
      'knob holder: "loud" is not allowed; it is one of all, silent, pool, trickle %(kind%)$')
    assert.error_matches(function() idle_holder { cut = "early" } end, 'knob cut: "early" is not allowed')
    assert.error_matches(function() idle_holder { race = "rare" } end, 'knob race: "rare" is not allowed')
    assert.error_matches(function() idle_holder { idle_timeout = 0 } end, "knob idle_timeout: 0 is not allowed")
    assert.error_matches(function() idle_holder { patience = -1 } end, "knob patience: %-1 is not allowed")
    assert.error_matches(function() idle_holder { delay = 0 } end, "knob delay: 0 is not allowed")
  end)
end)
