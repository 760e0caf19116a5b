local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local fast_open = dofile "experiments/queue/fast_open.lua"
local it = require "spec.support.patient"(it)

local function run_case(case, knobs)
  knobs = knobs or {}
  knobs.case = case
  local outcome, holds, why = fast_open(knobs)
  assert_holds(holds, why)
  return outcome.clients[1] or outcome.departures[1] or outcome.nobody[1], outcome
end

describe("fast_open", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, in every case", function()
    local outcome, holds, why = fast_open()
    assert_holds(holds, why)
    local found = {}
    for i, r in ipairs(outcome.clients) do found[i] = { r.case, r.connect, r.in_syn } end
    assert.same({
      { "first", "ESTABLISHED", "CookieReqd" },
      { "again", "SYN_SENT", "yes" },
      { "unfinished", "SYN_SENT", "yes" },
      { "no_place", "SYN_SENT", "ListenOverflow" },
      { "new_key", "SYN_SENT", "PassiveFail" },
      { "filtered", "SYN_SENT", "TCPSynRetrans" },
      { "full_queue", "SYN_SENT", "ListenOverflows" },
    }, found)
    assert.same({
      { case = "left", connect = "SYN_SENT", sees = "reset", reads = "request", reply = "ECONNRESET", depth = 1,
        ends = "reset", next = "in the SYN" },
      { case = "left_accepted", connect = "SYN_SENT", sees = "open", reads = "request", reply = "sent", depth = 0,
        ends = "reset", next = "after it" },
    }, outcome.departures)
    assert.same({ { case = "nobody", plain_connect = "ECONNREFUSED", connect = "SYN_SENT", sent = 8,
      receive = "ECONNREFUSED" } }, outcome.nobody)
  end)

  it("answers a request whose client does not know of the server yet", function()
    local record, outcome = run_case "unfinished"
    assert.same({ "SYN_RECV", "SYN_SENT" }, { record.server, record.client })
    assert.same({ 1, 0, 0 }, { #outcome.clients, #outcome.departures, #outcome.nobody })
  end)

  for _, delay in ipairs { 0, 0.02 } do
    it(("takes one way with a cookie and three without, on a link with a delay of %g s"):format(delay), function()
      assert.is_true(run_case("again", { delay = delay }).ms >= 1000 * delay)
      local first = fast_open({ case = "first", delay = delay }).clients[1]
      assert.is_true(first.ms >= math.floor(3000 * delay))
    end)
  end

  for _, case in ipairs { "filtered", "full_queue" } do
    it("loses a second when the SYN is lost: " .. case, function()
      assert.is_true(run_case(case, { delay = 0 }).ms > 900)
    end)
  end

  it("finds no place behind two handshakes that are not over, where there are two places", function()
    assert.equal("ListenOverflow", run_case("no_place", { places = 2 }).in_syn)
  end)

  it("has a place left after the RST of one, where there are two", function()
    assert.equal("in the SYN", run_case("left_accepted", { places = 2 }).next)
  end)

  it("lets connect and send succeed where nobody listens", function()
    local record, outcome = run_case("nobody", { delay = 0 })
    assert.same({ "SYN_SENT", 8 }, { record.connect, record.sent })
    assert.same({ 0, 0, 1 }, { #outcome.clients, #outcome.departures, #outcome.nobody })
  end)

  it("judges nothing without a cookie: of the first client alone, or of a server that gives none", function()
    local outcome, holds, why = fast_open { case = "first" }
    assert.is_nil(holds)
    assert.equal("no client had a cookie", why)
    assert.same({ "ESTABLISHED", "CookieReqd" }, { outcome.clients[1].connect, outcome.clients[1].in_syn })
    outcome, holds, why = fast_open { case = "again", places = 0 }
    assert.is_nil(holds)
    assert.equal("without places the server gives no cookie", why)
    assert.same({ "ESTABLISHED", "no" }, { outcome.clients[1].connect, outcome.clients[1].in_syn })
  end)

  it("control: a plain connect asks the server, though there is a cookie", function()
    assert.same({ connect = "plain", case = "again" }, fast_open.control)
    local outcome, holds, why = fast_open(fast_open.control)
    assert.is_false(holds)
    assert.equal("again: connect is ESTABLISHED, not SYN_SENT", why)
    assert.equal("no", outcome.clients[1].in_syn)
  end)

  it("gives its figures in half a line", function()
    assert.equal("first 31 ms, again 11 ms", fast_open.figures { clients = {
      { case = "first", ms = 31 }, { case = "again", ms = 11 }, { case = "new_key", ms = 31 } } })
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() fast_open { places = 5 } end,
      "knob places: 5 is not allowed; it is a whole number from 0 to 4 %(connections%)$")
    assert.error_matches(function() fast_open { delay = -1 } end, "knob delay: %-1 is not allowed")
    assert.error_matches(function() fast_open { case = "half" } end, 'knob case: "half" is not allowed')
  end)
end)
