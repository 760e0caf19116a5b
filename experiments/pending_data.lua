-- Claim. Data that a client sends before it is accepted waits, and arrives whole. The amount depends on congestion
-- control, buffers, writes, path and how the client waits.
--
-- Why. A queued connection is a full socket with a receive buffer of its own. That has the size of the second number of
-- net.ipv4.tcp_rmem or of the listener's SO_RCVBUF. The kernel acknowledges the data that fits into it
-- (net/ipv4/tcp_input.c, tcp_data_queue). The buffer stays that large, since only reading makes it grow
-- (tcp_rcv_space_adjust). When its window is shut, the rest waits in the client's send buffer. That buffer grows while
-- acknowledgements come, with the congestion window, up to the third number of tcp_wmem (tcp_sndbuf_expand). When it is
-- full too, send blocks. The client's kernel asks for room again and again (RFC 9293, 3.8.6.1), and "none" is an
-- answer, so the wait has no end. The widely quoted 509 KB are no constant: VARIED says what moves them, and
-- doc/settings.md which settings of the kernel do.
--
-- Where it was met. An upload to a hung server that is "done" in a moment; a progress bar at 100 % before anybody has
-- read a byte; log shippers whose last half megabyte is gone when the collector is restarted.
--
-- What to do. A send that succeeded says nothing about the server: wait for a reply, with a deadline. The listener's
-- SO_RCVBUF bounds the data that waits with the server. The client's SO_SNDBUF ends the growth of its buffer, and so
-- bounds the data that waits there. The kernel cuts both to net.core.rmem_max and wmem_max, which belong to the
-- machine.
local environment = require "lunet.run.environment"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local option_table = require "lunet.text.options"

local LONG = lab.LONG
local MORE_THAN_FITS = 64 * 1024 * 1024 -- bytes; tcp_rmem and tcp_wmem end well below
local TICK = 0.01 -- s; how often a client tries again that does not wait for the kernel's word
local STILL = 0.05 -- s; when nothing has moved for this long, on a link without delay, nothing is under way
local ROUND_TRIPS = 20 -- that a send may take
local PORT = lab.PORT
local BLOCKING = lunet.beside "pending_data_client.pl"

-- A connection takes 509 KB under reno, in writes of 64 KiB, from a client that polls, over a veth pair. lunet pins
-- tcp_rmem and tcp_wmem. Each case changes one of these:
--   congestion  The send buffer grows to twice the congestion window; bbr asks for three times that (sndbuf_expand in
--               net/ipv4/tcp_bbr.c). Each algorithm opens the window in its own way.
--   client      The kernel calls a socket writable when a third of its send buffer is free (sk_stream_is_writeable,
--               include/net/sock.h). Only then do poll, select and epoll return, and only then does a blocked send go
--               on. But a send takes whatever is free, so a client that tries again every 10 ms gets more in than one
--               that waits. By strace, curl, wget, Node and Python's asyncio poll; Python's urllib, Perl's print and dd
--               block. None of them tries again before the kernel tells it to: only a program with a timer does.
--   write       Buffers count memory, not bytes of data. The size of writes decides how data is cut into segments and
--               which of them TCP merges. A client that writes 64 bytes at a time fills a buffer as slowly as
--               acknowledgements come, so there its speed matters, too.
--   path        The loopback carries segments of 64 KiB. A Unix socket has no receive buffer: data is in the queue
--               entry at once, up to the client's SO_SNDBUF or net.core.wmem_default (net/unix/af_unix.c).
local VARIED = { -- what a case sets in place of the knobs
  {}, { write = 64 }, { write = 1000 }, { write = 1048576 }, { rcvbuf = 8192 }, { rcvbuf = 131072 },
  { sndbuf = 8192 }, { sndbuf = 131072 }, { delay = 0.001 }, { delay = 0.01 }, { congestion = "cubic" },
  { congestion = "bbr" }, { client = "retry" }, { client = "blocking" }, { congestion = "bbr", client = "retry" },
  { congestion = "bbr", client = "blocking" }, { path = "loopback" },
  { congestion = "bbr", client = "retry", path = "loopback" }, { path = "unix" },
}
local ORDER = { "congestion", "client", "write", "rcvbuf", "sndbuf", "delay", "path" }

local function pattern(bytes)
  local block = {}
  for i = 0, 250 do block[i + 1] = string.char(i) end -- 251 is prime: no shift by a power of 2 fits
  block = table.concat(block)
  return block:rep(bytes // #block + 1):sub(1, bytes)
end

-- Returns a function that cuts a piece out of the pattern, by offset and size.
local function pieces(write)
  local text = pattern(write + 251)
  return function(offset, size) return text:sub(offset % 251 + 1, offset % 251 + size) end
end

local function option(bytes) return bytes > 0 and bytes or nil end -- 0 leaves the size to the sysctls

-- -- both ends -----------------------------------------------------------------------------------

-- Makes hosts and a listener.
local function open(knobs)
  local sysctl = { ["net.ipv4.tcp_congestion_control"] = knobs.congestion }
  local clients = knobs.path == "link" and { name = "clients", sysctl = sysctl } or nil
  local ends = { knobs = knobs }
  local server = { name = "server", sysctl = sysctl }
  ends.server, ends.clients, ends.link = lab.hosts { server, clients, delay = knobs.delay }
  ends.clients = ends.clients or ends.server
  ends.listener = assert(ends.server:listen(knobs.path == "unix" and { address = "unix:@pending_data", backlog = 5 }
    or { port = PORT, backlog = 5, rcvbuf = option(knobs.rcvbuf) }))
  return ends
end

local function await_queued(ends)
  lab.await_depth(ends.listener, 1)
end

local function address_of(ends)
  if ends.knobs.path == "unix" then return ends.listener:address() end
  return ends.link and ends.link:address(ends.server) or "127.0.0.1"
end

-- -- clients -------------------------------------------------------------------------------------

local function connect(ends)
  local knobs = ends.knobs
  local nodelay = knobs.path ~= "unix" and knobs.nodelay or nil
  ends.client = assert(ends.clients:connect({ ends.listener, label = "client", sndbuf = option(knobs.sndbuf),
    nodelay = nodelay }, LONG))
  await_queued(ends)
end

local senders = {}

-- A send that finds no room waits until the kernel says that there is some. Returns how many bytes were taken, and why
-- that ended.
function senders.poll(ends, count)
  connect(ends)
  local knobs, piece = ends.knobs, pieces(ends.knobs.write)
  local allowed, taken = knobs.patience + ROUND_TRIPS * 2 * knobs.delay, 0
  while taken < count do
    local bytes, _, code, partly = ends.client:send(piece(taken, math.min(knobs.write, count - taken)), allowed)
    taken = taken + (bytes or partly)
    if not bytes then return taken, code end
  end
  return taken, "none"
end

-- A send that finds no room is tried again a tick later.
function senders.retry(ends, count)
  connect(ends)
  local knobs, piece = ends.knobs, pieces(ends.knobs.write)
  local allowed, taken, moved = knobs.patience + 2 * 2 * knobs.delay, 0, lunet.now()
  while taken < count do
    local bytes, _, code, partly = ends.client:send(piece(taken, math.min(knobs.write, count - taken)), 0)
    if (bytes or partly) > 0 then
      taken, moved = taken + (bytes or partly), lunet.now()
    elseif code ~= "TIMEOUT" or lunet.now() - moved >= allowed then
      return taken, code
    end
    if not bytes then lunet.sleep(TICK) end
  end
  return taken, "none"
end

-- A send that finds no room blocks, in a program of its own.
function senders.blocking(ends, count)
  local knobs = ends.knobs
  local allowed = math.max(knobs.patience, TICK) + ROUND_TRIPS * 2 * knobs.delay
  ends.program = assert(ends.clients:exec { "perl", BLOCKING, address_of(ends), PORT, knobs.write, count, knobs.sndbuf,
    knobs.nodelay and knobs.path ~= "unix" and 1 or 0, allowed, stdin = "pipe", label = "client" })
  local line = assert(ends.program.stdout:receive("l", LONG + allowed))
  await_queued(ends)
  local taken, code = line:match "^(%d+) (.+)$"
  return math.tointeger(tonumber(taken)), code
end

-- The client shuts down its side.
local function finish(ends)
  if ends.client then return ends.client:shutdown() end
  assert(ends.program.stdin:send "finish\n")
end

-- The client leaves by RST, so that nothing is left of the connection.
local function reset(ends)
  if ends.client then return ends.client:reset() end
  assert(ends.program.stdin:send "reset\n")
  assert(ends.program:wait(LONG))
end

-- -- where the bytes are -------------------------------------------------------------------------

-- The bytes in the queue entry, and those that the client's kernel keeps until they are acknowledged, by the kernel's
-- lists.
local function look(ends)
  local queued = lab.socket(ends.server, { listener = ends.listener, owned = false })
  for _, socket in ipairs(assert(ends.clients:sockets())) do
    if socket.peer_address and socket.peer_address:match(":" .. PORT .. "$") then
      return queued.receive_queue, socket.send_queue
    end
  end
end

-- How many bytes are on each side, once none is under way: every byte is in one of the kernel's two counts, and neither
-- has changed for a while. Do not wait until every byte that was sent is acknowledged: some kernels (6.1, 6.18.15) keep
-- sending a segment that does not fit into the window.
local function places_of(ends, taken)
  if ends.knobs.path == "unix" then -- the kernel lists the bytes of accepted Unix connections only
    ends.connection = assert(ends.listener:accept(LONG))
    local waiting = ends.connection:unread()
    return waiting, taken - waiting
  end
  local still, since, at_server, at_client = STILL + 2 * 2 * ends.knobs.delay, lunet.now(), nil, nil
  lunet.eventually(function()
    local server, client = look(ends)
    if server ~= at_server or client ~= at_client then
      at_server, at_client, since = server, client, lunet.now()
    end
    return server + client == taken and lunet.now() - since >= still
  end, LONG)
  return at_server, at_client
end

-- -- cases ---------------------------------------------------------------------------------------

-- The changes of a case in words: "congestion bbr, client retry".
local function name_of(case)
  local words = {}
  for _, knob in ipairs(ORDER) do
    if case[knob] then words[#words + 1] = ("%s %s"):format(knob, case[knob]) end
  end
  return #words == 0 and "none" or table.concat(words, ", ")
end

-- How much a connection takes that nobody accepts.
local function absorb(case, knobs)
  local ends = open(option_table.merged(knobs, case))
  local taken = senders[ends.knobs.client](ends, MORE_THAN_FITS)
  local at_server, at_client = places_of(ends, taken)
  reset(ends)
  return { changed = name_of(case), taken = taken, at_server = at_server, at_client = at_client }
end

local function is_allowed(congestion)
  local allowed = environment.sysctl "net.ipv4.tcp_allowed_congestion_control" or "reno"
  return (" " .. allowed .. " "):find(" " .. congestion .. " ", 1, true) ~= nil
end

-- The cases that the knob `vary` stands for, without a congestion control that this machine lacks.
local function chosen(vary)
  local cases = {}
  for _, case in ipairs(VARIED) do
    local is_meant = vary == "all" or next(case) == nil or case[vary] ~= nil
    if is_meant and (not case.congestion or is_allowed(case.congestion)) then
      cases[#cases + 1] = case
    end
  end
  return cases
end

local function check_places(what, taken, at_server, at_client)
  assert(taken == at_server + at_client,
    ("%s: %d bytes were taken, %d are with the server, %d with the client"):format(what, taken, at_server, at_client))
end

local function check_absorbed(absorbed, knobs)
  local cases, names = chosen(knobs.vary), {}
  for i, case in ipairs(cases) do names[i] = { changed = name_of(case) } end
  expect.cases("absorbed", absorbed, names, { "changed" })
  for i, row in ipairs(absorbed) do
    local set = option_table.merged(knobs, cases[i])
    local is_bounded = set.path ~= "unix" and set.rcvbuf > 0
    check_places(row.changed, row.taken, row.at_server, row.at_client)
    expect.fields(row.changed, row, { taken = expect.at_most(MORE_THAN_FITS - 1),
      at_server = expect.between(1, is_bounded and 2 * set.rcvbuf or math.huge),
      at_client = set.path == "unix" and 0 or expect.at_least(0) })
  end
end

return experiment {
  claim = "Data that a client sends before it is accepted waits, and arrives whole. The amount depends on congestion "
    .. "control, buffers, writes, path and how the client waits.",
  knobs = {
    bytes = { 1000, "bytes", "how many bytes the client sends", min = 0, max = MORE_THAN_FITS },
    patience = { 0.2, "s", "how long a send may take, besides 20 round trips", min = 0 },
    write = { 65536, "bytes", "how many bytes the client gives to one send", min = 1, max = MORE_THAN_FITS },
    congestion = { "reno", "algorithm", "the congestion control of both ends",
      choices = { "reno", "cubic", "bbr" } },
    client = { "poll", "way", "what the client does when there is no room", choices = { "poll", "retry", "blocking" } },
    path = { "link", "way", "what joins client and server", choices = { "link", "loopback", "unix" } },
    nodelay = { false, "flag", "whether the client sets TCP_NODELAY" },
    rcvbuf = { 0, "bytes", "the listener's SO_RCVBUF; 0: tcp_rmem decides", min = 0, max = 0x3fffffff },
    sndbuf = { 0, "bytes", "the client's SO_SNDBUF; 0: tcp_wmem decides", min = 0, max = 0x3fffffff },
    delay = { 0.0, "s", "one-way delay of the link", min = 0, max = 1 },
    vary = { "all", "knob", "the knob to vary, to see how much is taken", choices = { "all", "none", "congestion",
      "client", "write", "rcvbuf", "sndbuf", "delay", "path" } },
  },
  measures = { -- of a client with these knobs: `--vary none` leaves the other cases out
    ["absorbed.1.taken"] = { "bytes", "what send took before it blocked" },
    ["absorbed.1.at_server"] = { "bytes", "the part that waits in the queued connection" },
    ["absorbed.1.at_client"] = { "bytes", "the part that waits in the client's send buffer" },
  },
  control = { bytes = MORE_THAN_FITS },
  needs = { perl = "perl-base" },
  -- changed: what the case sets. taken: bytes that send took before it blocked; at_server, at_client: where they wait.
  columns = { "changed", "taken", "at_server", "at_client" },

  run = function(knobs)
    lunet.note "A client connects and sends. Nobody accepts it."
    local ends = open(knobs)
    local taken, send_error = senders[knobs.client](ends, knobs.bytes)
    local depth = assert(ends.listener:queue()).depth
    local at_server, at_client = places_of(ends, taken)

    lunet.note "The server accepts it and reads."
    local connection = ends.connection or assert(ends.listener:accept(LONG))
    finish(ends)
    local received = assert(connection:receive("a", LONG))

    lunet.note "Others send until their sends block: as much as a queued connection takes."
    local absorbed = {} -- one by one: the order in which tasks run decides which segments TCP merges
    for i, case in ipairs(chosen(knobs.vary)) do
      absorbed[i] = lunet.scope(absorb, case, knobs)
    end
    return {
      taken = taken,
      send_error = send_error,
      queue_depth = depth,
      waiting_at_server = at_server,
      waiting_at_client = at_client,
      received = #received,
      is_intact = received == pattern(taken),
      absorbed = absorbed,
    }
  end,

  check = function(outcome, knobs)
    if knobs.bytes == 0 then experiment.not_judged "the client sent nothing" end
    assert(outcome.taken == knobs.bytes, ("send took %d bytes and then blocked"):format(outcome.taken))
    check_places("the client", outcome.taken, outcome.waiting_at_server, outcome.waiting_at_client)
    expect.fields("the client", outcome, { send_error = "none", queue_depth = 1, received = knobs.bytes,
      is_intact = true })
    check_absorbed(outcome.absorbed, knobs)
  end,

  figures = function(outcome, knobs)
    local first, least, most = outcome.absorbed[1], math.huge, 0
    for i = 2, #outcome.absorbed do
      least, most = math.min(least, outcome.absorbed[i].taken), math.max(most, outcome.absorbed[i].taken)
    end
    local function kilobytes(bytes) return math.floor(bytes / 1000 + 0.5) end
    local others = most > 0 and ("; otherwise %d to %d KB"):format(kilobytes(least), kilobytes(most)) or ""
    return ("%s, %s: takes %d KB, %d of them at the server%s"):format(knobs.congestion, knobs.client,
      kilobytes(first.taken), kilobytes(first.at_server), others)
  end,
}
