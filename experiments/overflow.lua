-- What befalls a client that comes when the accept queue is full: it hears nothing, and how long it waits is
-- decided by its own SYNs, not by the server. Nobody stands in line: a free place is given to whoever's SYN comes
-- next, so that a newcomer overtakes all who have waited (`overtaken`).
--
-- Why: net/ipv4/tcp_input.c, tcp_conn_request drops the SYN when sk_acceptq_is_full, without an answer
-- (ListenOverflows and ListenDrops count it), and keeps nothing of it. A SYN cookie would not help: the accept
-- queue is looked at all the same. tcp_abort_on_overflow is not asked there, but in tcp_check_req
-- (net/ipv4/tcp_minisocks.c): it is for a client whose SYN still met a free place, and whose last ACK did not.
-- `racing` has these. Their connect has succeeded; then they are reset, or if it is 0 left in the belief that they
-- are connected (phantom_connect). A cookie's ACK is never answered by RST: tcp_get_cookie_sock does not ask.
-- When SYNs go out: net/ipv4/tcp_timer.c, tcp_retransmit_timer. The first 1 + tcp_syn_linear_timeouts timeouts are
-- of 1 s, each later one is twice as long as the one before. ETIMEDOUT comes (tcp_write_timeout) when
-- tcp_syn_retries + tcp_syn_linear_timeouts SYNs were sent again, or at the first timeout after
-- 2 ^ (tcp_syn_retries + 1) - 1 s, if that is sooner: few retries with many linear timeouts are fewer than they seem.
-- By the kernel's defaults, 6 and 4, it comes after 131 s. Its timers are up to an eighth late, and never early.
--
-- Where met: under load some connects take 1, 2 or 3 s and a little; the server has no error, and its log no line;
-- tcp_abort_on_overflow was set in the hope of a fast failure, and changed nothing.
-- What to do: accept sooner, watch ListenOverflows, and give clients a connect timeout of their own.
-- A race: a place that becomes free just when a SYN comes, a little after a whole second; keep `freed_after` away.
local lunet = require "lunet"
local experiment = require "lunet.experiment"

local LONG = 20 -- s; bounds waits for states that do come
local EARLY = 0.05 -- s; what a time may lack, by the grain of the clocks
local PATIENCE = 0.5 -- s; of a racer that waits for an answer

-- Of a client: when its SYNs are due, and when it gives up.
local function schedule(linear, retries)
  local due, now, timeout = { 0 }, 0, 1
  while true do
    now = now + timeout
    if #due > linear + retries or now >= (2 << retries) - 1 then return due, now end
    due[#due + 1] = now
    if #due > linear + 1 then timeout = timeout * 2 end
  end
end

-- The queue is full but for `places`; `held` are the connections in it.
local function start_server(knobs, mode, places)
  local server, others = assert(lunet.host { name = "server", sysctl = {
    ["net.ipv4.tcp_abort_on_overflow"] = mode.abort,
    ["net.ipv4.tcp_syncookies"] = mode.cookies,
  } }), assert(lunet.host "A")
  lunet.link(server, others)
  local listener, held = assert(server:listen { port = 7300, backlog = knobs.backlog }), {}
  for i = 1, knobs.backlog + 1 - places do
    held[i] = assert(others:connect({ listener, label = "A" }, LONG))
    lunet.eventually(function() return listener:queue().depth == i end, LONG)
  end
  return server, listener, others, held
end

-- How much a counter of a host has moved since.
local function watch_counter(host, name)
  local before = host:counters()
  return function() return (host:counters() - before)[name] end
end

-- Notes when each SYN was sent that the server has dropped, whenever that is seen: with it the timer starts anew,
-- for tcpi_rto.
local function watch_syns(host, wait, drops, on_drop)
  while not wait.result do
    local socket = host:sockets({ state = "SYN_SENT", info = true })[1]
    if socket and socket.retransmits >= #wait.syns and (socket.timer_expires or 0) > EARLY and drops() > #wait.syns then
      wait.syns[#wait.syns + 1] = lunet.now() + socket.timer_expires - socket.info.tcpi_rto / 1e6 - wait.started
      wait.state, wait.address = socket.state, socket.local_address
      if on_drop then on_drop(#wait.syns) end
    end
    lunet.sleep(0.01)
  end
end

-- B connects, for as long as its kernel tries.
local function start_wait(host, listener, drops, on_drop)
  local wait = { syns = {} }
  wait.task = lunet.spawn(function()
    wait.started = lunet.now()
    local connection, _, code = host:connect { listener, label = "B" }
    wait.seconds, wait.connection = lunet.now() - wait.started, connection
    if connection then wait.syns[#wait.syns + 1] = wait.seconds end -- the one that was answered
    wait.result = connection and "connected" or code
  end)
  lunet.spawn(watch_syns, host, wait, drops, on_drop)
  return wait
end

local function whole_seconds(times)
  local words = {}
  for i, time in ipairs(times) do words[i] = tostring(math.floor(time + 0.5)) end
  return table.concat(words, " ")
end

-- case.frees: a place becomes free, and on_free is called then. Returns a row of a table, and what more there is.
local function come_late(knobs, case, on_drop, on_free)
  local server, listener, others, held = start_server(knobs, case, knobs.places)
  local client = assert(lunet.host { name = "B", sysctl = {
    ["net.ipv4.tcp_syn_linear_timeouts"] = case.linear,
    ["net.ipv4.tcp_syn_retries"] = knobs.retries,
  } })
  lunet.link(server, client)
  local drops, resent = watch_counter(server, "ListenOverflows"), watch_counter(client, "TCPSynRetrans")

  local wait = start_wait(client, listener, drops, on_drop)
  lunet.eventually(function() return wait.result or wait.address end, LONG)
  local state = wait.result and "ESTABLISHED" or wait.state
  local is_known = not wait.address or #server:sockets { peer_address = wait.address } > 0
  local free_at = "never"
  if case.frees then
    lunet.sleep(math.max(0, wait.started + knobs.freed_after - lunet.now()))
    held[#held + 1] = assert(listener:accept(LONG))
    free_at = lunet.now() - wait.started
    if on_free then on_free(others, listener) end
  end
  wait.task:join()
  return { abort = case.abort, cookies = case.cookies, linear = case.linear, free_at = free_at, state = state,
      syns = whole_seconds(wait.syns), result = wait.result, seconds = wait.seconds, drops = drops() },
    { is_known = is_known, resent = resent(), syns = wait.syns }
end

-- The place that becomes free is taken at once by one who has not waited.
local function overtake(knobs, case)
  local newcomer
  local row = come_late(knobs, case, nil, function(host, listener)
    newcomer = host:connect({ listener, label = "newcomer" }, PATIENCE)
  end)
  return { free_at = row.free_at, newcomer = newcomer and "connected" or "TIMEOUT", linear = row.linear,
    state = row.state, syns = row.syns, result = row.result, seconds = row.seconds, drops = row.drops }
end

-- Two SYNs meet one free place, before the ACK of either has come: both are answered, and one client fits.
local function race(knobs, mode)
  local server, listener, _, held = start_server(knobs, mode, 1)
  local clients = assert(lunet.host "racers")
  lunet.link(server, clients, { delay = knobs.delay })
  local drops, racers = watch_counter(server, "ListenOverflows"), { held = held }
  for i = 1, 2 do
    lunet.spawn(function() racers[i] = assert(clients:connect({ listener, label = "racer " .. i }, LONG)) end)
  end
  assert(lunet.eventually(function() return racers[1] and racers[2] and drops() > 0 end, LONG))
  local function state_for(address)
    local socket = server:sockets({ peer_address = address })[1]
    return socket and socket.state or "nothing"
  end
  local loser = racers[state_for(racers[2]:address()) == "ESTABLISHED" and 1 or 2]
  local address = loser:address()
  local _, _, answer = loser:receive(1, PATIENCE)
  return { abort = mode.abort, cookies = mode.cookies, connect = "connected", answer = answer,
    client = loser:state(), server = state_for(address), drops = drops() }
end

-- What is done side by side, a row of a table each.
local function list_jobs(knobs)
  local jobs = {}
  local function add(name, fn, abort, cookies, linear, frees)
    if knobs.cases ~= "all" and knobs.cases ~= name then return end
    local case = { abort = abort, cookies = cookies, linear = linear, frees = frees }
    jobs[#jobs + 1] = { table = name, fn = fn, case = case }
  end
  for abort = 0, 1 do
    for cookies = 0, 2 do
      add("late", come_late, abort, cookies, knobs.linear, true)
      add("late", come_late, abort, cookies, knobs.linear, false)
      add("racing", race, abort, cookies)
    end
  end
  for linear = 0, 1 do add("late", come_late, 0, 1, linear, false) end
  add("overtaken", overtake, 0, 1, knobs.linear, true)
  return jobs
end

local function check_wait(record, retries)
  assert(record.state == "SYN_SENT", "a client found a place at once")
  local due, gives_up = schedule(record.linear, retries)
  local answered = #due + 1
  for i = #due, 1, -1 do
    if record.free_at ~= "never" and record.newcomer ~= "connected" and due[i] > record.free_at then answered = i end
  end
  local result = due[answered] and "connected" or "ETIMEDOUT"
  assert(record.result == result, ("a client in SYN_SENT ended with %s, not %s"):format(record.result, result))
  assert(record.drops == answered - 1, ("%d SYNs were dropped, not %d"):format(record.drops, answered - 1))
  assert(record.seconds > (due[answered] or gives_up) - EARLY, "a client in SYN_SENT ended too soon")
end

return experiment {
  claim = "A client that finds the queue full hears nothing until one of its own SYNs meets a free place or it has no "
    .. "more to send, whatever tcp_abort_on_overflow and tcp_syncookies say.",
  knobs = {
    backlog = { 1, "connections", "how many the kernel may queue", min = 1, max = 4000 },
    places = { 0, "connections", "how many are free when the client comes", min = 0, max = 1 },
    freed_after = { 1.5, "s", "when one becomes free, after the client's first SYN", min = 0 },
    linear = { 4, "timeouts", "tcp_syn_linear_timeouts of the client's host", min = 0, max = 10 },
    retries = { 1, "SYNs", "tcp_syn_retries of the client's host", min = 1, max = 6 },
    cases = { "all", "table", "which is made besides the story",
      choices = { "all", "late", "racing", "overtaken", "none" } },
    delay = { 0.1, "s", "one way, for the racers: makes their handshakes overlap", min = 0.02 },
  },
  columns = { "abort", "cookies", "linear", "free_at", "newcomer", "connect", "answer", "client", "server", "state",
    "syns", "result", "seconds", "drops" },
  control = { places = 1 },

  run = function(knobs)
    local usual = { abort = 0, cookies = 1, linear = knobs.linear, frees = true }
    lunet.note "The queue is full, and nobody accepts. B connects: its SYN is dropped, and the server knows nothing."
    local story, more = lunet.scope(come_late, knobs, usual, function(number)
      if number > 1 then lunet.note(("B's kernel sends its SYN again: number %d is dropped."):format(number)) end
    end)
    story.syns, story.is_known, story.resent = more.syns, more.is_known, more.resent

    lunet.note "The same under every setting, and when no place becomes free, side by side."
    local outcome, jobs = { story = story, late = {}, racing = {}, overtaken = {} }, list_jobs(knobs)
    local rows = lunet.together(jobs, function(job) return (job.fn(knobs, job.case)) end)
    for i, job in ipairs(jobs) do table.insert(outcome[job.table], rows[i]) end
    return outcome
  end,

  check = function(outcome, knobs)
    check_wait(outcome.story, knobs.retries)
    assert(not outcome.story.is_known, "the server has a socket for a client whose SYN it dropped")
    assert(outcome.story.resent == #outcome.story.syns - 1, "not every SYN was seen")
    for _, record in ipairs(outcome.late) do check_wait(record, knobs.retries) end
    for _, record in ipairs(outcome.overtaken) do check_wait(record, knobs.retries) end
  end,

  figures = function(outcome)
    local story, never = outcome.story, outcome.late[2]
    local text = ("a place free at %.2f s, in at %.2f s"):format(story.free_at, story.seconds)
    return never and ("%s; else %s at %.2f s"):format(text, never.result, never.seconds) or text
  end,
}
