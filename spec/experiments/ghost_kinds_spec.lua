local lunet = require "lunet"
local ghost_kinds = dofile "experiments/ghost_kinds.lua"
local it, judge = require "spec.support.patient"(it)

local MORE, FEW = 40000, 14 -- bytes
local WAIT = 0.05

local function run(knobs)
  knobs.wait = knobs.wait or WAIT
  return judge(ghost_kinds, knobs)
end

local function fields_of(record, names)
  local values = {}
  for i, name in ipairs(names) do values[i] = record[name] end
  return values
end

-- The records of one case; fails if it was not the only one.
local function only(outcome)
  assert.same({ 1, 1, 1 }, { #outcome.queued, #outcome.accepted, #outcome.replies })
  return outcome.queued[1], outcome.accepted[1], outcome.replies[1]
end

local function assert_replies(expected, replies)
  assert.same(expected, fields_of(replies, { "send1", "send2", "send3", "arrived" }))
end

-- By departure: what the server sees of it on TCP when all has come through, and what its replies give.
local SEEN = {
  close = { state = "CLOSE_WAIT", liveness = "fin", ended = "EOF", replies = { "sent", "EPIPE", "EPIPE", 0 } },
  shutdown = { state = "CLOSE_WAIT", liveness = "fin", ended = "EOF", replies = { "sent", "sent", "sent", 3 } },
  reset = { state = "CLOSE", liveness = "reset", ended = "ECONNRESET", replies = { "EPIPE", "EPIPE", "EPIPE", 0 } },
}
SEEN.killed, SEEN.unread_close = SEEN.close, SEEN.reset

-- Where the kernel cannot destroy sockets, the experiment leaves that kind out and says why.
local DEPARTURES = { "close", "shutdown", "reset", "killed", "unread_close", "destroyed" }

local function departures_of(outcome)
  if not outcome.left_out then return DEPARTURES end
  assert.matches("CONFIG_INET_DIAG_DESTROY", outcome.left_out)
  return { table.unpack(DEPARTURES, 1, 5) }
end

local function is_reset(departure) return SEEN[departure] == SEEN.reset end

local function assert_case(departure, size, bytes, queued, accepted, replies)
  local seen, place = SEEN[departure], departure == "unread_close" and 0 or 1
  local is_hidden = size == "more" and not is_reset(departure) -- its FIN has found no room
  assert.same({ place, place }, { queued.before, queued.after })
  assert.equal(is_reset(departure) and "none" or is_hidden and "ESTABLISHED" or "CLOSE_WAIT", queued.listed)
  assert.same(is_hidden and { "ESTABLISHED", "open" } or { seen.state, seen.liveness },
    { accepted.state, accepted.liveness })
  assert.equal(seen.ended, accepted.ended)
  assert.equal(bytes, accepted.read + accepted.lost)
  assert_replies(seen.replies, replies)
  assert.is_true(queued.unread >= queued.waiting) -- a little more may have found room meanwhile
  if size ~= "more" then assert.same({ bytes, bytes, 0 }, { queued.waiting, queued.unread, accepted.lost }) end
  if size == "more" then assert.is_true(queued.waiting > 0 and queued.unread <= 2 * 8192) end
  assert.equal(is_reset(departure) and size == "more", accepted.lost > 0)
end

describe("ghost_kinds", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, for every departure and amount over TCP", function()
    local outcome, holds, why = judge(ghost_kinds)
    assert.is_true(holds, why)
    local cases = {}
    for i, case in ipairs(outcome.queued) do cases[i] = ("%s %s %s"):format(case.departure, case.bytes, case.family) end
    local expected = {}
    for _, departure in ipairs(departures_of(outcome)) do
      for _, size in ipairs { "none", "few", "more" } do
        expected[#expected + 1] = ("%s %s tcp"):format(departure, size)
      end
    end
    assert.same(expected, cases)
    assert.same({ #expected, #expected }, { #outcome.accepted, #outcome.replies })
  end)

  -- net/ipv4/tcp.c, tcp_abort
  for size, bytes in pairs { none = 0, few = FEW, more = MORE } do
    it("keeps a destroyed ghost in the queue, and what had come of its bytes: " .. size, function()
      local outcome, holds, why = run { departure = "destroyed", bytes = size }
      if outcome.left_out then return pending(outcome.left_out) end
      assert.is_true(holds, why)
      local queued, accepted, replies = only(outcome)
      assert.same({ 1, 1, "none", "CLOSE", "reset" },
        { queued.before, queued.after, queued.listed, accepted.state, accepted.liveness })
      assert.same({ queued.unread, bytes - queued.unread }, { accepted.read, accepted.lost })
      assert.equal(size == "more" and "ECONNABORTED" or "EOF", accepted.ended)
      assert_replies({ size == "more" and "EPIPE" or "ECONNABORTED", "EPIPE", "EPIPE", 0 }, replies)
    end)
  end

  it("shows what a program is told that asks the socket of a ghost: who it was only if it did not leave by RST",
    function()
      local outcome, holds, why = run { bytes = "few" }
      assert.is_true(holds, why)
      assert.same({
        { departure = "close", peername = "known", so_error = "none", so_error_again = "none", first_read = "14",
          second_read = "EOF" },
        { departure = "shutdown", peername = "known", so_error = "none", so_error_again = "none", first_read = "14",
          second_read = "EOF" },
        { departure = "reset", peername = "ENOTCONN", so_error = "ECONNRESET", so_error_again = "none",
          first_read = "14", second_read = "EOF" },
      }, outcome.asked)
    end)

  it("fills a queue of backlog 1 with two clients that reset, and no list shows them", function()
    local outcome = run { bytes = "none" }
    assert.same({ depth = 2, limit = 1, listed = 0, third = "TIMEOUT", dropped = 1 }, outcome.filled)
  end)

  for _, family in ipairs { "tcp", "tcp6" } do
    for _, departure in ipairs { "close", "shutdown", "reset", "killed", "unread_close" } do
      for size, bytes in pairs { none = 0, few = FEW, more = MORE } do
        it(("keeps and accepts a client that left by %s over %s, after %s bytes"):format(departure, family, size),
          function()
            local outcome, holds, why = run { departure = departure, bytes = size, family = family }
            assert.is_true(holds, why)
            assert_case(departure, size, bytes, only(outcome))
          end)
      end
    end
  end

  describe("over Unix", function()
    for _, departure in ipairs { "close", "shutdown", "killed", "unread_close" } do
      for size, bytes in pairs { none = 0, few = FEW, more = MORE } do
        it(("keeps every byte of a client that left by %s, after %s bytes"):format(departure, size), function()
          local outcome, holds, why = run { departure = departure, bytes = size, family = "unix" }
          assert.is_true(holds, why)
          local queued, accepted, replies = only(outcome)
          local place = departure == "unread_close" and 0 or 1
          assert.same({ place, place, -1, "none", bytes, -1 },
            fields_of(queued, { "before", "after", "waiting", "listed", "unread", "age" }))
          local liveness, ended = "fin", "EOF"
          if departure == "unread_close" then liveness, ended = "reset", "ECONNRESET" end
          assert.same({ "none", liveness, bytes, ended, 0 },
            fields_of(accepted, { "state", "liveness", "read", "ended", "lost" }))
          assert_replies(departure == "shutdown" and { "sent", "sent", "sent", 3 } or { "EPIPE", "EPIPE", "EPIPE", 0 },
            replies)
        end)
      end
    end

    it("has no reset, so that nothing is judged", function()
      local outcome, holds, why = run { departure = "reset", family = "unix" }
      assert.same({ nil, "Unix sockets have no reset" }, { holds, why })
      assert.same({ 0, 0, 0 }, { #outcome.queued, #outcome.accepted, #outcome.replies })
    end)
  end)

  it("runs every family at once", function()
    local outcome, holds, why = run { family = "all", bytes = "few" }
    assert.is_true(holds, why)
    assert.equal(2 * #departures_of(outcome) + 4, #outcome.queued)
  end)

  for _, wait in ipairs { 0, 0.2 } do
    it(("tells that the bytes of a client that has left are %g s old, or older"):format(wait), function()
      local outcome = run { wait = wait, bytes = "few" }
      assert.equal(#departures_of(outcome), #outcome.queued)
      -- The kernel counts ms in ticks of up to 10 ms.
      for _, case in ipairs(outcome.queued) do assert.is_true(case.age >= 0 and case.age >= wait * 1000 - 20) end
    end)
  end

  it("control: a server that sends before it has read loses what had not arrived from a client that closed", function()
    local outcome, holds, why = judge(ghost_kinds, ghost_kinds.control)
    assert.is_false(holds)
    assert.equal("close over tcp, more bytes: data was lost without a reset", why)
    local lost = {}
    for i, case in ipairs(outcome.accepted) do
      assert.equal(case.bytes == "none" and 0 or case.bytes == "few" and FEW or MORE, case.read + case.lost)
      if case.lost > 0 then
        assert.is_true(case.read >= outcome.queued[i].unread)
        lost[#lost + 1] = case.departure .. " " .. case.bytes
      end
    end
    local expected = { "close more", "reset more", "killed more", "unread_close more" }
    if not outcome.left_out then expected[5] = "destroyed more" end
    assert.same(expected, lost)
  end)

  it("control: what had arrived is read all the same, and a half-closed client gets every reply", function()
    local outcome, holds, why = run { first = ghost_kinds.control.first, bytes = "few", family = "all" }
    assert.is_true(holds, why)
    for i, case in ipairs(outcome.accepted) do
      assert.same({ FEW, 0 }, { case.read, case.lost })
      assert.equal(case.departure == "shutdown" and 3 or 0, outcome.replies[i].arrived)
    end
  end)

  it("gives ECONNRESET to the first send if the server sends before it has read of the reset", function()
    for _, departure in ipairs { "reset", "unread_close" } do
      local _, _, replies = only(run { first = "send", departure = departure, bytes = "few" })
      assert_replies({ "ECONNRESET", "EPIPE", "EPIPE", 0 }, replies)
    end
  end)

  it("tells its figures", function()
    local knobs = { wait = 0 }
    local outcome = ghost_kinds(knobs)
    assert.equal(outcome.left_out and "12 ghosts accepted, 3 look open, bytes lost in 1"
      or "15 ghosts accepted, 3 look open, bytes lost in 2", ghost_kinds.figures(outcome, knobs))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() ghost_kinds { departure = "die" } end, 'knob departure: "die" is not allowed; '
      .. "it is one of all, close, shutdown, reset, killed, unread_close, destroyed %(way%)$")
    assert.error_matches(function() ghost_kinds { bytes = 7 } end,
      "knob bytes: 7 is not allowed; it is one of all, none, few, more %(amount%)$")
    assert.error_matches(function() ghost_kinds { family = "ipx" } end, 'knob family: "ipx" is not allowed')
    assert.error_matches(function() ghost_kinds { first = "wait" } end, 'knob first: "wait" is not allowed')
    assert.error_matches(function() ghost_kinds { wait = -1 } end, "knob wait: %-1 is not allowed")
  end)
end)
