-- Claim. A client whose ports are all in TIME-WAIT connects to the same server again after a second at most, not after
-- sixty. By default that is so only on its own host.
--
-- Why. The end that closes first keeps ports and addresses in TIME-WAIT for 60 s. No late segment comes to a later
-- connection then (RFC 9293, 3.3.2). For connect(2) they are taken: without another port it fails at once, with
-- EADDRNOTAVAIL. With timestamps the kernel can tell late segments (RFC 6191). So connect may take such a port again
-- (net/ipv4/tcp_ipv4.c, tcp_twsk_unique). net.ipv4.tcp_tw_reuse decides: 1 allows it; 2, the default, only where both
-- ends are on the loopback interface. Since Linux 6.14 (commit ca6a6f93867a) it may a second after TIME-WAIT began, or
-- after tcp_tw_reuse_delay milliseconds. Before that it may when the second of the uptime changes, which takes a second
-- at most. Without timestamps it never may. The server does not matter: it was closed second, and has forgotten.
--
-- Where it was met. Load generators, proxies and clients of databases without a pool. The default range has 28,232
-- ports: 470 connections a second to one server use it up within a minute. Then connect says "cannot assign requested
-- address". A test on one machine shows nothing of it, since there it heals by itself.
--
-- What to do. Keep connections open. Let the server close first, if it has the memory. Set net.ipv4.tcp_tw_reuse to 1
-- on the client, and leave tcp_timestamps on. Give a proxy more addresses, at its end or at the server's.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local features = require "lunet.network.features"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"
local statistics = require "lunet.load.statistics"

local PORT <const> = 40000 -- the only ephemeral one
local EVERY <const> = 0.02 -- s; from one try to the next
local SECOND <const> = 1.0 -- s; the kernel's delay by default, and before Linux 6.14 the longest
local SOON <const> = 0.2 -- s; how much later than the kernel lets it the client is connected
local HAS_DELAY <const> = features.has_sysctl "net.ipv4.tcp_tw_reuse_delay"

-- reuse: tcp_tw_reuse, by name. delay: s, after which the kernel lets a client have the port.
local REUSE <const> = { off = 0, on = 1, loopback = 2 }
local CASES <const> = {
  { reuse = "off", path = "link", delay = SECOND },
  { reuse = "loopback", path = "link", delay = SECOND },
  { reuse = "loopback", path = "loopback", delay = SECOND },
  { reuse = "on", path = "link", delay = SECOND },
  { reuse = "on", path = "link", delay = 0.1 },
}

local function cases_of(knobs)
  local cases = {}
  for _, case in ipairs(CASES) do
    local is_here = HAS_DELAY or case.delay == SECOND
    if is_here and (knobs.reuse == "all" or knobs.reuse == case.reuse) then cases[#cases + 1] = case end
  end
  return cases
end

local function prepare(case, knobs)
  local server, client, link = lab.hosts { "server", "client" }
  if case.path == "loopback" then client = server end
  assert(client:sysctl("net.ipv4.ip_local_port_range", ("%d %d"):format(PORT, PORT)))
  assert(client:sysctl("net.ipv4.tcp_tw_reuse", REUSE[case.reuse]))
  assert(server:sysctl("net.ipv4.tcp_timestamps", 1))
  assert(client:sysctl("net.ipv4.tcp_timestamps", knobs.timestamps))
  if HAS_DELAY then assert(client:sysctl("net.ipv4.tcp_tw_reuse_delay", math.tointeger(1000 * case.delay))) end
  local address = case.path == "loopback" and "127.0.0.1" or link:address(server)
  return { client = client, listener = lab.listen(server, { backlog = 5 }),
    target = { address = address, port = lab.PORT, label = "client" } }
end

-- The client closes first. Returns when its port was not yet in TIME-WAIT.
local function leave_in_time_wait(place)
  local client = assert(place.client:connect(place.target, lab.LONG))
  local far = assert(place.listener:accept(lab.LONG))
  client:close()
  assert(select(3, far:receive(1, lab.LONG)) == "EOF")
  local before = lunet.now()
  far:close()
  lab.await(function() return lab.socket(place.client, { local_port = PORT, state = "TIME_WAIT" }) end)
  return before
end

local function measure(place, case, knobs)
  local began = leave_in_time_wait(place)
  local client, _, first = place.client:connect(place.target, lab.LONG)
  local code, longest = first, began + knobs.patience
  while not client and lunet.now() < longest do
    lunet.sleep(EVERY)
    client, _, code = place.client:connect(place.target, lab.LONG)
  end
  return { reuse = case.reuse, path = case.path, delay = case.delay, first = first or "success",
    last = client and "success" or code, seconds = statistics.round(lunet.now() - began, 3) }
end

local function check_row(row, case, knobs, late)
  local name = ("%s, %s"):format(row.reuse, row.path)
  if not (case.reuse == "on" or case.path == "loopback") then
    return expect.fields(name, row, { first = "EADDRNOTAVAIL", last = "EADDRNOTAVAIL",
      seconds = expect.at_least(statistics.round(knobs.patience, 3)) })
  end
  expect.value(name .. ": last", row.last, "success")
  if HAS_DELAY then
    expect.fields(name, row, { first = "EADDRNOTAVAIL", seconds = expect.at_least(row.delay) })
  end
  lateness.at_most(name .. ": connected", row.seconds, row.delay + SOON, late)
end

return experiment {
  claim = "A client whose ports are all in TIME-WAIT connects to the same server again after a second at most, not "
    .. "after sixty. By default that is so only on its own host.",
  knobs = {
    reuse = { "all", "setting", "tcp_tw_reuse: 0, 1, and 2, which is for the own host", choices = choice.of(
      { "off", "on", "loopback" }) },
    timestamps = { 1, "0 or 1", "whether the client has them (tcp_timestamps)", min = 0, max = 1 },
    patience = { 2.0, "s", "how long the client tries", min = 1.5, max = 120 },
  },
  control = { timestamps = 0 },
  -- delay: after how many seconds the kernel lets a client have the port. first, last: what the first and the last try
  -- gave, which ended `seconds` after the connection had.
  columns = { "reuse", "path", "delay", "first", "last", "seconds" },

  run = function(knobs)
    lunet.note "Each client has a single port, and closes its connection first."
    local rows, late = lab.measure(cases_of(knobs), function(case) return prepare(case, knobs) end,
      function(place, case) return measure(place, case, knobs) end)
    return { rows = rows, lateness = late }
  end,

  check = function(outcome, knobs)
    local cases = cases_of(knobs)
    expect.cases("rows", outcome.rows, cases, { "reuse", "path", "delay" })
    for i, row in ipairs(outcome.rows) do check_row(row, cases[i], knobs, outcome.lateness) end
  end,

  figures = function(outcome)
    local words = {}
    for i, row in ipairs(outcome.rows) do
      words[i] = ("%s over %s %s"):format(row.reuse, row.path,
        row.last == "success" and ("after %.1f s"):format(row.seconds) or "never")
    end
    return table.concat(words, ", ")
  end,
}
