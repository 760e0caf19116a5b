-- Claim. When a stopped Redis goes on, it carries out the SET of a client that has left. Only protected mode prevents
-- that.
--
-- Why. While redis is stopped the kernel completes the handshake, queues the connection, and keeps the client's bytes.
-- When redis goes on it reads them before it can learn that nobody is there. recv(2) gives the waiting bytes before it
-- tells of the FIN (0) or the RST (ECONNRESET): net/ipv4/tcp.c, tcp_recvmsg_locked, looks into the receive queue first,
-- and tcp_reset leaves that queue alone. Redis executes the command, and only the reply fails. So it does not matter
-- how the client left, nor whether redis had accepted it before. A client that vanished, without FIN or RST, even stays
-- a client of redis (`held`) until keepalive finds out (tcp-keepalive, 300 s). Protected mode sends away, at accept and
-- without reading, clients that do not come from the loopback address. Redis asks getpeername(2) for that address,
-- which fails on a connection that was reset in the queue (ENOTCONN): it denies just these of the local clients. That
-- is no protection: a client that closed, or was accepted before, is served.
--
-- Where it was met. A write that had "timed out" appears after a fork, a slow script, swapping or the suspension of a
-- virtual machine, and overwrites newer data. A lock is taken, and nobody holds it.
--
-- What to do. Do not take a timeout for "not done". Let the last step of a write wait for an answer: with --request
-- MULTI a transaction whose EXEC was never sent leaves nothing behind. Or let the write say when it is too late (a
-- script that compares a version or a time).
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local peer_process = require "lunet.peer.process"
local statistics = require "lunet.load.statistics"

local LONG = lab.LONG
local PORT = lab.PORT
local REQUESTS = { SET = "SET key late\r\n", MULTI = "MULTI\r\nSET key late\r\n" }

-- This redis writes no file, and so needs no directory of its own.
local function start_redis(host, protected)
  return peer_process.start(host, { "redis-server", "--port", PORT, "--protected-mode", protected, "--save", "",
    "--appendonly", "no", "--loglevel", "warning" }, PORT)
end

-- Sends a command as text and returns its reply.
local function ask(connection, command)
  assert(connection:send(command .. "\r\n", LONG))
  local line = assert(connection:receive("l", LONG)):gsub("\r$", "")
  local length = tonumber(line:match "^%$(.*)")
  if not length then return line end
  if length == -1 then return "(nil)" end
  return assert(connection:receive(length + 2, LONG)):sub(1, -3)
end

local function first_word(line) return line:match "^%S+" end

-- A client that redis has answered. A client that redis denies reads its answer to the end.
local function connect_and_ask(host, target)
  local connection = assert(host:connect(target, LONG))
  assert(connection:send "PING\r\n")
  local answer = first_word(assert(connection:receive("l", LONG)))
  if answer == "-DENIED" then connection:receive("a", LONG) end
  return connection, answer
end

local function leave(connection, departure, host)
  if departure ~= "vanish" then return connection[departure](connection) end
  -- Nothing passes any more. The client stays open: a FIN that cannot be sent would keep the host.
  local _, port = connection:address()
  return assert(host:drop { direction = "both", port = port })
end

-- Whether the server's kernel knows that the client has left. It lists no connection that was reset.
local function is_known(departure, socket)
  if departure == "vanish" then return true end
  if departure == "reset" then return not socket end
  return socket and socket.fin
end

-- Redis's word on the one client besides the reader; nil as long as redis has not dealt with it.
local function look(reader, departure)
  local info = ask(reader, "INFO")
  local function count(name) return tonumber(info:match(name .. ":(%d+)")) end
  if count "rejected_connections" == 1 then return { denied = true, held = 0 } end
  if count "total_connections_received" < 2 then return nil end
  if departure ~= "vanish" then return count "connected_clients" == 1 and { denied = false, held = 0 } end
  local has_read = ask(reader, "CLIENT LIST"):find "cmd=set"
  return has_read and { denied = false, held = count "connected_clients" - 1 }
end

local function run_case(case, knobs)
  local server, remote, link = lab.hosts { "server", "client" }
  local address = link:address(server)
  local redis = start_redis(server, case.protected)
  local host = case.client == "local" and server or remote
  local target = { address = case.client == "local" and "127.0.0.1" or address, port = PORT, label = "client" }

  local connection, answer, _, code
  if case.accepted == "before" then connection, answer = connect_and_ask(host, target) end
  peer_process.freeze(redis)
  connection = connection or assert(host:connect(target, LONG))
  local own = connection:address()
  local function far_end() return lab.socket(server, { local_port = PORT, peer_address = own }) end
  local function waiting() return (far_end() or {}).receive_queue or 0 end
  local was_denied = answer == "-DENIED"

  local sent = connection:send(REQUESTS[knobs.request])
  assert(sent or was_denied)
  if not was_denied then lab.await(function() return waiting() == #REQUESTS[knobs.request] end) end
  case.reply, _, code = connection:receive("l", knobs.patience)
  case.bytes = waiting()
  local rule = leave(connection, case.departure, host)
  if not was_denied then lab.await(function() return is_known(case.departure, far_end()) end) end
  assert(redis:thaw())

  local reader = assert(server:connect({ address = "127.0.0.1", port = PORT, label = "reader" }, LONG))
  local found = lab.await(function() return look(reader, case.departure) end)
  case.denied, case.held = found.denied, found.held
  case.value = ask(reader, "GET key")
  case.reply = was_denied and answer or case.reply or code
  if case.departure == "shutdown" and not was_denied then
    case.reply = first_word(assert(connection:receive("l", LONG)))
  end
  if case.departure == "vanish" then rule:close() end
  connection:reset() -- redis's reply to a client that vanished must not wait for an acknowledgement
  return case
end

-- Redis denies by address, and the address of a connection that was reset in the queue is not known.
local function is_to_be_denied(case)
  local is_unknown = case.accepted == "after" and case.departure == "reset"
  return case.protected == "yes" and (case.client == "remote" or is_unknown)
end

-- A client that leaves has no reply. One that only ends its side, or was denied before the stop, has one.
local function reply_to_be(case)
  if case.denied and case.accepted == "before" then return "-DENIED" end
  if case.departure ~= "shutdown" then return "TIMEOUT" end
  return case.denied and "-DENIED" or "+OK"
end

local CLIENTS, PROTECTED, ACCEPTED = { "remote", "local" }, { "no", "yes" }, { "before", "after" }
local DEPARTURES = { "close", "reset", "shutdown", "vanish" }

local function cases_of(knobs)
  return choice.combinations(knobs, { { "client", CLIENTS }, { "protected", PROTECTED }, { "accepted", ACCEPTED },
    { "departure", DEPARTURES } })
end

local function describe(case)
  return ("%s client, protected %s, accepted %s, %s"):format(case.client, case.protected, case.accepted, case.departure)
end

return experiment {
  claim = "When a stopped Redis goes on, it carries out the SET of a client that has left. Only protected mode "
    .. "prevents that.",
  knobs = {
    client = { "all", "place", "the client's host: another one, or redis's own", choices = choice.of(CLIENTS) },
    protected = { "all", "setting", "redis's protected-mode", choices = choice.of(PROTECTED) },
    accepted = { "all", "time", "when redis accepts the client: before it is stopped, or after",
      choices = choice.of(ACCEPTED) },
    departure = { "all", "way", "how the client leaves; shutdown: it ends its side and waits for its reply",
      choices = choice.of(DEPARTURES) },
    request = { "SET", "request", "what the client sends; MULTI: a transaction that still lacks its EXEC",
      choices = { "SET", "MULTI" } },
    patience = { 0.05, "s", "how long the client waits for a reply before it leaves", min = 0 },
  },
  -- bytes: how many waited for redis. held: connections of vanished clients that redis still has. value: the key's.
  columns = { "client", "protected", "accepted", "departure", "bytes", "denied", "held", "reply", "value" },
  needs = { ["redis-server"] = "redis-server" },
  control = { request = "MULTI" },

  run = function(knobs)
    lunet.note "Each client has a redis of its own, which is stopped before the client sends its request."
    return { cases = lunet.together(cases_of(knobs), function(case) return run_case(case, knobs) end) }
  end,

  check = function(outcome, knobs)
    expect.cases("cases", outcome.cases, cases_of(knobs), { "client", "protected", "accepted", "departure" })
    for _, case in ipairs(outcome.cases) do
      local denied = is_to_be_denied(case)
      expect.fields(describe(case), case, { denied = denied, value = denied and "(nil)" or "late",
        bytes = denied and case.accepted == "before" and 0 or #REQUESTS[knobs.request],
        held = case.departure == "vanish" and not denied and 1 or 0, reply = reply_to_be(case) })
    end
  end,

  figures = function(outcome)
    local carried_out = statistics.count(outcome.cases, function(case) return case.value == "late" end)
    local denied = statistics.count(outcome.cases, function(case) return case.denied end)
    return ("%d of %d late writes carried out, %d denied"):format(carried_out, #outcome.cases, denied)
  end,
}
