-- How many clients connect while nobody accepts, and what the next one gets.
--
-- Why: listen(2)'s backlog, cut to net.core.somaxconn, becomes sk_max_ack_backlog. A connection is
-- refused a place when sk_ack_backlog > sk_max_ack_backlog (include/net/sock.h, sk_acceptq_is_full):
-- the queue holds one more than the backlog. The next SYN is dropped without a word
-- (net/ipv4/tcp_input.c, tcp_conn_request; LINUX_MIB_LISTENOVERFLOWS), so that its client goes on
-- sending it, first after 1 s, and cannot tell a full queue from a dead host.
local lunet = require "lunet"
local experiment = require "lunet.experiment"

local LONG = 10 -- s; bounds waits for states that do come

return experiment {
  claim = "The kernel queues one connection more than the backlog says, and leaves the next client unanswered.",
  knobs = {
    backlog = { 3, "connections", "what listen(2) is given", min = 0 },
    clients = { 6, "clients", "how many try to connect, one after the other", min = 1, max = 10000 },
    patience = { 0.3, "s", "how long a client waits for its connection", min = 0 },
  },

  run = function(knobs)
    local server, clients = assert(lunet.host "server"), assert(lunet.host "clients")
    lunet.link(server, clients)
    local listener <close> = assert(server:listen { port = 7000, backlog = knobs.backlog })
    local connected, next_client = 0, nil
    local counters = server:counters()

    for i = 1, knobs.clients do
      local started = lunet.now()
      local connection, _, code = clients:connect({ listener, label = "client " .. i }, knobs.patience)
      if connection then
        connected = connected + 1
        -- The client knows first: the queue entry comes with the ACK that it sends last.
        lunet.eventually(function() return listener:queue().depth == connected end, LONG)
      else
        lunet.note "The queue is full. The kernel drops the SYN: no refusal, no answer at all."
        next_client = { number = i, error = code, seconds = lunet.now() - started }
        break
      end
    end
    local queue = listener:queue()
    local overflows = (server:counters() - counters).ListenOverflows

    lunet.note "The server accepts one: is there room for one again?"
    local accepted = listener:accept(LONG)
    local late, _, late_error = clients:connect({ listener, label = "late client" }, knobs.patience)

    return {
      connected = connected,
      depth = queue.depth,
      limit = queue.limit,
      next_client = next_client,
      overflows = overflows,
      accepted = accepted ~= nil,
      late_client = late and "connected" or late_error,
    }
  end,

  check = function(outcome)
    assert(outcome.depth == outcome.connected, "the queue does not hold those who connected")
    assert(outcome.next_client, "every client found room")
    assert(outcome.connected == outcome.limit + 1, ("%d connected"):format(outcome.connected))
    assert(outcome.overflows > 0, "the kernel counted no overflow")
    assert(outcome.next_client.error == "TIMEOUT", "the next client got " .. outcome.next_client.error)
    assert(outcome.late_client == "connected", "a free place was not given to a new client")
  end,
}
