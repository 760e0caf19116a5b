-- Claim. A client that finds the queue full hears nothing until one of its own SYNs meets a free place, or it gives up.
-- tcp_abort_on_overflow and tcp_syncookies change nothing.
--
-- Why. tcp_conn_request (net/ipv4/tcp_input.c) drops the SYN when sk_acceptq_is_full. It sends no answer and keeps
-- nothing (ListenOverflows and ListenDrops count it). A SYN cookie would not help: the kernel looks at the accept queue
-- all the same. Nobody stands in line. A free place goes to the client whose SYN comes next, so a newcomer overtakes
-- all that have waited (`overtaken`). tcp_check_req (net/ipv4/tcp_minisocks.c) asks tcp_abort_on_overflow, but only for
-- a client whose SYN still met a free place and whose last ACK did not (`racing`). If it is 0, this client believes
-- that it is connected (phantom_connect). If it is 1, the server answers the ACK by RST. Over a link with a delay
-- connect has returned by then, and the next call gives ECONNRESET; without a delay connect itself does
-- (phantom_connect --abort 1 --delay 0). A cookie's ACK never meets an RST: tcp_get_cookie_sock does not ask. The first
-- 1 + tcp_syn_linear_timeouts timeouts of a SYN take 1 s each, and each later one is twice as long
-- (net/ipv4/tcp_timer.c, tcp_retransmit_timer). tcp_write_timeout ends the connect with ETIMEDOUT at the earlier of two
-- moments: when tcp_syn_retries + tcp_syn_linear_timeouts SYNs were sent again; and at the first timeout after 2 ^
-- (tcp_syn_retries + 1) - 1 s. With the kernel's defaults, 6 and 4, that is after 131 s. The kernel's timers are up to
-- an eighth late, and never early. A listener that closes tells nothing to clients that it never knew. Their next SYN
-- finds no listener, and the kernel answers it by RST (tcp_v4_rcv; `closed`). If a place becomes free just when a SYN
-- comes, that is a race, and such a run is not judged.
--
-- Where it was met. Connects that take just over 1, 2 or 3 s under load, while the server has no error and no line in
-- its log; tcp_abort_on_overflow that was set in the hope of a fast failure, and changed nothing.
--
-- What to do. Accept sooner, watch ListenOverflows, and give clients a connect timeout of their own.
local lunet = require "lunet"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local features = require "lunet.network.features"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"
local statistics = require "lunet.load.statistics"
local syn_schedule = require "lunet.network.syn_schedule"

local HAS_LINEAR = features.has_sysctl "net.ipv4.tcp_syn_linear_timeouts" -- without it the kernel has none
local ONE_REQUEST = "with a backlog of 1 this kernel has room for one request, and two clients cannot race (fixed in "
  .. "Linux 6.13, 6.12.10, 6.6.72 and 6.1.125, commit 3479c7549fb1); choose a backlog of 2 or more"
local LONG = lab.LONG
local EARLY = 0.05 -- s; how much too short a time may be, by the grain of the clocks
local SLOW = 0.1 -- s; how much too long a time may be, besides the lateness of the machine
local PATIENCE = 0.5 -- s; of a racer that waits for an answer
local MISSING = 0.5 -- s; a machine that is later than this may miss a SYN or SYN-ACK: they come a second apart

-- A server with a queue that is full except for `places`, and the connections in it.
local function start_server(knobs, mode, places)
  local server, others = lab.hosts { { name = "server", sysctl = {
    ["net.ipv4.tcp_abort_on_overflow"] = mode.abort,
    ["net.ipv4.tcp_syncookies"] = mode.cookies,
  } }, "A" }
  local listener = lab.listen(server, { backlog = knobs.backlog })
  return server, listener, others, lab.fill_queue(others, listener, "A", places)
end

-- Notes when each SYN was sent that the server has dropped. The time follows from the timer, however late the script
-- looks: each SYN starts it anew, for tcpi_rto.
local function watch_syns(host, wait, drops, on_drop)
  while not wait.result do
    local socket = lab.socket(host, { state = "SYN_SENT", info = true })
    if socket and socket.retransmits >= #wait.syns and (socket.timer_expires or 0) > EARLY and drops() > #wait.syns then
      wait.syns[#wait.syns + 1] = lunet.now() + socket.timer_expires - socket.info.tcpi_rto / 1e6 - wait.started
      wait.state, wait.address = socket.state, socket.local_address
      if on_drop then on_drop(#wait.syns) end
    end
    lunet.sleep(0.01)
  end
end

-- B connects, and waits as long as its kernel tries.
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

-- The event at `freed_after`, from the client's first SYN: none, a place becomes free, or the listener closes.
local acts = {
  none = function() end,
  free = function(listener) return assert(listener:accept(LONG)) end,
  close = function(listener) listener:close() end,
}

-- A client comes to the full queue and waits. on_drop is called for each SYN that is dropped, on_act after case.act.
-- Returns a row of a table, and two facts for the story.
local function come_late(knobs, case, on_drop, on_act)
  local server, listener, others, held = start_server(knobs, case, knobs.places)
  local client = assert(lunet.host { name = "B", sysctl = {
    ["net.ipv4.tcp_syn_linear_timeouts"] = case.linear,
    ["net.ipv4.tcp_syn_retries"] = knobs.retries,
  } })
  lunet.link(server, client)
  local at_server, at_client = lab.counters(server), lab.counters(client)
  local function drops() return at_server "ListenOverflows" end

  local wait = start_wait(client, listener, drops, on_drop)
  lunet.eventually(function() return wait.result or wait.address end, LONG)
  local state = wait.result and "ESTABLISHED" or wait.state
  local is_known = not wait.address or #server:sockets { peer_address = wait.address } > 0
  local acted_at = "never"
  if case.act ~= "none" then
    lab.sleep_until(wait.started + knobs.freed_after)
    held[#held + 1] = acts[case.act](listener)
    acted_at = lunet.now() - wait.started
    if on_act then on_act(others, listener) end
  end
  wait.task:join()
  return { abort = case.abort, cookies = case.cookies, linear = case.linear, free_at = acted_at, state = state,
      syns = whole_seconds(wait.syns), result = wait.result, seconds = wait.seconds, drops = drops() },
    { is_known = is_known, resent = at_client "TCPSynRetrans" }
end

-- A newcomer that has not waited takes the place that becomes free.
local function overtake(knobs, case)
  local newcomer
  local row = come_late(knobs, case, nil, function(host, listener)
    local connection, _, code = host:connect({ listener, label = "newcomer" }, PATIENCE)
    newcomer = connection and "connected" or code
  end)
  row.newcomer, row.abort, row.cookies = newcomer, nil, nil
  return row
end

-- The listener closes while the client waits.
local function lose_listener(knobs, case)
  local row = come_late(knobs, case)
  row.closed_at, row.free_at, row.abort, row.cookies = row.free_at, nil, nil, nil
  return row
end

-- Two SYNs meet one free place before the ACK of either has come. Both are answered, and one client fits.
local function race(knobs, mode)
  local server, listener, _, held = start_server(knobs, mode, 1)
  local clients = assert(lunet.host "racers")
  lunet.link(server, clients, lab.delayed(knobs.delay))
  local moved, racers = lab.counters(server), { held = held }
  for i = 1, 2 do
    lunet.spawn(function() racers[i] = assert(clients:connect({ listener, label = "racer " .. i }, LONG)) end)
  end
  lab.await(function()
    assert(moved "TCPReqQFullDrop" == 0, ONE_REQUEST)
    return racers[1] and racers[2] and moved "ListenOverflows" > 0
  end)
  local dropped = moved "ListenOverflows" -- before a SYN-ACK is sent again
  local function state_for(address)
    local socket = lab.socket(server, { peer_address = address })
    return socket and socket.state or "nothing"
  end
  local loser = racers[state_for(racers[2]:address()) == "ESTABLISHED" and 1 or 2]
  local address = loser:address()
  local _, _, answer = loser:receive(1, PATIENCE)
  return { abort = mode.abort, cookies = mode.cookies, answer = answer, client = loser:state(),
    server = state_for(address), drops = dropped }
end

-- The jobs to run side by side. Each makes a row of a table.
local function list_jobs(knobs)
  local jobs = {}
  local function add(name, fn, abort, cookies, linear, act)
    if knobs.cases ~= "all" and knobs.cases ~= name then return end
    local case = { abort = abort, cookies = cookies, linear = linear, act = act }
    jobs[#jobs + 1] = { table = name, fn = fn, case = case }
  end
  for abort = 0, 1 do
    for cookies = 0, 2 do
      add("late", come_late, abort, cookies, knobs.linear, "free")
      add("late", come_late, abort, cookies, knobs.linear, "none")
      add("racing", race, abort, cookies)
    end
  end
  for linear = 0, HAS_LINEAR and 1 or 0 do add("late", come_late, 0, 1, linear, "none") end
  add("overtaken", overtake, 0, 1, knobs.linear, "free")
  add("closed", lose_listener, 0, 1, knobs.linear, "close")
  return jobs
end

-- -- the check -----------------------------------------------------------------------------------

-- The number of the first SYN that is due after a moment, and so meets the change of that moment; one more than there
-- are if none does. A SYN that the kernel's lateness puts on either side is not judged.
local function first_after(due, moment)
  for i, time in ipairs(due) do
    if time > moment then return i end
    if i > 1 and time * lateness.TIMER + EARLY >= moment then
      experiment.not_judged("the SYN of %g s met what changed at %.2f s, or did not", time, moment)
    end
  end
  return #due + 1
end

-- The script changes the queue at `freed_after`, or a little later. If a SYN was due in between, nobody knows which
-- came first.
local function check_change(changed_at, due, knobs)
  assert(changed_at >= knobs.freed_after, "the queue changed too soon")
  for _, time in ipairs(due) do
    if time > knobs.freed_after and time <= changed_at then
      experiment.not_judged("the machine was %.2f s late to change the queue", changed_at - knobs.freed_after)
    end
  end
end

-- The SYNs that the script saw, in whole seconds, are the SYNs that were due.
local function check_syns(row, due, count, late)
  local seen = 0
  for word in row.syns:gmatch "%d+" do
    seen = seen + 1
    assert(seen <= count, ("more SYNs went out than %d"):format(count))
    local off = tonumber(word) - due[seen]
    assert(off >= -0.5 and off <= 0.5 + due[seen] * (lateness.TIMER - 1) + late, "the SYNs came at " .. row.syns)
  end
  if seen < count and late > MISSING then experiment.not_judged("the machine was %g s late, and missed a SYN", late) end
  assert(seen == count, ("%d SYNs went out, not %d"):format(seen, count))
end

-- `changed_at`: when the queue changed for the waiting client, or "never". `then_result`: what its next SYN met.
local function check_wait(row, knobs, late, changed_at, then_result)
  assert(row.state == "SYN_SENT", "a client found a place at once")
  local due, gives_up = syn_schedule.of { linear = row.linear, retries = knobs.retries }
  if changed_at ~= "never" then check_change(changed_at, due, knobs) end
  local answered = changed_at == "never" and #due + 1 or first_after(due, changed_at)
  local result = due[answered] and then_result or "ETIMEDOUT"
  assert(row.result == result, ("a client in SYN_SENT ended with %s, not %s"):format(row.result, result))
  assert(row.drops == answered - 1, ("%d SYNs were dropped, not %d"):format(row.drops, answered - 1))
  check_syns(row, due, result == "connected" and answered or answered - 1, late)
  local ends = due[answered] or gives_up
  lateness.between("a client in SYN_SENT ended", row.seconds, ends, ends * lateness.TIMER + SLOW, late)
end

local checks = {
  late = function(row, knobs, late, case)
    assert((row.free_at == "never") == (case.act == "none"), "a place became free, or none did")
    check_wait(row, knobs, late, row.free_at, "connected")
  end,
  overtaken = function(row, knobs, late)
    assert(row.newcomer == "connected" or row.newcomer == "TIMEOUT", "the newcomer: " .. row.newcomer)
    check_wait(row, knobs, late, row.newcomer == "connected" and "never" or row.free_at, "connected")
    check_change(row.free_at, (syn_schedule.of { linear = row.linear, retries = knobs.retries }), knobs)
  end,
  closed = function(row, knobs, late)
    check_wait(row, knobs, late, row.closed_at, "ECONNREFUSED")
  end,
  racing = function(row, _, late)
    if row.drops > 1 and late > MISSING then
      experiment.not_judged("the machine was %g s late, and a SYN-ACK was sent again", late)
    end
    local is_reset = row.abort == 1 and row.cookies < 2
    local has_request = row.abort == 0 and row.cookies < 2
    expect.fields("a racer", row, { drops = 1, answer = is_reset and "ECONNRESET" or "TIMEOUT",
      client = is_reset and "CLOSE" or "ESTABLISHED", server = has_request and "SYN_RECV" or "nothing" })
  end,
}

-- The settings that a row of each table has.
local SETTINGS <const> = { { "late", "abort", "cookies", "linear" }, { "racing", "abort", "cookies" },
  { "overtaken", "linear" }, { "closed", "linear" } }

local function check_jobs(outcome, knobs)
  local cases = { late = {}, racing = {}, overtaken = {}, closed = {} }
  for _, job in ipairs(list_jobs(knobs)) do table.insert(cases[job.table], job.case) end
  for _, settings in ipairs(SETTINGS) do
    local name = settings[1]
    expect.cases(name, outcome[name], cases[name], table.move(settings, 2, #settings, 1, {}))
    for i, row in ipairs(outcome[name]) do checks[name](row, knobs, outcome.lateness, cases[name][i]) end
  end
end

local function check_story(story, knobs, late)
  check_wait(story, knobs, late, story.free_at, "connected")
  local due = syn_schedule.of { linear = knobs.linear, retries = knobs.retries }
  expect.fields("the story", story, { abort = 0, cookies = 1, linear = knobs.linear, is_known = false,
    resent = story.result == "connected" and story.drops or #due - 1 })
end

return experiment {
  claim = "A client that finds the queue full hears nothing until one of its own SYNs meets a free place, or it "
    .. "gives up. tcp_abort_on_overflow and tcp_syncookies change nothing.",
  knobs = {
    backlog = { 1, "connections", "how many the kernel may queue", min = 1, max = 4000 },
    places = { 0, "connections", "how many places are free when the client comes", min = 0, max = 1 },
    freed_after = { 1.5, "s", "when a place becomes free, after the client's first SYN", min = 0, max = 200 },
    linear = { HAS_LINEAR and 4 or 0, "timeouts", "tcp_syn_linear_timeouts of the client's host", min = 0, max = 10 },
    retries = { 1, "SYNs", "tcp_syn_retries of the client's host", min = 1, max = 6 },
    cases = { "all", "table", "the table to make besides the story",
      choices = { "all", "late", "racing", "overtaken", "closed", "none" } },
    delay = { 0.1, "s", "one-way delay for the racers: makes their handshakes overlap", min = 0.02, max = 0.4 },
  },
  -- Each row is a client. In `late` it waits. In `racing` its SYN met a free place and its ACK did not. In `overtaken`
  -- it waits while a newcomer takes the place. In `closed` it waits while the listener closes.
  columns = { "abort", "cookies", "linear", "free_at", "closed_at", "newcomer", "answer", "client", "server", "state",
    "syns", "result", "seconds", "drops" },
  measures = {
    ["story.seconds"] = { "s", "how long B's connect took", better = "less" },
    ["story.drops"] = { "SYNs", "SYNs of B that the kernel dropped", better = "less" },
  },
  control = { places = 1 },

  run = function(knobs)
    local machine <close> = lateness.watch()
    local usual = { abort = 0, cookies = 1, linear = knobs.linear, act = "free" }
    lunet.note "The queue is full, and nobody accepts. B connects: its SYN is dropped, and the server knows nothing."
    local story, more = lunet.scope(come_late, knobs, usual, function(number)
      if number > 1 then lunet.note(("B's kernel sends its SYN again: number %d is dropped."):format(number)) end
    end)
    story.is_known, story.resent = more.is_known, more.resent

    lunet.note "The same side by side: under every setting, without a free place, and when the listener closes."
    local outcome, jobs = { story = story, late = {}, racing = {}, overtaken = {}, closed = {} }, list_jobs(knobs)
    local rows = lunet.together(jobs, function(job) return (job.fn(knobs, job.case)) end)
    for i, job in ipairs(jobs) do table.insert(outcome[job.table], rows[i]) end
    outcome.lateness = statistics.round(machine:worst(), 3)
    return outcome
  end,

  check = function(outcome, knobs)
    check_story(outcome.story, knobs, outcome.lateness)
    check_jobs(outcome, knobs)
  end,

  figures = function(outcome)
    local story, never = outcome.story, outcome.late[2]
    local text = ("a place free at %.2f s, %s at %.2f s"):format(story.free_at,
      story.result == "connected" and "in" or story.result, story.seconds)
    return never and ("%s; else %s at %.2f s"):format(text, never.result, never.seconds) or text
  end,
}
