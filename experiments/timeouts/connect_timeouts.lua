-- Claim. A connect timeout covers only the handshake. It fires for a black hole or a full queue, but never for a server
-- that does not accept.
--
-- Why. A connect timeout bounds the handshake, which is the kernel's work: it succeeds although the server hangs. Then
-- only a bound on the whole exchange ends the wait, and a ghost with the request stays in the queue. curl counts TLS as
-- part of the handshake, so with https its --connect-timeout ends such a wait, too, and leaves a ghost all the same.
-- The kernel sends the SYN again after 1 s at the earliest (RFC 6298). It ends no connect before that, not even by
-- user_timeout. tcp_syn_retries (or the option syncnt) doublings of 1 s are a count and a time. Whichever is reached
-- first ends the connect (net/ipv4/tcp_timer.c, tcp_write_timeout). tcp_syn_linear_timeouts adds to the count and puts
-- off the doubling, but leaves the time. With few retries more SYNs go out in the same time; with the kernel's own 6
-- and 4 the end comes after 131 s, not 127 (computed). A user_timeout replaces the time, and not the count. ICMP ends a
-- connect at once, unless it comes while connect(2) itself still runs, as it does on a link without delay. The kernel
-- then keeps it as a soft error (net/ipv4/tcp_ipv4.c, tcp_v4_err; LockDroppedIcmps). A program that polls and asks
-- SO_ERROR gets that error, as curl does. A blocking connect(2) gets it at the second SYN, whose ICMP finds the socket
-- unlocked (`blocking_icmp`). SO_SNDTIMEO bounds a blocking connect(2); the error is then EINPROGRESS and no timeout
-- (socket(7)). The kernel goes on: its next SYN may connect a socket although the program was told that connect failed
-- (`sndtimeo`). Without an answer to ARP, connect gives EHOSTUNREACH after three requests, one a second.
--
-- Where it was met. Health checks that connect and call a hung server healthy; "connection timed out" after two minutes
-- that no setting of the program explains; exit status 28 of curl, which does not tell which timeout it was.
--
-- What to do. Bound the whole exchange as well as the connect, and expect the request to be carried out anyway.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local features = require "lunet.network.features"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"
local statistics = require "lunet.load.statistics"
local syn_schedule = require "lunet.network.syn_schedule"

local HAS_LINEAR = features.has_sysctl "net.ipv4.tcp_syn_linear_timeouts" -- without it the kernel has none
local LONG = lab.LONG
local SLOW = 0.25 -- s; how much too long a time may be, besides the lateness of the machine
local UNSEEN = 1 -- s; how much later a busy machine may be with curl and perl than with lunet
local NOWHERE = "203.0.113.1" -- TEST-NET-3 (RFC 5737); no host here has a route to it
local FIRST_PORT, CLOSED_PORT = 7300, 7299 -- the timeline tells servers apart by their ports
local BLOCKING = lunet.beside "connect_timeouts_client.pl"
local REQUEST = "GET / HTTP/1.0\r\n\r\n"

local function few_retries(knobs) return { retries = knobs.retries, linear = 0 } end
local function few_and_linear(knobs) return { retries = knobs.retries, linear = knobs.linear } end
local function few_by_option(knobs) return { retries = 6, linear = 0, syncnt = knobs.retries } end
local function user_short() return { retries = 6, linear = 0, user_timeout = 0.3 } end
local function user_given(knobs) return { retries = 6, linear = 0, user_timeout = knobs.user_timeout } end
local function user_long(knobs) return { retries = knobs.retries, linear = 0, user_timeout = LONG } end

-- `phase`: the client's phase when its time is over. `timer`: the settings of the SYN's timer, which ends the connect.
-- `is_far`: on a link with a delay. `only`: the one client that can do it. `is_blocking`: a blocking program connects.
local CASES = {
  { case = "black_hole", phase = "connecting", drop = {} },
  { case = "full_queue", phase = "connecting", is_full = true },
  { case = "silent", phase = "waiting" },
  { case = "silent_tls", phase = "connecting", scheme = "https", only = "curl" },
  { case = "sndtimeo", phase = "connecting", drop = {}, error = "EINPROGRESS", is_blocking = true, only = "lunet" },
  { case = "refused", is_closed = true, error = "ECONNREFUSED" },
  { case = "port_icmp", is_far = true, drop = { reject = "unreachable" }, error = "ECONNREFUSED" },
  { case = "host_icmp", is_far = true, drop = { reject = "host-unreachable" }, error = "EHOSTUNREACH" },
  { case = "admin_icmp", is_far = true, drop = { reject = "prohibited" }, error = "EHOSTUNREACH" },
  { case = "near_icmp", drop = { reject = "host-unreachable" }, error = "EHOSTUNREACH" },
  { case = "blocking_icmp", drop = { reject = "host-unreachable" }, error = "EHOSTUNREACH", is_blocking = true,
    only = "lunet" },
  { case = "no_route", address = NOWHERE, error = "ENETUNREACH" },
  { case = "no_neighbour", is_absent = true, error = "EHOSTUNREACH", least = 3 },
  { case = "retries", timer = few_retries, drop = {}, error = "ETIMEDOUT" },
  { case = "linear", timer = few_and_linear, drop = {}, error = "ETIMEDOUT" },
  { case = "syncnt", timer = few_by_option, drop = {}, error = "ETIMEDOUT", only = "lunet" },
  { case = "user_short", timer = user_short, drop = {}, error = "ETIMEDOUT", only = "lunet" },
  { case = "user_timeout", timer = user_given, drop = {}, error = "ETIMEDOUT", only = "lunet" },
  { case = "user_long", timer = user_long, drop = {}, error = "ETIMEDOUT", only = "lunet" },
}

local function selected(knobs)
  local cases = {}
  for _, case in ipairs(choice.pick(CASES, knobs.case, "case")) do
    if (case.only or knobs.client) == knobs.client then cases[#cases + 1] = case end
  end
  assert(#cases > 0, ("client %s has no case %s"):format(knobs.client, knobs.case))
  return cases
end

-- -- clients -----------------------------------------------------------------------------------
-- Each connects, sends a request, waits for the reply and leaves. It returns the error, the seconds, and whether the
-- handshake was completed.

local function lunet_client(host, target, limits)
  local started = lunet.now()
  local connection, _, code = host:connect(target, limits.patience)
  if not connection then return code, lunet.now() - started, false end
  assert(connection:send(REQUEST, LONG))
  local _, _, reply_code = connection:receive("l", math.max(0, started + limits.total - lunet.now()))
  connection:close()
  return reply_code, lunet.now() - started, true
end

local function curl_client(host, target, limits, scheme)
  local curl <close> = assert(host:exec { "curl", "-q", "--silent", "--insecure", "--noproxy", "*",
    "--connect-timeout", ("%.3f"):format(limits.patience), "--max-time", ("%.3f"):format(limits.total),
    "--output", "/dev/null", "--write-out", "%{time_connect} %{time_appconnect} %{time_total}",
    ("%s://%s:%d/"):format(scheme, target.address, target.port), stderr = "null" })
  local report = assert(curl.stdout:receive("a", 2 * LONG))
  local status = assert(curl:wait(LONG))
  local connect, tls, seconds = report:match "^(%S+) (%S+) (%S+)$"
  assert(seconds, "curl did not report its times: " .. report)
  return ("exit %s"):format(status), tonumber(seconds), tonumber(scheme == "https" and tls or connect) > 0
end

-- `on_error` is called while the program still has its socket.
local function blocking_client(host, target, limits, on_error)
  local began = lunet.now() -- the start of a program takes milliseconds
  local program <close> = assert(host:exec { "perl", BLOCKING, target.address, target.port,
    limits.patience < LONG and limits.patience or 0, stdin = "pipe" })
  local code = assert(program.stdout:receive("l", 2 * LONG))
  local seconds = lunet.now() - began
  on_error()
  program.stdin:close()
  program:wait(LONG)
  return code, seconds, false
end

local CLIENTS = { lunet = lunet_client, curl = curl_client }

-- curl's exit status for each error: 7 is no connection, 28 a timeout, also the kernel's.
local CURL_EXITS = { ECONNREFUSED = "exit 7", EHOSTUNREACH = "exit 7", ENETUNREACH = "exit 7",
  ETIMEDOUT = "exit 28", TIMEOUT = "exit 28" }

local function expected_error(case, knobs)
  local code = case.error or "TIMEOUT"
  return knobs.client == "curl" and CURL_EXITS[code] or code
end

-- The SYN's timer of a case.
local function timer_of(case, knobs)
  if case.timer then return case.timer(knobs) end
  if case.case == "sndtimeo" then return { retries = 6, linear = HAS_LINEAR and 10 or 0 } end -- a SYN each second
  return { retries = case.phase and knobs.retries or 6, linear = 0 }
end

-- -- one case ----------------------------------------------------------------------------------

local function is_queued(case)
  return case.phase == "waiting" or case.scheme == "https" or case.case == "sndtimeo"
end

-- Without this, the number of ARP requests and the time between them would come from the machine.
local function pin_arp(client)
  assert(client:sysctl("net.ipv4.neigh.eth0.mcast_solicit", 3))
  assert(client:sysctl("net.ipv4.neigh.eth0.retrans_time_ms", 1000))
end

local function ghosts_of(server, listener)
  return server:sockets { listener = listener, state = "CLOSE_WAIT", owned = false }
end

-- The depth, the ghosts, and the bytes of the first one: the rest at the server when the client has left.
local function remains(case, server, listener)
  if is_queued(case) then
    lunet.eventually(function() return #ghosts_of(server, listener) > 0 end, LONG) -- the FIN is here
  end
  local ghosts = ghosts_of(server, listener)
  local bytes = ghosts[1] and ghosts[1].receive_queue - 1 or 0 -- the FIN counts as one
  return assert(listener:queue()).depth, #ghosts, bytes
end

-- Runs the client of a case. The rule that drops its SYNs ends when SO_SNDTIMEO is over, so that the next SYN gets in.
local function run_client(case, knobs, client, target, listener, rule)
  local limits = case.phase and knobs or { patience = LONG, total = LONG }
  if not case.is_blocking then return CLIENTS[knobs.client](client, target, limits, case.scheme or "http") end
  return blocking_client(client, target, limits, function()
    if not case.phase then return end
    rule:close()
    lab.await_depth(listener, 1)
  end)
end

local function prepare(case, knobs, port)
  local timer = timer_of(case, knobs)
  local server, client, link = lab.hosts {
    { name = case.case .. " server", sysctl = { ["net.ipv4.icmp_ratelimit"] = 0 } },
    { name = case.case .. " client", sysctl = {
      ["net.ipv4.tcp_syn_retries"] = timer.retries, ["net.ipv4.tcp_syn_linear_timeouts"] = timer.linear } },
    delay = case.is_far and knobs.delay or nil,
  }
  pin_arp(client)
  local listener = assert(server:listen { port = port, backlog = case.is_full and 0 or 5 })
  local filler = case.is_full and lab.queue_client(client, listener, { label = "filler" })
  local rule = case.drop and assert(server:drop(case.drop))
  local address = case.address or link:address(server)
  if case.is_absent then address = address:gsub("%d+$", "77") end
  local target = { address = address, port = case.is_closed and CLOSED_PORT or port, syncnt = timer.syncnt,
    user_timeout = timer.user_timeout }
  return { server = server, client = client, listener = listener, filler = filler, rule = rule, target = target }
end

local function try(place, case, knobs)
  local server, client, listener = place.server, place.client, place.listener
  local moved = lab.counters(client)
  local code, seconds, is_through = run_client(case, knobs, client, place.target, listener, place.rule)
  local has_given_up = moved "TCPAbortOnTimeout" > 0
  local row = { case = case.case, error = code, seconds = statistics.round(seconds, 4) }
  if case.phase then
    row.by = has_given_up and "kernel" or is_through and "total" or "patience"
    row.depth, row.ghosts, row.bytes = remains(case, server, listener)
  else
    row.syns, row.gave_up = moved "OutSegs" + moved "RetransSegs", has_given_up
    row.soft = moved "LockDroppedIcmps"
  end
  return row
end

-- -- the claim ---------------------------------------------------------------------------------

local function check_time(case, row, least, most, knobs, late)
  local unseen = (knobs.client == "curl" or case.is_blocking) and UNSEEN or 0
  lateness.between(case.case .. ": ended", row.seconds, least, most + SLOW, late, unseen)
end

local function bytes_of(case, knobs)
  if case.phase ~= "waiting" then return case.scheme == "https" and 1 or 0 end
  return knobs.client == "curl" and 1 or #REQUEST
end

local function check_bounded(case, row, knobs, late)
  local bound, bytes = case.phase == "waiting" and "total" or "patience", bytes_of(case, knobs)
  expect.fields(case.case, row, { by = bound, error = expected_error(case, knobs), ghosts = is_queued(case) and 1 or 0,
    depth = (is_queued(case) or case.is_full) and 1 or 0,
    bytes = knobs.client == "curl" and bytes == 1 and expect.at_least(1) or bytes })
  check_time(case, row, knobs[bound], knobs[bound], knobs, late)
end

-- An ICMP error on a link without delay may come while connect(2) still runs, which makes it a soft one.
local function check_soft(case, row)
  local is_near = case.case == "near_icmp" or case.is_blocking
  if is_near and row.soft == 0 then experiment.not_judged("%s: the machine was late with its ICMP", case.case) end
  expect.value(case.case .. ": soft", row.soft, is_near and 1 or 0)
end

local function check_told(case, row, knobs, late)
  local syns = case.address and 0 or case.is_blocking and 2 or 1
  if row.syns > syns and late > SLOW then experiment.not_judged("the machine was %g s late with its ICMP", late) end
  expect.value(case.case .. ": syns", row.syns, syns)
  local least = case.is_far and 2 * knobs.delay or case.is_blocking and 1 or 0
  local most = (case.is_blocking and 1 or 0) * lateness.TIMER + 6 * knobs.delay + SLOW
  check_time(case, row, least, most, knobs, late)
end

local function check_unbounded(case, row, knobs, late)
  expect.fields(case.case, row, { error = expected_error(case, knobs), gave_up = case.timer ~= nil })
  check_soft(case, row)
  if not case.timer and not case.is_absent then return check_told(case, row, knobs, late) end
  local least, syns = case.least, expect.between(2, 3)
  if case.timer then
    local due, gives_up = syn_schedule.of(case.timer(knobs))
    least, syns = gives_up, #due
  end
  check_time(case, row, least, least * lateness.TIMER, knobs, late)
  expect.value(case.case .. ": syns", row.syns, syns)
end

local CHECKS = { bounded = check_bounded, unbounded = check_unbounded }

local function check_cases(outcome, knobs)
  local cases = { bounded = {}, unbounded = {} }
  for _, case in ipairs(selected(knobs)) do table.insert(cases[case.phase and "bounded" or "unbounded"], case) end
  for _, list in ipairs { "bounded", "unbounded" } do
    expect.cases(list, outcome[list], cases[list], { "case" })
    for i, case in ipairs(cases[list]) do CHECKS[list](case, outcome[list][i], knobs, outcome.lateness) end
  end
end

return experiment {
  claim = "A connect timeout covers only the handshake. It fires for a black hole or a full queue, but never for a "
    .. "server that does not accept.",
  knobs = {
    client = { "lunet", "program", "the program that connects", choices = { "lunet", "curl" } },
    case = { "all", "situation", "the case to try", choices = choice.of(CASES, "case") },
    patience = { 0.3, "s", "how long the client waits for its connection; curl's --connect-timeout", min = 0.001 },
    total = { 1.0, "s", "how long it waits for the whole exchange: longer than patience; curl's --max-time",
      min = 0.001 },
    retries = { 1, "doublings", "tcp_syn_retries, or syncnt", min = 1, max = 3 },
    linear = { HAS_LINEAR and 4 or 0, "SYNs", "tcp_syn_linear_timeouts of the case linear", min = 0, max = 10 },
    user_timeout = { 1.5, "s", "TCP_USER_TIMEOUT of the case user_timeout", min = 0.001, max = 15 },
    delay = { 0.01, "s", "one-way delay of the link in the cases with ICMP", min = 0.001, max = 0.2 },
  },

  run = function(knobs)
    lunet.note "Each case has a server and a client of its own, named after it; no server accepts."
    local cases = selected(knobs)
    local bounded, unbounded = {}, {}
    local rows, late = lab.measure(cases, function(case, i) return prepare(case, knobs, FIRST_PORT + i) end,
      function(place, case) return try(place, case, knobs) end)
    for i, row in ipairs(rows) do
      local list = cases[i].phase and bounded or unbounded
      list[#list + 1] = row
    end
    return { bounded = bounded, unbounded = unbounded, lateness = late }
  end,

  check = function(outcome, knobs)
    if knobs.total < knobs.patience then experiment.not_judged "total is shorter than patience" end
    check_cases(outcome, knobs)
    if #outcome.bounded == 0 then experiment.not_judged("the case %s has no connect timeout", knobs.case) end
  end,

  control = { patience = 4.0, total = 4.5 },
  needs = { curl = "curl", perl = "perl-base" },
  -- A client of `bounded` has a patience for its connection and a total for the whole exchange. A client of `unbounded`
  -- has neither. The kernel ends its connect, by an error that comes back or by the timer that sends the SYN again. by:
  -- what ended the wait. depth, ghosts, bytes: what stays at the server. soft: ICMP errors that came while connect(2)
  -- ran. gave_up: whether the kernel's timer ended the connect.
  columns = { "case", "error", "by", "seconds", "depth", "ghosts", "bytes", "syns", "gave_up", "soft" },
  figures = function(outcome)
    local parts = {}
    for _, name in ipairs { "black_hole", "silent", "retries" } do
      local row = choice.find(outcome.bounded, name, "case") or choice.find(outcome.unbounded, name, "case")
      if row then parts[#parts + 1] = ("%s %.1f s"):format(name == "retries" and "the kernel" or name, row.seconds) end
    end
    return #parts > 0 and table.concat(parts, ", ") or ("%d cases"):format(#outcome.bounded + #outcome.unbounded)
  end,
}
