-- M4, M5, M6: a server that serves one client at a time carries out the request of a client that has given up and
-- gone.
--
-- Why: the kernel completes the handshake without the server and queues the connection (net/ipv4/tcp_ipv4.c,
-- tcp_v4_syn_recv_sock). What the client sends waits in the receive buffer of the queued socket. When the client
-- leaves, its FIN is one more thing that waits there: the entry stays in the queue, and accept(2) hands out a
-- connection whose bytes are as good as any. The server can see the FIN before it reads (the state is CLOSE_WAIT), but
-- it cannot tell a client that left from one that only ended its side and waits for the reply (RFC 9293, 3.6). The
-- first reply to the ghost succeeds, since the kernel takes the bytes; the RST that answers it makes the second one
-- fail with EPIPE. It is no race: patience and backlog do not matter, only that B leaves before it is accepted.
--
-- Where people met it: an order or a payment made twice, since the client retried after its timeout; a server that
-- comes out of a long pause and works through requests that nobody waits for any more; a login that shows up in the
-- log minutes after its user has gone; a queue in which every retry of every client is carried out.
--
-- What to do: the client makes a retry harmless (a request identity that the server knows again) and puts a deadline
-- into the request. The server asks how old the bytes are (tcp_info, tcpi_last_data_recv) and what state the connection
-- is in before it carries anything out, and keeps its queue no longer than its clients are patient; or it accepts at
-- once and refuses.
local lunet = require "lunet"
local experiment = require "lunet.experiment"

local LONG = 10 -- s; bounds waits for states that do come

return experiment {
  claim = "A request whose client gave up while queued is still carried out.",
  knobs = {
    backlog = { 100, "connections", "how many the kernel may queue", min = 0 },
    patience = { 0.2, "s", "how long B waits for a reply before it disconnects", min = 0 },
    requests = { 1, "lines", "how many B sends", min = 0 },
  },

  control = { requests = 0 },

  run = function(knobs)
    local served, ghost = {}, {}
    local accepted = 0

    local server, a_host, b_host = assert(lunet.host "server"), assert(lunet.host "A"), assert(lunet.host "B")
    lunet.link(server, a_host)
    lunet.link(server, b_host)

    lunet.note "The server serves one client at a time: while A is connected, nobody else is accepted."
    local listener <close> = assert(server:listen { port = 7300, backlog = knobs.backlog })
    listener:gate(1)

    local function reply(connection, text)
      local bytes, _, code = connection:send(text .. "\n")
      return bytes and true or code
    end

    local function serve_ghost(connection)
      lunet.eventually(function() return connection:liveness() ~= "open" end, LONG) -- B's FIN is here
      ghost.state, ghost.liveness = connection:state(), connection:liveness()
      for request in connection:lines() do
        served[#served + 1] = request
        local result = reply(connection, "done " .. request)
        if ghost.first_reply == nil then
          ghost.first_reply = result
          lunet.eventually(function() return connection:liveness() == "reset" end, LONG) -- the RST is back
          ghost.second_reply = reply(connection, "goodbye")
        end
      end
      ghost.is_done = true
    end

    lunet.spawn(function()
      listener:serve(function(connection)
        accepted = accepted + 1
        if accepted > 1 then return serve_ghost(connection) end
        for request in connection:lines() do
          served[#served + 1] = request
          reply(connection, "done " .. request)
        end
      end)
    end)

    local a = assert(a_host:connect(listener))
    assert(a:send "login A\n")
    assert(a:receive("l", LONG))

    lunet.note "B connects. For B that is a success, but the server never hears of it: B is in the queue."
    local started = lunet.now()
    local b = assert(b_host:connect(listener, LONG))
    local b_connect_seconds = lunet.now() - started
    for i = 1, knobs.requests do assert(b:send(i == 1 and "login B\n" or ("request %d of B\n"):format(i), LONG)) end
    -- B knows first: the queue entry comes with the ACK that B sends last.
    lunet.eventually(function() return listener:queue().depth == 1 end, LONG)
    local _, _, b_error = b:receive("l", knobs.patience)
    local queue_before_b_left = listener:queue().depth

    lunet.note "B has waited long enough and disconnects. The queue keeps its entry: a ghost."
    b:close()
    local queue_after_b_left = listener:queue().depth
    local accepted_before_a_left = accepted

    lunet.note "A leaves, so the server accepts the next one: the ghost of B, and B's old request."
    a:close()
    assert(lunet.eventually(function() return ghost.is_done end, LONG))

    return {
      b_connected = true,
      b_connect_seconds = b_connect_seconds,
      b_error = b_error,
      accepted_before_a_left = accepted_before_a_left,
      queue_before_b_left = queue_before_b_left,
      queue_after_b_left = queue_after_b_left,
      served = served,
      ghost_state = ghost.state,
      ghost_liveness = ghost.liveness,
      first_reply = ghost.first_reply,
      second_reply = ghost.second_reply,
    }
  end,

  check = function(outcome, knobs)
    assert(outcome.b_error == "TIMEOUT", "B got an answer while A was served")
    assert(outcome.accepted_before_a_left == 1, "B was accepted before A left")
    assert(outcome.queue_before_b_left == 1, "B was not in the queue")
    assert(outcome.queue_after_b_left == 1, "the queue entry went with B")
    local last = outcome.served[#outcome.served]
    assert(last:find "B$", "no request of B was carried out")
    assert(#outcome.served == 1 + knobs.requests, "not all of B's requests were carried out")
  end,

  figures = function(outcome, knobs)
    return ("B gave up and left; %d of its %d requests carried out"):format(#outcome.served - 1, knobs.requests)
  end,
}
