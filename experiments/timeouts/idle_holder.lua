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
-- since a pending ACK is not sent before RST. A server that answers 503 without reading the request sends RST behind
-- the answer for the same reason. Linux keeps what came before the RST (tcp_reset leaves the receive queue alone): the
-- client reads the 503, then the connection is gone (`refused`). A client that is still sending gets an error from
-- send, and learns of the 503 only if it reads all the same (`refused_sending`).
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
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local statistics = require "lunet.load.statistics"

local LONG = 10 -- s; bounds waits for states that do come
local GRAIN = 0.1 -- ms; of what is rounded

local HOLDERS = { "silent", "pool", "trickle" }
local CUTS = { "none", "idle", "request" }
local RACES = { "in_time", "sent_first", "closed_first", "late", "unread", "done_close", "done_reset", "refused",
  "refused_sending" }
local LARGE = 32 * 2 ^ 20 -- bytes; more than send and receive buffers take

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
  local before = assert(listener:queue()).depth
  local connection = assert(host:connect(listener, LONG))
  assert(lunet.eventually(function() return assert(listener:queue()).depth > before end, LONG))
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

  local queued = assert(listener:queue()).depth
  meet()
  local began = lunet.now()
  listener:gate(1)
  local answered, wait = wait_behind(waiting, began, knobs.patience)
  local left, cut = assert(listener:queue()).depth, count_cut(holders)
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
    resets = assert(server:counters()).OutRsts or 0 }
end

local function send_request(pooled)
  pooled.fin_first = pooled.here:liveness() ~= "open"
  assert(pooled.here:send "pay\n")
end

-- Answers before it has read the request.
local function refuse(pooled)
  assert(lunet.eventually(function() return pooled.there:unread() > 0 end, LONG))
  assert(pooled.there:send "503\n")
  pooled.there:close()
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
    assert(pooled.there:send "done\n")
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
    assert(lunet.eventually(function() return pooled.here:liveness() ~= "open" end, LONG))
    send_request(pooled)
  end,
  unread = function(pooled)
    send_request(pooled)
    assert(lunet.eventually(function() return pooled.there:unread() > 0 end, LONG))
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
  refused = function(pooled)
    send_request(pooled)
    refuse(pooled)
  end,
  refused_sending = function(pooled)
    pooled.fin_first = pooled.here:liveness() ~= "open"
    local sending = lunet.spawn(function() return select(3, pooled.here:send(("x"):rep(LARGE), LONG)) end)
    refuse(pooled)
    pooled.send_error = select(2, sending:join())
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

--- What the client reads, and then knows of its request; whether it was carried out, and how often after a retry. After
--- ECONNRESET the client cannot know whether its request was acknowledged.
local function measure_race(race, knobs)
  local pooled = open_pooled(knobs)
  RUN[race](pooled)
  local reply, _, code = pooled.here:receive("l", LONG)
  local executed = pooled.executed
  if reply ~= "done" and code ~= "EOF" or executed == 0 then -- the RST is under way
    assert(lunet.eventually(function() return pooled.here:liveness() == "reset" end, LONG))
  end
  local ends, resets = pooled.here:liveness(), (assert(pooled.server:counters()).OutRsts or 0) - pooled.resets
  local acked = nil
  if code ~= "ECONNRESET" then acked = pooled.here:unsent() == 0 end
  if reply ~= "done" then try_again(pooled) end
  return {
    race = race, fin_first = pooled.fin_first, send = pooled.send_error or "success", seen = reply or code,
    acked = acked, ends = ends, rst = resets > 0, executed = executed, executions = pooled.executed,
  }
end

-- -- the claim ---------------------------------------------------------------------------------

local function wait_cases(knobs) return choice.combinations(knobs, { { "holder", HOLDERS }, { "cut", CUTS } }) end

local function race_cases(knobs)
  local cases = {}
  if knobs.race == "nothing" then return cases end
  for i, race in ipairs(choice.pick(RACES, knobs.race)) do cases[i] = { race = race } end
  return cases
end

-- Those behind wait as long as nothing cuts the holders, or give up before.
local function expect_no_answer(name, record, knobs, most_cut)
  expect.record(name, record, { answered = 0, holders_cut = expect.between(0, most_cut),
    left = record.queued - 1 - record.holders_cut,
    wait_ms = expect.time(1000 * knobs.patience - GRAIN, 2500 * knobs.patience) })
end

--- Whether those behind waited for what was predicted, or gave up too early to tell.
local function check_wait(record, knobs)
  local name, wait = ("%s, cut %s"):format(record.holder, record.cut), predict_wait(record, knobs)
  expect.record(name, record, { queued = knobs.holders + knobs.clients,
    predicted = wait and round(1000 * wait) or "never" })
  if not wait then
    if record.holders_cut > 0 then experiment.not_judged("%s: the machine was late", name) end
    expect_no_answer(name, record, knobs, 0)
  elseif wait <= knobs.patience / 2 then
    expect.record(name, record, { answered = knobs.clients, holders_cut = knobs.holders, left = 0,
      wait_ms = expect.time(1000 * wait - GRAIN, 2500 * wait) })
    return true
  elseif wait >= knobs.patience then
    expect_no_answer(name, record, knobs, knobs.patience // knobs.idle_timeout)
  end
  return false
end

-- What each race is: whether FIN is there before the request is sent; what send gives; what the client reads; whether
-- its request is acknowledged; what becomes of the connection; whether the server answers by RST (perhaps more than
-- one: on a machine so late that the client sends it again); how often the request is carried out, and after a retry.
local EXPECTED = {
  in_time = { false, "success", "done", true, "open", false, 1, 1 },
  sent_first = { false, "success", "EOF", false, "reset", true, 0, 1 },
  closed_first = { false, "success", "EOF", false, "reset", true, 0, 1 },
  late = { true, "success", "EOF", false, "reset", true, 0, 1 },
  unread = { false, "success", "ECONNRESET", nil, "reset", true, 0, 1 },
  done_close = { false, "success", "EOF", true, "fin", false, 1, 2 },
  done_reset = { false, "success", "ECONNRESET", nil, "reset", true, 1, 2 },
  refused = { false, "success", "503", true, "reset", true, 0, 1 },
  refused_sending = { false, "ECONNRESET", "503", false, "reset", true, 0, 1 },
}
local FIELDS = { "fin_first", "send", "seen", "acked", "ends", "rst", "executed", "executions" }

local function check_race(record)
  for i, field in ipairs(FIELDS) do
    expect.value(record.race .. ": " .. field, record[field], EXPECTED[record.race][i])
  end
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
    "send", "seen", "acked", "ends", "rst", "executed", "executions" },
  control = { cut = "none" },

  run = function(knobs)
    lunet.note "The gate opens when all are queued: the holders first, those with requests behind them."
    local waits = lunet.together(wait_cases(knobs), function(case, _, meet) return measure_wait(case, meet, knobs) end)
    lunet.note "An idle connection is used again while the server closes it."
    local races = lunet.together(race_cases(knobs), function(case) return measure_race(case.race, knobs) end)
    return { waits = waits, races = races }
  end,

  check = function(outcome, knobs)
    expect.cases("waits", outcome.waits, wait_cases(knobs), { "holder", "cut" })
    expect.cases("races", outcome.races, race_cases(knobs), { "race" })
    local is_tried = false
    for _, record in ipairs(outcome.waits) do is_tried = check_wait(record, knobs) or is_tried end
    for _, record in ipairs(outcome.races) do check_race(record) end
    if is_tried then return end
    assert(knobs.cut ~= "none", "those behind the silent connections waited in vain: nothing cut them")
    experiment.not_judged "nobody behind the silent connections waited for as long as it takes to cut them"
  end,

  figures = function(outcome)
    local lost, carried_out, waited = 0, 0, "in vain"
    for _, record in ipairs(outcome.waits) do
      if waited == "in vain" and record.answered > 0 then waited = ("for %g ms"):format(record.wait_ms) end
    end
    for _, record in ipairs(outcome.races) do
      local is_answered = record.seen == "done" or record.seen == "503"
      if not is_answered and record.executed == 0 then lost = lost + 1 end
      if not is_answered and record.executed == 1 then carried_out = carried_out + 1 end
    end
    return ("those behind waited %s; no reply: %d lost, %d carried out"):format(waited, lost, carried_out)
  end,
}
