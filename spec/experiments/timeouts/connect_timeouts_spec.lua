local lunet = require "lunet"
local rows = require "spec.support.rows"
local connect_timeouts = dofile "experiments/timeouts/connect_timeouts.lua"
local it, judge = require "spec.support.patient"(it)

local GRAIN = 0.01 -- s; the kernel counts in jiffies, curl in milliseconds

local function row_of(list, name) return rows.find(list, name, "case") end
local function names_of(list) return rows.column(list, "case") end

local function assert_bounded(expected, row)
  assert.same(expected, { row.error, row.by, row.depth, row.ghosts, row.bytes })
end

-- A connect that the kernel ended by itself.
local function assert_given_up(row, error_name, least, syns)
  assert.same({ error_name, syns, true }, { row.error, row.syns, row.gave_up })
  assert.is_true(row.seconds >= least - GRAIN)
end

local function assert_told(row, error_name)
  assert.same({ error_name, false }, { row.error, row.gave_up })
end

local function judged(knobs) return judge(connect_timeouts, knobs) end

-- Runs one case alone. One without a connect timeout says nothing about the claim.
local function row_alone(list, knobs)
  local outcome, holds, why = judged(knobs)
  if list == "unbounded" then
    assert.same({ nil, ("the case %s has no connect timeout"):format(knobs.case) }, { holds, why })
  else
    assert.is_true(holds, why)
  end
  assert.equal(1, #outcome.bounded + #outcome.unbounded)
  return row_of(outcome[list], knobs.case)
end

describe("connect_timeouts", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is", function()
    local outcome, holds, why = judged()
    assert.is_true(holds, why)
    local bounded, unbounded = outcome.bounded, outcome.unbounded
    assert.same({ "black_hole", "full_queue", "silent", "sndtimeo" }, names_of(bounded))
    assert_bounded({ "TIMEOUT", "patience", 0, 0, 0 }, row_of(bounded, "black_hole"))
    assert_bounded({ "TIMEOUT", "patience", 1, 0, 0 }, row_of(bounded, "full_queue"))
    assert_bounded({ "TIMEOUT", "total", 1, 1, #"GET / HTTP/1.0\r\n\r\n" }, row_of(bounded, "silent"))
    assert_bounded({ "EINPROGRESS", "patience", 1, 1, 0 }, row_of(bounded, "sndtimeo"))

    assert.same({ "refused", "port_icmp", "host_icmp", "admin_icmp", "near_icmp", "blocking_icmp", "no_route",
      "no_neighbour",
      "retries", "linear", "syncnt", "user_short", "user_timeout", "user_long" }, names_of(unbounded))
    assert_told(row_of(unbounded, "refused"), "ECONNREFUSED")
    assert_told(row_of(unbounded, "port_icmp"), "ECONNREFUSED")
    assert_told(row_of(unbounded, "host_icmp"), "EHOSTUNREACH")
    assert_told(row_of(unbounded, "admin_icmp"), "EHOSTUNREACH")
    assert_told(row_of(unbounded, "near_icmp"), "EHOSTUNREACH")
    assert_told(row_of(unbounded, "blocking_icmp"), "EHOSTUNREACH")
    assert.same({ 2, 1 }, { row_of(unbounded, "blocking_icmp").syns, row_of(unbounded, "blocking_icmp").soft })
    assert_told(row_of(unbounded, "no_route"), "ENETUNREACH")
    assert_told(row_of(unbounded, "no_neighbour"), "EHOSTUNREACH")
    assert.equal(0, row_of(unbounded, "no_route").syns)
    assert.is_true(row_of(unbounded, "no_neighbour").seconds >= 2.99)

    assert_given_up(row_of(unbounded, "retries"), "ETIMEDOUT", 3, 2)
    assert_given_up(row_of(unbounded, "linear"), "ETIMEDOUT", 3, 3)
    assert_given_up(row_of(unbounded, "syncnt"), "ETIMEDOUT", 3, 2)
    assert_given_up(row_of(unbounded, "user_short"), "ETIMEDOUT", 1, 2)
    assert_given_up(row_of(unbounded, "user_timeout"), "ETIMEDOUT", 1.5, 2)
    assert_given_up(row_of(unbounded, "user_long"), "ETIMEDOUT", 3, 2)
    assert.is_true(#connect_timeouts.figures(outcome) <= 60)
  end)

  for _, patience in ipairs { 0.05, 0.2 } do
    it(("ends a connect into a black hole after %g s of patience"):format(patience), function()
      for _, client in ipairs { "lunet", "curl" } do
        local row = row_alone("bounded", { client = client, case = "black_hole", patience = patience, total = 5 })
        assert_bounded({ client == "curl" and "exit 28" or "TIMEOUT", "patience", 0, 0, 0 }, row)
        assert.is_true(row.seconds >= patience - GRAIN)
      end
    end)
  end

  for _, total in ipairs { 0.4, 0.6 } do
    it(("ends a wait for a server that does not accept after the total of %g s, and leaves a ghost"):format(total),
      function()
        for client, error_name in pairs { lunet = "TIMEOUT", curl = "exit 28" } do
          local row = row_alone("bounded", { client = client, case = "silent", patience = 0.1, total = total })
          assert.same({ error_name, "total", 1, 1 }, { row.error, row.by, row.depth, row.ghosts })
          assert.is_true(row.bytes > 0)
          assert.is_true(row.seconds >= total - GRAIN)
        end
      end)
  end

  it("lets curl count TLS to the handshake: its connect timeout ends that wait, and leaves a ghost", function()
    local row = row_alone("bounded", { client = "curl", case = "silent_tls", patience = 0.2, total = 5 })
    assert.same({ "exit 28", "patience", 1, 1 }, { row.error, row.by, row.depth, row.ghosts })
    assert.is_true(row.bytes > 0)
  end)

  it("ends a blocking connect by SO_SNDTIMEO with EINPROGRESS, and leaves a connection that the kernel makes later",
    function()
      local row = row_alone("bounded", { case = "sndtimeo", patience = 0.15 })
      assert_bounded({ "EINPROGRESS", "patience", 1, 1, 0 }, row)
      assert.is_true(row.seconds >= 0.15 - GRAIN and row.seconds < 0.95) -- before the SYN that gets in
    end)

  it("judges nothing if the whole exchange has less time than the connection", function()
    assert.same({ nil, "total is shorter than patience" },
      { select(2, connect_timeouts { case = "black_hole", patience = 0.2, total = 0.1 }) })
  end)

  it("tells curl of ICMP, however near", function()
    for _, case in ipairs { "refused", "host_icmp", "near_icmp", "no_route" } do
      assert_told(row_alone("unbounded", { client = "curl", case = case }), "exit 7")
    end
  end)

  for _, delay in ipairs { 0.02, 0.05 } do
    it(("hears of ICMP after a round trip with a delay of %g s"):format(delay), function()
      local row = row_alone("unbounded", { case = "admin_icmp", delay = delay })
      assert_told(row, "EHOSTUNREACH")
      assert.is_true(row.seconds >= 2 * delay)
    end)
  end

  it("ends by user_timeout, and not before the first SYN was sent again", function()
    assert_given_up(row_alone("unbounded", { case = "user_timeout", user_timeout = 0.01 }), "ETIMEDOUT", 1, 2)
    assert_given_up(row_alone("unbounded", { case = "user_timeout", user_timeout = 1.2 }), "ETIMEDOUT", 1.2, 2)
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() connect_timeouts { client = "wget" } end, "knob client: \"wget\" is not allowed")
    assert.error_matches(function() connect_timeouts { case = "nothing" } end, "knob case: \"nothing\" is not allowed")
    assert.error_matches(function() connect_timeouts { patience = 0 } end, "knob patience: 0 is not allowed")
    assert.error_matches(function() connect_timeouts { total = -1 } end, "knob total: %-1 is not allowed")
    assert.error_matches(function() connect_timeouts { retries = 0 } end,
      "knob retries: 0 is not allowed; it is a whole number from 1 to 3 %(doublings%)$")
    assert.error_matches(function() connect_timeouts { linear = 1.5 } end, "knob linear: 1.5 is not allowed")
    assert.error_matches(function() connect_timeouts { user_timeout = 0 } end, "knob user_timeout: 0 is not allowed")
    assert.error_matches(function() connect_timeouts { delay = 1 } end, "knob delay: 1 is not allowed")
    assert.error_matches(function() connect_timeouts { client = "curl", case = "syncnt" } end,
      "client curl has no case syncnt")
    assert.error_matches(function() connect_timeouts { case = "silent_tls" } end,
      "client lunet has no case silent_tls")
  end)
end)

describe("connect_timeouts #slow", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("control: with more patience than the kernel has, no connect timeout ends the black hole", function()
    local outcome, holds, why = connect_timeouts(connect_timeouts.control)
    assert.is_false(holds)
    assert.equal("black_hole: by is kernel, not patience", why)
    assert_bounded({ "ETIMEDOUT", "kernel", 0, 0, 0 }, row_of(outcome.bounded, "black_hole"))
    assert_bounded({ "ETIMEDOUT", "kernel", 1, 0, 0 }, row_of(outcome.bounded, "full_queue"))
    assert_bounded({ "TIMEOUT", "total", 1, 1, #"GET / HTTP/1.0\r\n\r\n" }, row_of(outcome.bounded, "silent"))
  end)

  it("holds for curl, whose exit status does not say whose timeout it was", function()
    local outcome, holds, why = judged { client = "curl" }
    assert.is_true(holds, why)
    assert.same({ "black_hole", "full_queue", "silent", "silent_tls" }, names_of(outcome.bounded))
    for _, row in ipairs(outcome.bounded) do assert.equal("exit 28", row.error) end
    assert.same({ "refused", "port_icmp", "host_icmp", "admin_icmp", "near_icmp", "no_route", "no_neighbour",
      "retries", "linear" }, names_of(outcome.unbounded))
    assert_told(row_of(outcome.unbounded, "no_neighbour"), "exit 7")
    assert_given_up(row_of(outcome.unbounded, "retries"), "exit 28", 3, 2)
    assert_given_up(row_of(outcome.unbounded, "linear"), "exit 28", 3, 3)
  end)

  it("sends the SYN again as often as tcp_syn_retries says #part_retries", function()
    assert_given_up(row_alone("unbounded", { case = "retries", retries = 2 }), "ETIMEDOUT", 7, 3)
  end)

  it("takes longer or not by linear timeouts, by the first of count and time to be reached #part_linear", function()
    assert_given_up(row_alone("unbounded", { case = "linear", linear = 0 }), "ETIMEDOUT", 3, 2)
    assert_given_up(row_alone("unbounded", { case = "linear", linear = 1 }), "ETIMEDOUT", 4, 3)
    assert_given_up(row_alone("unbounded", { case = "linear", linear = 10 }), "ETIMEDOUT", 3, 3)
  end)
end)
