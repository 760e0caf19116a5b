-- What becomes of a connection in the queue whose client leaves: by close, by ending its side, by reset, killed by
-- SIGKILL, or by close with unread bytes; after none, a few, or more bytes than the server's receive buffer takes.
--
-- Why: a close, and the kernel on behalf of a killed process, send FIN after all that was sent; the queued socket goes
-- to CLOSE_WAIT and keeps its place and its bytes (net/ipv4/tcp_input.c, tcp_fin). If the receive buffer is full the
-- FIN cannot come: the server sees an open connection, and the client's kernel, without any process, delivers the rest
-- as the server reads. RST ends the queued socket at once (tcp_reset): it is in no list any more, keeps its place in
-- the queue, and what had arrived can be read; what had not is gone. The first send to a client that closed succeeds;
-- the RST that answers it (RFC 9293, 3.6.1) makes the second fail. If that RST comes before the server has read all,
-- the rest is lost as by a reset: first = send. How long the bytes have waited is in tcp_info, tcpi_last_data_recv,
-- which the FIN does not touch. On Unix sockets all bytes are with the server at once, the first send to a closed
-- client fails, there is no reset, and neither list nor age tells of the queued ones (-1).
-- unread_close: a client that nobody has accepted has nothing to read. So here the server accepts and greets it; it
-- sends, and closes without having read the greeting. That is RST (RFC 2525, 2.17); on Unix sockets too it is
-- ECONNRESET, but nothing is lost.
--
-- Where people met it: jobs done for users who have left; uploads completed for a client killed long ago; load
-- balancers whose probes of connect and RST fill the queue, unseen by ss; servers that greet and lose requests.
--
-- What to do: before carrying out a request ask for the state, and for the age of its bytes. CLOSE means nobody reads
-- the reply; CLOSE_WAIT does not say whether the client closed or half-closed and waits for the reply; ESTABLISHED does
-- not say that it is there. Only a reply that it answers does.
local lunet = require "lunet"
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"

local LONG = 10 -- s; bounds waits for states that do come
local RECEIVE_BUFFER, SEND_BUFFER = 8192, 65536 -- bytes, for SO_RCVBUF and SO_SNDBUF; the kernel doubles them
local SIZES = { none = 0, few = 14, more = 40000 } -- `more` does not fit into the receive buffer, but into both
local REPLY, GREETING = "reply\n", "welcome\n"

local FAMILIES, AMOUNTS = { "tcp", "tcp6", "unix" }, { "none", "few", "more" }
local DEPARTURES = { "close", "shutdown", "reset", "killed", "unread_close" }
local is_reset = { reset = true, unread_close = true }

-- A client in a process of its own: it connects, sends, says so, and stays until it is killed.
local PROGRAM = [[
  local lunet = require "lunet"
  local connection = assert(lunet.connect({ %q, sndbuf = %d }, %d))
  assert(connection:send(("x"):rep(%d), %d))
  print "sent"
  io.stdout:flush()
  lunet.sleep(math.huge)
]]

-- The program that this runs under, lunet or lua, as it was called.
local function interpreter()
  local first = 0
  while arg and arg[first - 1] do first = first - 1 end
  return first < 0 and arg[first] or "lunet"
end

local function open_tcp(family)
  local server, clients = assert(lunet.host "server"), assert(lunet.host "clients")
  local link = lunet.link(server, clients)
  local any, target = "0.0.0.0", ("%s:7300"):format(link:address(server))
  if family == "tcp6" then any, target = "::", ("[%s]:7300"):format(link:address(server, "ipv6")) end
  local listener = assert(server:listen { address = any, port = 7300, backlog = 5, rcvbuf = RECEIVE_BUFFER })
  return { is_tcp = true, server = server, clients = clients, listener = listener, target = target }
end

local function open_unix()
  local host = assert(lunet.host "server")
  local listener = assert(host:listen { address = "unix:@server", backlog = 5 })
  return { is_tcp = false, server = host, clients = host, listener = listener, target = "unix:@server" }
end

local function start_killed(place, bytes)
  local text = PROGRAM:format(place.target, SEND_BUFFER, LONG, bytes, LONG)
  local process = assert(place.clients:exec { interpreter(), "-e", text, label = "client" })
  assert(process.stdout:receive("l", LONG))
  return process
end

--- The connection as the kernel of the server lists it, or that of the clients; nil if there is none (any more).
local function listed(place, host, states)
  if not place.is_tcp then return nil end -- the list is of TCP
  local mine = host == place.server and "local_port" or "peer_port"
  return host:sockets({ [mine] = 7300, state = states })[1]
end

local CONNECTED = { "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT1", "FIN_WAIT2" }

--- Waits until each byte is either with the server or with the client, and none on its way. How many are with the
--- server; -1 if no list of the kernel says it.
local function settle_bytes(place, bytes)
  if not place.is_tcp then return -1 end
  local at_server
  assert(lunet.eventually(function()
    local near, far = listed(place, place.server, CONNECTED), listed(place, place.clients, CONNECTED)
    at_server = near and near.receive_queue
    return near and far and at_server + far.send_queue == bytes
  end, LONG))
  return at_server
end

--- Waits until the kernels know that the client has left: the server's only if that could come through.
local function wait_until_left(place, departure, is_through)
  if not place.is_tcp then return end
  assert(lunet.eventually(function() return not listed(place, place.clients, "ESTABLISHED") end, LONG))
  if not is_through then return end
  assert(lunet.eventually(function()
    local entry = listed(place, place.server, CONNECTED)
    if is_reset[departure] then return not entry end
    return entry and entry.fin
  end, LONG))
end

local function read_all(connection)
  local count = 0
  while true do
    local data, _, code = connection:receive(nil, LONG)
    if not data then return count, code end
    count = count + #data
  end
end

local function send_replies(connection)
  local results = {}
  for i = 1, 3 do
    local sent, _, code = connection:send(REPLY, LONG)
    results[i] = sent and "sent" or code
    lunet.eventually(function() -- it is answered: by ACK or by RST; Unix has neither
      return not connection:state() or connection:unsent() == 0 or connection:liveness() == "reset"
    end, LONG)
  end
  return results
end

local leave = {
  close = function(client) client:close() end,
  shutdown = function(client) client:shutdown() end,
  reset = function(client) assert(client:reset()) end,
  unread_close = function(client) client:close() end,
  killed = function(process)
    process:kill "SIGKILL"
    assert(process:wait(LONG))
  end,
}

--- Brings a client that has sent its bytes: itself, and the connection if the server had to accept it first.
local function bring_client(place, departure, bytes)
  if departure == "killed" then return start_killed(place, bytes) end
  local client = assert(place.clients:connect({ place.target, sndbuf = SEND_BUFFER, label = "client" }, LONG))
  local connection
  if departure == "unread_close" then
    connection = assert(place.listener:accept(LONG))
    connection:send(GREETING, LONG)
    assert(lunet.eventually(function() return client:unread() == #GREETING end, LONG))
  end
  assert(client:send(("x"):rep(bytes), LONG))
  return client, connection
end

--- How many bytes are with the server when all of them, and the connection, have come to rest.
local function settle(place, is_accepted, bytes)
  local depth = is_accepted and 0 or 1
  assert(lunet.eventually(function() return place.listener:queue().depth == depth end, LONG))
  return settle_bytes(place, bytes)
end

--- Reads all and sends three replies, in the order that the knob says.
local function serve(connection, first)
  local replies = first == "send" and send_replies(connection)
  local read, ended = read_all(connection)
  return read, ended, replies or send_replies(connection)
end

local function run_case(departure, size, family, knobs)
  local bytes = SIZES[size]
  local place = family == "unix" and open_unix() or open_tcp(family)
  local client, connection = bring_client(place, departure, bytes)
  local waiting = settle(place, connection, bytes)
  local before = place.listener:queue().depth
  lunet.sleep(knobs.wait)

  leave[departure](client)
  wait_until_left(place, departure, is_reset[departure] or size ~= "more")
  local after, entry = place.listener:queue().depth, listed(place, place.server, CONNECTED)

  connection = connection or assert(place.listener:accept(LONG))
  local info, unread = connection:info(), connection:unread()
  local state, liveness = connection:state() or "none", connection:liveness()
  local read, ended, replies = serve(connection, knobs.first)
  local arrived = departure == "shutdown" and client:unread() // #REPLY or 0

  local function record(fields)
    fields.departure, fields.bytes, fields.family = departure, size, family
    return fields
  end
  return {
    queued = record { before = before, after = after, waiting = waiting, listed = entry and entry.state or "none",
      unread = unread, age = info and info.tcpi_last_data_recv or -1 },
    accepted = record { state = state, liveness = liveness, read = read, ended = ended, lost = bytes - read },
    replies = record { send1 = replies[1], send2 = replies[2], send3 = replies[3], arrived = arrived },
  }
end

local function cases_of(knobs)
  local lists, cases = { { "family", FAMILIES }, { "departure", DEPARTURES }, { "bytes", AMOUNTS } }, {}
  for _, case in ipairs(choice.combinations(knobs, lists)) do
    local exists = not (case.family == "unix" and case.departure == "reset")
    if exists then cases[#cases + 1] = case end
  end
  return cases
end

local function check_case(queued, accepted, replies)
  local name = ("%s over %s, %s bytes: "):format(queued.departure, queued.family, queued.bytes)
  local place = queued.departure == "unread_close" and 0 or 1
  assert(queued.before == place, name .. "the depth was " .. queued.before)
  assert(queued.after == place, name .. "the depth became " .. queued.after)
  if is_reset[queued.departure] then
    assert(accepted.read >= queued.unread, name .. "what had arrived was lost")
  else
    assert(accepted.lost == 0, name .. "what had not arrived was lost, without a reset")
  end
  local is_there = queued.departure == "shutdown"
  assert(replies.send3 == (is_there and "sent" or "EPIPE"), name .. "the third reply gave " .. replies.send3)
  assert(replies.arrived == (is_there and 3 or 0), name .. replies.arrived .. " replies arrived")
end

return experiment {
  claim = "A queued connection outlives its client, and loses only what had not arrived when a reset came.",
  knobs = {
    departure = { "all", "way", "how the client leaves", choices = choice.of(DEPARTURES) },
    bytes = { "all", "amount", "what it has sent; more: than the receive buffer takes", choices = choice.of(AMOUNTS) },
    family = { "tcp", "family", "of the addresses", choices = choice.of(FAMILIES) },
    first = { "read", "act", "what the server does first with the accepted connection", choices = { "read", "send" } },
    wait = { 0.1, "s", "how long the bytes wait before the client leaves", min = 0, max = 10 },
  },
  control = { first = "send" },
  columns = { "family", "departure", "bytes", "before", "after", "waiting", "listed", "unread", "age", "state",
    "liveness", "read", "ended", "lost", "send1", "send2", "send3", "arrived" },

  run = function(knobs)
    local outcome = { queued = {}, accepted = {}, replies = {} }
    lunet.note "Each client leaves in its own way while the server does not accept."
    local results = lunet.together(cases_of(knobs), function(case)
      return run_case(case.departure, case.bytes, case.family, knobs)
    end)
    for i, result in ipairs(results) do
      for name, list in pairs(outcome) do list[i] = result[name] end
    end
    return outcome
  end,

  check = function(outcome)
    for i, queued in ipairs(outcome.queued) do check_case(queued, outcome.accepted[i], outcome.replies[i]) end
  end,

  figures = function(outcome)
    local losses, open_ghosts = 0, 0
    for _, case in ipairs(outcome.accepted) do
      if case.lost > 0 then losses = losses + 1 end
      if case.liveness == "open" then open_ghosts = open_ghosts + 1 end
    end
    return ("%d ghosts accepted, %d look open, bytes lost in %d"):format(#outcome.accepted, open_ghosts, losses)
  end,
}
