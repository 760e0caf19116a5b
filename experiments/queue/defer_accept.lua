-- Claim. A deferred client is connected, but not queued before its first byte, its FIN or the end of the time. That
-- time is rounded up to the next of 1, 3, 7 and 15 s.
--
-- Why. A deferred client takes itself for connected, but the server has only a handshake (SYN_RECV) and nothing in its
-- queue. The kernel drops the bare ACK that ends the handshake, and no segment with a sequence number
-- (net/ipv4/tcp_minisocks.c, tcp_check_req; TCPDeferAcceptDrop). Three things therefore queue the client: its first
-- byte; its FIN, so that a client that left without a word is a ghost with nothing to read; and the end of the time. An
-- RST, or the loss of the client, ends the handshake without a trace: the option prevents these ghosts. The time counts
-- in retransmits of the SYN-ACK, due after 1, 3, 7, ... s (net/ipv4/tcp.c, secs_to_retrans), so 2 s become 3 s. The
-- kernel sends only the last of them (inet_connection_sock.c, syn_ack_recalc), and the client's answer to it queues the
-- client. If there is no room, the kernel forgets the handshake when net.ipv4.tcp_synack_retries (1 here) are used up.
-- The client believes that it is connected until it sends. The backlog bounds handshakes as it bounds the queue. With
-- backlog + 1 silent clients the kernel drops the next SYN, although the queue is empty. With syncookies that SYN gets
-- a cookie, and a cookie defers nothing (net/ipv4/tcp_input.c, tcp_conn_request). With net.ipv4.tcp_syncookies = 2 the
-- option has no effect, and the claim is false.
--
-- Where it was met. A web server that hears of connect-only health checks late or never; a listener that a few silent
-- clients have shut while `ss` shows an empty queue; "defer" settings that seem to do nothing under load.
--
-- What to do. Set a read timeout after accept. It is needed anyway, since a client may also send one byte and fall
-- silent.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"

local LONG = lab.LONG
local LONGER = 30 -- times as long is the time for clients that act: it must not end before they do
local REQUEST = "request\n"
local CROWD = 4 -- silent clients, where there is room for 2
local PATIENCE = 1.2 -- s; how long each of them waits for its connection

-- The cases in the order of the table, with the expected results: the client's fate, what the server reads, and how
-- many SYN-ACKs are sent again. `full`: other clients have filled the queue.
local cases = {
  { name = "silent", is_timed = true, fate = "queued", reads = "TIMEOUT", again = 1 },
  { name = "data", sends = true, fate = "queued", reads = "request", again = 0 },
  { name = "fin", leaves = "close", fate = "queued", reads = "EOF", again = 0 },
  { name = "data_fin", sends = true, leaves = "close", fate = "queued", reads = "request", again = 0 },
  { name = "reset", leaves = "reset", fate = "forgotten", reads = "nothing", again = 0 },
  { name = "cut_off", leaves = "cut_off", is_timed = true, fate = "forgotten", reads = "nothing", again = 1 },
  { name = "silent_full", full = true, is_timed = true, fate = "forgotten", reads = "nothing", again = 1 },
  { name = "data_full", full = true, sends = true, fate = "queued", reads = "request", again = 0 },
  { name = "crowd_0", syncookies = 0, expected = { connected = 2, deferred = 2, depth = 0 } },
  { name = "crowd_1", syncookies = 1, expected = { connected = 4, deferred = 2, depth = 2 } },
  { name = "crowd_2", syncookies = 2, expected = { connected = 2, deferred = 0, depth = 2 } },
}

-- -- what happens --------------------------------------------------------------------------------

-- The hosts of a case, made for all cases before any client connects, so that no handshake grows old meanwhile.
local function stage(case, knobs)
  local server, clients = lab.hosts { { name = "server", sysctl = { ["net.ipv4.tcp_synack_retries"] = 1,
    ["net.ipv4.tcp_syncookies"] = case.syncookies or knobs.syncookies } }, case.name }
  local listener = lab.listen(server, { backlog = 1,
    defer_accept = case.is_timed and knobs.defer or LONGER * knobs.defer })
  return { case = case, server = server, clients = clients, listener = listener, moved = lab.counters(server) }
end

-- The state of the server's socket for the client at a port: a handshake, a queued connection, or "none".
local function state_at_server(s, port)
  local socket = lab.socket(s.server, { peer_port = port })
  return socket and socket.state or "none"
end

-- Fills the queue except for some places, with clients that send and so are queued at once.
local function fill(s, places)
  local queue = assert(s.listener:queue())
  local fillers = {}
  for depth = queue.depth + 1, queue.limit + 1 - places do
    local filler = assert(s.clients:connect({ s.listener, label = "filler" }, LONG))
    assert(filler:send "x")
    lab.await_depth(s.listener, depth)
    fillers[#fillers + 1] = filler -- held: one that is collected sends FIN
  end
  return fillers
end

local function leave(s, client)
  local how = s.case.leaves
  if how == "cut_off" then return assert(s.clients:drop { direction = "both" }) end
  if how then client[how](client) end
end

-- Accepts clients up to the one at a port. Returns what it sent, or why there is nothing, and how many bytes waited.
local function read_at_server(s, port)
  while true do
    local connection <close> = assert(s.listener:accept(LONG))
    local _, peer_port = connection:peer()
    if peer_port == port then
      local bytes = connection:unread()
      local line, _, why = connection:receive("l", 0)
      return line or why, bytes
    end
  end
end

local function one_client(s)
  local case = s.case
  local fillers = case.full and fill(s, 1) or {}
  local since = lab.counters(s.server)
  local started = lunet.now()
  local client <close> = assert(s.clients:connect({ s.listener, label = case.name }, LONG))
  local _, port = client:address()
  -- The client knows first. Its ACK comes to the server later, and queues the client or is dropped.
  lab.await(function()
    return since "TCPDeferAcceptDrop" > 0 or assert(s.listener:queue()).depth > #fillers
  end)
  local deferred = since "TCPDeferAcceptDrop"
  local row = { case = case.name, server = state_at_server(s, port), reads = "nothing", bytes = 0 }
  local _more_fillers = case.full and fill(s, 0) or {}

  if case.sends then assert(client:send(REQUEST)) end
  local _cut <close> = leave(s, client)
  if case.full and case.sends then
    -- The client's kernel sends the request again and again; it finds no room until the server has accepted a client.
    lab.await(function()
      return since "ListenOverflows" >= 2 or state_at_server(s, port) ~= "SYN_RECV"
    end)
    assert(s.listener:accept(LONG))
  end
  lab.await(function() return state_at_server(s, port) ~= "SYN_RECV" end)
  if case.is_timed then row.after = math.floor((lunet.now() - started) * 1000 + 0.5) / 1000 end
  row.fate = state_at_server(s, port) == "none" and "forgotten" or "queued"
  row.client = client:state() or "closed"
  local kernel = { case = case.name, deferred = deferred, overflowed = since "ListenOverflows" > 0,
    again = since "TCPSynRetrans" }
  if row.fate == "queued" then row.reads, row.bytes = read_at_server(s, port) end
  return row, kernel
end

local function crowd(s)
  local connected = {} -- held, as above
  local function deferred() return s.moved "TCPDeferAcceptDrop" end
  for i = 1, CROWD do
    connected[#connected + 1] = s.clients:connect({ s.listener, label = "silent " .. i }, PATIENCE)
    lunet.eventually(function() return deferred() + assert(s.listener:queue()).depth == #connected end, LONG)
  end
  return { syncookies = s.case.syncookies, connected = #connected, deferred = deferred(),
    depth = assert(s.listener:queue()).depth }
end

-- -- what is expected ---------------------------------------------------------------------------

-- When the SYN-ACK is sent for the last time, in seconds.
local function rounded(seconds)
  local sum = 1
  while sum < seconds do sum = 2 * sum + 1 end
  return sum
end

-- A client that finds no place is forgotten one SYN-ACK later.
local function seconds_of(case, knobs)
  if not case.is_timed then return nil end
  local seconds = rounded(knobs.defer)
  if case.fate == "forgotten" then seconds = 2 * seconds + 1 end
  return expect.time(0.9 * seconds, 2.5 * seconds)
end

local function check_client(r, kernel, knobs)
  local case = choice.find(cases, r.case, "name")
  local has_left = case.leaves == "close" or case.leaves == "reset"
  expect.fields(r.case, r, { server = "SYN_RECV", fate = case.fate, reads = case.reads,
    bytes = case.sends and #REQUEST or 0, client = has_left and "closed" or "ESTABLISHED",
    after = seconds_of(case, knobs) })
  expect.fields(r.case, kernel, { deferred = expect.time(1, 1), overflowed = case.full or false,
    again = expect.time(case.again, case.again) })
end

local function crowd_text(r)
  return ("%d connected, %d deferred, depth %d"):format(r.connected, r.deferred, r.depth)
end

return experiment {
  claim = "A deferred client is connected, but not queued before its first byte, its FIN or the end of the time. "
    .. "That time is rounded up to the next of 1, 3, 7 and 15 s.",
  knobs = {
    defer = { 1, "s", "how long a silent client is kept out of the queue", min = 0, max = 5, whole = true },
    syncookies = { 1, "mode", "the server's net.ipv4.tcp_syncookies, unless the case sets it", min = 0, max = 2 },
    case = { "all", "case", "what the client does, and what it meets", choices = choice.of(cases, "name") },
  },
  -- server: the state of the server's socket before the client acts. fate, after: what became of the client, and after
  -- how many seconds. bytes, reads: what waited for the server, and what it read. client: the state that the client
  -- ends in. deferred: ACKs that were dropped. overflowed: whether the queue had no room. again: SYN-ACKs sent again.
  columns = { "case", "syncookies", "server", "fate", "after", "bytes", "reads", "client", "connected", "deferred",
    "overflowed", "again", "depth" },

  run = function(knobs)
    lunet.note "The kernel answers every SYN, but a client that says nothing does not get into the queue."
    local outcome = { clients = {}, counters = {}, crowds = {} }
    local rows = lunet.together(choice.pick(cases, knobs.case, "name"), function(case)
      return stage(case, knobs)
    end, function(s)
      if s.case.syncookies then return { crowd(s) } end
      return table.pack(nil, one_client(s))
    end)
    for _, row in ipairs(rows) do
      table.insert(outcome.crowds, row[1])
      table.insert(outcome.clients, row[2])
      table.insert(outcome.counters, row[3])
    end
    return outcome
  end,

  check = function(outcome, knobs)
    local clients, crowds = {}, {}
    for _, case in ipairs(choice.pick(cases, knobs.case, "name")) do
      local list = case.syncookies and crowds or clients
      list[#list + 1] = { case = case.name, syncookies = case.syncookies }
    end
    expect.cases("clients", outcome.clients, clients, { "case" })
    expect.cases("counters", outcome.counters, clients, { "case" })
    expect.cases("crowds", outcome.crowds, crowds, { "syncookies" })
    if knobs.defer == 0 then experiment.not_judged "nothing is deferred for 0 s" end
    for i, row in ipairs(outcome.clients) do check_client(row, outcome.counters[i], knobs) end
    for i, r in ipairs(outcome.crowds) do
      expect.fields(crowds[i].case, r, choice.find(cases, crowds[i].case, "name").expected)
    end
  end,
  control = { case = "silent", syncookies = 2 },

  figures = function(outcome)
    local texts = {}
    for _, r in ipairs(outcome.clients) do
      if r.case:find "^silent" or #outcome.clients == 1 then
        texts[#texts + 1] = ("%s %s%s"):format(r.case, r.fate, r.after and (" %.1f s"):format(r.after) or "")
      end
    end
    return #texts > 0 and table.concat(texts, ", ") or crowd_text(outcome.crowds[1])
  end,
}
