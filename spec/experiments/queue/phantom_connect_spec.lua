local lunet = require "lunet"
local merged = require "spec.support.merged"
local rows = require "spec.support.rows"
local phantom_connect = dofile "experiments/queue/phantom_connect.lua"
local it, judge = require "spec.support.patient"(it)

local function fates_of(outcome)
  return rows.fields(outcome.fates, "case", "client", "second", "answer", "accepted", "read", "state")
end

local FREED = {
  { "freed", "idle", "-", "-", true, 0, "ESTABLISHED" },
  { "freed", "once", "-", "done request 1", true, 1, "ESTABLISHED" },
  { "freed", "later", "taken", "done request 2", true, 2, "ESTABLISHED" },
  { "freed", "twice", "taken", "done request 2", true, 2, "ESTABLISHED" },
  { "freed", "close", "-", "-", true, 1, "gone" },
}

local OTHERS = {
  { "expired", "idle", "-", "-", false, 0, "ESTABLISHED" },
  { "expired", "once", "-", "ECONNRESET", false, 0, "gone" },
  { "expired", "later", "ECONNRESET", "EOF", false, 0, "gone" },
  { "expired", "twice", "taken", "ECONNRESET", false, 0, "gone" },
  { "expired", "close", "-", "-", false, 0, "gone" },
  { "cookie", "idle", "-", "-", false, 0, "ESTABLISHED" },
  { "cookie", "once", "-", "done request 1", true, 1, "ESTABLISHED" },
  { "cookie", "later", "taken", "done request 2", true, 2, "ESTABLISHED" },
  { "cookie", "twice", "taken", "ECONNRESET", false, 0, "gone" },
  { "cookie", "close", "-", "-", false, 0, "gone" },
}

local function assert_story(story, backlog)
  assert.same({ 6, 1, 5, 0, backlog + 1, backlog },
    { story.connected, story.queued, story.requests, story.reset, story.depth, story.limit })
  assert.is_true(story.dropped >= 6) -- more if they were sent again meanwhile
end

local function assert_counts(outcome, ...)
  assert.same({ ... }, rows.fields(outcome.counts, "abort", "cookies", "connected", "queued", "requests", "by_cookie",
    "reset", "in_connect", "phantoms"))
end

-- A request whose first bytes were lost: how many, what the server reads, what the client hears, and its state.
local HEADS = {
  { 1, "ndelete 7", "done ndelete 7", "ESTABLISHED" }, { 2, "delete 7", "done delete 7", "ESTABLISHED" },
  { 3, "elete 7", "done elete 7", "ESTABLISHED" }, { 4, "nothing", "ECONNRESET", "CLOSE" },
}

local function assert_heads(outcome)
  assert.same(HEADS, rows.fields(outcome.heads, "head", "read", "answer", "state"))
end

describe("phantom_connect", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: all are connected, one is in the queue, and the fate of the others is told", function()
    local outcome, holds, why = judge(phantom_connect)
    assert.is_true(holds, why)
    assert_story(outcome.story, 5)
    local expected = table.move(FREED, 1, #FREED, 1, {})
    assert.same(table.move(OTHERS, 1, #OTHERS, #expected + 1, expected), fates_of(outcome))
    for _, row in ipairs(outcome.fates) do assert.equal("none", row.timer) end
    assert_counts(outcome,
      { 0, 0, 6, 1, 5, 0, 0, 0, 5 }, { 0, 1, 8, 1, 5, 2, 0, 0, 7 }, { 0, 2, 8, 1, 0, 8, 0, 0, 7 },
      { 1, 0, 6, 1, 0, 0, 5, 0, 0 }, { 1, 1, 8, 1, 0, 2, 5, 0, 2 }, { 1, 2, 8, 1, 0, 8, 0, 0, 7 })
    assert_heads(outcome)
  end)

  it("lets a phantom with a SYN cookie in without the 1 to 3 bytes that it wrote first, and refuses it after 4",
    function()
      local outcome, holds, why = judge(phantom_connect, { cases = "heads", delay = 0.15 })
      assert.is_true(holds, why)
      assert_heads(outcome)
    end)
end)

describe("phantom_connect with other knobs #part_knobs", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("tells of resets in connect itself without a delay, and judges only handshakes that overlap", function()
    local outcome, holds, why = phantom_connect { cases = "counts", delay = 0 }
    if holds == nil then return assert.equal("the handshakes did not overlap, without a delay", why) end
    assert.is_true(holds, why)
    assert_counts(outcome,
      { 0, 0, 6, 1, 5, 0, 0, 0, 5 }, { 0, 1, 8, 1, 5, 2, 0, 0, 7 }, { 0, 2, 8, 1, 0, 8, 0, 0, 7 },
      { 1, 0, 1, 1, 0, 0, 5, 5, 0 }, { 1, 1, 3, 1, 0, 2, 5, 5, 2 }, { 1, 2, 8, 1, 0, 8, 0, 0, 7 })
  end)

  it("control: with tcp_abort_on_overflow there are no phantoms except those with a SYN cookie", function()
    local outcome, holds, why = phantom_connect(merged({ cases = "none" }, phantom_connect.control))
    assert.is_false(holds)
    assert.equal("5 waiting clients were reset", why)
    assert.same({ 6, 1, 0, 5 },
      { outcome.story.connected, outcome.story.queued, outcome.story.requests, outcome.story.reset })
    assert.same({
      { "freed", "idle", "-", "-", false, 0, "gone" },
      { "freed", "once", "-", "EOF", false, 0, "gone" },
      { "freed", "later", "EPIPE", "EOF", false, 0, "gone" },
      { "freed", "twice", "EPIPE", "EOF", false, 0, "gone" },
      { "freed", "close", "-", "-", false, 0, "gone" },
    }, fates_of(outcome))
  end)

  it("holds with a longer backlog and a longer link", function()
    local outcome, holds, why = phantom_connect { backlog = 50, delay = 0.2, cases = "none" }
    assert.is_true(holds, why)
    assert_story(outcome.story, 50)
    assert.same(FREED, fates_of(outcome))
  end)

  it("says in half a line what to remember", function()
    local outcome = { story = { connected = 6 }, counts = { {}, { connected = 8 } } }
    assert.equal("1 place free: 6 of 6 connected, 8 of 8 with SYN cookies", phantom_connect.figures(outcome, {}))
    outcome.counts = {}
    assert.equal("1 place free: 6 of 6 connected", phantom_connect.figures(outcome, {}))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() phantom_connect { backlog = 4 } end,
      "knob backlog: 4 is not allowed; it is a whole number from 5 to 1000 %(connections%)$")
    assert.error_matches(function() phantom_connect { waiters = 0 } end, "knob waiters: 0 is not allowed")
    assert.error_matches(function() phantom_connect { abort = 2 } end,
      "knob abort: 2 is not allowed; it is one of 0, 1 %(setting%)$")
    assert.error_matches(function() phantom_connect { delay = -1 } end, "knob delay: %-1 is not allowed")
    assert.error_matches(function() phantom_connect { cases = "some" } end, "knob cases: \"some\" is not allowed")
  end)
end)

describe("phantom_connect, with other waiters #slow", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("connects as many as requests and SYN cookies answer, and queues one", function()
    local outcome, holds, why = phantom_connect { waiters = 20, backlog = 9, cases = "counts" }
    assert.is_true(holds, why)
    assert_counts(outcome,
      { 0, 0, 10, 1, 9, 0, 0, 0, 9 }, { 0, 1, 20, 1, 9, 10, 0, 0, 19 }, { 0, 2, 20, 1, 0, 20, 0, 0, 19 },
      { 1, 0, 10, 1, 0, 0, 9, 0, 0 }, { 1, 1, 20, 1, 0, 10, 9, 0, 10 }, { 1, 2, 20, 1, 0, 20, 0, 0, 19 })
  end)

  it("judges nothing when just one waits: there is no phantom", function()
    local outcome, holds, why = phantom_connect { waiters = 1, cases = "counts" }
    assert.same({ nil, "just one client waits" }, { holds, why })
    for _, row in ipairs(outcome.counts) do assert.same({ 1, 1, 0 }, { row.connected, row.queued, row.phantoms }) end
  end)

  it("leaves no one without a place who waits, with room for all, whatever the delay", function()
    local outcome = phantom_connect { delay = 0, cases = "none" } -- how many are phantoms is a race
    assert.same({ 1, 6 }, { outcome.story.queued, outcome.story.depth })
    for _, row in ipairs(outcome.fates) do assert.is_true(row.accepted) end
  end)
end)

describe("phantom_connect over a far link #part_far", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("is not judged where SYNs come again before they are answered, and clients are reset twice", function()
    local outcome, holds, why = phantom_connect { cases = "counts", waiters = 2, delay = 1.2 }
    assert.is_nil(holds)
    assert.matches("SYNs came a third time", why)
    local row = outcome.counts[4]
    assert.same({ 1, 0 }, { row.abort, row.cookies })
    assert.is_true(row.reset > 1, row.reset) -- of the one client that is none of the queue
  end)
end)
