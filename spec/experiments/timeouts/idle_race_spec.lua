local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local merged = require "spec.support.merged"
local idle_race = dofile "experiments/timeouts/idle_race.lua"

-- The result of each race: FIN first, seen, executed, executions with the retry, whether by RST.
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

-- One race alone, which the check judges only if a request crosses the close.
local function run(more) return idle_race(merged({ delay = 0.01 }, more)) end

describe("idle_race", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, in every race", function()
    local outcome, holds, why = idle_race()
    assert_holds(holds, why)
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
      if race == "sent_first" or race == "closed_first" or race == "late" then
        assert_holds(holds, why)
      else
        assert.is_nil(holds)
        assert.equal(("in the race %s no request crosses the close"):format(race), why)
      end
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

  it("control: a server that ends its side and reads on loses no request", function()
    for _, race in ipairs { "sent_first", "closed_first", "late" } do
      local outcome, holds, why = run(merged(idle_race.control, { race = race }))
      assert.is_false(holds)
      assert.equal(race .. ": ends is fin, not reset", why)
      local record = outcome.races[1]
      assert.same({ "EOF", 1, false }, { record.seen, record.executed, record.rst })
    end
  end)

  it("tells its figures, which are measured", function()
    local function record(seen, executed) return { seen = seen, executed = executed } end
    local races = { record("done", 1), record("EOF", 0), record("ECONNRESET", 0), record("ECONNRESET", 1),
      record("503", 0) }
    assert.equal("no reply: 2 lost, 1 carried out", idle_race.figures({ races = races }, idle_race:settings()))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() idle_race { race = "rare" } end, 'knob race: "rare" is not allowed')
    assert.error_matches(function() idle_race { server = "waits" } end, 'knob server: "waits" is not allowed')
    assert.error_matches(function() idle_race { delay = 0 } end, "knob delay: 0 is not allowed")
  end)
end)
