-- M3: what a client sends before anybody accepts it is taken without error, waits with the queue entry, and is
-- received whole after the accept. How much that can be, and on which of the two sides it waits.
--
-- Why: a queued connection is a full socket with a receive buffer of its own, as large as the second number of
-- net.ipv4.tcp_rmem or SO_RCVBUF of the listener says. The kernel acknowledges what fits into it
-- (net/ipv4/tcp_input.c, tcp_data_queue). It stays that large: it is reading that makes it grow (tcp_rcv_space_adjust).
-- When its window is shut the rest waits in the client's send buffer. That one does grow while acknowledgements come,
-- with the congestion window, up to the third number of tcp_wmem (tcp_sndbuf_expand): so most waits with the client.
-- When it is full too, send blocks. The client's kernel asks for room again and again (RFC 9293, 3.8.6.1), and "none"
-- is an answer: the wait has no end. Buffers are counted in memory, not in bytes of data: how much they hold depends
-- on how it is cut into segments, and so on the size of writes, on TCP_NODELAY, on the delay of the link.
--
-- Where people met it: an upload to a hung server that is "done" in a moment; a progress bar at 100 % before anybody
-- has read a byte; log shippers whose last half megabyte is gone when the collector is restarted.
--
-- What to do: a send that succeeded says nothing about the server; wait for a reply, with a deadline. SO_RCVBUF, set
-- on the listener, bounds what waits with the server, and SO_SNDBUF, which ends its growth, what waits with the
-- client. Both are cut to net.core.rmem_max and wmem_max, which belong to the machine.
local lunet = require "lunet"
local experiment = require "lunet.experiment"

local LONG = 10 -- s; bounds waits for states that do come
local MORE_THAN_FITS = 64 * 1024 * 1024 -- bytes; tcp_rmem and tcp_wmem end well below

local VARIED = { -- one thing at a time, apart from what the knobs say
  { "none" }, { "write", 4096 }, { "write", 1048576 }, { "rcvbuf", 8192 }, { "rcvbuf", 131072 },
  { "sndbuf", 8192 }, { "sndbuf", 131072 }, { "delay", 0.001 }, { "delay", 0.01 },
}

local function pattern(bytes)
  local block = {}
  for i = 0, 250 do block[i + 1] = string.char(i) end -- 251 is prime: no shift by a power of 2 fits
  block = table.concat(block)
  return block:rep(bytes // #block + 1):sub(1, bytes)
end

local function option(bytes) return bytes > 0 and bytes or nil end -- 0: as the sysctls say

--- A listener, and a client in its queue.
local function open(knobs)
  local server, clients = assert(lunet.host "server"), assert(lunet.host "clients")
  lunet.link(server, clients, { delay = knobs.delay })
  local listener = assert(server:listen { port = 7300, backlog = 5, rcvbuf = option(knobs.rcvbuf) })
  local client = assert(clients:connect({ listener, label = "client", sndbuf = option(knobs.sndbuf),
    nodelay = knobs.nodelay }, LONG))
  assert(lunet.eventually(function() return listener:queue().depth == 1 end, LONG))
  return server, listener, client
end

--- Sends so many bytes, in the pieces that piece_at gives for an offset, until one has made no progress for the time
--- of patience. What was taken, and the error of the last send.
local function send_until_blocked(client, count, piece_at, patience)
  local taken = 0
  while taken < count do
    local bytes, _, code, partly = client:send(piece_at(taken), patience)
    taken = taken + (bytes or partly)
    if not bytes and partly == 0 then return taken, code end
  end
  return taken
end

--- Where the bytes are when none is on its way any more: those in the queue entry, and those only the client has.
local function places_of(server, listener, client, taken)
  lunet.eventually(function()
    local unacknowledged, never_sent = client:unsent()
    return unacknowledged == never_sent
  end, LONG)
  local waiting = server:sockets({ listener = listener, owned = false })[1].receive_queue
  return waiting, taken - waiting
end

--- How much a connection takes that nobody accepts.
local function absorb(varied, knobs)
  local name, value = varied[1], varied[2]
  local set = setmetatable({ [name] = value }, { __index = knobs })
  local server, listener, client = open(set)
  local piece = ("x"):rep(set.write)
  local taken = send_until_blocked(client, MORE_THAN_FITS, function() return piece end, set.patience)
  local at_server, at_client = places_of(server, listener, client, taken)
  client:reset()
  return { varied = name, write = set.write, rcvbuf = set.rcvbuf, sndbuf = set.sndbuf, delay = set.delay,
    taken = taken, server = at_server, client = at_client }
end

local function chosen(vary)
  local cases = {}
  for _, case in ipairs(VARIED) do
    if vary == "all" or case[1] == "none" or case[1] == vary then cases[#cases + 1] = case end
  end
  return cases
end

return experiment {
  claim = "What a client sends before it is accepted is taken, waits, and arrives whole.",
  knobs = {
    bytes = { 1000, "bytes", "how many the client sends", min = 0, max = MORE_THAN_FITS },
    patience = { 0.2, "s", "how long a send may make no progress", min = 0 },
    write = { 65536, "bytes", "how many the client gives to one send", min = 1, max = MORE_THAN_FITS },
    nodelay = { false, "flag", "whether the client sets TCP_NODELAY" },
    rcvbuf = { 0, "bytes", "the listener's SO_RCVBUF; 0: as tcp_rmem says", min = 0, max = 0x3fffffff },
    sndbuf = { 0, "bytes", "the client's SO_SNDBUF; 0: as tcp_wmem says", min = 0, max = 0x3fffffff },
    delay = { 0.0, "s", "one-way delay of the link", min = 0, max = 1 },
    vary = { "all", "knob", "what is varied to see how much is taken", choices = { "all", "none", "write", "rcvbuf",
      "sndbuf", "delay" } },
  },
  control = { bytes = MORE_THAN_FITS },
  columns = { "varied", "write", "rcvbuf", "sndbuf", "delay", "taken", "server", "client" },

  run = function(knobs)
    local data = pattern(knobs.bytes)
    lunet.note "A client connects and sends. Nobody accepts it."
    local server, listener, client = open(knobs)
    local taken, send_error = send_until_blocked(client, #data, function(offset)
      return data:sub(offset + 1, offset + knobs.write)
    end, knobs.patience)
    local waiting, with_client = places_of(server, listener, client, taken)
    local depth = listener:queue().depth

    lunet.note "The server accepts it and reads."
    local connection = assert(listener:accept(LONG))
    client:shutdown()
    local received = assert(connection:receive("a", LONG))

    lunet.note "Others send until their sends block: as much as a queued connection takes."
    local absorbed = lunet.together(chosen(knobs.vary), function(varied) return absorb(varied, knobs) end)
    return {
      taken = taken,
      send_error = send_error or "none",
      queue_depth = depth,
      waiting_in_queue = waiting,
      waiting_with_client = with_client,
      received = #received,
      is_intact = received == data:sub(1, taken),
      absorbed = absorbed,
    }
  end,

  check = function(outcome, knobs)
    assert(outcome.taken == knobs.bytes, ("send took %d bytes and then blocked"):format(outcome.taken))
    assert(outcome.queue_depth == 1, "the client was not in the queue")
    assert(outcome.received == knobs.bytes, ("%d bytes arrived"):format(outcome.received))
    assert(outcome.is_intact, "the bytes were changed")
  end,

  figures = function(outcome)
    local most = outcome.absorbed[1]
    local function kilobytes(bytes) return ("%.0f KB"):format(bytes / 1000) end
    return ("takes %s: server %s, client %s"):format(kilobytes(most.taken), kilobytes(most.server),
      kilobytes(most.client))
  end,
}
