-- Claim. Behind a SYN proxy connect succeeds for a server that never sees the client. If the SYN behind the proxy is
-- lost, the client never reaches a server that has room again.
--
-- Why. Linux's SYNPROXY answers a SYN by itself, with a cookie for its number and a window of 0 (net/netfilter/
-- nf_synproxy_core.c). The client's ACK with the right cookie shows that it is real. Its connect has succeeded by then.
-- Only now does the proxy send a SYN to the server; the server's SYN-ACK opens the window. A server that refuses
-- (`closed`) answers by RST: the client gets ECONNRESET in place of ECONNREFUSED, from connect or just after it. A
-- server whose queue is full drops the SYN (`full`). The proxy has no timer, and sends the SYN again only when the
-- client probes its closed window (RFC 9293, 3.8.6.1). But a probe has the number before the window, one less than the
-- cookie was made for. The cookie is a sum of that number and an index of the client's MSS, 0 to 3 (net/ipv4/
-- syncookies.c, check_tcp_syn_cookie). So the probe passes for a cookie with the next index. An MSS of 1460 or more,
-- all of Ethernet's, has index 3, and there is no next one: the proxy drops each probe. Shorter segments, for example a
-- tunnel's, have a next one: their SYN comes again (`mtu` 1400). Until its patience or tcp_retries2 is over, the client
-- has an ESTABLISHED connection. The ACK by which the proxy ends the server's handshake echoes the wrong timestamp.
-- Since Linux 6.15 (commit 3ba075278c11) a server rejects it, and TSEcrRejected counts it. Data that the client sends
-- at once end the handshake then. But the server answers the ACK that it rejects by one with a newer timestamp. Later
-- data echo that, while the server remembers only its SYN-ACK's: it rejects them, too. The second SYN-ACK, after 1 s,
-- ends it. A server that speaks first is heard then. A client that speaks later (`speaks`) is heard when it has
-- repeated its data. A server without timestamps rejects nothing.
--
-- Where it was met. A protected service whose clients are connected and hear nothing after each burst. SSH, SMTP and
-- MySQL that greet a second late since the servers' kernel was renewed. Connections opened ahead, and the first request
-- on one that takes more than a second.
--
-- What to do. Look at SYN_RECV at the server and SYN_SENT in the proxy's table, not at the client's state. Bound the
-- wait for the first reply. Clamp the MSS of clients below 1460 (nft(8), tcp option maxseg size set), and keep the
-- server's queue longer than its bursts. Or leave the servers their own SYN cookies, without a proxy.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"
local lunet = require "lunet"
local statistics = require "lunet.load.statistics"

local ETHERNET = 1500 -- bytes; with it a client's MSS is 1460, the longest that a cookie can tell
local BUSY = 1 -- s for which the full queue stays full
local AGAIN = 1 -- s until the server's second SYN-ACK, by the kernel
local REPEATED = 2 -- s until data have come again after that: the kernel repeats them after 0.2, 0.6 and 1.4 s
local SOON = 0.5 -- s; what needs no timer takes no longer
local PAUSE = 0.3 -- s from connect to the data of a client that speaks later
local WORDS = {
  client = "the client speaks",
  later = ("the client speaks after %g s"):format(PAUSE),
  server = "the server speaks",
}
local SERVERS = { "listens", "closed", "full" }
local CASES = {
  { server = "listens", mtu = 1500, speaks = "client" },
  { server = "listens", mtu = 1500, speaks = "later" },
  { server = "listens", mtu = 1500, speaks = "server" },
  { server = "closed", mtu = 1500, speaks = "client" },
  { server = "full", mtu = 1500, speaks = "client" },
  { server = "full", mtu = 1400, speaks = "client" },
}

local function cases_of(knobs)
  local cases = {}
  for _, case in ipairs(CASES) do
    if knobs.server == "all" or knobs.server == case.server then cases[#cases + 1] = case end
  end
  return cases
end

-- A client, a proxy and a server in a row. The proxy is no proxy in the control.
local function prepare(case, knobs)
  local client, proxy, server = assert(lunet.host "client"), assert(lunet.host "proxy"), assert(lunet.host "server")
  local near, far = lunet.link(client, proxy, { mtu = case.mtu }), lunet.link(proxy, server, { delay = knobs.delay })
  assert(client:route("default", near:address(proxy)))
  assert(server:route("default", far:address(proxy)))
  assert(client:sysctl("net.ipv4.tcp_timestamps", 1))
  assert(server:sysctl("net.ipv4.tcp_timestamps", knobs.timestamps))
  if knobs.proxy == "synproxy" then
    assert(proxy:synproxy { port = lab.PORT })
  else
    assert(proxy:sysctl("net.ipv4.ip_forward", 1))
  end
  local place = { client = client, proxy = proxy, server = server, target = far:address(server) }
  if case.server ~= "closed" then place.listener = lab.listen(server, { backlog = 0 }) end
  if case.server == "full" then lab.fill_queue(server, place.listener) end
  place.capture, place.moved = assert(server:capture()), lab.counters(server) -- these keep all waiting
  return place
end

-- Speaks as the case asks, and stays until the client leaves.
local function serve(connection, case)
  if case.speaks == "server" or connection:receive "l" then connection:send "hello\n" end
  connection:receive "l"
end

local function start_server(place, case)
  if not place.listener then return end
  return lunet.spawn(function()
    if case.server == "full" then lunet.sleep(BUSY) end
    place.listener:serve(function(connection) serve(connection, case) end)
  end)
end

-- The client connects, and listens for a line. A refusal may come just before or just after connect's end.
local function ask(place, case, knobs)
  local began = lunet.now()
  local target = { address = place.target, port = lab.PORT, label = "client" }
  local connection, _, code = place.client:connect(target, knobs.patience)
  local row = { connect = connection and "success" or code, heard = "nothing" }
  if connection then
    if case.speaks == "later" then lunet.sleep(PAUSE) end
    if case.speaks ~= "server" then connection:send "hello?\n" end
    local line, _, why = connection:receive("l", knobs.patience)
    row.heard = line or why == "TIMEOUT" and "nothing" or why
  end
  row.seconds = statistics.round(lunet.now() - began, 3)
  row.tracked = (assert(place.proxy:tracked())[1] or {}).state
  return row
end

-- Whether the kernel counts what it rejects for its timestamp.
local function tells_rejected(host)
  for name in pairs(assert(host:counters())) do
    if name == "TSEcrRejected" then return true end
  end
  return false
end

local function measure(place, case, knobs)
  local server = start_server(place, case)
  local row = ask(place, case, knobs)
  row.server, row.mtu, row.speaks = case.server, case.mtu, case.speaks
  row.opened = place.moved "PassiveOpens"
  row.bad_ts = tells_rejected(place.server) and place.moved "TSEcrRejected" or nil
  row.syns = 0
  for _, segment in ipairs(place.capture:segments()) do
    if segment.flags == "SYN" and segment.direction == "in" and segment.to:find(place.target, 1, true) then
      row.syns = row.syns + 1
    end
  end
  if server then server:cancel() end
  return row
end

-- -- the claim ---------------------------------------------------------------------------------

-- How many segments the server rejects of a client that it knows: none without the counter.
local function rejected_of(row, knobs)
  if row.bad_ts == nil then return nil end
  if row.opened == 0 or knobs.proxy == "none" or knobs.timestamps == 0 then return 0 end
  return row.speaks == "later" and expect.at_least(2) or 1
end

local function check_closed(name, row, _, late)
  expect.fields(name, row, { syns = 1, opened = 0, heard = row.connect == "success" and "ECONNRESET" or "nothing" })
  if row.connect ~= "success" then expect.value(name .. ": connect", row.connect, "ECONNRESET") end
  lateness.at_most(name .. ": told", row.seconds, SOON, late)
end

local function check_full(name, row, knobs, late)
  if row.mtu >= ETHERNET then
    expect.fields(name, row, { connect = "success", heard = "nothing", syns = 1, opened = 0, tracked = "SYN_SENT",
      seconds = expect.at_least(statistics.round(knobs.patience, 3)) })
    lateness.at_most(name .. ": waited", row.seconds, knobs.patience + SOON, late)
  else
    expect.fields(name, row, { connect = "success", heard = "hello", syns = expect.at_least(2), opened = 1,
      tracked = "ESTABLISHED", seconds = expect.at_least(BUSY) })
    -- The probes are less than 1 s apart by then.
    lateness.at_most(name .. ": heard", row.seconds, BUSY + 1 + SOON, late)
  end
end

-- The least and the most seconds until a client of a server that rejects segments is heard, by who speaks.
local WAITS = { client = { 0, 0 }, later = { AGAIN, REPEATED }, server = { AGAIN, AGAIN } }

local function check_served(name, row, _, late)
  expect.fields(name, row, { connect = "success", heard = "hello", syns = 1, opened = 1, tracked = "ESTABLISHED" })
  local is_rejected = (row.bad_ts or 0) > 0
  local least, most = table.unpack(is_rejected and WAITS[row.speaks] or WAITS.client)
  expect.value(name .. ": seconds", row.seconds, expect.at_least(least))
  lateness.at_most(name .. ": heard", row.seconds, most + SOON, late)
end

local CHECKS = {
  listens = check_served,
  closed = check_closed,
  full = check_full,
}

return experiment {
  claim = "Behind a SYN proxy connect succeeds for a server that never sees the client. If the SYN behind the proxy is "
    .. "lost, the client never reaches a server that has room again.",
  knobs = {
    server = { "all", "server", "listens; has closed its port; has a full queue for a second",
      choices = choice.of(SERVERS) },
    patience = { 4.0, "s", "how long the client waits for its first line", min = 2, max = 3600 },
    timestamps = { 1, "0 or 1", "whether the server has them (tcp_timestamps)", min = 0, max = 1 },
    delay = { 0.005, "s", "one way, between proxy and server: the server's clock moves on between two of its segments",
      min = 0.002, max = 0.02 },
    proxy = { "synproxy", "proxy", "what is in front of the server: the kernel's SYNPROXY, or nothing",
      choices = { "synproxy", "none" } },
  },
  control = { proxy = "none" },
  -- connect, heard: what the client learned, within `seconds`. tracked: the proxy's state of the connection. syns: how
  -- many came to the server. opened, bad_ts: the server's counters PassiveOpens and TSEcrRejected.
  columns = { "server", "mtu", "speaks", "connect", "heard", "seconds", "tracked", "syns", "opened", "bad_ts" },

  run = function(knobs)
    lunet.note "Each client connects through a proxy of its own, and waits for a line."
    local rows, late = lab.measure(cases_of(knobs), function(case) return prepare(case, knobs) end,
      function(place, case) return measure(place, case, knobs) end)
    return { rows = rows, lateness = late }
  end,

  check = function(outcome, knobs)
    local cases = cases_of(knobs)
    expect.cases("rows", outcome.rows, cases, { "server", "mtu", "speaks" })
    for i, row in ipairs(outcome.rows) do
      local name = ("%s, mtu %d, %s"):format(row.server, row.mtu, WORDS[row.speaks])
      CHECKS[cases[i].server](name, row, knobs, outcome.lateness)
      if outcome.lateness > PAUSE / 2 then experiment.not_judged("%s: the machine was late", name) end
      expect.value(name .. ": bad_ts", row.bad_ts, rejected_of(row, knobs))
    end
  end,

  figures = function(outcome)
    local connected, silent = 0, 0
    for _, row in ipairs(outcome.rows) do
      connected = connected + (row.connect == "success" and 1 or 0)
      silent = silent + (row.connect == "success" and row.heard == "nothing" and 1 or 0)
    end
    return ("of %d clients %d were connected, and %d of those heard nothing"):format(#outcome.rows, connected, silent)
  end,
}
