-- M3: what a client sends before anybody accepts it is taken without error, waits with the queue
-- entry, and is received whole after the accept.
--
-- Why: a queued connection is a full socket with a receive buffer of its own; the kernel
-- acknowledges what fits into it (net/ipv4/tcp_input.c, tcp_data_queue). When that window is full
-- the bytes wait in the client's send buffer, and when that is full too, send blocks. Both buffers
-- are set by net.ipv4.tcp_rmem and tcp_wmem, and grow while bytes come (tcp(7)).
local lunet = require "lunet"
local experiment = require "lunet.experiment"

local LONG = 10 -- s; bounds waits for states that do come
local MORE_THAN_FITS = 64 * 1024 * 1024 -- bytes; tcp_rmem and tcp_wmem end well below

local function pattern(bytes)
  local block = {}
  for i = 0, 250 do block[i + 1] = string.char(i) end -- 251 is prime: no shift by a power of 2 fits
  block = table.concat(block)
  return block:rep(bytes // #block + 1):sub(1, bytes)
end

return experiment {
  claim = "What a client sends before it is accepted is taken, waits, and arrives whole.",
  knobs = {
    bytes = { 1000, "bytes", "how many the client sends", min = 0, max = MORE_THAN_FITS },
    patience = { 0.2, "s", "how long send may block", min = 0 },
  },

  run = function(knobs)
    local data = pattern(knobs.bytes)
    local server, clients = assert(lunet.host "server"), assert(lunet.host "clients")
    lunet.link(server, clients)
    local listener <close> = assert(server:listen { port = 7000, backlog = 5 })

    lunet.note "A client connects and sends. Nobody accepts it."
    local client <close> = assert(clients:connect({ listener, label = "client" }, LONG))
    local bytes, _, send_error, partly = client:send(data, knobs.patience)
    local taken = bytes or partly
    local unacknowledged, never_sent = client:unsent()
    lunet.eventually(function() return listener:queue().depth == 1 end, LONG)
    local queued = listener:queue().depth

    lunet.note "Another one sends until its send blocks: as much as a queued connection takes."
    local glutton <close> = assert(clients:connect({ listener, label = "glutton" }, LONG))
    local all, _, _, capacity = glutton:send(pattern(MORE_THAN_FITS), knobs.patience)
    local _, left_with_glutton = glutton:unsent()
    glutton:reset()

    lunet.note "The server accepts the first one and reads."
    local connection <close> = assert(listener:accept(LONG))
    lunet.eventually(function() return connection:unread() == taken - client:unsent() end, LONG) -- none is on its way
    local waiting = connection:unread()
    client:shutdown()
    local received = assert(connection:receive("a", LONG))

    return {
      taken = taken,
      send_error = send_error,
      unacknowledged = unacknowledged,
      never_sent = never_sent,
      queue_depth = queued,
      waiting_at_accept = waiting,
      received = #received,
      is_intact = received == data:sub(1, taken),
      capacity = all or capacity,
      capacity_in_client = left_with_glutton,
    }
  end,

  check = function(outcome, knobs)
    assert(outcome.taken == knobs.bytes, ("send took %d bytes and then blocked"):format(outcome.taken))
    assert(outcome.queue_depth == 1, "the client was not in the queue")
    assert(outcome.received == knobs.bytes, ("%d bytes arrived"):format(outcome.received))
    assert(outcome.is_intact, "the bytes were changed")
  end,
}
