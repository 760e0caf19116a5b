-- Claim. A request that crosses an idle close is lost, with EOF. ECONNRESET before any reply can mean that it was
-- carried out.
--
-- Why. A server that cuts an idle connection starts a race: the client learns of the close one way later. A request
-- that left less than one way before (sent_first), or leaves before the news is there (closed_first), comes to a closed
-- socket. The kernel answers it by RST (net/ipv4/tcp_input.c, tcp_rcv_state_process, TCPAbortOnData; RFC 9293, 3.10.7).
-- So every request within one round trip around the close is lost, and the server carries out none. The client reads
-- the FIN, which comes first: EOF, not ECONNRESET. FIN acknowledges everything that the server had received, and a
-- close with unread bytes is RST and no FIN (net/ipv4/tcp.c, __tcp_close). So EOF means that the server has read an
-- acknowledged request. It has not read one that is unacknowledged when the RST is there (connection:unsent()), unless
-- it only half-closed. After ECONNRESET nobody can know: `unread` closes with the request unread, `done_reset` carries
-- it out, and both may look the same, since the kernel sends no pending ACK before RST. A server that answers 503
-- without reading the request sends RST behind the answer for the same reason. Linux keeps the bytes that came before
-- the RST (tcp_reset leaves the receive queue alone): the client reads the 503, then the connection is gone
-- (`refused`). A client that is still sending gets an error from send, and learns of the 503 only if it reads all the
-- same (`refused_sending`).
--
-- Where it was met. One "connection reset by peer" or 502 in thousands of requests between a proxy and its backend
-- whose keep-alive timeouts are equal.
--
-- What to do. The side that sends requests closes idle connections first, well before the other side's timeout. It
-- looks for FIN before it uses one again (only the round trip remains). A server that ends its side and reads on loses
-- no request (server = reads_on). Retry without asking only requests that may be done twice. Give any other an
-- identity, whatever the error was.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"

local LONG = lab.LONG
local LARGE = 32 * 2 ^ 20 -- bytes; more than send and receive buffers take

local RACES = { "in_time", "sent_first", "closed_first", "late", "unread", "done_close", "done_reset", "refused",
  "refused_sending" }
local CROSSES = { sent_first = true, closed_first = true, late = true }

-- -- the races ----------------------------------------------------------------------------------

-- A connection that has been used once and is idle now.
local function open_pooled(knobs)
  local server, host = lab.hosts { "server", "client", delay = knobs.delay }
  local listener = lab.listen(server, { backlog = 2 })
  local here = assert(host:connect(listener, LONG))
  local there = assert(listener:accept(LONG))
  assert(here:send "first\n")
  assert(there:receive("l", LONG))
  assert(there:send "done first\n")
  assert(here:receive("l", LONG))
  lab.await(function() return there:unsent() == 0 end)
  return { host = host, server = knobs.server, listener = listener, here = here, there = there, executed = 0,
    moved = lab.counters(server) }
end

-- The server closes the idle connection; or it ends its side and reads on, so that no request is lost.
local function close_idle(pooled)
  if pooled.server == "closes" then pooled.there:close() else assert(pooled.there:shutdown()) end
end

local function send_request(pooled)
  pooled.fin_first = pooled.here:liveness() ~= "open"
  assert(pooled.here:send "pay\n")
end

-- Answers before it has read the request.
local function refuse(pooled)
  lab.await(function() return pooled.there:unread() > 0 end)
  assert(pooled.there:send "503\n")
  pooled.there:close()
end

-- Reads the request and carries it out.
local function carry_out(pooled)
  assert(pooled.there:receive("l", LONG))
  pooled.executed = pooled.executed + 1
end

-- Carries out a request that crossed the close, unless the server has closed its socket.
local function read_on(pooled)
  if pooled.server == "closes" then return end
  carry_out(pooled)
  pooled.there:close()
end

local RUN = {
  in_time = function(pooled)
    send_request(pooled)
    carry_out(pooled)
    assert(pooled.there:send "done\n")
  end,
  sent_first = function(pooled) -- nothing moves between these two
    send_request(pooled)
    close_idle(pooled)
    read_on(pooled)
  end,
  closed_first = function(pooled) -- nor here
    close_idle(pooled)
    send_request(pooled)
    read_on(pooled)
  end,
  late = function(pooled)
    close_idle(pooled)
    lab.await(function() return pooled.here:liveness() ~= "open" end)
    send_request(pooled)
    read_on(pooled)
  end,
  unread = function(pooled)
    send_request(pooled)
    lab.await(function() return pooled.there:unread() > 0 end)
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

-- Runs a race, and tries the request again if no reply came. After ECONNRESET the client cannot know whether its
-- request was acknowledged.
local function measure_race(race, knobs)
  local pooled = open_pooled(knobs)
  RUN[race](pooled)
  local reply, _, code = pooled.here:receive("l", LONG)
  local executed = pooled.executed
  if reply ~= "done" and code ~= "EOF" or executed == 0 then -- the RST is under way
    lab.await(function() return pooled.here:liveness() == "reset" end)
  end
  local ends, resets = pooled.here:liveness(), pooled.moved "OutRsts"
  local acked = nil
  if code ~= "ECONNRESET" then acked = pooled.here:unsent() == 0 end
  if reply ~= "done" then try_again(pooled) end
  return {
    race = race, fin_first = pooled.fin_first, send = pooled.send_error or "success", seen = reply or code,
    acked = acked, ends = ends, rst = resets > 0, executed = executed, executions = pooled.executed,
  }
end

-- -- the claim ---------------------------------------------------------------------------------

local function race_cases(knobs)
  local cases = {}
  for i, race in ipairs(choice.pick(RACES, knobs.race)) do cases[i] = { race = race } end
  return cases
end

-- The results of each race, in the order of FIELDS. The server may send more than one RST if the machine is so late
-- that the client sends its request again.
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

local function check_race(row)
  for i, field in ipairs(FIELDS) do
    expect.value(row.race .. ": " .. field, row[field], EXPECTED[row.race][i])
  end
end

return experiment {
  claim = "A request that crosses an idle close is lost, with EOF."
    .. " ECONNRESET before any reply can mean that it was carried out.",
  knobs = {
    race = { "all", "case", "the race of a request and a close", choices = choice.of(RACES) },
    server = { "closes", "way", "how the server ends an idle connection: it closes, or ends its side and reads on",
      choices = { "closes", "reads_on" } },
    delay = { 0.03, "s", "one-way delay between the client and the server", min = 0.0001, max = 1 },
  },
  -- fin_first: FIN was there before the client sent. send, seen: what send gave, and what the client read. acked:
  -- whether the request was acknowledged, unless nobody can know. ends: the liveness of the connection in the end. rst:
  -- whether the server sent RST. executed, executions: how often the server carried the request out, before and after a
  -- retry.
  columns = { "race", "fin_first", "send", "seen", "acked", "ends", "rst", "executed", "executions" },
  control = { race = "sent_first", server = "reads_on" },

  run = function(knobs)
    lunet.note "An idle connection is used again while the server closes it."
    return { races = lunet.together(race_cases(knobs), function(case) return measure_race(case.race, knobs) end) }
  end,

  check = function(outcome, knobs)
    expect.cases("races", outcome.races, race_cases(knobs), { "race" })
    for _, row in ipairs(outcome.races) do check_race(row) end
    if knobs.race ~= "all" and not CROSSES[knobs.race] then
      experiment.not_judged("in the race %s no request crosses the close", knobs.race)
    end
  end,

  figures = function(outcome)
    local lost, carried_out = 0, 0
    for _, row in ipairs(outcome.races) do
      local is_answered = row.seen == "done" or row.seen == "503"
      if not is_answered and row.executed == 0 then lost = lost + 1 end
      if not is_answered and row.executed == 1 then carried_out = carried_out + 1 end
    end
    return ("no reply: %d lost, %d carried out"):format(lost, carried_out)
  end,
}
