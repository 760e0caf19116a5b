-- A connect that does not get what it wants: which error ends it, after how long, and what stays at the server.
-- `bounded`: the client has a patience for its connection and a total for the whole exchange. `unbounded`: it has
-- neither, and the kernel ends the connect: by an error that comes back, or by the timer that sends the SYN again.
--
-- Why: a connect timeout bounds the handshake, which is the kernel's work: a server that hangs passes it. Then only a
-- bound on the whole exchange ends the wait, and a ghost with the request stays in the queue. curl counts TLS to
-- the handshake, so with https its --connect-timeout ends such a wait, too, and leaves a ghost all the same.
-- * The SYN is sent again after 1 s at the earliest (RFC 6298); nothing of the kernel's ends the connect before that,
--   user_timeout neither. tcp_syn_retries (or the option syncnt) doublings of 1 s are a count and a time, and the first
--   of both to be reached ends it (net/ipv4/tcp_timer.c, tcp_write_timeout). tcp_syn_linear_timeouts adds to the
--   count and puts off the doubling, but leaves the time: with few retries more SYNs go out in the same time, and with
--   the kernel's own 6 and 4 the end comes after 131 s, not 127 (computed, as `least` is). A user_timeout takes the
--   place of the time, and not of the count.
-- * ICMP ends a connect at once, but not if it comes while connect(2) itself still runs, as it does on a link without
--   delay: then it is kept as a soft error (net/ipv4/tcp_ipv4.c, tcp_v4_err; LockDroppedIcmps). Who polls and asks
--   SO_ERROR is told it, as curl does; who leaves it to connect(2), as a blocking call does, hears at the next SYN.
-- * No answer to ARP: EHOSTUNREACH after three requests, one a second.
--
-- Met as: health checks that connect and call a hung server healthy; "connection timed out" after two minutes that
-- no setting of the program explains; exit status 28 of curl, which says neither which timeout nor whose.
-- What to do: bound the whole exchange as well as the connect, and expect the request to be carried out anyway.
local lunet = require "lunet"
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"
local features = require "lunet.features"
local statistics = require "lunet.statistics"

local HAS_LINEAR = features.has_sysctl "net.ipv4.tcp_syn_linear_timeouts" -- without it the kernel has none
local LONG = 20 -- s; bounds waits for states that do come
local GRAIN = 0.01 -- s; the kernel counts in jiffies, curl in milliseconds, of which it may be one early
local NOWHERE = "203.0.113.1" -- TEST-NET-3 (RFC 5737); no host here has a route to it
local FIRST_PORT, CLOSED_PORT = 7300, 7299 -- the timeline tells servers apart by their ports
local REQUEST = "GET / HTTP/1.0\r\n\r\n"

local function few_retries(knobs) return { retries = knobs.retries, linear = 0 } end
local function few_and_linear(knobs) return { retries = knobs.retries, linear = knobs.linear } end
local function few_by_option(knobs) return { retries = 6, linear = 0, syncnt = knobs.retries } end
local function user_short() return { retries = 6, linear = 0, user_timeout = 0.3 } end
local function user_given(knobs) return { retries = 6, linear = 0, user_timeout = knobs.user_timeout } end
local function user_long(knobs) return { retries = knobs.retries, linear = 0, user_timeout = LONG } end

-- `phase`: what the client is in when its time is over; `timer`: who ends it is the timer of the SYN, set so;
-- `is_far`: on a link with a delay; `only`: the client that can do it.
local CASES = {
  { case = "black_hole", phase = "connecting", drop = {} },
  { case = "full_queue", phase = "connecting", is_full = true },
  { case = "silent", phase = "waiting" },
  { case = "silent_tls", phase = "connecting", scheme = "https", only = "curl" },
  { case = "refused", is_closed = true, error = "ECONNREFUSED" },
  { case = "port_icmp", is_far = true, drop = { reject = "unreachable" }, error = "ECONNREFUSED" },
  { case = "host_icmp", is_far = true, drop = { reject = "host-unreachable" }, error = "EHOSTUNREACH" },
  { case = "admin_icmp", is_far = true, drop = { reject = "prohibited" }, error = "EHOSTUNREACH" },
  { case = "near_icmp", drop = { reject = "host-unreachable" }, error = "EHOSTUNREACH" },
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

-- When the SYN's timer ends the connect (s), and how many SYNs it has sent by then.
local function schedule(timer)
  local retries = timer.syncnt or timer.retries
  local limit = timer.user_timeout and math.floor(timer.user_timeout * 1000) or (2 ^ (retries + 1) - 1) * 1000
  local at, pause, rto, again = 0, 1000, 1000, 0 -- ms
  while true do
    at = at + pause
    if again >= retries + timer.linear or (again > 0 and at >= limit) then return at / 1000, again + 1 end
    again = again + 1
    if again > timer.linear then rto = rto * 2 end
    pause = timer.user_timeout and math.min(rto, math.max(0, limit - at)) or rto
  end
end

-- -- clients -----------------------------------------------------------------------------------
-- Each connects, sends a request and waits for the reply; it returns the error, the seconds, and whether it got
-- through its handshake. Nothing of it is left when it returns.

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

local CLIENTS = { lunet = lunet_client, curl = curl_client }

-- curl's exit status for each error: 7 is no connection, 28 a timeout, also the kernel's.
local CURL_EXITS = { ECONNREFUSED = "exit 7", EHOSTUNREACH = "exit 7", ENETUNREACH = "exit 7",
  ETIMEDOUT = "exit 28", TIMEOUT = "exit 28" }

local function expected_error(case, knobs)
  local code = case.error or "TIMEOUT"
  return knobs.client == "curl" and CURL_EXITS[code] or code
end

-- -- one case ----------------------------------------------------------------------------------

local function is_queued(case) return case.phase == "waiting" or case.scheme == "https" end

local function fill_queue(listener, client)
  local filler = assert(client:connect({ listener, label = "filler" }, LONG))
  assert(lunet.eventually(function() return listener:queue().depth == 1 end, LONG))
  return filler
end

-- The number of ARP requests and their distance come from the machine, otherwise.
local function pin_arp(client)
  assert(client:sysctl("net.ipv4.neigh.eth0.mcast_solicit", 3))
  assert(client:sysctl("net.ipv4.neigh.eth0.retrans_time_ms", 1000))
end

local function ghosts_of(server, listener)
  return server:sockets { listener = listener, state = "CLOSE_WAIT", owned = false }
end

-- What stays at the server when the client has left.
local function remains(case, server, listener)
  if is_queued(case) then
    lunet.eventually(function() return #ghosts_of(server, listener) > 0 end, LONG) -- the FIN is here
  end
  local ghosts = ghosts_of(server, listener)
  return listener:queue().depth, #ghosts, ghosts[1] and ghosts[1].receive_queue - 1 or 0 -- the FIN counts as one
end

local function try(case, knobs, meet, port)
  local timer = case.timer and case.timer(knobs) or { retries = case.phase and knobs.retries or 6, linear = 0 }
  local server = assert(lunet.host { name = case.case .. " server", sysctl = { ["net.ipv4.icmp_ratelimit"] = 0 } })
  local client = assert(lunet.host { name = case.case .. " client", sysctl = {
    ["net.ipv4.tcp_syn_retries"] = timer.retries, ["net.ipv4.tcp_syn_linear_timeouts"] = timer.linear } })
  local link = lunet.link(server, client, { delay = case.is_far and knobs.delay or nil })
  pin_arp(client)
  local listener = assert(server:listen { port = port, backlog = case.is_full and 0 or 5 })
  local filler <close> = case.is_full and fill_queue(listener, client) or nil -- luacheck: ignore 211
  local rule <close> = case.drop and assert(server:drop(case.drop)) or nil -- luacheck: ignore 211
  local address = case.address or link:address(server)
  if case.is_absent then address = address:gsub("%d+$", "77") end
  local target = { address = address, port = case.is_closed and CLOSED_PORT or port, syncnt = timer.syncnt,
    user_timeout = timer.user_timeout }
  local limits = case.phase and knobs or { patience = LONG, total = LONG }
  local counters = client:counters()
  meet()

  local code, seconds, is_through = CLIENTS[knobs.client](client, target, limits, case.scheme or "http")
  local moved = client:counters() - counters
  local has_given_up = moved.TCPAbortOnTimeout > 0
  local row = { case = case.case, error = code, seconds = statistics.round(seconds, 4) }
  if case.phase then
    row.by = has_given_up and "kernel" or is_through and "total" or "patience"
    row.depth, row.ghosts, row.bytes = remains(case, server, listener)
  else
    row.least = case.timer and schedule(timer) or case.least or 0
    row.syns, row.gave_up, row.soft = moved.OutSegs + moved.RetransSegs, has_given_up, moved.LockDroppedIcmps
  end
  return row
end

-- -- the claim ---------------------------------------------------------------------------------

local function check_bounded(case, row, knobs)
  local bound = case.phase == "waiting" and "total" or "patience"
  assert(row.by == bound, ("%s: ended by %s, not by %s"):format(case.case, row.by, bound))
  assert(row.error == expected_error(case, knobs), ("%s: %s"):format(case.case, row.error))
  assert(row.seconds >= knobs[bound] - GRAIN, ("%s: ended after %g s"):format(case.case, row.seconds))
  assert(row.ghosts == (is_queued(case) and 1 or 0), ("%s: %d ghosts"):format(case.case, row.ghosts))
  assert(row.depth == ((is_queued(case) or case.is_full) and 1 or 0), ("%s: depth %d"):format(case.case, row.depth))
  assert((row.bytes > 0) == is_queued(case), ("%s: the ghost has %d bytes"):format(case.case, row.bytes))
end

local function check_unbounded(case, row, knobs)
  assert(row.error == expected_error(case, knobs), ("%s: %s"):format(case.case, row.error))
  assert(row.gave_up == (case.timer ~= nil), ("%s: the kernel gave up: %s"):format(case.case, row.gave_up))
  assert(row.seconds >= row.least - GRAIN, ("%s: ended after %g s"):format(case.case, row.seconds))
  if case.timer then
    local _, syns = schedule(case.timer(knobs))
    assert(row.syns == syns, ("%s: %d SYNs"):format(case.case, row.syns))
  elseif case.address then
    assert(row.syns == 0, ("%s: %d SYNs"):format(case.case, row.syns))
  elseif row.syns > 1 and not case.is_absent then
    -- A race, on a link without delay: whether the ICMP comes while connect(2) runs, and SO_ERROR alone tells of it.
    assert(row.soft > 0 and row.seconds >= 1, ("%s: %d SYNs, %g s"):format(case.case, row.syns, row.seconds))
  end
end

return experiment {
  claim = "A connect timeout bounds the handshake alone: it ends a connect into a black hole or to a full queue, "
    .. "and no wait for a server that does not accept.",
  knobs = {
    client = { "lunet", "program", "who connects", choices = { "lunet", "curl" } },
    case = { "all", "situation", "one of them alone", choices = choice.of(CASES, "case") },
    patience = { 0.3, "s", "for the connection; curl's --connect-timeout", min = 0.001 },
    total = { 1.0, "s", "for the whole exchange, and longer than patience; curl's --max-time", min = 0.001 },
    retries = { 1, "doublings", "tcp_syn_retries, or syncnt", min = 1, max = 3 },
    linear = { HAS_LINEAR and 4 or 0, "SYNs", "tcp_syn_linear_timeouts of the case linear", min = 0, max = 10 },
    user_timeout = { 1.5, "s", "TCP_USER_TIMEOUT of the case user_timeout", min = 0.001, max = 15 },
    delay = { 0.01, "s", "one-way delay of the link in the cases with ICMP", min = 0.001, max = 0.2 },
  },

  run = function(knobs)
    lunet.note "Each case has a server and a client of its own, named after it; no server accepts."
    local cases = selected(knobs)
    local bounded, unbounded = {}, {}
    local rows = lunet.together(cases, function(case, i, meet) return try(case, knobs, meet, FIRST_PORT + i) end)
    for i, row in ipairs(rows) do
      local list = cases[i].phase and bounded or unbounded
      list[#list + 1] = row
    end
    return { bounded = bounded, unbounded = unbounded }
  end,

  check = function(outcome, knobs)
    for _, case in ipairs(selected(knobs)) do
      if case.phase then
        check_bounded(case, choice.find(outcome.bounded, case.case, "case"), knobs)
      else
        check_unbounded(case, choice.find(outcome.unbounded, case.case, "case"), knobs)
      end
    end
  end,

  control = { patience = 4.0, total = 4.5 },
  needs = { curl = "curl" },
  columns = { "case", "error", "by", "seconds", "depth", "ghosts", "bytes", "least", "syns", "gave_up", "soft" },
  figures = function(outcome)
    local parts = {}
    for _, name in ipairs { "black_hole", "silent", "retries" } do
      local row = choice.find(outcome.bounded, name, "case") or choice.find(outcome.unbounded, name, "case")
      if row then parts[#parts + 1] = ("%s %.1f s"):format(name == "retries" and "the kernel" or name, row.seconds) end
    end
    return #parts > 0 and table.concat(parts, ", ") or ("%d cases"):format(#outcome.bounded + #outcome.unbounded)
  end,
}
