local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local defer_accept = dofile "experiments/queue/defer_accept.lua"
local it = require "spec.support.patient"(it)

local function run_case(case, defer)
  local outcome, holds, why = defer_accept { case = case, defer = defer }
  assert_holds(holds, why)
  return outcome.clients[1], outcome.counters[1], outcome
end

describe("defer_accept", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, for every client and every crowd", function()
    local outcome, holds, why = defer_accept()
    assert_holds(holds, why)
    local fates = {}
    for i, r in ipairs(outcome.clients) do fates[i] = { r.case, r.fate, r.reads, r.bytes, r.client } end
    assert.same({
      { "silent", "queued", "TIMEOUT", 0, "ESTABLISHED" },
      { "data", "queued", "request", 8, "ESTABLISHED" },
      { "fin", "queued", "EOF", 0, "closed" },
      { "data_fin", "queued", "request", 8, "closed" },
      { "reset", "forgotten", "nothing", 0, "closed" },
      { "cut_off", "forgotten", "nothing", 0, "ESTABLISHED" },
      { "silent_full", "forgotten", "nothing", 0, "ESTABLISHED" },
      { "data_full", "queued", "request", 8, "ESTABLISHED" },
    }, fates)
    assert.equal(#outcome.clients, #outcome.counters)
    assert.same({
      { syncookies = 0, connected = 2, deferred = 2, depth = 0 },
      { syncookies = 1, connected = 4, deferred = 2, depth = 2 },
      { syncookies = 2, connected = 2, deferred = 0, depth = 2 },
    }, outcome.crowds)
  end)

  for _, case in ipairs { "data", "fin", "data_fin", "reset", "data_full" } do
    it("ends the deferral at once, without a SYN-ACK sent again: " .. case, function()
      local record, kernel, outcome = run_case(case)
      assert.equal("SYN_RECV", record.server)
      assert.same({ case, 0 }, { record.case, kernel.again })
      assert.same({ 1, 1, 0 }, { #outcome.clients, #outcome.counters, #outcome.crowds })
    end)
  end

  it("lets a crowd come alone", function()
    local _, _, outcome = run_case "crowd_1"
    assert.same({ 0, 0, 1 }, { #outcome.clients, #outcome.counters, #outcome.crowds })
    assert.equal(1, outcome.crowds[1].syncookies)
  end)

  it("queues a silent client after the first SYN-ACK that is sent again, when asked for 1 s", function()
    local record, kernel = run_case("silent", 1)
    assert.is_true(record.after > 0.9)
    assert.same({ 1, 1 }, { kernel.deferred, kernel.again })
  end)

  for _, name in ipairs { "rounds 2 s up to 3 s", "leaves 3 s as they are #slow" } do
    it(name, function()
      local record, kernel = run_case("silent", tonumber(name:match "%d"))
      assert.is_true(record.after > 2.7)
      assert.equal(1, kernel.again)
    end)
  end

  it("control: with syncookies = 2 the silent client is in the queue at once, though its listener defers", function()
    assert.same({ case = "silent", syncookies = 2 }, defer_accept.control)
    local outcome, holds, why = defer_accept(defer_accept.control)
    assert.is_false(holds)
    assert.equal("silent: server is ESTABLISHED, not SYN_RECV", why)
    assert.same({ case = "silent", deferred = 0, again = 0, overflowed = false }, outcome.counters[1])
    assert.same({ "queued", "TIMEOUT" }, { outcome.clients[1].fate, outcome.clients[1].reads })
  end)

  it("judges nothing without deferral, through every case", function()
    local outcome, holds, why = defer_accept { defer = 0 }
    assert.is_nil(holds)
    assert.equal("nothing is deferred for 0 s", why)
    for _, r in ipairs(outcome.counters) do assert.same({ r.case, 0 }, { r.case, r.deferred }) end
    for _, r in ipairs(outcome.crowds) do assert.same({ 2, 2 }, { r.connected, r.depth }) end
  end)

  it("gives its figures in half a line", function()
    local silent = { case = "silent", fate = "queued", after = 1.021 }
    local full = { case = "silent_full", fate = "forgotten", after = 3.04 }
    local crowd = { connected = 2, deferred = 2, depth = 0 }
    assert.equal("silent queued 1.0 s, silent_full forgotten 3.0 s",
      defer_accept.figures { clients = { silent, { case = "fin" }, full }, crowds = { crowd } })
    assert.equal("2 connected, 2 deferred, depth 0", defer_accept.figures { clients = {}, crowds = { crowd } })
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() defer_accept { defer = 1.5 } end,
      "knob defer: 1.5 is not allowed; it is a whole number from 0 to 5 %(s%)$")
    assert.error_matches(function() defer_accept { defer = 6 } end, "knob defer: 6 is not allowed")
    assert.error_matches(function() defer_accept { case = "half" } end, 'knob case: "half" is not allowed')
  end)
end)
