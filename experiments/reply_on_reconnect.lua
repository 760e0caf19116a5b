-- M7: "when B connects again, the replies to its earlier requests arrive before it has asked anything".
--
-- The scenario of stale_replay, with server and client programs of several designs: A is served, B connects, asks for
-- its login, gives up, leaves and connects again; then A leaves, and the server carries out what the ghost of B asked.
-- "late": the server replies when B has left; "early": when B has given up, but not closed its connection yet.
--
-- Why: TCP alone does not do it: a reply goes to the connection that asked, and ends with it (per_connection). Nor
-- does it from the same port (same_port). Where the server still has the old connection, queued or accepted, even with
-- a reply in its send buffer, the new SYN is answered by a challenge ACK for the old one (RFC 5961, 4); the client's
-- kernel answers that by RST, and its next SYN, some 10 ms later, makes a connection of its own (net/ipv4/tcp_input.c,
-- tcp_validate_incoming, tcp_rcv_synsent_state_process). So the new client ends its own ghost, but the request in it
-- is carried out all the same. (The port can be had at once with SO_REUSEADDR, TCP timestamps and an acknowledged FIN,
-- or after an RST: tcp_ipv4.c, tcp_twsk_unique. Otherwise EADDRINUSE or EADDRNOTAVAIL.)
--
-- What does it is a program. by_identity, by_address: a server keeps the replies for a client that is away, and sends
-- them to its next connection. by_order: a client keeps its list of requests, and takes the first new reply for that to
-- its login, and so on. kept_buffer: a client keeps what it has read. pooled: "close" only puts the connection back.
--
-- Met as: queues of messages for whoever logs in under a name; pools that, after a canceled request, gave one user the
-- answer to another; services that know their clients by address. What to do: a number in every request and its reply,
-- so that a client can drop what it does not wait for; close a connection with an unanswered request, never pool it,
-- and forget with it all that was read or asked on it.
local lunet = require "lunet"
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"

local LONG = 10 -- s; bounds waits for states that do come
local PORT = 4000 -- the source port of those who come again from the same

-- `server`, `client`: what that program keeps. `late`, `early`: when an old reply comes unasked. `mixes`: replies are
-- taken for those to other requests.
local designs = {
  { name = "per_connection" },
  { name = "by_identity", server = "name", late = true },
  { name = "by_address", server = "address", is_same_port = true, late = true },
  { name = "by_order", client = "pending", mixes = true },
  { name = "kept_buffer", client = "buffer", early = true },
  { name = "pooled", client = "connection", late = true, early = true },
  { name = "same_port", is_same_port = true },
}

-- How the client left, and what the server did with its connection before the next came from the same port.
local ghosts = {
  { departure = "close", held = "queued", challenged = true },
  { departure = "close", held = "accepted", challenged = true },
  { departure = "reset", held = "queued" },
  { departure = "reset", held = "accepted" },
  { departure = "lost", held = "queued", challenged = true },
  { departure = "lost", held = "accepted", challenged = true },
  { departure = "lost", held = "replied" }, -- challenged, or reset when the reply was sent again
}

-- Those that a kernel without drop rules can have.
local function ghosts_of(loses)
  local list = {}
  for _, ghost in ipairs(ghosts) do
    if loses or ghost.departure ~= "lost" then list[#list + 1] = ghost end
  end
  return list
end

local design_of = {}
for _, design in ipairs(designs) do
  design_of[design.name] = design
end

-- -- the programs -------------------------------------------------------------------------------

local ANSWERS = { login = "welcome", balance = "100" }

-- Serves one client at a time: its first line is its name, every other one a request. `keeps`: by what it knows those
-- again for which it keeps replies, if any.
local function new_server(listener, keeps)
  local server = { greeted = 0, replied = 0 }
  local kept = {} -- replies, by client

  local function reply(connection, client, text)
    if client and connection:liveness() ~= "open" then
      kept[client] = (kept[client] or "") .. text -- until it comes again
    else
      connection:send(text)
    end
    server.replied = server.replied + 1
  end

  local function handle(connection)
    local client = ({ name = connection:receive("l", LONG), address = connection:peer() })[keeps]
    if kept[client] then connection:send(kept[client]) end
    server.greeted, server.connection = server.greeted + 1, connection
    for request in connection:lines() do reply(connection, client, ANSWERS[request] .. "\n") end
  end

  listener:gate(1)
  lunet.spawn(function() listener:serve(handle) end)
  return server
end

-- B's program. `keeps`: what it still has when it connects again.
local function new_client(host, target, keeps)
  local program = { pending = {}, buffer = "", answers = {} }

  function program.connect()
    if keeps ~= "pending" then program.pending = {} end
    if program.connection then return end -- that from the pool
    if keeps ~= "buffer" then program.buffer = "" end
    program.connection = assert(host:connect(target, LONG))
    assert(program.connection:send "B\n")
  end

  function program.leave()
    if keeps == "connection" then return end -- into the pool
    program.connection:close()
    program.connection = nil
    -- The port may be used again when the FIN is acknowledged.
    assert(lunet.eventually(function() return #host:sockets { state = { "ESTABLISHED", "FIN_WAIT1" } } == 0 end, LONG))
  end

  function program.ask(request)
    table.insert(program.pending, request)
    assert(program.connection:send(request .. "\n"))
  end

  -- What has come, and is kept for whoever asks next.
  function program.read(timeout)
    program.buffer = program.buffer .. (program.connection:receive(nil, timeout) or "")
    return program.buffer:match "^[^\n]*"
  end

  -- Replies are matched by order: a line is the answer to the first request that has none.
  function program.take_answer(timeout)
    if not program.buffer:find "\n" then program.read(timeout) end
    local line, rest = program.buffer:match "^(.-)\n(.*)$"
    if not line then return end
    program.buffer = rest
    program.answers[table.remove(program.pending, 1)] = line
  end

  return program
end

-- -- what happens -------------------------------------------------------------------------------

local function reconnect(design, timing, knobs)
  local server_host, a_host, b_host = assert(lunet.host "server"), assert(lunet.host "A"), assert(lunet.host "B")
  lunet.link(server_host, a_host)
  local link = lunet.link(server_host, b_host)
  local listener <close> = assert(server_host:listen { port = 7300, backlog = 5 })
  local server = new_server(listener, design.server)
  local function becomes(field, value) -- of the server
    assert(lunet.eventually(function() return server[field] == value end, LONG))
  end

  local a = assert(a_host:connect(listener, LONG))
  assert(a:send "A\n")
  becomes("greeted", 1)
  local from = design.is_same_port and ("%s:%d"):format(link:address(b_host), PORT) or nil
  local b = new_client(b_host, { listener, from = from, reuseaddr = design.is_same_port, label = "B" }, design.client)
  b.connect()
  b.ask "login"
  b.take_answer(knobs.patience)
  local first_address = b.connection:address()
  if timing == "late" then
    b.leave()
    b.connect()
    a:close()
  else
    a:close()
    becomes("replied", 1)
    b.read(LONG)
    b.leave()
    b.connect()
  end

  -- The server is done with all that was before, and B's kernel has what it was sent.
  becomes("greeted", design.client == "connection" and 2 or 3)
  becomes("replied", 1)
  assert(lunet.eventually(function() return server.connection:unsent() == 0 end, LONG))
  local record = { design = design.name, timing = timing, bytes = b.connection:info().tcpi_bytes_received,
    port = b.connection:address() == first_address and "same" or "new", unasked = b.read(0) }
  if record.unasked == "" then record.unasked = "nothing" end
  b.ask "balance"
  b.take_answer(LONG)
  record.login, record.balance = b.answers.login or "nothing", b.answers.balance or "nothing"
  b.connection:close()
  return record
end

-- One that comes again from the same port, while the server still has its former connection.
local function come_again(ghost)
  local server, client = assert(lunet.host "server"), assert(lunet.host "B")
  local link = lunet.link(server, client)
  local listener <close> = assert(server:listen { port = 7300, backlog = 5 })
  local target = { listener, from = ("%s:%d"):format(link:address(client), PORT), reuseaddr = true, label = "B" }
  local former = assert(client:connect(target, LONG))
  assert(former:send "login\n")
  assert(lunet.eventually(function() return listener:queue().depth == 1 end, LONG))
  local old = ghost.held ~= "queued" and assert(listener:accept(LONG))
  do
    local _cut <close> = ghost.departure == "lost" and client:drop { direction = "both" } or nil
    if ghost.departure == "close" then former:close() else former:reset() end
    if ghost.held == "replied" then
      assert(old:receive("l", LONG))
      assert(old:send "welcome\n") -- stays in the send buffer
    end
    local leaving = { port = PORT, state = { "ESTABLISHED", "FIN_WAIT1" } }
    assert(lunet.eventually(function() return #client:sockets(leaving) == 0 end, LONG))
  end

  local before = server:counters()
  local new <close> = assert(client:connect(target, LONG))
  old = old or assert(listener:accept(LONG))
  assert(lunet.eventually(function() return old:liveness() == "reset" end, LONG))
  local record = { departure = ghost.departure, held = ghost.held, old = old:state(),
    request = old:receive("l", 0) or "nothing", challenged = (server:counters() - before).TCPSYNChallenge > 0 }
  record.reply = select(3, old:send "welcome\n") or "sent"
  local accepted <close> = assert(listener:accept(LONG))
  assert(new:send "balance\n")
  assert(accepted:receive("l", LONG))
  assert(accepted:send "100\n")
  record.balance = new:receive("l", LONG)
  record.bytes = new:info().tcpi_bytes_received
  return record
end

-- -- what is expected ---------------------------------------------------------------------------

local function check_design(r)
  local design = design_of[r.design]
  local comes, is_pooled = design[r.timing], design.client == "connection"
  local function holds(condition, text) assert(condition, ("%s, %s: %s"):format(r.design, r.timing, text)) end
  holds(r.unasked == (comes and "welcome" or "nothing"), "unasked came " .. r.unasked)
  holds(r.bytes == (comes and design.client ~= "buffer" and #"welcome\n" or 0), r.bytes .. " bytes came unasked")
  holds(r.port == ((design.is_same_port or is_pooled) and "same" or "new"), "it came again from the port: " .. r.port)
  local right = not comes and not design.mixes
  holds((r.balance == "100") == right, "the answer to balance is " .. r.balance)
  holds(r.login == (design.mixes and "100" or "nothing"), "the answer to login is " .. r.login)
  return not right
end

local function check_ghost(r, expected)
  local function holds(condition, text) assert(condition, ("%s, %s: %s"):format(r.departure, r.held, text)) end
  holds(r.old == "CLOSE" and r.reply ~= "sent", "the old connection lives")
  holds(r.balance == "100" and r.bytes == #"100\n", "the new connection got " .. r.balance)
  if r.held ~= "replied" then
    holds(r.challenged == (expected.challenged or false), "challenged: " .. tostring(r.challenged))
  end
end

return experiment {
  claim = "What an old connection left behind comes to a new one only through a program that kept it: a server its"
    .. " replies by client, a client its buffer, its list of requests or the connection; never through TCP, not even"
    .. " from the same port.",
  knobs = {
    design = { "all", "design", "what server and client keep when B connects again",
      choices = choice.of(designs, "name") },
    patience = { 0.05, "s", "how long B waits for the answer to its login", min = 0 },
  },
  columns = { "design", "timing", "port", "departure", "held", "challenged", "old", "request", "reply", "bytes",
    "unasked", "login", "balance" },

  run = function(knobs)
    lunet.note "B asks for its login, gives up and connects again. Then it asks for its balance."
    local tries = {}
    for _, design in ipairs(choice.pick(designs, knobs.design, "name")) do
      table.insert(tries, { design, "late" })
      table.insert(tries, { design, "early" })
    end
    local outcome = { same_port = {} }
    outcome.reconnects = lunet.together(tries, function(try) return reconnect(try[1], try[2], knobs) end)
    if knobs.design == "all" or knobs.design == "same_port" then
      local drops, why = lunet.can "drop"
      if not drops then lunet.note("Without clients whose leaving is lost: " .. why .. ".") end
      outcome.loses = drops or false
      outcome.same_port = lunet.together(ghosts_of(outcome.loses), come_again)
    end
    return outcome
  end,

  check = function(outcome)
    local wrong = 0
    for _, r in ipairs(outcome.reconnects) do
      if check_design(r) then wrong = wrong + 1 end
    end
    for i, r in ipairs(outcome.same_port) do check_ghost(r, ghosts_of(outcome.loses)[i]) end
    assert(wrong > 0, "every reply came to the request that it answers")
  end,
  control = { design = "per_connection" },

  figures = function(outcome)
    local unasked, wrong = 0, 0
    for _, r in ipairs(outcome.reconnects) do
      if r.unasked ~= "nothing" then unasked = unasked + 1 end
      if r.balance ~= "100" then wrong = wrong + 1 end
    end
    return ("of %d reconnects %d old replies, %d wrong answers"):format(#outcome.reconnects, unasked, wrong)
  end,
}
