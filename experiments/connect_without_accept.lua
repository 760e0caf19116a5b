-- Claim. Every connect succeeds although nobody accepts. The server knows of none of its clients.
--
-- Why. connect(2) returns when the SYN-ACK has come. The kernel sends that by itself, as long as the accept queue has
-- room (net/ipv4/tcp_input.c, tcp_conn_request; net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock; listen(2) and tcp(7)). The
-- server learns of the client only when it calls accept(2). Before that it has no descriptor, and nothing to read or
-- log. A listener of backlog N queues N + 1 connections, since sk_acceptq_is_full compares with `>`. The SYN of one
-- more client gets no answer.
--
-- Where it was met. Port checks and health checks by connect that call a hung or stopped server healthy; a connect
-- timeout that never fires while the request timeout always does; clients that count themselves as connected while the
-- server's own count is 0; a "connection established" log line that is missing on one side only.
--
-- What to do. Take a reply, not a connect, as the sign that a server is there, and put a deadline on it. A server that
-- must bound its clients accepts and refuses them, or says "welcome" first. listener:queue().depth tells how many
-- clients wait (Recv-Q in `ss -lt`).
local lunet = require "lunet"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"

local LONG = lab.LONG
-- How many connections the server's kernel has: those that a program holds, or those that none holds.
local function count(host, is_owned)
  return #host:sockets { local_port = lab.PORT, state = "ESTABLISHED", owned = is_owned }
end

-- Connects the clients, one after the other. Returns what they see, and their connections.
local function connect_all(host, listener, knobs)
  local seen, connections = { connected = 0, states = {}, errors = {} }, {}
  for i = 1, knobs.clients do
    local connection, _, code = host:connect({ listener, label = "client " .. i }, knobs.patience)
    if connection then
      seen.connected = seen.connected + 1
      connections[#connections + 1] = connection
      -- The client knows first: the queue entry comes with the ACK that it sends last.
      lab.await_depth(listener, seen.connected)
    else
      seen.errors[#seen.errors + 1] = code
    end
    seen.states[i] = connection and connection:state() or "none"
  end
  return seen, connections
end

-- Accepts every client that waits, and then asks once more.
local function accept_all(host, listener)
  local server = { known_before_accept = count(host, true), unknown_before_accept = count(host, false), accepted = 0 }
  for _ = 1, assert(listener:queue()).depth do
    assert(listener:accept(LONG))
    server.accepted = server.accepted + 1
  end
  local _, _, code = listener:accept(0)
  server.then_accept_says, server.known_after_accept = code, count(host, true)
  return server
end

return experiment {
  claim = "Every connect succeeds although nobody accepts. The server knows of none of its clients.",
  knobs = {
    backlog = { 5, "connections", "how many the kernel may queue", min = 0 },
    clients = { 3, "clients", "how many connect, one after the other", min = 1, max = 1000 },
    patience = { 0.3, "s", "how long a client waits for its connection", min = 0 },
  },

  measures = {
    ["client.connected"] = { "clients", "clients whose connect succeeded" },
    ["kernel.depth"] = { "connections", "connections in the queue" },
    ["server.known_before_accept"] = { "connections", "connections that the server knows before it accepts" },
  },
  control = { backlog = 1, clients = 3 },

  run = function(knobs)
    local host, clients = lab.hosts { "server", "clients" }
    local listener <close> = lab.listen(host, { backlog = knobs.backlog })

    lunet.note "The server listens and does nothing else. The clients connect."
    local client, connections = connect_all(clients, listener, knobs)
    local queue = assert(listener:queue())
    local kernel = { depth = queue.depth, limit = queue.limit, somaxconn = host:sysctl "net.core.somaxconn" }

    lunet.note "Only now does the server accept, for the first time."
    local server = accept_all(host, listener)
    for _, connection in ipairs(connections) do connection:close() end
    return { client = client, kernel = kernel, server = server }
  end,

  check = function(outcome, knobs)
    local client, kernel, server = outcome.client, outcome.kernel, outcome.server
    assert(client.connected == knobs.clients, "not every connect succeeded")
    assert(#client.errors == 0 and #client.states == knobs.clients, "not every client is known")
    for _, state in ipairs(client.states) do assert(state == "ESTABLISHED", "a client is " .. state) end
    expect.value("the depth of the queue", kernel.depth, knobs.clients)
    expect.value("the limit of the queue", kernel.limit, math.min(knobs.backlog, kernel.somaxconn))
    expect.value("connections of the server before accept", server.known_before_accept, 0)
    expect.value("those of its kernel", server.unknown_before_accept, knobs.clients)
    expect.value("connections that it accepted", server.accepted, knobs.clients)
    expect.value("connections of the server after accept", server.known_after_accept, knobs.clients)
    expect.value("the result of one more accept", server.then_accept_says, "TIMEOUT")
  end,

  figures = function(outcome)
    return ("%d connected, %d queued, %d known to the server"):format(outcome.client.connected, outcome.kernel.depth,
      outcome.server.known_before_accept)
  end,
}
