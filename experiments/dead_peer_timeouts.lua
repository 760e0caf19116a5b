-- A connection whose peer says nothing more: which error it ends with, after how long, and when it never ends.
-- Every connection here is queued and never accepted, which for its client makes no difference.
--   data   bytes are unacknowledged, the peer is cut off     +user  with user_timeout
--   full   the peer's window is full; its kernel answers     +keep  with keepalive
--   idle   nothing is under way, the peer is cut off         +icmp  a router says: host unreachable
--
-- Why (net/ipv4/tcp_timer.c): three timers; what waits to be sent or acknowledged decides which one rules.
-- * retransmit (tcp_write_timeout): tcp_retries2 is a time, not a count: the sum of that many doublings of 200 ms, or
--   user_timeout instead, looked at only when the timer expires. Both count from the first retransmission, so that
--   the end comes late: for tcp_retries2 = 3 after 6.7 s, not 3.0, and on a link with 20 ms of round trip (knob
--   delay), whose timer expires at other times, after 3.7 s.
--   ICMP "host unreachable" ends nothing: it names the error, and takes the doubling back (RFC 6069).
-- * probe (tcp_probe_timer): each answer clears the count, so a full window lives for ever (RFC 1122, 4.2.2.17). Only
--   user_timeout ends it, though the peer is there and answers; and no RST tells the peer, in whose queue it stays,
--   ESTABLISHED and without FIN. A peer answers one such probe in 500 ms (tcp_invalid_ratelimit), and the second
--   comes 400 ms after the first: with retries2 = 1 that alone ends it.
-- * keepalive (tcp_keepalive_timer): does nothing while bytes wait. With user_timeout the number of probes no longer
--   counts, whether it is smaller or larger; the first probe to find the time over ends it, with RST. Without
--   keepalive an idle connection has no timer at all, so that nothing ever looks at user_timeout.
-- The error is reported once (ETIMEDOUT, EHOSTUNREACH); then sends fail with EPIPE and reading is at its end.
--
-- Met as: a database pool whose queries hang for 15 minutes after a fail-over (tcp_retries2 = 15); keepalive set, and
-- no help since a query was under way; user_timeout set against that, which then cuts off readers that are only slow.
-- What to do: user_timeout and keepalive together, user_timeout = keepidle + keepintvl * keepcnt, above the longest
-- pause that a reader may make; and deadlines in the program, since the first two know nothing of a server that hangs.
local lunet = require "lunet"
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"
local statistics = require "lunet.statistics"

local LONG = 20 -- s; bounds waits for states that do come
local FIRST_RTO = 0.2 -- s; TCP_RTO_MIN, from which the kernel computes what tcp_retries2 means
local FIRST_PORT = 7300 -- the timeline tells servers apart by their ports
local GRAIN = 0.02 -- s; the kernel counts in jiffies, of up to 10 ms

local function user_timeout(knobs) return { user_timeout = knobs.user_timeout } end

local function keepalive(count, timeout)
  return function(knobs)
    return { keepalive = true, keepidle = knobs.keepidle, keepintvl = knobs.keepintvl,
      keepcnt = count or knobs.keepcnt, user_timeout = timeout and timeout(knobs) or 0 }
  end
end

local function given_timeout(knobs) return knobs.user_timeout end
local function one_probe_more(knobs) return knobs.keepidle + 1.5 * knobs.keepintvl end

local function after_retries(knobs) return FIRST_RTO + FIRST_RTO * (2 ^ (knobs.retries2 + 1) - 1) end

-- Each probe that is not answered makes the next pause twice as long.
local function after_probes(knobs) return FIRST_RTO * (2 ^ (knobs.retries2 + 1) - 2) end

local function after_count(knobs) return knobs.keepidle + knobs.keepcnt * knobs.keepintvl end

-- At the first probe after it; the first of all never ends anything.
local function after_probe_past(timeout)
  return function(knobs)
    local probes = math.max(1, math.ceil((timeout(knobs) - knobs.keepidle) / knobs.keepintvl))
    return knobs.keepidle + probes * knobs.keepintvl
  end
end

-- Those with `least` end, no sooner than it says; the others never do. `timer`: the one that runs.
local CASES = {
  { case = "data", timer = "retransmit", data = true, cut = {}, least = after_retries },
  { case = "data+user", timer = "retransmit", data = true, cut = {}, options = user_timeout,
    least = function(knobs) return FIRST_RTO + knobs.user_timeout end },
  { case = "data+keep", timer = "retransmit", data = true, cut = {}, options = keepalive(1), least = after_retries },
  { case = "data+icmp", timer = "retransmit", data = true, cut = { direction = "in", reject = "host-unreachable" },
    error = "EHOSTUNREACH", least = after_retries },
  { case = "full", timer = "probe", fill = true },
  { case = "full+keep", timer = "probe", fill = true, options = keepalive(1) },
  { case = "full+user", timer = "probe", fill = true, options = user_timeout, least = given_timeout },
  { case = "full+cut", timer = "probe", fill = true, cut = {}, least = after_probes },
  { case = "idle", timer = "none", cut = {} },
  { case = "idle+user", timer = "none", cut = {}, options = user_timeout },
  { case = "idle+keep", timer = "keepalive", cut = {}, options = keepalive(), least = after_count },
  { case = "idle+keep+user", timer = "keepalive", cut = {}, options = keepalive(9, given_timeout),
    least = after_probe_past(given_timeout) },
  { case = "idle+keep+long", timer = "keepalive", cut = {}, options = keepalive(1, one_probe_more),
    least = after_probe_past(one_probe_more) },
}

local function socket_of(client) return client:sockets({ state = "ESTABLISHED", info = true })[1] end

-- Sends more than the window takes, and waits until the client's kernel probes it.
local function fill_window(client, connection)
  connection:send(("x"):rep(65536), 0)
  assert(lunet.eventually(function()
    local socket = socket_of(client)
    return socket.timer == "probe" and socket.info.tcpi_unacked == 0
  end, LONG))
end

local function cut_off(server, case)
  return assert(server:drop { direction = case.cut.direction or "both", reject = case.cut.reject })
end

local function watch(case, knobs, meet, port)
  local server = assert(lunet.host { name = case.case .. " server",
    sysctl = { ["net.ipv4.icmp_ratelimit"] = 0, ["net.ipv4.tcp_invalid_ratelimit"] = 500 } })
  local client = assert(lunet.host { name = case.case .. " client",
    sysctl = { ["net.ipv4.tcp_retries2"] = knobs.retries2 } })
  lunet.link(server, client, { delay = knobs.delay > 0 and knobs.delay or nil })
  local listener = assert(server:listen { port = port, backlog = 1, rcvbuf = 4096 })
  local target = case.options and case.options(knobs) or {}
  target[1], target.sndbuf = listener, 8192
  meet()

  local started = lunet.now()
  local connection = assert(client:connect(target, LONG))
  assert(lunet.eventually(function() return listener:queue().depth == 1 end, LONG))
  if case.fill then fill_window(client, connection) end
  if case.cut and case.timer ~= "keepalive" then started = lunet.now() end
  local rule <close> = case.cut and cut_off(server, case) or nil -- luacheck: ignore 211
  local counters = client:counters()
  if case.data then assert(connection:send "hello\n") end
  local timer = socket_of(client).timer or "none"
  local _, _, code = connection:receive(nil, knobs.patience)

  local moved = client:counters() - counters
  return {
    case = case.case,
    error = code,
    seconds = statistics.round(lunet.now() - started, 3),
    least = case.least and statistics.round(case.least(knobs), 3),
    timer = timer,
    tries = moved.RetransSegs + moved.TCPWinProbe + moved.TCPKeepAlive,
    answers = moved.InSegs,
    rst = moved.OutRsts,
    left = #server:sockets { listener = listener, state = "ESTABLISHED" },
  }
end

-- The rows of those that ended, and of those that did not; and how many connections the servers still have.
local function split(rows)
  local ended, endless, left_behind = {}, {}, 0
  for _, row in ipairs(rows) do
    left_behind = left_behind + row.left
    row.left = nil
    if row.error == "TIMEOUT" then
      row.error, row.least = nil, nil
      endless[#endless + 1] = row
    else
      ended[#ended + 1] = row
    end
  end
  return { ended = ended, endless = endless, left_behind = left_behind }
end

local function check_ended(case, row, knobs)
  assert(row, ("%s: still open after %g s"):format(case.case, knobs.patience))
  assert(row.error == (case.error or "ETIMEDOUT"), ("%s: ended with %s"):format(case.case, row.error))
  assert(row.seconds >= case.least(knobs) - GRAIN, ("%s: ended after %g s"):format(case.case, row.seconds))
  local resets = case.timer == "keepalive" and 1 or 0
  assert(row.rst == resets, ("%s: sent %d RST"):format(case.case, row.rst))
end

local function check_case(case, outcome, knobs)
  local ended, endless = choice.find(outcome.ended, case.case, "case"), choice.find(outcome.endless, case.case, "case")
  if case.least then
    check_ended(case, ended, knobs)
  else
    assert(endless, ("%s: ended"):format(case.case))
  end
  local row = ended or endless
  assert(row.timer == case.timer, ("%s: its timer is %s"):format(case.case, row.timer))
  assert(case.timer == "none" or row.tries > 0, case.case .. ": nothing was tried")
  local is_answered = case.fill and not case.cut
  assert((row.answers > 0) == (is_answered or false), ("%s: %d answers"):format(case.case, row.answers))
end

return experiment {
  claim = "user_timeout overrules tcp_retries2 and keepalive's count, and ends a connection whose live peer does "
    .. "not read, but never an idle one.",
  knobs = {
    case = { "all", "situation", "one of them alone", choices = choice.of(CASES, "case") },
    retries2 = { 2, "doublings", "tcp_retries2 of the client; 1 ends even a full window", min = 1, max = 6 },
    user_timeout = { 1.0, "s", "TCP_USER_TIMEOUT where it is set; 0 is as if it were not", min = 0 },
    keepidle = { 1, "s", "silence before the first keepalive probe", min = 1, max = 60 },
    keepintvl = { 1, "s", "from one keepalive probe to the next", min = 1, max = 60 },
    keepcnt = { 2, "probes", "unanswered keepalive probes that end it, without user_timeout", min = 1, max = 127 },
    delay = { 0.0, "s", "one-way delay of the link; 0 is a link without", min = 0, max = 0.1 },
    patience = { 5.0, "s", "how long each connection is watched; what takes longer counts as endless", min = 0 },
  },

  run = function(knobs)
    lunet.note "Each case has a server and a client of its own, named after it; no server accepts."
    return split(lunet.together(choice.pick(CASES, knobs.case, "case"), function(case, i, meet)
      return watch(case, knobs, meet, FIRST_PORT + i)
    end))
  end,

  check = function(outcome, knobs)
    local cases = choice.pick(CASES, knobs.case, "case")
    for _, case in ipairs(cases) do check_case(case, outcome, knobs) end
    assert(outcome.left_behind == #cases, ("the servers still have %d connections"):format(outcome.left_behind))
  end,

  control = { user_timeout = 0 },
  columns = { "case", "error", "seconds", "least", "timer", "tries", "answers", "rst" },
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
