local judgement_of = require "spec.support.judgement"
local lunet = require "lunet"
local rows = require "spec.support.rows"
local dead_peer_timeouts = dofile "experiments/timeouts/dead_peer_timeouts.lua"
local it, judge = require "spec.support.patient"(it)

local GRAIN = 0.02 -- s

local function row_of(list, name) return rows.find(list, name, "case") end
local function names_of(list) return rows.column(list, "case") end

local function assert_ended(row, error_name, timer, least, resets)
  assert.same({ error_name, timer, resets }, { row.error, row.timer, row.rst })
  assert.is_true(row.seconds >= least - GRAIN)
  assert.is_true(row.tries > 0)
end

local function assert_endless(row, timer)
  assert.same({ timer, 0 }, { row.timer, row.rst })
  assert.is_nil(row.error)
end

local function judged(knobs) return judge(dead_peer_timeouts, knobs) end

-- Runs one case alone. One without a user_timeout says nothing about the claim.
local function row_alone(list, knobs)
  local outcome, holds, why = judged(knobs)
  if knobs.case:find "user" or knobs.case:find "long" then
    assert.is_true(holds, why)
  else
    assert.same({ nil, ("the case %s has no user_timeout"):format(knobs.case) }, { holds, why })
  end
  assert.same({ 1, 1 }, { #outcome.ended + #outcome.endless, outcome.left_behind })
  return row_of(outcome[list], knobs.case)
end

describe("dead_peer_timeouts", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is", function()
    local outcome, holds, why = judged()
    assert.is_true(holds, why)
    local ended, endless = outcome.ended, outcome.endless
    assert.same({ "data", "data+user", "data+keep", "data+icmp", "full+user", "full+cut", "idle+keep",
      "idle+keep+user", "idle+keep+long" }, names_of(ended))
    assert_ended(row_of(ended, "data"), "ETIMEDOUT", "retransmit", 1.6, 0)
    assert_ended(row_of(ended, "data+user"), "ETIMEDOUT", "retransmit", 1.2, 0)
    assert_ended(row_of(ended, "data+keep"), "ETIMEDOUT", "retransmit", 1.6, 0)
    assert_ended(row_of(ended, "data+icmp"), "EHOSTUNREACH", "retransmit", 1.6, 0)
    assert_ended(row_of(ended, "full+user"), "ETIMEDOUT", "probe", 1, 0)
    assert_ended(row_of(ended, "full+cut"), "ETIMEDOUT", "probe", 1.2, 0)
    assert_ended(row_of(ended, "idle+keep"), "ETIMEDOUT", "keepalive", 3, 1)
    assert_ended(row_of(ended, "idle+keep+user"), "ETIMEDOUT", "keepalive", 2, 1)
    assert_ended(row_of(ended, "idle+keep+long"), "ETIMEDOUT", "keepalive", 3, 1)

    assert.same({ "full", "full+keep", "idle", "idle+user" }, names_of(endless))
    assert_endless(row_of(endless, "full"), "probe")
    assert_endless(row_of(endless, "full+keep"), "probe")
    assert_endless(row_of(endless, "idle"), "none")
    assert_endless(row_of(endless, "idle+user"), "none")
    assert.is_true(row_of(endless, "full").tries > 2) -- more than tcp_retries2
    assert.same({ 0, 0 }, { row_of(endless, "idle").tries, row_of(endless, "idle+user").tries })
    assert.equal(13, outcome.left_behind)
    assert.is_true(#dead_peer_timeouts.figures(outcome) <= 60)
  end)

  it("keeps a full window for ever, but not with retries2 = 1, as the peer leaves the second probe unanswered",
    function()
      assert_endless(row_alone("endless", { case = "full", patience = 2.0 }), "probe")
      local outcome, holds, why = dead_peer_timeouts { case = "full", retries2 = 1 }
      assert.is_false(holds)
      assert.equal("full: ended", why)
      local row = outcome.ended[1]
      assert.same({ "ETIMEDOUT", 1 }, { row.error, row.tries - row.answers })
    end)
end)

describe("dead_peer_timeouts with other knobs #part_knobs", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("judges no connection that ended before a late machine looked, unless the machine was in time", function()
    local knobs = dead_peer_timeouts:settings { case = "full+user" }
    local function judgement(late)
      local row = { case = "full+user", error = "ETIMEDOUT", seconds = 1.4, timer = "not seen", tries = 3, answers = 3,
        rst = 0 }
      local outcome = { ended = { row }, endless = {}, left_behind = 1, lateness = late, rto = 0.2 }
      return judgement_of(dead_peer_timeouts, outcome, knobs)
    end
    local late, in_time = judgement(0.5), judgement(0.01)
    assert.equal("not judged", late.verdict)
    assert.equal("full+user: the machine was 0.5 s late, and its timer was not seen", late.why)
    assert.equal("does not hold", in_time.verdict)
    assert.matches("timer", in_time.why)
  end)

  it("judges no time that a slow first round trip made longer, but one that is too long without", function()
    local knobs = dead_peer_timeouts:settings { case = "full+cut" }
    local function judgement(rto)
      local row = { case = "full+cut", error = "ETIMEDOUT", seconds = 2.191, timer = "probe", tries = 2, answers = 0,
        rst = 0 }
      local outcome = { ended = { row }, endless = {}, left_behind = 1, lateness = 0.01, rto = rto }
      return judgement_of(dead_peer_timeouts, outcome, knobs)
    end
    local slow, quick = judgement(0.313), judgement(0.201)
    assert.same({ "not judged", "full+cut: the machine was slow: the kernel began with a timeout of 0.313 s" },
      { slow.verdict, slow.why })
    assert.same({ "does not hold", "full+cut: ended after 2.191 s, more than 1.85 s" }, { quick.verdict, quick.why })
  end)

  for _, user_timeout in ipairs { 0.3, 1.5 } do
    it(("ends a live peer's full window by a user_timeout of %g s"):format(user_timeout), function()
      local row = row_alone("ended", { case = "full+user", user_timeout = user_timeout })
      assert_ended(row, "ETIMEDOUT", "probe", user_timeout, 0)
      assert.is_true(row.answers > 0)
    end)
  end

  it("waits for unacknowledged data longer than tcp_retries2 with a longer user_timeout", function()
    assert_ended(row_alone("ended", { case = "data+user", retries2 = 1, user_timeout = 2.5 }),
      "ETIMEDOUT", "retransmit", 2.7, 0)
  end)

  it("tells nobody of a user_timeout on an idle connection", function()
    assert_endless(row_alone("endless", { case = "idle+user", user_timeout = 0.1, patience = 0.5 }), "none")
  end)

  it("judges nothing that was not watched for long enough", function()
    for knobs, expected in pairs {
      [{ case = "data", patience = 0.1 }] = "data: watched for 0.1 s only, and it may take 4.5 s",
      [{ case = "data+user", user_timeout = 10, patience = 0.1 }] =
        "data+user: watched for 0.1 s only, and it may take 11.9 s",
      [{ case = "idle+user", patience = 0.1 }] = "idle+user: watched for 0.1 s only",
      [{ case = "full", patience = 0 }] = "full: watched for 0 s only",
      [{ case = "idle+user", patience = 0.1, user_timeout = 0 }] = "the case idle+user has no user_timeout",
    } do
      local outcome, holds, why = dead_peer_timeouts(knobs)
      assert.same({ nil, expected }, { holds, why })
      assert.same({ knobs.case }, names_of(outcome.endless))
    end
  end)

  it("does not hold if tcp_retries2 ended what user_timeout was to end", function()
    local outcome, holds, why = judged { case = "data+user", user_timeout = 0, retries2 = 1 }
    assert.is_false(holds)
    assert.match("^data%+user: ended after %d%.%d+ s, more than 0.725 s$", why)
    assert.is_true(outcome.ended[1].seconds > 0.8)
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() dead_peer_timeouts { case = "nothing" } end,
      "knob case: \"nothing\" is not allowed")
    assert.error_matches(function() dead_peer_timeouts { retries2 = 0 } end,
      "knob retries2: 0 is not allowed; it is a whole number from 1 to 15 %(doublings%)$")
    assert.error_matches(function() dead_peer_timeouts { user_timeout = -1 } end,
      "knob user_timeout: %-1 is not allowed")
    assert.error_matches(function() dead_peer_timeouts { keepidle = 0 } end, "knob keepidle: 0 is not allowed")
    assert.error_matches(function() dead_peer_timeouts { keepintvl = 0.5 } end, "knob keepintvl: 0.5 is not allowed")
    assert.error_matches(function() dead_peer_timeouts { keepcnt = 128 } end, "knob keepcnt: 128 is not allowed")
    assert.error_matches(function() dead_peer_timeouts { delay = 1 } end, "knob delay: 1 is not allowed")
    assert.error_matches(function() dead_peer_timeouts { patience = -1 } end, "knob patience: %-1 is not allowed")
  end)
end)

describe("dead_peer_timeouts #slow", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("control: without user_timeout a live peer's full window never ends", function()
    local outcome, holds, why = judged(dead_peer_timeouts.control)
    assert.is_false(holds)
    assert.match("^data%+user: ended after %d+%.%d+ s, more than 0.725 s$", why)
    assert_endless(row_of(outcome.endless, "full+user"), "probe")
    assert_endless(row_of(outcome.endless, "idle+keep+user"), "keepalive")
    assert_ended(row_of(outcome.ended, "idle+keep"), "ETIMEDOUT", "keepalive", 3, 1)
  end)

  it("holds on a link with a delay", function()
    assert_ended(row_alone("ended", { case = "data", delay = 0.05 }), "ETIMEDOUT", "retransmit", 1.6, 0)
    assert_ended(row_alone("ended", { case = "full+user", delay = 0.05 }), "ETIMEDOUT", "probe", 1, 0)
    assert_endless(row_alone("endless", { case = "full", delay = 0.05, patience = 2.0 }), "probe")
  end)

  it("sends as many keepalive probes as it is told, when it is told #part_keepalive", function()
    local row = row_alone("ended", { case = "idle+keep", keepcnt = 1 })
    assert_ended(row, "ETIMEDOUT", "keepalive", 2, 1)
    assert.equal(1, row.tries)
    assert_ended(row_alone("ended", { case = "idle+keep", keepidle = 2, keepintvl = 2, keepcnt = 1, patience = 8.0 }),
      "ETIMEDOUT", "keepalive", 4, 1)
  end)

  it("lets user_timeout decide whether keepalive's count is reached #part_keepalive", function()
    assert_ended(row_alone("ended", { case = "idle+keep+user", user_timeout = 2.5 }),
      "ETIMEDOUT", "keepalive", 3, 1)
  end)

  it("waits longer with more retries2 #part_retries", function()
    assert_ended(row_alone("ended", { case = "data", retries2 = 1 }), "ETIMEDOUT", "retransmit", 0.8, 0)
    assert_ended(row_alone("ended", { case = "full+cut", retries2 = 1 }), "ETIMEDOUT", "probe", 0.4, 0)
    assert_ended(row_alone("ended", { case = "full+cut", retries2 = 3, patience = 8.0 }),
      "ETIMEDOUT", "probe", 2.8, 0)
  end)
end)
