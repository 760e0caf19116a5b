-- Claim. A program that keeps an old connection's reply takes it for an answer on a new one. TCP never carries it over,
-- not even from the same port.
--
-- Why. The scenario is that of stale_replay, with server and client programs of several designs. A is served; B
-- connects, asks for its login, gives up, leaves and connects again. Then A leaves, and the server carries out the
-- request of B's ghost. In TCP a reply goes to the connection that asked, and ends with it (per_connection), even from
-- the same port (same_port). The server may still have the old connection, queued or accepted, even with a reply in its
-- send buffer. Then its kernel answers the new SYN by a challenge ACK for the old connection (RFC 5961, 4). The
-- client's kernel answers that by RST, and its next SYN, about 10 ms later, makes a connection of its own
-- (net/ipv4/tcp_input.c, tcp_validate_incoming, tcp_rcv_synsent_state_process). So the new client ends its own ghost,
-- but the server carries out the ghost's request all the same. A client can reuse its port at once with SO_REUSEADDR,
-- TCP timestamps and an acknowledged FIN, or after an RST (tcp_ipv4.c, tcp_twsk_unique). Otherwise bind gives
-- EADDRINUSE, without SO_REUSEADDR (inet_connection_sock.c, inet_csk_bind_conflict), or connect gives EADDRNOTAVAIL
-- (inet_hashtables.c, __inet_check_established): `reuses` shows when. It is programs that mix replies up. A server may
-- keep the replies for a client that is away and send them to its next connection (by_identity, by_address). A client
-- may keep its list of requests and take the first new reply for its login's (by_order). Or it keeps what it has read
-- (kept_buffer), or its "close" only puts the connection back into a pool (pooled).
--
-- Where it was met. Message queues that belong to a name, not to a connection; pools that, after a canceled request,
-- gave one user the answer to another; services that know their clients by address.
--
-- What to do. Put a number into every request and its reply, so that a client can drop replies that it does not wait
-- for (numbered = true). Close a connection with an unanswered request, and never pool it. Forget with it everything
-- that was read or asked on it.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local statistics = require "lunet.load.statistics"

local LONG = lab.LONG
local PORT = 4000 -- the source port of clients that come again from the same port

-- `server`, `client`: what that program keeps. `late`, `early`: when an old reply comes unasked. `mixes`: the client
-- takes replies for answers to other requests.
local designs = {
  { name = "per_connection" },
  { name = "by_identity", server = "name", late = true },
  { name = "by_address", server = "address", is_same_port = true, late = true },
  { name = "by_order", client = "pending", mixes = true },
  { name = "kept_buffer", client = "buffer", early = true },
  { name = "pooled", client = "connection", late = true, early = true },
  { name = "same_port", is_same_port = true },
}

-- How the client left, and what the server did with its connection before the next one came from the same port.
local ghosts = {
  { departure = "close", held = "queued", challenged = true },
  { departure = "close", held = "accepted", challenged = true },
  { departure = "reset", held = "queued" },
  { departure = "reset", held = "accepted" },
  { departure = "lost", held = "queued", challenged = true },
  { departure = "lost", held = "accepted", challenged = true },
  { departure = "lost", held = "replied" }, -- challenged, or reset when the reply was sent again
}

-- The state of the former connection from the port when the next one is made, and what the next one gets. Without
-- `timestamps` neither end has TCP timestamps.
local reuses = {
  { former = "open", reuseaddr = false, timestamps = 1, again = "EADDRINUSE" },
  { former = "open", reuseaddr = true, timestamps = 1, again = "EADDRNOTAVAIL" },
  { former = "fin_unacked", reuseaddr = true, timestamps = 1, again = "EADDRNOTAVAIL" },
  { former = "fin_acked", reuseaddr = false, timestamps = 1, again = "EADDRINUSE" },
  { former = "fin_acked", reuseaddr = true, timestamps = 1, again = "connected" },
  { former = "fin_acked", reuseaddr = true, timestamps = 0, again = "EADDRNOTAVAIL" },
  { former = "time_wait", reuseaddr = false, timestamps = 1, again = "EADDRINUSE" },
  { former = "time_wait", reuseaddr = true, timestamps = 1, again = "connected" },
  { former = "time_wait", reuseaddr = true, timestamps = 0, again = "EADDRNOTAVAIL" },
  { former = "reset", reuseaddr = false, timestamps = 0, again = "connected" },
}

-- The cases of either list that a kernel can try: some need drop rules.
local function possible(cases, loses)
  local list = {}
  for _, case in ipairs(cases) do
    if loses or case.departure ~= "lost" and case.former ~= "fin_unacked" then list[#list + 1] = case end
  end
  return list
end

-- -- the programs -------------------------------------------------------------------------------

local ANSWERS = { login = "welcome", balance = "100" }

-- Serves one client at a time. A client's first line is its name, every other line a request. `keeps`: whether the
-- server keeps replies for clients that are away, and knows them again by "name" or "address".
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
    for request in connection:lines() do
      local word, number = request:match "^(%a+)(.*)$"
      reply(connection, client, ANSWERS[word] .. number .. "\n")
    end
  end

  listener:gate(1)
  lunet.spawn(function() listener:serve(handle) end)
  return server
end

-- B's program.
local program = {}
program.__index = program

-- `keeps`: what the program still has when it connects again. `is_numbered`: its requests and their replies have
-- numbers.
local function new_client(host, target, keeps, is_numbered)
  return setmetatable({ host = host, target = target, keeps = keeps, is_numbered = is_numbered, pending = {}, asked = 0,
    buffer = "", answers = {} }, program)
end

function program:connect()
  if self.keeps ~= "pending" then self.pending = {} end
  if self.connection then return end -- the one from the pool
  if self.keeps ~= "buffer" then self.buffer = "" end
  self.connection = assert(self.host:connect(self.target, LONG))
  assert(self.connection:send "B\n")
end

function program:leave()
  if self.keeps == "connection" then return end -- into the pool
  self.connection:close()
  self.connection = nil
  -- The port may be used again when the FIN is acknowledged.
  lab.await(function() return #self.host:sockets { state = { "ESTABLISHED", "FIN_WAIT1" } } == 0 end)
end

function program:ask(request)
  self.asked = self.asked + 1
  local number = self.is_numbered and " " .. self.asked or ""
  table.insert(self.pending, { request = request, number = number })
  assert(self.connection:send(request .. number .. "\n"))
end

-- Reads into the buffer, which is kept for the next question, and returns its first line.
function program:read(timeout)
  self.buffer = self.buffer .. (self.connection:receive(nil, timeout) or "")
  return self.buffer:match "^[^\n]*"
end

-- A line answers the first request that has no answer; with numbers, the request of the same number if it waits.
function program:match(line)
  for i, pending in ipairs(self.pending) do
    local text = line:match("^(%w+)" .. pending.number .. "$")
    if text then
      table.remove(self.pending, i)
      self.answers[pending.request] = text
      return true
    end
  end
  return false
end

function program:take_answer(timeout)
  local is_answer
  repeat
    if not self.buffer:find "\n" then self:read(timeout) end
    local line, rest = self.buffer:match "^(.-)\n(.*)$"
    if not line then return end
    self.buffer, is_answer = rest, self:match(line)
  until is_answer
end

-- -- what happens -------------------------------------------------------------------------------

-- B asks for its login in vain and connects again. "late": the server replies after B has left. "early": it replies
-- after B has given up, but before B closes its connection.
local function give_up(b, a, timing, await_reply, knobs)
  b:ask "login"
  b:take_answer(knobs.patience)
  if timing == "late" then
    b:leave()
    b:connect()
    a:close()
  else
    a:close()
    await_reply()
    b:read(LONG)
    b:leave()
    b:connect()
  end
end

local function reconnect(design, timing, knobs)
  local server_host, a_host, b_host, _, link = lab.hosts { "server", "A", "B" }
  local listener <close> = lab.listen(server_host, { backlog = 5 })
  local server = new_server(listener, design.server)
  local function becomes(field, value) -- of the server
    lab.await(function() return server[field] == value end)
  end

  local a = assert(a_host:connect(listener, LONG))
  assert(a:send "A\n")
  becomes("greeted", 1)
  local from = design.is_same_port and ("%s:%d"):format(link:address(b_host), PORT) or nil
  local b = new_client(b_host, { listener, from = from, reuseaddr = design.is_same_port, label = "B" }, design.client,
    knobs.numbered)
  b:connect()
  local first_address = b.connection:address()
  give_up(b, a, timing, function() becomes("replied", 1) end, knobs)

  -- The server has dealt with everything so far, and B's kernel has what the server sent.
  becomes("greeted", design.client == "connection" and 2 or 3)
  becomes("replied", 1)
  lab.await(function() return server.connection:unsent() == 0 end)
  local row = { design = design.name, timing = timing, bytes = assert(b.connection:info()).tcpi_bytes_received,
    port = b.connection:address() == first_address and "same" or "new", unasked = b:read(0) }
  if row.unasked == "" then row.unasked = "nothing" end
  b:ask "balance"
  b:take_answer(LONG)
  row.login, row.balance = b.answers.login or "nothing", b.answers.balance or "nothing"
  b.connection:close()
  return row
end

-- A client comes again from the same port while the server still has its former connection.
local function come_again(ghost)
  local server, client, link = lab.hosts { "server", "B" }
  local listener <close> = lab.listen(server, { backlog = 5 })
  local target = { listener, from = ("%s:%d"):format(link:address(client), PORT), reuseaddr = true, label = "B" }
  local former = assert(client:connect(target, LONG))
  assert(former:send "login\n")
  lab.await_depth(listener, 1)
  local old = ghost.held ~= "queued" and assert(listener:accept(LONG))
  do
    local _cut <close> = ghost.departure == "lost" and assert(client:drop { direction = "both" }) or nil
    if ghost.departure == "close" then former:close() else former:reset() end
    if ghost.held == "replied" then
      assert(old:receive("l", LONG))
      assert(old:send "welcome\n") -- stays in the send buffer
    end
    local leaving = { port = PORT, state = { "ESTABLISHED", "FIN_WAIT1" } }
    lab.await(function() return #assert(client:sockets(leaving)) == 0 end)
  end

  local moved = lab.counters(server)
  local new <close> = assert(client:connect(target, LONG))
  old = old or assert(listener:accept(LONG))
  lab.await(function() return old:liveness() == "reset" end)
  local row = { departure = ghost.departure, held = ghost.held, old = old:state(),
    request = old:receive("l", 0) or "nothing" }
  if ghost.held ~= "replied" then row.challenged = moved "TCPSYNChallenge" > 0 end
  row.reply = select(3, old:send "welcome\n") or "sent"
  local accepted <close> = assert(listener:accept(LONG))
  assert(new:send "balance\n")
  assert(accepted:receive("l", LONG))
  assert(accepted:send "100\n")
  row.balance = new:receive("l", LONG)
  row.bytes = assert(new:info()).tcpi_bytes_received
  return row
end

-- Each ends the former connection from the port in its own way, before the next one is made.
local FORMERS = {
  open = function() end,
  fin_unacked = function(former, _, client)
    assert(client:drop { direction = "both" })
    former:close()
  end,
  fin_acked = function(former) former:close() end,
  time_wait = function(former, accepted)
    former:close()
    lab.await(function() return accepted:liveness() == "fin" end)
    accepted:close()
  end,
  reset = function(former) former:reset() end,
}

-- The state of the client's socket then. No program holds it, so only its state tells.
local STATES = { open = "ESTABLISHED", fin_unacked = "FIN_WAIT1", fin_acked = "FIN_WAIT2", time_wait = "TIME_WAIT" }

-- Connects from a port that another connection to the same server has, or had.
local function reuse_port(case)
  local sysctl = { ["net.ipv4.tcp_timestamps"] = case.timestamps }
  local server, client, link = lab.hosts { { name = "server", sysctl = sysctl }, { name = "B", sysctl = sysctl } }
  local from = ("%s:%d"):format(link:address(client), PORT)
  local listener <close> = lab.listen(server, { backlog = 5 })
  local target = { listener, from = from, reuseaddr = case.reuseaddr, label = "B" }
  local former = assert(client:connect(target, LONG))
  local accepted = assert(listener:accept(LONG))
  FORMERS[case.former](former, accepted, client)
  lab.await(function()
    local socket = lab.socket(client, { port = PORT })
    return (socket and socket.state) == STATES[case.former]
  end)
  local again, _, code = client:connect(target, LONG)
  return { former = case.former, reuseaddr = case.reuseaddr, timestamps = case.timestamps,
    again = again and "connected" or code }
end

-- -- what is expected ---------------------------------------------------------------------------

local function reconnect_cases(knobs)
  local cases = {}
  for _, design in ipairs(choice.pick(designs, knobs.design, "name")) do
    for _, timing in ipairs { "late", "early" } do cases[#cases + 1] = { design = design.name, timing = timing } end
  end
  return cases
end

local function tries_port(knobs) return knobs.design == "all" or knobs.design == "same_port" end

local function check_design(r)
  local design = choice.find(designs, r.design, "name")
  local comes, is_pooled = design[r.timing], design.client == "connection"
  expect.fields(("%s, %s"):format(r.design, r.timing), r, {
    unasked = comes and "welcome" or "nothing",
    bytes = comes and design.client ~= "buffer" and #"welcome\n" or 0,
    port = (design.is_same_port or is_pooled) and "same" or "new",
    login = design.mixes and "100" or "nothing",
    balance = design.mixes and "nothing" or comes and "welcome" or "100",
  })
end

-- The new connection has ended the old one by RST. A server that had received the FIN before gets EPIPE; any other gets
-- ECONNRESET, once (net/ipv4/tcp_input.c, tcp_reset).
local function check_ghost(r, ghost)
  local is_replied = ghost.held == "replied"
  local is_told = is_replied or ghost.departure == "close"
  expect.fields(("%s, %s"):format(r.departure, r.held), r, { old = "CLOSE", balance = "100", bytes = #"100\n",
    request = is_replied and "nothing" or "login", reply = is_told and "EPIPE" or "ECONNRESET" })
  if not is_replied then
    expect.value(("%s, %s: challenged"):format(r.departure, r.held), r.challenged, ghost.challenged or false)
  end
end

return experiment {
  claim = "A program that keeps an old connection's reply takes it for an answer on a new one. TCP never carries it "
    .. "over, not even from the same port.",
  knobs = {
    design = { "all", "design", "what server and client still have when B connects again",
      choices = choice.of(designs, "name") },
    numbered = { false, "", "whether requests and replies have numbers, and B drops other replies" },
    patience = { 0.05, "s", "how long B waits for the answer to its login", min = 0 },
  },
  -- port: whether B came from the same port. old: the state of the old connection at the server. request, reply: what
  -- the server read on the old connection, and what its reply gave. bytes: how many came to the new connection.
  -- unasked: the reply that B had before it asked. login, balance: what B took for the answers.
  columns = { "design", "timing", "port", "departure", "held", "challenged", "old", "request", "reply", "bytes",
    "unasked", "login", "balance", "former", "reuseaddr", "timestamps", "again" },

  run = function(knobs)
    lunet.note "B asks for its login, gives up and connects again. Then it asks for its balance."
    local outcome = { same_port = {}, reuses = {} }
    outcome.reconnects = lunet.together(reconnect_cases(knobs), function(case)
      return reconnect(choice.find(designs, case.design, "name"), case.timing, knobs)
    end)
    if tries_port(knobs) then
      lunet.note "B comes again from the same port, while the server still has its former connection."
      local drops, why = lunet.can "drop"
      if not drops then lunet.note("Without clients whose departure is lost: " .. why .. ".") end
      outcome.loses = drops or false
      outcome.same_port = lunet.together(possible(ghosts, drops), come_again)
      outcome.reuses = lunet.together(possible(reuses, drops), reuse_port)
    end
    return outcome
  end,

  check = function(outcome, knobs)
    expect.cases("reconnects", outcome.reconnects, reconnect_cases(knobs), { "design", "timing" })
    for _, r in ipairs(outcome.reconnects) do check_design(r) end
    if not tries_port(knobs) then return end
    local departed = possible(ghosts, outcome.loses)
    expect.cases("same_port", outcome.same_port, departed, { "departure", "held" })
    expect.cases("reuses", outcome.reuses, possible(reuses, outcome.loses),
      { "former", "reuseaddr", "timestamps", "again" })
    for i, r in ipairs(outcome.same_port) do check_ghost(r, departed[i]) end
  end,
  control = { numbered = true },

  figures = function(outcome)
    local unasked = statistics.count(outcome.reconnects, function(r) return r.unasked ~= "nothing" end)
    local wrong = statistics.count(outcome.reconnects, function(r) return r.balance ~= "100" end)
    return ("of %d reconnects %d old replies, %d wrong answers"):format(#outcome.reconnects, unasked, wrong)
  end,
}
