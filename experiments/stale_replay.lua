-- Claim. A request whose client gave up while queued is still carried out.
--
-- Why. The kernel completes the handshake without the server and queues the connection (net/ipv4/tcp_ipv4.c,
-- tcp_v4_syn_recv_sock). What the client sends waits in the receive buffer of the queued socket. When the client
-- leaves, its FIN waits there too: the entry stays in the queue, and accept(2) hands out a connection whose bytes are
-- as good as any. The server can see the FIN before it reads (the state is CLOSE_WAIT), but it cannot tell a client
-- that left from one that only ended its side and waits for the reply (RFC 9293, 3.6). The first reply to the ghost
-- succeeds, since the kernel takes the bytes; the RST that answers it makes the second one fail with EPIPE. This is
-- not a race: patience and backlog do not matter, only that B leaves before it is accepted.
--
-- Where it was met. An order or a payment made twice, since the client retried after its timeout; a server that comes
-- out of a long pause and works through requests that nobody waits for; a login that shows up in the log minutes after
-- its user has gone; a queue in which every retry of every client is carried out.
--
-- What to do. The client makes a retry harmless (a request identity that the server knows again) and puts a deadline
-- into the request. The server asks how old the bytes are (tcp_info, tcpi_last_data_recv) and what state the
-- connection is in before it carries anything out, and keeps its queue no longer than its clients are patient; or it
-- accepts at once and refuses.
local lunet = require "lunet"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"

local LONG = lab.LONG

local function reply(connection, text)
  local bytes, _, code = connection:send(text .. "\n")
  return bytes and "sent" or code
end

local function serve(connection, served)
  for request in connection:lines() do
    served[#served + 1] = request
    reply(connection, "done " .. request)
  end
end

-- The replies to a client that has left: the first is taken, and answered by RST; the second fails.
local function serve_ghost(connection, served, ghost)
  for request in connection:lines() do
    served[#served + 1] = request
    local result = reply(connection, "done " .. request)
    if ghost.first_reply == nil then
      ghost.first_reply = result
      lunet.eventually(function() return connection:liveness() == "reset" end, LONG) -- the RST is back
      ghost.second_reply = reply(connection, "goodbye")
    end
  end
end

-- Serves one client at a time; the second one is the ghost. The accepted connections are counted in `ghost.accepted`.
local function start_server(listener, knobs, served, ghost)
  ghost.accepted = 0
  listener:gate(1)
  lunet.spawn(listener.serve, listener, function(connection)
    ghost.accepted = ghost.accepted + 1
    if ghost.accepted == 1 then return serve(connection, served) end
    lunet.eventually(function() return connection:liveness() ~= "open" end, LONG) -- B's FIN is here
    ghost.state, ghost.liveness = connection:state(), connection:liveness()
    if knobs.server == "serves" then serve_ghost(connection, served, ghost) end
    ghost.is_done = true
  end)
end

-- The lines that B sends.
local function requests_of(knobs)
  local lines = {}
  for i = 1, knobs.requests do lines[i] = i == 1 and "login B" or ("request %d of B"):format(i) end
  return lines
end

-- B connects, sends, waits and leaves. What it sees, and what the queue holds meanwhile.
local function visit(host, listener, knobs)
  local started = lunet.now()
  local b = assert(host:connect({ listener, label = "B" }, LONG))
  local seen = { b_connect_seconds = lunet.now() - started, b_state = b:state() }
  for _, line in ipairs(requests_of(knobs)) do assert(b:send(line .. "\n", LONG)) end
  -- B knows first: the queue entry comes with the ACK that B sends last.
  lab.await_depth(listener, 1)
  local _, _, code = b:receive("l", knobs.patience)
  seen.b_error, seen.queue_before_b_left = code, assert(listener:queue()).depth

  lunet.note "B has waited long enough and disconnects. The queue keeps its entry: a ghost."
  b:close()
  seen.queue_after_b_left = assert(listener:queue()).depth
  return seen
end

local function check_ghost(outcome)
  assert(outcome.ghost_state == "CLOSE_WAIT" and outcome.ghost_liveness == "fin",
    ("the ghost is %s, %s"):format(outcome.ghost_state, outcome.ghost_liveness))
  assert(outcome.first_reply == "sent", "the first reply gave " .. tostring(outcome.first_reply))
  assert(outcome.second_reply == "EPIPE", "the second reply gave " .. tostring(outcome.second_reply))
end

return experiment {
  claim = "A request whose client gave up while queued is still carried out.",
  knobs = {
    backlog = { 100, "connections", "how many the kernel may queue", min = 0 },
    patience = { 0.2, "s", "how long B waits for a reply before it disconnects", min = 0 },
    requests = { 1, "lines", "how many B sends", min = 0 },
    server = { "serves", "way", "what it does with the ghost: serves it, or looks at its state and closes it",
      choices = { "serves", "looks" } },
  },

  control = { server = "looks" },

  run = function(knobs)
    local served, ghost = {}, {}
    local server, a_host, b_host = lab.hosts { "server", "A", "B" }

    lunet.note "The server serves one client at a time: while A is connected, nobody else is accepted."
    local listener <close> = lab.listen(server, { backlog = knobs.backlog })
    start_server(listener, knobs, served, ghost)
    local a = assert(a_host:connect(listener))
    assert(a:send "login A\n")
    assert(a:receive("l", LONG))

    lunet.note "B connects. For B that is a success, but the server never hears of it: B is in the queue."
    local outcome = visit(b_host, listener, knobs)
    outcome.accepted_before_a_left = ghost.accepted

    lunet.note "A leaves, so the server accepts the next one: the ghost of B, and B's old request."
    a:close()
    lab.await(function() return ghost.is_done end)
    outcome.served, outcome.ghost_state, outcome.ghost_liveness = served, ghost.state, ghost.liveness
    outcome.first_reply, outcome.second_reply = ghost.first_reply, ghost.second_reply
    return outcome
  end,

  check = function(outcome, knobs)
    assert(outcome.b_state == "ESTABLISHED", "B is " .. outcome.b_state)
    assert(outcome.b_error == "TIMEOUT", "B got an answer while A was served")
    assert(outcome.accepted_before_a_left == 1, "B was accepted before A left")
    assert(outcome.queue_before_b_left == 1, "B was not in the queue")
    assert(outcome.queue_after_b_left == 1, "the queue entry went with B")
    if knobs.requests == 0 then experiment.not_judged "B sent no request" end
    local expected = table.move(requests_of(knobs), 1, knobs.requests, 2, { "login A" })
    assert(#outcome.served > 1, "no request of B was carried out")
    assert(#outcome.served == #expected, "not all of B's requests were carried out")
    for i, line in ipairs(expected) do
      assert(outcome.served[i] == line, ("the server carried out %q, not %q"):format(outcome.served[i], line))
    end
    check_ghost(outcome)
  end,

  figures = function(outcome, knobs)
    return ("B gave up and left; %d of its %d requests carried out"):format(#outcome.served - 1, knobs.requests)
  end,
}
