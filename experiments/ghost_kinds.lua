-- Claim. A queued connection outlives its client. It loses only data that had not arrived when a reset came.
--
-- Why. A close sends FIN after the data, and so does the kernel for a killed process. The queued socket goes to
-- CLOSE_WAIT and keeps its place and its bytes (net/ipv4/tcp_input.c, tcp_fin). If the receive buffer is full, the FIN
-- cannot come. The server then sees an open connection, and the client's kernel, without any process, delivers the rest
-- as the server reads. RST ends the queued socket at once (tcp_reset). No list shows it any more, but it keeps its
-- place in the queue. The server can read the data that had arrived; the rest is gone. The first send to a client that
-- closed succeeds; the RST that answers it (RFC 9293, 3.6.1) makes the second fail. If that RST comes before the server
-- has read all, the rest is lost as by a reset (first = send). On Unix sockets all bytes are with the server at once,
-- the first send to a closed client fails, and there is no reset. A client that nobody has accepted has nothing to
-- read. So in unread_close the server accepts and greets it, and it closes without reading the greeting. That is RST
-- (RFC 2525, 2.17). On Unix sockets it is ECONNRESET too, but nothing is lost. After a reset getpeername(2) gives
-- ENOTCONN, so only accept(2) tells the client's address. SO_ERROR gives ECONNRESET once and takes it away
-- (include/net/sock.h, sock_error). The read at the end of the bytes then says EOF, as if the client had closed.
-- SOCK_DESTROY (`ss -K`; net/ipv4/tcp.c, tcp_abort) at the server's machine frees no place either: a destroyed ghost
-- looks like one that was reset, and its request is read all the same (`destroyed`).
--
-- Where it was met. Jobs done for users who have left; uploads completed for a client killed long ago; load balancers
-- whose probes of connect and RST fill the queue, unseen by ss (`filled`); servers that greet and lose requests.
--
-- What to do. Before carrying out a request ask for the state, and for the age of its bytes. CLOSE means that nobody
-- reads the reply. CLOSE_WAIT does not say whether the client closed, or half-closed and waits for the reply.
-- ESTABLISHED does not say that the client is there: only a reply that it answers does. Do not run `ss -K` on a queue:
-- the places stay taken, and half-closed clients, which look like ghosts, are reset.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"

local LONG = lab.LONG
local RECEIVE_BUFFER, SEND_BUFFER = 8192, 65536 -- bytes, for SO_RCVBUF and SO_SNDBUF; the kernel doubles them
local SIZES = { none = 0, few = 14, more = 40000 } -- `more` does not fit into the receive buffer, but into both
local REPLY, GREETING = "reply\n", "welcome\n"
local PATIENCE = 0.3 -- s; of the client that finds the queue full of ghosts
local STEPS = 4 -- of a task from the first byte to the look, each of which may be late
local SLOW = 0.13 -- s; how much older than the wait bytes may be, besides the lateness of the machine
local GRAIN = 20 -- ms; the kernel counts in jiffies, of up to 10 ms
local FAMILIES, AMOUNTS = { "tcp", "tcp6", "unix" }, { "none", "few", "more" }
local DEPARTURES = { "close", "shutdown", "reset", "killed", "unread_close", "destroyed" }
local SERVER, CLIENT = lunet.beside "ghost_kinds_server.pl", lunet.beside "ghost_kinds_client.pl"
local IS_OF_TCP <const> = { reset = true, destroyed = true }
local is_reset = { reset = true, unread_close = true, destroyed = true }

local function open_tcp(family)
  local server, clients, link = lab.hosts { "server", "clients" }
  local is_ipv6 = family == "tcp6"
  local listener = assert(server:listen { address = is_ipv6 and "::" or "0.0.0.0", port = lab.PORT, backlog = 5,
    rcvbuf = RECEIVE_BUFFER })
  return { is_tcp = true, server = server, clients = clients, listener = listener,
    address = link:address(server, is_ipv6 and "ipv6" or nil) }
end

local function open_unix()
  local host, address = assert(lunet.host "server"), "unix:@server"
  return { is_tcp = false, server = host, clients = host, address = address,
    listener = assert(host:listen { address = address, backlog = 5 }) }
end

-- A client in a process of its own.
local function start_killed(place, bytes)
  local process = assert(place.clients:exec { "perl", CLIENT, place.address, lab.PORT, SEND_BUFFER, bytes,
    label = "client" })
  assert(process.stdout:receive("l", LONG))
  return process
end

-- The connection as the kernel of one host lists it; nil if it lists none, or none any more.
local function listed(place, host, states)
  local mine = host == place.server and "local_port" or "peer_port"
  return place.is_tcp and lab.socket(host, { [mine] = lab.PORT, state = states }) or nil -- the list is of TCP
end

local CONNECTED = { "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT1", "FIN_WAIT2" }

-- Waits until every byte is with the server or with the client, and none on its way. Returns how many are with the
-- server; -1 for Unix, whose queued sockets no list shows.
local function settle_bytes(place, bytes)
  if not place.is_tcp then return -1 end
  local at_server
  lab.await(function()
    local near, far = listed(place, place.server, CONNECTED), listed(place, place.clients, CONNECTED)
    at_server = near and near.receive_queue
    local is_whole = near and far and at_server + far.send_queue == bytes
    return is_whole and (bytes == 0 or at_server > 0) -- what is on its way counts as the client's
  end)
  return at_server
end

-- Waits until the kernels know that the client has left: the server's only if the client's segment can reach it.
local function wait_until_left(place, departure, is_through)
  if not place.is_tcp then return end
  lab.await(function() return not listed(place, place.clients, "ESTABLISHED") end)
  if not is_through then return end
  lab.await(function()
    local entry = listed(place, place.server, CONNECTED)
    if is_reset[departure] then return not entry end
    return entry and entry.fin
  end)
end

local function read_all(connection)
  local bytes, _, code, discarded = connection:discard("a", LONG)
  return bytes or discarded, code or "EOF"
end

local function send_replies(connection)
  local results = {}
  for i = 1, 3 do
    local sent, _, code = connection:send(REPLY, LONG)
    results[i] = sent and "sent" or code
    lunet.eventually(function() -- until ACK or RST answers it; Unix has neither
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
  killed = function(process) assert(process:kill "SIGKILL" and process:wait(LONG)) end,
  destroyed = function(client, place, is_through) -- closes, and then somebody types `ss -K` at the server
    client:close()
    wait_until_left(place, "close", is_through)
    assert(place.server:destroy { listener = place.listener } == 1)
  end,
}

-- nil, or why the kernel cannot destroy sockets.
local function refuses_destroy()
  local host <close> = assert(lunet.host "host")
  local count, message, code = host:destroy { local_port = lab.PORT }
  if code == "EOPNOTSUPP" then return message .. ": this kernel was built without CONFIG_INET_DIAG_DESTROY" end
  assert(count == 0, message)
  return nil
end

-- Connects a client that sends its bytes. Returns it, and the connection if the server had to accept it first.
local function bring_client(place, departure, bytes)
  if departure == "killed" then return start_killed(place, bytes) end
  local client = assert(place.clients:connect({ address = place.address, port = place.is_tcp and lab.PORT or nil,
    sndbuf = SEND_BUFFER, label = "client" }, LONG))
  local connection
  if departure == "unread_close" then
    connection = assert(place.listener:accept(LONG))
    connection:send(GREETING, LONG)
    lab.await(function() return client:unread() == #GREETING end)
  end
  assert(client:send(("x"):rep(bytes), LONG))
  return client, connection
end

-- Reads all and sends three replies, in the order that the knob sets.
local function serve(connection, first)
  local replies = first == "send" and send_replies(connection)
  local read, ended = read_all(connection)
  return read, ended, replies or send_replies(connection)
end

local function run_case(place, case, knobs)
  local departure, size, family = case.departure, case.bytes, case.family
  local bytes = SIZES[size]
  local client, connection = bring_client(place, departure, bytes)
  local depth = connection and 0 or 1
  lab.await_depth(place.listener, depth)
  local waiting, before = settle_bytes(place, bytes), assert(place.listener:queue()).depth
  lunet.sleep(knobs.wait)

  leave[departure](client, place, size ~= "more")
  wait_until_left(place, departure, is_reset[departure] or size ~= "more")
  local after, entry = assert(place.listener:queue()).depth, listed(place, place.server, CONNECTED)

  connection = connection or assert(place.listener:accept(LONG))
  -- No list shows a queued Unix client; and for a moment another process may have its socket, which lunet forks.
  if not place.is_tcp then lab.await(function() return connection:liveness() ~= "open" end) end
  local info, unread, liveness = connection:info(), connection:unread(), connection:liveness()
  local state = connection:state() or "none"
  local read, ended, replies = serve(connection, knobs.first)
  local arrived = departure == "shutdown" and client:unread() // #REPLY or 0

  local function row(fields)
    fields.departure, fields.bytes, fields.family = departure, size, family
    return fields
  end
  return {
    queued = row { before = before, after = after, waiting = waiting, listed = entry and entry.state or "none",
      unread = unread, age = info and info.tcpi_last_data_recv or -1 },
    accepted = row { state = state, liveness = liveness, read = read, ended = ended, lost = bytes - read },
    replies = row { send1 = replies[1], send2 = replies[2], send3 = replies[3], arrived = arrived },
  }
end

local ASKED <const> = { "close", "shutdown", "reset" }
local QUESTIONS <const> = { "peername", "so_error", "so_error_again", "first_read", "second_read" }

local function ask(departure)
  local server, clients, link = lab.hosts { "server", "clients" }
  local place = { is_tcp = true, server = server, clients = clients, address = link:address(server) }
  local program <close> = assert(server:exec { "perl", SERVER, lab.PORT, stdin = "pipe" })
  assert(program.stdout:receive("l", LONG) == "listens")
  local client = bring_client(place, departure, SIZES.few)
  lab.await(function() return listed(place, server, "ESTABLISHED") end)
  settle_bytes(place, SIZES.few)
  leave[departure](client)
  wait_until_left(place, departure, true)
  assert(program.stdin:send "accept\n")
  local row, next_word = { departure = departure }, program.stdout:receive("l", LONG):gmatch "%S+"
  for _, question in ipairs(QUESTIONS) do row[question] = next_word() end
  return row
end

-- Two clients fill a queue of backlog 1 and reset; a third one comes.
local function fill_with_ghosts()
  local server, clients = lab.hosts { "server", "clients" }
  local listener = lab.listen(server, { backlog = 1 })
  for i = 1, 2 do assert(lab.queue_client(clients, listener, { label = "ghost " .. i }):reset()) end
  local filled = {}
  lab.await(function()
    filled.listed = #server:sockets { local_port = lab.PORT, state = CONNECTED }
    return filled.listed == 0
  end)
  local moved, queue = lab.counters(server), assert(listener:queue())
  local third = lunet.spawn(function()
    filled.third = select(3, clients:connect({ listener, label = "third" }, PATIENCE)) or "connected"
  end)
  lunet.eventually(function() -- before its SYN is sent again
    filled.depth, filled.limit = queue.depth, queue.limit
    filled.dropped = moved "ListenOverflows"
    return filled.dropped > 0
  end, PATIENCE)
  third:join()
  return filled
end

-- Without the destroyed ones where the kernel cannot do that.
local function cases_of(knobs, left_out)
  local lists, cases = { { "family", FAMILIES }, { "departure", DEPARTURES }, { "bytes", AMOUNTS } }, {}
  for _, case in ipairs(choice.combinations(knobs, lists)) do
    local is_missing = left_out and case.departure == "destroyed"
    if not is_missing and not (case.family == "unix" and IS_OF_TCP[case.departure]) then cases[#cases + 1] = case end
  end
  return cases
end

-- The server's view of a client that left: state and liveness of the accepted connection, the state that the kernel
-- lists while it is queued, and how reading ends.
local function seen_of(case)
  local is_tcp = case.family ~= "unix"
  if case.departure == "destroyed" then
    return "CLOSE", "reset", "none", case.bytes == "more" and "ECONNABORTED" or "EOF" -- the others' FIN has come
  end
  if is_reset[case.departure] then return is_tcp and "CLOSE" or "none", "reset", "none", "ECONNRESET" end
  if not is_tcp then return "none", "fin", "none", "EOF" end
  if case.bytes == "more" then return "ESTABLISHED", "open", "ESTABLISHED", "EOF" end -- its FIN has found no room
  return "CLOSE_WAIT", "fin", "CLOSE_WAIT", "EOF"
end

local function check_queued(name, case, queued, knobs, late)
  local place, bytes = case.departure == "unread_close" and 0 or 1, SIZES[case.bytes]
  local _, _, listed_state = seen_of(case)
  expect.fields(name, queued, { before = place, after = place, listed = listed_state })
  if case.family == "unix" then return expect.fields(name, queued, { waiting = -1, age = -1, unread = bytes }) end
  local least, most = bytes, bytes
  if case.bytes == "more" then least, most = RECEIVE_BUFFER, 2 * RECEIVE_BUFFER end
  expect.fields(name, queued, { waiting = expect.between(least, most), unread = expect.between(queued.waiting, most),
    age = expect.at_least(1000 * knobs.wait - GRAIN) })
  if case.departure ~= "killed" then -- a program takes its time to die
    lateness.at_most(name .. ": the bytes were looked at", queued.age / 1000, knobs.wait + SLOW + (STEPS - 1) * late,
      late)
  end
end

local function check_accepted(name, case, accepted, queued, knobs)
  local state, liveness, _, ended = seen_of(case)
  expect.fields(name, accepted, { state = state, liveness = liveness, lost = SIZES[case.bytes] - accepted.read })
  if is_reset[case.departure] and case.family ~= "unix" then
    expect.value(name .. ": read", accepted.read, queued.unread)
  else
    assert(accepted.lost == 0, name .. ": data was lost without a reset")
  end
  if knobs.first == "read" then expect.value(name .. ": ended", accepted.ended, ended) end
end

local function check_replies(name, case, replies, knobs)
  local is_there, reads_first = case.departure == "shutdown", knobs.first == "read"
  local is_known = is_reset[case.departure] or case.family == "unix" and not is_there
  local later = is_there and "sent" or "EPIPE"
  local first = is_known and "EPIPE" or "sent"
  if case.departure == "destroyed" and case.bytes ~= "more" then first = "ECONNABORTED" end -- read has told the FIN
  expect.fields(name, replies, { send1 = reads_first and first or nil,
    send2 = reads_first and later or nil, send3 = later, arrived = is_there and 3 or 0 })
end

local function check_cases(cases, outcome, knobs)
  for _, list in ipairs { "queued", "accepted", "replies" } do
    expect.cases(list, outcome[list], cases, { "departure", "bytes", "family" })
  end
  for i, case in ipairs(cases) do
    local name = ("%s over %s, %s bytes"):format(case.departure, case.family, case.bytes)
    check_queued(name, case, outcome.queued[i], knobs, outcome.lateness)
    check_accepted(name, case, outcome.accepted[i], outcome.queued[i], knobs)
    check_replies(name, case, outcome.replies[i], knobs)
  end
end

local function check_facts(outcome)
  local few = tostring(SIZES.few)
  local answers = { close = { "known", "none", "none", few, "EOF" }, shutdown = { "known", "none", "none", few, "EOF" },
    reset = { "ENOTCONN", "ECONNRESET", "none", few, "EOF" } }
  expect.value("the number of servers that asked", #outcome.asked, #ASKED)
  for i, departure in ipairs(ASKED) do
    local wanted = { departure = departure }
    for j, question in ipairs(QUESTIONS) do wanted[question] = answers[departure][j] end
    expect.fields(departure, outcome.asked[i], wanted)
  end
  expect.fields("two ghosts", outcome.filled, { limit = 1, depth = 2, listed = 0, third = "TIMEOUT", dropped = 1 })
end

return experiment {
  claim = "A queued connection outlives its client. It loses only data that had not arrived when a reset came.",
  knobs = {
    departure = { "all", "way", "how the client leaves", choices = choice.of(DEPARTURES) },
    bytes = { "all", "amount", "how much the client has sent; more: more than the receive buffer takes",
      choices = choice.of(AMOUNTS) },
    family = { "tcp", "family", "the family of the addresses", choices = choice.of(FAMILIES) },
    first = { "read", "act", "what the server does first with the accepted connection", choices = { "read", "send" } },
    wait = { 0.1, "s", "how long the bytes wait before the client leaves", min = 0, max = 10 },
  },
  control = { first = "send" },
  -- left_out: why no ghost is destroyed, if the kernel cannot.
  -- before, after: the depth. waiting, unread: bytes with the server before and after the client left. listed: the
  -- state in the kernel's list. age: how long the bytes have waited in ms (tcp_info, tcpi_last_data_recv, which the FIN
  -- does not touch); -1 for Unix, whose queued sockets no list shows. ended: how reading ended. lost: bytes that were
  -- not read. send1 to send3: results of three replies. arrived: replies that came to the client.
  columns = { "family", "departure", "bytes", "before", "after", "waiting", "listed", "unread", "age", "state",
    "liveness", "read", "ended", "lost", "send1", "send2", "send3", "arrived", table.unpack(QUESTIONS) },
  needs = { perl = "perl-base" },

  run = function(knobs)
    local outcome, left_out = { queued = {}, accepted = {}, replies = {} }, nil
    if knobs.departure == "all" or knobs.departure == "destroyed" then left_out = refuses_destroy() end
    lunet.note "Each client leaves in its own way while the server does not accept."
    local results, late = lab.measure(cases_of(knobs, left_out), function(case)
      return case.family == "unix" and open_unix() or open_tcp(case.family)
    end, function(place, case) return run_case(place, case, knobs) end)
    for i, result in ipairs(results) do
      for name, list in pairs(outcome) do list[i] = result[name] end
    end
    outcome.left_out = left_out
    outcome.lateness = late
    if knobs.family ~= "unix" and knobs.departure == "all" then
      lunet.note "A server asks the sockets that it accepts; and two clients that reset fill a queue of 1."
      outcome.asked = lunet.together(ASKED, ask)
      outcome.filled = lunet.scope(fill_with_ghosts)
    end
    return outcome
  end,

  check = function(outcome, knobs)
    local cases = cases_of(knobs, outcome.left_out)
    if #cases == 0 then experiment.not_judged(outcome.left_out or "Unix sockets have no reset") end
    check_cases(cases, outcome, knobs)
    if knobs.family ~= "unix" and knobs.departure == "all" then check_facts(outcome) end
  end,

  figures = function(outcome)
    local ghosts, losses, open_ghosts = 0, 0, 0
    for i, case in ipairs(outcome.accepted) do
      if outcome.queued[i] and outcome.queued[i].before > 0 then -- others were accepted before the client left
        ghosts = ghosts + 1
        if case.liveness == "open" then open_ghosts = open_ghosts + 1 end
        if case.lost > 0 then losses = losses + 1 end
      end
    end
    return ("%d ghosts accepted, %d look open, bytes lost in %d"):format(ghosts, open_ghosts, losses)
  end,
}
