-- Claim. user_timeout overrules tcp_retries2 and keepalive's count, and ends a connection whose live peer does not
-- read. It never ends an idle one without keepalive.
--
-- Why. Three timers (net/ipv4/tcp_timer.c) share the work. The data that waits to be sent or acknowledged decides which
-- one runs. The retransmit timer (tcp_write_timeout) takes tcp_retries2 as a time, not a count: the sum of that many
-- doublings of 200 ms, up to 120 s each: 924.6 s for the default of 15. A user_timeout replaces that time. The kernel
-- looks at it only when the timer expires, and counts from the first retransmission, so the end comes late: for
-- tcp_retries2 = 3 after 6.7 s, not 3.0. On a link with 20 ms of round trip (knob delay), whose timer expires at other
-- times, it comes after 3.7 s. A tail loss probe may come before the first retransmission. ICMP "host unreachable" ends
-- nothing: it names the error, and takes the doubling back (RFC 6069). The probe timer (tcp_probe_timer) runs for a
-- full window. Each answer clears its count, so the connection lives for ever (RFC 1122, 4.2.2.17). Only user_timeout
-- ends it, although the peer is there and answers. No RST tells the peer, which keeps the connection in its queue,
-- ESTABLISHED and without FIN. A peer answers one such probe in 500 ms (tcp_invalid_ratelimit), and the second comes
-- 400 ms after the first: with retries2 = 1 that alone ends it. The keepalive timer (tcp_keepalive_timer) does nothing
-- while bytes wait. With user_timeout the number of probes no longer counts, whether it is smaller or larger. The first
-- probe to find the time over ends the connection, with RST. Without keepalive an idle connection has no timer at all,
-- so the kernel never looks at user_timeout. The kernel reports the error once (ETIMEDOUT, EHOSTUNREACH). Then sends
-- fail with EPIPE, and reading is at its end.
--
-- Where it was met. A database pool whose queries hang for 15 minutes after a fail-over (tcp_retries2 = 15); keepalive
-- that does not help, since a query is under way; user_timeout set against that, which then cuts off readers that are
-- only slow.
--
-- What to do. Set user_timeout and keepalive together, user_timeout = keepidle + keepintvl * keepcnt, above the longest
-- pause that a reader may make. Put deadlines into the program as well: neither of the two knows of a server that
-- hangs.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"
local statistics = require "lunet.load.statistics"

local LONG = lab.LONG
local FIRST_RTO = 0.2 -- s; TCP_RTO_MIN, from which the kernel computes what tcp_retries2 means
local LAST_RTO = 120 -- s; TCP_RTO_MAX, at which doubling ends
local FIRST_PORT = 7300 -- the timeline tells servers apart by their ports
local SLOW = 0.05 -- s; how much too long a time may be, besides the lateness of the machine

local function user_timeout(knobs) return { user_timeout = knobs.user_timeout } end

local function keepalive(count, timeout)
  return function(knobs)
    return { keepalive = true, keepidle = knobs.keepidle, keepintvl = knobs.keepintvl,
      keepcnt = count or knobs.keepcnt, user_timeout = timeout and timeout(knobs) or 0 }
  end
end

local function given_timeout(knobs) return knobs.user_timeout end
local function one_probe_more(knobs) return knobs.keepidle + 1.5 * knobs.keepintvl end

-- The sum of pauses, each twice as long as the one before.
local function doublings(first, last)
  local sum = 0
  for i = first, last do sum = sum + math.min(FIRST_RTO * 2 ^ i, LAST_RTO) end
  return sum
end

local function after_retries(knobs) return FIRST_RTO + doublings(0, knobs.retries2) end

-- Each probe that is not answered makes the next pause twice as long.
local function after_probes(knobs) return doublings(1, knobs.retries2) end

local function after_count(knobs) return knobs.keepidle + knobs.keepcnt * knobs.keepintvl end

-- The end comes with the first probe after the timeout. The very first probe never ends anything.
local function after_probe_past(timeout)
  return function(knobs)
    local probes = math.max(1, math.ceil((timeout(knobs) - knobs.keepidle) / knobs.keepintvl))
    return knobs.keepidle + probes * knobs.keepintvl
  end
end

local function after_first_and_given(knobs) return FIRST_RTO + knobs.user_timeout end

-- The latest times of the end. A first timeout takes 0.2 s and a few round trips, and a tail loss probe may come before
-- it.
local function first_timeouts(knobs) return 2 * (FIRST_RTO + 8 * knobs.delay) end
local function soon(least, knobs) return (least + first_timeouts(knobs)) * lateness.TIMER end
local function in_time(least, knobs) return (least + 8 * knobs.delay) * lateness.TIMER end

-- The timer that finds the time over runs twice as long as the one before.
local function after_doubling(least, knobs)
  local latest = soon(least, knobs)
  return latest + math.min(latest, LAST_RTO)
end

-- When the peer is cut off, each probe of a full window comes later with a longer round trip.
local function after_slow_probes(least, knobs)
  return soon(least * (FIRST_RTO + 6 * knobs.delay) / FIRST_RTO, knobs)
end

-- A connection with `least` ends between `least` and `most`. Any other never ends, and is watched for longer than
-- `outlasts`. `timer`: the timer that runs. `is_user`: with a user_timeout, which is what the claim is about.
-- data: bytes are unacknowledged, and the peer is cut off. full: the peer's window is full, and its kernel answers.
-- idle: nothing is under way, and the peer is cut off. +user: with user_timeout. +keep: with keepalive. +icmp: a router
-- says that the host is unreachable. No server ever accepts, which makes no difference to the client.
local CASES = {
  { case = "data", timer = "retransmit", data = true, cut = {}, least = after_retries, most = after_doubling },
  { case = "data+user", timer = "retransmit", data = true, cut = {}, options = user_timeout, is_user = true,
    least = after_first_and_given, most = soon },
  { case = "data+keep", timer = "retransmit", data = true, cut = {}, options = keepalive(1), least = after_retries,
    most = after_doubling },
  { case = "data+icmp", timer = "retransmit", data = true, cut = { direction = "in", reject = "host-unreachable" },
    error = "EHOSTUNREACH", least = after_retries, most = after_doubling },
  { case = "full", timer = "probe", fill = true, outlasts = after_probes },
  { case = "full+keep", timer = "probe", fill = true, options = keepalive(1), outlasts = after_probes },
  { case = "full+user", timer = "probe", fill = true, options = user_timeout, is_user = true, least = given_timeout,
    most = soon },
  { case = "full+cut", timer = "probe", fill = true, cut = {}, least = after_probes, most = after_slow_probes },
  { case = "idle", timer = "none", cut = {}, outlasts = after_retries },
  { case = "idle+user", timer = "none", cut = {}, options = user_timeout, is_user = true, outlasts = given_timeout },
  { case = "idle+keep", timer = "keepalive", cut = {}, options = keepalive(), least = after_count, most = in_time },
  { case = "idle+keep+user", timer = "keepalive", cut = {}, options = keepalive(9, given_timeout), is_user = true,
    least = after_probe_past(given_timeout), most = in_time },
  { case = "idle+keep+long", timer = "keepalive", cut = {}, options = keepalive(1, one_probe_more), is_user = true,
    least = after_probe_past(one_probe_more), most = in_time },
}

local function socket_of(client) return lab.socket(client, { state = "ESTABLISHED", info = true }) end

-- Sends more than the window takes, and waits until the client's kernel probes it. On a late machine that may be over.
local function fill_window(client, connection)
  connection:send(("x"):rep(65536), 0)
  lab.await(function()
    local socket = socket_of(client)
    return not socket or socket.timer == "probe" and socket.info.tcpi_unacked == 0
  end)
end

local function timer_of(client)
  local socket = socket_of(client)
  return not socket and "not seen" or socket.timer or "none"
end

local function cut_off(server, case)
  return assert(server:drop { direction = case.cut.direction or "both", reject = case.cut.reject })
end

local function prepare(case, knobs, port)
  local server, client = lab.hosts {
    { name = case.case .. " server",
      sysctl = { ["net.ipv4.icmp_ratelimit"] = 0, ["net.ipv4.tcp_invalid_ratelimit"] = 500 } },
    { name = case.case .. " client", sysctl = { ["net.ipv4.tcp_retries2"] = knobs.retries2 } },
    delay = knobs.delay,
  }
  local listener = assert(server:listen { port = port, backlog = 1, rcvbuf = 4096 })
  local target = case.options and case.options(knobs) or {}
  target[1], target.sndbuf = listener, 8192
  return { server = server, client = client, listener = listener, target = target }
end

local function watch(place, case, knobs)
  local server, client, listener = place.server, place.client, place.listener
  local started = lunet.now()
  local connection = assert(client:connect(place.target, LONG))
  lab.await_depth(listener, 1)
  local rto = assert(connection:info()).tcpi_rto / 1e6
  if case.fill then fill_window(client, connection) end
  if case.cut and case.timer ~= "keepalive" then started = lunet.now() end
  local rule <close> = case.cut and cut_off(server, case) or nil -- luacheck: ignore 211
  local moved = lab.counters(client)
  if case.data then assert(connection:send "hello\n") end
  local timer = timer_of(client)
  local _, _, code = connection:receive(nil, knobs.patience)

  return {
    case = case.case,
    error = code,
    seconds = statistics.round(lunet.now() - started, 3),
    timer = timer,
    rto = rto,
    tries = moved "RetransSegs" + moved "TCPWinProbe" + moved "TCPKeepAlive",
    answers = moved "InSegs",
    rst = moved "OutRsts",
    left = #server:sockets { listener = listener, state = "ESTABLISHED" },
  }
end

-- The rows of connections that ended and of those that did not, and how many connections the servers still have. `rto`:
-- the longest retransmission timeout with which a connection began.
local function split(rows)
  local ended, endless, left_behind, rto = {}, {}, 0, 0.0
  for _, row in ipairs(rows) do
    left_behind, rto = left_behind + row.left, math.max(rto, row.rto)
    row.left, row.rto = nil, nil
    if row.error == "TIMEOUT" then
      row.error = nil
      endless[#endless + 1] = row
    else
      ended[#ended + 1] = row
    end
  end
  return { ended = ended, endless = endless, left_behind = left_behind, rto = rto }
end

local function check_ended(case, row, knobs, outcome)
  local least = case.least(knobs)
  local most = case.most(least, knobs)
  if not row and knobs.patience < most + SLOW then
    experiment.not_judged("%s: watched for %g s only, and it may take %.1f s", case.case, knobs.patience, most)
  end
  assert(row, ("%s: still open after %g s"):format(case.case, knobs.patience))
  assert(row.error == (case.error or "ETIMEDOUT"), ("%s: ended with %s"):format(case.case, row.error))
  if row.seconds > most + SLOW and outcome.rto > FIRST_RTO + 8 * knobs.delay + lateness.GRAIN then
    experiment.not_judged("%s: the machine was slow: the kernel began with a timeout of %g s", case.case, outcome.rto)
  end
  lateness.between(case.case .. ": ended", row.seconds, least, most + SLOW, outcome.lateness)
end

local function check_endless(case, row, knobs, late)
  assert(row, ("%s: ended"):format(case.case))
  if knobs.patience < case.outlasts(knobs) * lateness.TIMER then
    experiment.not_judged("%s: watched for %g s only", case.case, knobs.patience)
  end
  local most = knobs.patience + 2 * first_timeouts(knobs) -- fill_window comes before the watch
  lateness.between(case.case .. ": watched", row.seconds, knobs.patience, most, late)
end

-- The kernel's own numbers: which timer ran, how often it tried, and what came back.
local function check_tries(case, row, knobs, late)
  local is_answered = case.fill and not case.cut
  if is_answered and row.answers == 0 and late > SLOW then
    experiment.not_judged("%s: the machine was %g s late, and sent no probe in time", case.case, late)
  end
  local tries = expect.at_least(1)
  if case.timer == "none" then tries = 0 end
  if case.timer == "keepalive" then tries = (case.least(knobs) - knobs.keepidle) // knobs.keepintvl end
  expect.fields(case.case, row, { timer = case.timer, tries = tries, answers = is_answered and expect.at_least(1) or 0,
    rst = case.timer == "keepalive" and 1 or 0 })
end

-- The rows of either list stand in the order of the cases.
local function check_cases(cases, outcome, knobs)
  local ended, endless = 0, 0
  for _, case in ipairs(cases) do
    local row = outcome.ended[ended + 1]
    local has_ended = row ~= nil and row.case == case.case
    if has_ended then
      ended = ended + 1
    else
      endless = endless + 1
      row = outcome.endless[endless]
      assert(row and row.case == case.case, case.case .. ": there is no row of it")
    end
    if row.timer == "not seen" and outcome.lateness > SLOW then
      experiment.not_judged("%s: the machine was %g s late, and its timer was not seen", case.case, outcome.lateness)
    end
    if case.least then
      check_ended(case, has_ended and row or nil, knobs, outcome)
    else
      check_endless(case, not has_ended and row or nil, knobs, outcome.lateness)
    end
    check_tries(case, row, knobs, outcome.lateness)
  end
  assert(ended == #outcome.ended and endless == #outcome.endless, "there are more rows")
end

-- Whether a case of these tells something about user_timeout. Without one, an idle connection tells nothing.
local function is_tried(cases, knobs)
  for _, case in ipairs(cases) do
    if case.is_user and (case.least or knobs.user_timeout > 0) then return true end
  end
  return false
end

return experiment {
  claim = "user_timeout overrules tcp_retries2 and keepalive's count, and ends a connection whose live peer does "
    .. "not read. It never ends an idle one without keepalive.",
  knobs = {
    case = { "all", "situation", "the case to try", choices = choice.of(CASES, "case") },
    retries2 = { 2, "doublings", "tcp_retries2 of the client; 1 ends even a full window", min = 1, max = 15 },
    user_timeout = { 1.0, "s", "TCP_USER_TIMEOUT of the cases that set it; 0 sets none", min = 0, max = 2147483 },
    keepidle = { 1, "s", "silence before the first keepalive probe", min = 1, max = 60, whole = true },
    keepintvl = { 1, "s", "time between keepalive probes", min = 1, max = 60, whole = true },
    keepcnt = { 2, "probes", "unanswered probes that end a connection without user_timeout", min = 1, max = 127 },
    delay = { 0.0, "s", "one-way delay of the link; 0: none", min = 0, max = 0.1 },
    patience = { 5.0, "s", "how long each connection is watched; one that outlasts it counts as endless", min = 0 },
  },

  run = function(knobs)
    lunet.note "Each case has a server and a client of its own, named after it; no server accepts."
    local rows, late = lab.measure(choice.pick(CASES, knobs.case, "case"), function(case, i)
      return prepare(case, knobs, FIRST_PORT + i)
    end, function(place, case) return watch(place, case, knobs) end)
    local outcome = split(rows)
    outcome.lateness = late
    return outcome
  end,

  check = function(outcome, knobs)
    local cases = choice.pick(CASES, knobs.case, "case")
    check_cases(cases, outcome, knobs)
    assert(outcome.left_behind == #cases, ("the servers still have %d connections"):format(outcome.left_behind))
    if not is_tried(cases, knobs) then experiment.not_judged("the case %s has no user_timeout", knobs.case) end
  end,

  control = { user_timeout = 0 },
  virtual = { retries2 = 15, patience = 1200 }, -- the kernel's own tcp_retries2
  -- error, seconds: how and when the connection ended; the rows without an error did not. timer: the timer that ran,
  -- or "not seen". tries: retransmissions and probes. answers: segments from the peer. rst: RSTs that the client sent.
  columns = { "case", "error", "seconds", "timer", "tries", "answers", "rst" },
  figures = function(outcome)
    local parts = {}
    for _, name in ipairs { "data+user", "full+user", "idle+keep+user" } do
      local row = choice.find(outcome.ended, name, "case")
      if row then parts[#parts + 1] = ("%s %.1f s"):format(name, row.seconds) end
    end
    return #parts > 0 and table.concat(parts, ", ")
      or ("%d ended, %d endless"):format(#outcome.ended, #outcome.endless)
  end,
}
