-- Claim. A request whose client gave up while queued is still carried out.
--
-- Why. The kernel completes the handshake without the server and queues the connection (net/ipv4/tcp_ipv4.c,
-- tcp_v4_syn_recv_sock). The client's bytes wait in the receive buffer of the queued socket. When the client leaves,
-- its FIN waits there too: the entry stays in the queue, and accept(2) hands out a connection with its bytes. The
-- server can see the FIN before it reads (the state is CLOSE_WAIT). But it cannot tell a client that left from one that
-- only ended its side and waits for the reply (RFC 9293, 3.6). The first reply to the ghost succeeds, since the kernel
-- takes the bytes; the RST that answers it makes the second one fail with EPIPE. This is not a race: patience and
-- backlog do not matter, only that B leaves before the server accepts it.
--
-- Where it was met. An order or a payment made twice, since the client retried after its timeout; a server that comes
-- out of a long pause and works through requests that nobody waits for; a login that shows up in the log minutes after
-- its user has gone; a queue in which every retry of every client is carried out.
--
-- What to do. The client makes a retry harmless (a request identity that the server knows again) and puts a deadline
-- into the request. Before the server carries out a request, it asks for the age of the bytes (tcp_info,
-- tcpi_last_data_recv) and the state of the connection. It keeps its queue no longer than its clients are patient, or
-- it accepts at once and refuses.
local lunet = require "lunet"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local statistics = require "lunet.load.statistics"

local LONG = lab.LONG

local function reply(connection, text)
  local bytes, _, code = connection:send(text .. "\n")
  return bytes and "sent" or code
end

-- The server accepts a client, serves it until it leaves, and only then accepts the next one.
local function serve_one_by_one(listener, knobs, seen)
  local a <close> = assert(listener:accept(LONG))
  seen.accepted = seen.accepted + 1
  for request in a:lines() do
    table.insert(seen.served, request)
    assert(a:send("done " .. request .. "\n"))
  end
  a:close() -- before the next one is accepted

  local ghost <close> = assert(listener:accept(LONG))
  lunet.eventually(function() return ghost:liveness() ~= "open" end, LONG) -- B's FIN is here
  seen.state, seen.liveness = ghost:state(), ghost:liveness()
  if knobs.server == "looks" then return end
  for request in ghost:lines() do
    table.insert(seen.served, request)
    local result = reply(ghost, "done " .. request)
    if not seen.first_reply then
      seen.first_reply = result
      lunet.eventually(function() return ghost:liveness() == "reset" end, LONG) -- the RST is back
      seen.second_reply = reply(ghost, "goodbye")
    end
  end
end

-- The lines that B sends.
local function requests_of(knobs)
  local lines = {}
  for i = 1, knobs.requests do lines[i] = i == 1 and "login B" or ("request %d of B"):format(i) end
  return lines
end

return experiment {
  claim = "A request whose client gave up while queued is still carried out.",
  knobs = {
    backlog = { 100, "connections", "how many the kernel may queue", min = 0 },
    patience = { 0.2, "s", "how long B waits for a reply before it disconnects", min = 0 },
    requests = { 1, "lines", "how many lines B sends", min = 0 },
    server = { "serves", "way", "what the server does with the ghost: serve it, or look at its state and close it",
      choices = { "serves", "looks" } },
  },

  measures = {
    stale = { "requests", "requests of B that were carried out after B had left", better = "less" },
    b_connect_seconds = { "s", "how long B's connect took" },
  },
  control = { server = "looks" },

  run = function(knobs)
    local server, a_host, b_host = lab.hosts { "server", "A", "B" }
    local seen = { accepted = 0, served = {} }

    lunet.note "The server serves one client at a time: while A is connected, nobody else is accepted."
    local listener <close> = lab.listen(server, { backlog = knobs.backlog })
    local serving = lunet.spawn(serve_one_by_one, listener, knobs, seen)
    local a = assert(a_host:connect(listener, LONG))
    assert(a:send "login A\n")
    assert(a:receive("l", LONG))

    lunet.note "B connects. For B that is a success, but the server never hears of it: B is in the queue."
    local started = lunet.now()
    local b = assert(b_host:connect({ listener, label = "B" }, LONG))
    -- Rounded: the last digits of a difference depend on how long the machine has been up.
    local connect_seconds, state = statistics.round(lunet.now() - started, 6), b:state()
    for _, line in ipairs(requests_of(knobs)) do assert(b:send(line .. "\n", LONG)) end
    lab.await_depth(listener, 1) -- B knows first: the queue entry comes with the ACK that B sends last
    local _, _, b_error = b:receive("l", knobs.patience)
    local depth_before = lab.depth(listener)

    lunet.note "B has waited long enough and disconnects. The queue keeps its entry: a ghost."
    b:close()
    local depth_after, accepted = lab.depth(listener), seen.accepted

    lunet.note "A leaves, so the server accepts the next one: the ghost of B, and B's old request."
    a:close()
    serving:join()
    return {
      b_connect_seconds = connect_seconds, b_state = state, b_error = b_error,
      queue_before_b_left = depth_before, queue_after_b_left = depth_after, accepted_before_a_left = accepted,
      served = seen.served, stale = #seen.served - 1, ghost_state = seen.state, ghost_liveness = seen.liveness,
      first_reply = seen.first_reply, second_reply = seen.second_reply,
    }
  end,

  check = function(outcome, knobs)
    expect.fields("B", outcome, { b_state = "ESTABLISHED", b_error = "TIMEOUT", accepted_before_a_left = 1,
      queue_before_b_left = 1, queue_after_b_left = 1 })
    if knobs.requests == 0 then experiment.not_judged "B sent no request" end
    local expected = table.move(requests_of(knobs), 1, knobs.requests, 2, { "login A" })
    assert(#outcome.served > 1, "no request of B was carried out")
    expect.value("the number of requests carried out", #outcome.served, #expected)
    expect.value("those of B", outcome.stale, knobs.requests)
    for i, line in ipairs(expected) do expect.value("request " .. i, outcome.served[i], line) end
    expect.fields("the ghost", outcome, { ghost_state = "CLOSE_WAIT", ghost_liveness = "fin", first_reply = "sent",
      second_reply = "EPIPE" })
  end,

  figures = function(outcome, knobs)
    return ("B gave up and left; %d of its %d requests carried out"):format(outcome.stale, knobs.requests)
  end,
}
