local lunet = require "lunet"
local merged = require "spec.support.merged"
local rows = require "spec.support.rows"
local overflow = dofile "experiments/queue/overflow.lua"
local it, judge = require "spec.support.patient"(it)

-- syns: when the first SYNs of the story were due, in seconds; the last of them was answered.
local function assert_story(story, syns)
  local _, count = syns:gsub("%d+", "")
  assert.same({ "SYN_SENT", false, "connected", count - 1, count - 1, syns },
    { story.state, story.is_known, story.result, story.resent, story.drops, story.syns })
  assert.is_true(story.seconds > story.free_at)
end

local function judged(knobs) return judge(overflow, knobs) end

describe("overflow", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: no setting helps who comes late, and each one tells of those who race", function()
    local outcome, holds, why = judged()
    assert.is_true(holds, why)
    assert_story(outcome.story, "0 1 2")

    local late, racing = {}, {}
    for abort = 0, 1 do
      for cookies = 0, 2 do
        late[#late + 1] = { abort, cookies, 4, "SYN_SENT", "0 1 2", "connected", 2 }
        late[#late + 1] = { abort, cookies, 4, "SYN_SENT", "0 1 2", "ETIMEDOUT", 3 }
        local is_reset, has_request = abort == 1 and cookies < 2, abort == 0 and cookies < 2
        racing[#racing + 1] = { abort, cookies, is_reset and "ECONNRESET" or "TIMEOUT",
          is_reset and "CLOSE" or "ESTABLISHED", has_request and "SYN_RECV" or "nothing", 1 }
      end
    end
    late[#late + 1] = { 0, 1, 0, "SYN_SENT", "0 1", "ETIMEDOUT", 2 }
    late[#late + 1] = { 0, 1, 1, "SYN_SENT", "0 1 2", "ETIMEDOUT", 3 }
    assert.same(late, rows.fields(outcome.late, "abort", "cookies", "linear", "state", "syns", "result", "drops"))
    assert.same(racing, rows.fields(outcome.racing, "abort", "cookies", "answer", "client", "server", "drops"))
    assert.same({ { "connected", "SYN_SENT", "0 1 2", "ETIMEDOUT", 3 } },
      rows.fields(outcome.overtaken, "newcomer", "state", "syns", "result", "drops"))
    assert.same({ { "SYN_SENT", "0 1", "ECONNREFUSED", 2 } },
      rows.fields(outcome.closed, "state", "syns", "result", "drops"))
  end)

  for _, freed_after in ipairs { 0, 0.5 } do
    it(("lets the client in by its next SYN, when a place is free after %g s"):format(freed_after), function()
      local outcome, holds, why = judged { freed_after = freed_after, cases = "none" }
      assert.is_true(holds, why)
      assert_story(outcome.story, "0 1")
      assert.same({ {}, {}, {}, {} }, { outcome.late, outcome.racing, outcome.overtaken, outcome.closed })
    end)
  end
end)

describe("overflow with other knobs #part_knobs", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("refuses a waiting client by its next SYN when the listener closes, and not before", function()
    local outcome, holds, why = judged { freed_after = 0.3, linear = 0, cases = "closed" }
    assert.is_true(holds, why)
    assert.same({ { "0", "ECONNREFUSED", 1 } }, rows.fields(outcome.closed, "syns", "result", "drops"))
    assert.is_true(outcome.closed[1].seconds > 0.95)
  end)

  it("does not judge a place that becomes free just when a SYN comes", function()
    local _, holds, why = overflow { freed_after = 1.02, cases = "none" }
    assert.is_nil(holds)
    assert.match("^the SYN of 1 s met what changed at 1%.%d+ s, or did not$", why)
  end)

  it("holds, and says so, when the place becomes free after the client's last SYN", function()
    local outcome, holds, why = judged { freed_after = 3.5, cases = "none" }
    assert.is_true(holds, why)
    assert.equal("ETIMEDOUT", outcome.story.result)
    assert.match("^a place free at 3%.5%d s, ETIMEDOUT at 3%.%d%d s$", overflow.figures(outcome, {}))
  end)

  for _, backlog in ipairs { 2, 100 } do
    it("holds with a backlog of " .. backlog, function()
      local outcome, holds, why = judged { backlog = backlog, freed_after = 0.5, cases = "none" }
      assert.is_true(holds, why)
      assert_story(outcome.story, "0 1")
    end)
  end

  it("lets only one of two racers in, whatever the delay and the backlog", function()
    local outcome, holds, why = judged { delay = 0.2, backlog = 5, freed_after = 0.5, cases = "racing" }
    assert.is_true(holds, why)
    assert.same({
      { 0, 0, "TIMEOUT", "SYN_RECV" }, { 0, 1, "TIMEOUT", "SYN_RECV" }, { 0, 2, "TIMEOUT", "nothing" },
      { 1, 0, "ECONNRESET", "nothing" }, { 1, 1, "ECONNRESET", "nothing" }, { 1, 2, "TIMEOUT", "nothing" },
    }, rows.fields(outcome.racing, "abort", "cookies", "answer", "server"))
  end)

  it("control: with a place free everybody is in at once", function()
    local outcome, holds, why = overflow(merged({ freed_after = 0 }, overflow.control))
    assert.is_false(holds)
    assert.equal("a client found a place at once", why)
    for _, row in ipairs(outcome.late) do
      assert.same({ "ESTABLISHED", "0", "connected", 0 }, { row.state, row.syns, row.result, row.drops })
    end
  end)

  it("says in half a line what to remember", function()
    local never = { result = "ETIMEDOUT", seconds = 3.06 }
    local outcome = { story = { free_at = 1.5, seconds = 2.04, result = "connected" }, late = { {}, never } }
    assert.equal("a place free at 1.50 s, in at 2.04 s; else ETIMEDOUT at 3.06 s", overflow.figures(outcome, {}))
    outcome.late = {}
    assert.equal("a place free at 1.50 s, in at 2.04 s", overflow.figures(outcome, {}))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() overflow { backlog = 0 } end,
      "knob backlog: 0 is not allowed; it is a whole number from 1 to 4000 %(connections%)$")
    assert.error_matches(function() overflow { places = 2 } end, "knob places: 2 is not allowed")
    assert.error_matches(function() overflow { retries = 0 } end, "knob retries: 0 is not allowed")
    assert.error_matches(function() overflow { linear = 1.5 } end, "knob linear: 1.5 is not allowed")
    assert.error_matches(function() overflow { cases = "early" } end,
      "knob cases: \"early\" is not allowed; it is one of all, late, racing, overtaken, closed, none %(table%)$")
  end)
end)

describe("overflow, by longer schedules #slow", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- linear timeouts and retries: the SYNs of a client for which no place becomes free
  for _, case in ipairs { { 0, 2, "0 1 3", "" }, { 2, 1, "0 1 2", " #part_linear" },
    { 4, 2, "0 1 2 3 4 5", " #part_long" } } do
    local linear, retries, syns, tag = table.unpack(case)
    it(("holds with %d linear timeouts and %d retries: SYNs at %s s%s"):format(linear, retries, syns, tag), function()
      local outcome, holds, why = judged { linear = linear, retries = retries, freed_after = 0.5, cases = "late" }
      assert.is_true(holds, why)
      assert_story(outcome.story, "0 1")
      local _, count = syns:gsub("%d", "")
      assert.same({ syns, "ETIMEDOUT", count }, { outcome.late[2].syns, outcome.late[2].result, outcome.late[2].drops })
    end)
  end

  it("gives the place to a newcomer, though another has waited longer", function()
    local outcome, holds, why = judged { linear = 0, freed_after = 0.5, cases = "overtaken" }
    assert.is_true(holds, why)
    assert.same({ { "connected", "0 1", "ETIMEDOUT", 2 } },
      rows.fields(outcome.overtaken, "newcomer", "syns", "result", "drops"))
  end)
end)
