-- A silent connection holds the gate of a server: who waits for it, whether an idle timeout helps, and what becomes of
-- a request that is sent on a connection while the server closes it as idle.
--
-- Why: what is accepted holds a place at the gate whether or not it says anything. Those behind it are connected, and
-- so is a silent one behind the first: each holds the gate for an idle timeout of its own, one after the other, and
-- those behind wait for all of them (holders * idle_timeout), or for ever if nothing cuts them. A connection on which a
-- byte comes now and then is never idle; only a deadline for the whole request cuts that one (cut = request).
-- To cut an idle connection is a race. The close is news for the client one way later. What the client sent less than
-- one way before (sent_first), or sends before the news is there (closed_first), comes to a closed socket and is
-- answered by RST (net/ipv4/tcp_input.c, tcp_rcv_state_process, TCPAbortOnData; RFC 9293, 3.10.7). So every request
-- sent within one round trip around the close is lost, and none is carried out. The client reads the FIN, which comes
-- first: EOF, not ECONNRESET. FIN acknowledges all that the server had received, and a close with unread bytes is no
-- FIN but RST (net/ipv4/tcp.c, __tcp_close): after EOF, a request that was acknowledged was read by the server, and one
-- that is not when the RST is there (connection:unsent()) was not, unless the server only half-closed. After ECONNRESET
-- nobody can know: `unread` closes with the request unread, `done_reset` carries it out, and both may look the same,
-- since a pending ACK is not sent before RST.
--
-- Where people met it: browsers that connect ahead and send nothing, in front of a server with few workers; pools that
-- are larger than the server's worker count; slow senders that live on a byte per minute; one "connection reset by
-- peer" or 502 in thousands of requests between a proxy and its backend, whose keep-alive timeouts are equal.
--
-- What to do: the side that sends requests closes idle connections first, well before the other side's timeout; it
-- looks for FIN before it uses one again (that leaves the round trip). The server cuts by a deadline for the whole
-- request, and at once if others queue. Retry without asking only what may be done twice; else give the request an
-- identity, whatever the error was.
--
-- Method: all connections are queued, in a known order, before the gate opens; waits count from then. Races are made by
-- waiting for states, over a link whose delay is the room for them; none depends on a clock. `executed` is of
-- the first try, `executions` after one more on a new connection by a client that got no reply.
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local statistics = require "lunet.statistics"

local LONG = 10 -- s; bounds waits for states that do come

local HOLDERS = { "silent", "pool", "trickle" }
local CUTS = { "none", "idle", "request" }
local RACES = { "in_time", "sent_first", "closed_first", "late", "unread", "done_close", "done_reset" }

local round = statistics.round

-- -- who waits ---------------------------------------------------------------------------------

-- By what the server limits its wait for a request: not, from byte to byte, or for all of it.
local READ = {
  none = function(connection) return connection:receive "l" end,
  idle = function(connection, timeout)
    local text = ""
    repeat
      local part = connection:receive(nil, timeout) or connection:receive(nil, 0) -- what came just now counts
      if not part then return nil end
      text = text .. part
    until text:find "\n"
    return text
  end,
  request = function(connection, timeout) return connection:receive("l", timeout) end,
}

-- What a holder does once it is connected.
local HOLD = {
  silent = function() end,
  pool = function(connection) assert(connection:send "request\n") end, -- and stays when it has its reply
  trickle = function(connection, knobs)
    lunet.spawn(function()
      while connection:send "." do lunet.sleep(knobs.idle_timeout / 10) end
    end)
  end,
}

local function connect_and_queue(host, listener)
  local before = listener:queue().depth
  local connection = assert(host:connect(listener, LONG))
  assert(lunet.eventually(function() return listener:queue().depth > before end, LONG))
  return connection
end

local function count_cut(connections)
  local cut = 0
  for _, connection in ipairs(connections) do
    if connection:liveness() ~= "open" then cut = cut + 1 end
  end
  return cut
end

--- How many clients behind the holders are answered, and how long the first to end waited.
local function wait_behind(waiting, began, patience)
  local waits = {}
  local answers = lunet.together(waiting, function(connection, i)
    local answer = connection:receive("l", patience)
    waits[i] = lunet.now() - began
    connection:close()
    return answer or false
  end)
  local answered = 0
  for _, answer in ipairs(answers) do answered = answered + (answer and 1 or 0) end
  return answered, math.min(table.unpack(waits))
end

--- How long those behind the holders wait; nil: for ever.
local function predict_wait(case, knobs)
  if case.cut == "none" or case.cut == "idle" and case.holder == "trickle" then return nil end
  return knobs.holders * knobs.idle_timeout
end

local function measure_wait(case, meet, knobs)
  local server, holder_host, client_host = assert(lunet.host "server"), assert(lunet.host "holder"),
    assert(lunet.host "client")
  lunet.link(server, holder_host)
  lunet.link(server, client_host)
  local listener = assert(server:listen { port = 7300, backlog = knobs.holders + knobs.clients })
  listener:gate(0)
  lunet.spawn(function()
    listener:serve(function(connection)
      while READ[case.cut](connection, knobs.idle_timeout) do connection:send "done\n" end
    end)
  end)
  local holders, waiting = {}, {}
  for i = 1, knobs.holders do holders[i] = connect_and_queue(holder_host, listener) end
  for i = 1, knobs.clients do
    waiting[i] = connect_and_queue(client_host, listener)
    assert(waiting[i]:send "request\n")
  end
  for _, holder in ipairs(holders) do HOLD[case.holder](holder, knobs) end

  local queued = listener:queue().depth
  meet()
  local began = lunet.now()
  listener:gate(1)
  local answered, wait = wait_behind(waiting, began, knobs.patience)
  local left, cut = listener:queue().depth, count_cut(holders)
  for _, holder in ipairs(holders) do holder:reset() end -- the tasks end
  listener:close()
  local predicted = predict_wait(case, knobs)
  return {
    holder = case.holder, cut = case.cut, queued = queued, answered = answered, wait_ms = round(1000 * wait),
    predicted = predicted and round(1000 * predicted) or "never", holders_cut = cut, left = left,
  }
end

-- -- the race ----------------------------------------------------------------------------------

--- A connection that has been used once and is idle now: {client, server, listener, host, ...}.
local function open_pooled(knobs)
  local server, host = assert(lunet.host "server"), assert(lunet.host "client")
  lunet.link(server, host, { delay = knobs.delay })
  local listener = assert(server:listen { port = 7300, backlog = 2 })
  local here = assert(host:connect(listener, LONG))
  local there = assert(listener:accept(LONG))
  assert(here:send "first\n")
  assert(there:receive("l", LONG))
  assert(there:send "done first\n")
  assert(here:receive("l", LONG))
  assert(lunet.eventually(function() return there:unsent() == 0 end, LONG))
  return { server = server, host = host, listener = listener, here = here, there = there, executed = 0,
    resets = server:counters().OutRsts or 0 }
end

local function send_request(pooled)
  pooled.fin_first = pooled.here:liveness() ~= "open"
  assert(pooled.here:send "pay\n")
end

-- Reads the request and carries it out.
local function carry_out(pooled)
  assert(pooled.there:receive("l", LONG))
  pooled.executed = pooled.executed + 1
end

local RUN = {
  in_time = function(pooled)
    send_request(pooled)
    carry_out(pooled)
    pooled.there:send "done\n"
  end,
  sent_first = function(pooled) -- nothing moves between these two
    send_request(pooled)
    pooled.there:close()
  end,
  closed_first = function(pooled) -- nor here
    pooled.there:close()
    send_request(pooled)
  end,
  late = function(pooled)
    pooled.there:close()
    lunet.eventually(function() return pooled.here:liveness() ~= "open" end, LONG)
    send_request(pooled)
  end,
  unread = function(pooled)
    send_request(pooled)
    lunet.eventually(function() return pooled.there:unread() > 0 end, LONG)
    pooled.there:close()
  end,
  done_close = function(pooled)
    send_request(pooled)
    carry_out(pooled)
    pooled.there:close()
  end,
  done_reset = function(pooled)
    send_request(pooled)
    carry_out(pooled)
    pooled.there:reset()
  end,
}

-- The same request again, on a connection of its own.
local function try_again(pooled)
  local again <close> = assert(pooled.host:connect(pooled.listener, LONG))
  pooled.there = assert(pooled.listener:accept(LONG))
  assert(again:send "pay\n")
  carry_out(pooled)
  pooled.there:close()
end

--- What the client reads, and then knows of its request; whether it was carried out, and how often after a retry.
local function measure_race(race, knobs)
  local pooled = open_pooled(knobs)
  RUN[race](pooled)
  local reply, _, code = pooled.here:receive("l", LONG)
  local seen, executed = reply and "reply" or code, pooled.executed
  if seen == "EOF" and executed == 0 then -- the RST is under way
    lunet.eventually(function() return pooled.here:liveness() == "reset" end, LONG)
  end
  local resets, acked = (pooled.server:counters().OutRsts or 0) - pooled.resets, pooled.here:unsent() == 0
  if not reply then try_again(pooled) end
  return {
    race = race, fin_first = pooled.fin_first, seen = seen, acked = acked, resets = resets, executed = executed,
    executions = pooled.executed,
  }
end

-- -- the claim ---------------------------------------------------------------------------------

local function check_wait(record, knobs)
  local name = ("%s, cut %s: "):format(record.holder, record.cut)
  assert(record.queued == knobs.holders + knobs.clients, name .. record.queued .. " were queued")
  local wait = predict_wait(record, knobs)
  if not wait then
    assert(record.answered == 0, name .. record.answered .. " were answered")
    assert(record.left == record.queued - 1, name .. record.left .. " are left in the queue")
    return
  end
  local is_early = record.answered > 0 and record.wait_ms < 1000 * wait - 0.1
  assert(not is_early, name .. "a client waited only " .. record.wait_ms .. " ms")
  if wait <= knobs.patience / 2 then
    assert(record.answered == knobs.clients, name .. record.answered .. " were answered")
    assert(record.holders_cut == knobs.holders, name .. record.holders_cut .. " were cut")
  elseif wait >= knobs.patience then
    assert(record.answered == 0, name .. record.answered .. " were answered")
  end
end

-- What each race is: whether FIN is there before the request is sent; what the client reads; whether it is carried out;
-- whether it is acknowledged (nil: not to be known); whether the server answers by RST (each time that it is sent, on
-- a machine so late that the client sends it again).
local EXPECTED = {
  in_time = { false, "reply", 1, true, false },
  sent_first = { false, "EOF", 0, false, true },
  closed_first = { false, "EOF", 0, false, true },
  late = { true, "EOF", 0, false, true },
  unread = { false, "ECONNRESET", 0, nil, true },
  done_close = { false, "EOF", 1, true, false },
  done_reset = { false, "ECONNRESET", 1, nil, true },
}

local function check_race(record)
  local name = record.race .. ": "
  local fin_first, seen, executed, acked, is_reset = table.unpack(EXPECTED[record.race], 1, 5)
  assert(record.fin_first == fin_first, name .. (fin_first and "no FIN" or "FIN") .. " was there before the request")
  assert(record.seen == seen, name .. "the client saw " .. record.seen)
  assert(record.executed == executed, name .. "carried out " .. record.executed .. " times")
  assert(acked == nil or record.acked == acked, name .. "acknowledged: " .. tostring(record.acked))
  assert((record.resets > 0) == is_reset, name .. record.resets .. " RSTs of the server")
  assert(record.executions == executed + (seen == "reply" and 0 or 1), name .. "the retry was not carried out")
end

return experiment {
  claim = "Each silent connection costs those behind it one idle timeout, and a request that crosses an idle close is "
    .. "lost, with EOF; but ECONNRESET before any reply can mean that it was carried out.",
  knobs = {
    holders = { 3, "connections", "that hold the gate, one after the other", min = 1, max = 1000 },
    clients = { 2, "clients", "behind them", min = 1, max = 1000 },
    holder = { "all", "kind", "silent; pool: silent after a request; trickle: a byte ten times in each idle_timeout",
      choices = choice.of(HOLDERS) },
    cut = { "all", "way", "the server cuts them: not, after idle_timeout without a byte, or without a whole request",
      choices = choice.of(CUTS) },
    idle_timeout = { 0.1, "s", "how long the server waits for a request, or for its next byte", min = 0.001 },
    patience = { 1.0, "s", "how long the clients behind wait for their reply", min = 0.001 },
    race = { "all", "case", "of a request and a close",
      choices = { "all", "nothing", table.unpack(RACES) } },
    delay = { 0.03, "s", "one-way delay between the client and the server of a race", min = 0.0001, max = 1 },
  },
  columns = { "holder", "cut", "queued", "answered", "wait_ms", "predicted", "holders_cut", "left", "race", "fin_first",
    "seen", "acked", "resets", "executed", "executions" },
  control = { cut = "none" },

  run = function(knobs)
    lunet.note "The gate opens when all are queued: the holders first, those with requests behind them."
    local cases = choice.combinations(knobs, { { "holder", HOLDERS }, { "cut", CUTS } })
    local waits = lunet.together(cases, function(case, _, meet) return measure_wait(case, meet, knobs) end)
    lunet.note "An idle connection is used again while the server closes it."
    local wanted = knobs.race == "nothing" and {} or choice.pick(RACES, knobs.race)
    local races = lunet.together(wanted, function(race) return measure_race(race, knobs) end)
    return { waits = waits, races = races }
  end,

  check = function(outcome, knobs)
    local are_cut = false
    for _, record in ipairs(outcome.waits) do
      check_wait(record, knobs)
      are_cut = are_cut or record.holders_cut > 0
    end
    assert(are_cut, "those behind the silent connections waited in vain: nothing cut them")
    for _, record in ipairs(outcome.races) do check_race(record) end
  end,

  figures = function(outcome, knobs)
    local lost, carried_out = 0, 0
    for _, record in ipairs(outcome.races) do
      if record.seen ~= "reply" and record.executed == 0 then lost = lost + 1 end
      if record.seen ~= "reply" and record.executed == 1 then carried_out = carried_out + 1 end
    end
    return ("%d holders: %g ms; no reply: %d lost, %d carried out"):format(knobs.holders,
      1000 * knobs.holders * knobs.idle_timeout, lost, carried_out)
  end,
}
