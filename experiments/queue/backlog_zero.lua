-- Claim. A backlog of 0 admits one client. Without SYN cookies it admitted nobody before Linux 6.13.
--
-- Why. A queue holds one client more than its limit (include/net/sock.h, sk_acceptq_is_full). But a SYN must first find
-- room among the open handshakes. Linux 4.4 to 6.12 asked there for fewer requests than the limit: with a limit of 0
-- there was never room (include/net/inet_connection_sock.h, inet_csk_reqsk_queue_is_full). With SYN cookies, which are
-- the default, the kernel keeps no request in that case, and so hid the fault. Without them the SYN was dropped, and
-- TCPReqQFullDrop counted it. January 2025 brought the limit that was meant: one more (commit 3479c7549fb1; Linux 6.13,
-- 6.12.10, 6.6.72, 6.1.125).
--
-- Where it was met. Servers and tests that ask for a backlog of 0, to have "no queue", on machines that turn SYN
-- cookies off: every connect timed out, though the listener was there; and the same program worked elsewhere.
--
-- What to do. Ask for a backlog of 1 at least. Look for TCPReqQFullDrop and ListenDrops (nstat -az) when a listener
-- that should have room answers nobody.
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"

local CASES <const> = { { cookies = 0, backlog = 0 }, { cookies = 0, backlog = 1 }, { cookies = 1, backlog = 0 },
  { cookies = 1, backlog = 1 } }
local ROOM <const> = 5 -- s, within which a client is connected if there is room

local function prepare(case)
  local server, clients = lab.hosts { { name = "server", sysctl = { ["net.ipv4.tcp_syncookies"] = case.cookies } },
    "clients" }
  return { server = server, clients = clients, listener = lab.listen(server, { backlog = case.backlog }) }
end

-- Clients come one after the other, until one finds no place.
local function measure(place, case, knobs)
  local held = {}
  for i = 1, knobs.before do held[i] = place.clients:connect({ place.listener, label = "filler" }, ROOM) end
  local before, moved, target = #held, lab.counters(place.server), { place.listener, label = "client" }
  local client, _, code = place.clients:connect(target, knobs.patience)
  while client do
    held[#held + 1] = client
    lab.await_depth(place.listener, #held)
    client, _, code = place.clients:connect(target, knobs.patience)
  end
  return { cookies = case.cookies, backlog = case.backlog, connected = #held - before, next = code,
    overflows = moved "ListenOverflows", requests = moved "TCPReqQFullDrop" }
end

-- How many SYNs of the client that finds no place are dropped. A patient one sends its SYN again, after 1 s and later.
local function dropped_of(patience)
  local most = 1 + 2 * math.floor(patience + 0.1)
  return most == 1 and expect.time(1, 1) or expect.between(1, most)
end

local function check_rows(outcome, knobs, is_old)
  local dropped = dropped_of(knobs.patience)
  expect.cases("rows", outcome.rows, CASES, { "cookies", "backlog" })
  for _, row in ipairs(outcome.rows) do
    local name = ("cookies %d, backlog %d"):format(row.cookies, row.backlog)
    local has_no_room = is_old and row.cookies == 0 and row.backlog == 0
    if row.next == "TIMEOUT" and row.overflows + row.requests == 0 then
      experiment.not_judged("%s: the machine was late: a client gave up before its SYN was dropped", name)
    end
    expect.fields(name, row, { connected = has_no_room and 0 or row.backlog + 1, next = "TIMEOUT",
      overflows = has_no_room and 0 or dropped, requests = has_no_room and dropped or 0 })
  end
end

return experiment {
  claim = "A backlog of 0 admits one client. Without SYN cookies it admitted nobody before Linux 6.13.",
  knobs = {
    before = { 0, "clients", "how many are in the queue already, where there is room", min = 0, max = 1 },
    patience = { 0.3, "s", "how long a client tries to connect", min = 0.01, max = 60 },
  },
  control = { before = 1 },
  -- connected: clients that came one after the other until one found no place. overflows, requests: SYNs dropped since
  -- the queue was full, or since there was no room for another open handshake (ListenOverflows, TCPReqQFullDrop).
  columns = { "cookies", "backlog", "connected", "next", "overflows", "requests" },
  expects = { {
    before = "6.13",
    because = "a listener with a limit of 0 has no room for an open handshake (commit 3479c7549fb1; fixed also in "
      .. "6.12.10, 6.6.72, 6.1.125)",
    check = function(outcome, knobs) check_rows(outcome, knobs, true) end,
  } },

  run = function(knobs)
    lunet.note "Clients come one after the other, until one finds no place."
    return { rows = lunet.together(CASES, prepare, function(place, case) return measure(place, case, knobs) end) }
  end,

  check = function(outcome, knobs) check_rows(outcome, knobs, false) end,

  figures = function(outcome)
    local words = {}
    for i, row in ipairs(outcome.rows) do
      words[i] = ("backlog %d%s %d"):format(row.backlog, row.cookies == 0 and " without cookies" or "", row.connected)
    end
    return "admitted: " .. table.concat(words, ", ")
  end,
}
