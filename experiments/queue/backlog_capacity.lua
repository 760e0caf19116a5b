-- Claim. A queue holds one client more than the backlog or somaxconn, whichever is less. Before Linux 6.13 a backlog of
-- 0 without syncookies admits nobody.
--
-- Why. listen(2) cuts its backlog to net.core.somaxconn, for every family (net/socket.c, __sys_listen_socket), and
-- keeps it as sk_max_ack_backlog. TCP drops a SYN when sk_ack_backlog > sk_max_ack_backlog (include/net/sock.h,
-- sk_acceptq_is_full; net/ipv4/tcp_input.c, tcp_conn_request; counter ListenOverflows), so the queue holds one more
-- than its limit. The next client gets no answer and sends its SYN again after 1 s and later: a full queue looks like a
-- dead host. Unix sockets compare in the same way (net/unix/af_unix.c, unix_recvq_full), but their clients hear of it:
-- connect fails at once with EAGAIN, or sleeps on a blocking socket (`waiting`). A second listen(2) sets the limit and
-- nothing else: queued clients stay, in order. The kernel does not tell clients without a place of new room, so the
-- next SYN gets it. It reads somaxconn at listen(2) only. At a limit of open files accept(2) gives EMFILE before it
-- looks into the queue, which keeps its entry (`emfile`). The kernel looks at the queue when the SYN comes, and takes
-- the place when the handshake ends. With arrival = racing and a delay every SYN finds an empty queue. With syncookies
-- 1 or 2 all those clients connect, and the clients above the limit are in no queue; with 0 the kernel keeps limit + 1
-- open handshakes (TCPReqQFullDrop). With tcp_syncookies 0, Linux 4.4 to 6.12 keeps one open handshake less, and so
-- admits nobody at a backlog of 0 (include/net/inet_connection_sock.h, inet_csk_reqsk_queue_is_full). The fix is of
-- January 2025 (3479c7549fb1; in 6.13, 6.12.10, 6.6.72, 6.1.125).
--
-- Where it was met. A backlog of 1 that admits two; a backlog of 5000 that was 128 for years, by an old somaxconn; a
-- somaxconn that was raised without effect until the server was restarted; connects that take just over 1 s when a
-- server was busy for a moment; EAGAIN from the Unix socket between a web server and its application server.
--
-- What to do. Look at the limit in force (listener:queue().limit; Send-Q in `ss -lt`), not at the configuration. Raise
-- both numbers, then listen again. Watch ListenDrops. Choose a backlog by how long the last client in the queue waits.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local option_table = require "lunet.text.options"
local peer_process = require "lunet.peer.process"

local LONG = lab.LONG
local DEFAULT_SOMAXCONN = 4096 -- the kernel's since 5.4; 128 before

local PORT = lab.PORT
local SERVER, CLIENT = lunet.beside "backlog_capacity_server.pl", lunet.beside "backlog_capacity_client.pl"

local EACH = { -- {backlog, somaxconn}
  { 0, 4096 }, { 1, 4096 }, { 2, 4096 }, { 5, 4096 }, { 128, 4096 }, { 5000, 128 }, { 5, 2 }, { 5, 0 },
}

local FAMILIES = { "tcp", "unix" }

local CHANGES = { -- of a listener whose queue is full
  { change = "grow", from = 1, to = 3, has_waiter = true },
  { change = "shrink", from = 3, to = 1 },
  { change = "to_zero", from = 3, to = 0 },
  { change = "sysctl", from = 1, somaxconn = DEFAULT_SOMAXCONN }, -- somaxconn was 1, and so the limit
}

-- Each case with each family.
local function over_families(cases, knobs)
  local all = {}
  for _, family in ipairs(choice.pick(FAMILIES, knobs.family)) do
    for _, case in ipairs(cases) do all[#all + 1] = option_table.merged(case, { family = family }) end
  end
  return all
end

-- The sizes to try, and the smallest one also without syncookies. Before Linux 6.3 an ordinary user's hosts keep the
-- default of somaxconn, so sizes with another one are left out.
local function capacity_cases(knobs, sets_somaxconn)
  local sizes = {}
  for _, size in ipairs(knobs.backlog == -1 and EACH or { { knobs.backlog, knobs.somaxconn } }) do
    if sets_somaxconn or knobs.backlog ~= -1 or size[2] == DEFAULT_SOMAXCONN then
      sizes[#sizes + 1] = { backlog = size[1], somaxconn = size[2], syncookies = knobs.syncookies }
    end
  end
  local cases = over_families(sizes, knobs)
  if knobs.backlog == -1 and knobs.family ~= "unix" then
    cases[#cases + 1] = { family = "tcp", backlog = 0, somaxconn = DEFAULT_SOMAXCONN, syncookies = 0 }
  end
  return cases
end

local function change_cases(knobs, sets_somaxconn)
  local cases = {}
  for _, case in ipairs(choice.pick(CHANGES, knobs.change, "change")) do
    if sets_somaxconn or knobs.change ~= "all" or not case.somaxconn then cases[#cases + 1] = case end
  end
  return over_families(cases, knobs)
end

--- A listener, and where its clients are: on a host of their own, or on its own for Unix.
local function open(case, knobs)
  local sysctl = { ["net.core.somaxconn"] = case.somaxconn, ["net.ipv4.tcp_syncookies"] = case.syncookies }
  local host = { name = "server", sysctl = sysctl }
  if case.family == "unix" then
    local server = lab.hosts { host }
    local listener = lab.listen(server, { address = "unix:@server", backlog = case.backlog })
    return { server = server, clients = server, listener = listener }
  end
  local server, clients = lab.hosts { host, "clients", delay = knobs.delay }
  local listener = lab.listen(server, { backlog = case.backlog })
  return { server = server, clients = clients, listener = listener }
end

local function queue_of(place) return assert(place.listener:queue()) end

-- Connects a client, which then says its name. Returns "connected", or the error.
local function connect(place, name, patience)
  local target = { place.listener, label = "client " .. name }
  local connection, message, code = place.clients:connect(target, patience)
  if code == "EMFILE" then error(message) end
  if connection then connection:send(name .. "\n", LONG) end
  return connection and "connected" or code
end

-- Connects clients until one fails. Returns how many are connected, and the error of that one.
local function connect_one_by_one(place, count, patience)
  for i = 1, count do
    local result = connect(place, tostring(i), patience)
    if result ~= "connected" then return i - 1, result end
    lab.await_depth(place.listener, i)
  end
  return count, "none"
end

-- The clients' patience begins when the queue is full: those that fit in have as long as the machine needs.
local function connect_racing(place, count, patience)
  local tasks, connected, other = {}, 0, "none"
  for i = 1, count do tasks[i] = lunet.spawn(connect, place, tostring(i), LONG) end
  lab.await_depth(place.listener, math.min(count, queue_of(place).limit + 1))
  lunet.sleep(patience)
  for _, task in ipairs(tasks) do
    local has_ended, result, code = task:join(0)
    if not has_ended then task:cancel() end
    if result == "connected" then connected = connected + 1 else other = has_ended and result or code end
  end
  return connected, other
end

local arrivals = { one_by_one = connect_one_by_one, racing = connect_racing }

local function measure_capacity(case, knobs)
  local place = open(case, knobs)
  local moved, limit = lab.counters(place.server), queue_of(place).limit
  local connected, next_client = arrivals[knobs.arrival](place, limit + knobs.clients, knobs.patience)
  local depth = queue_of(place).depth
  if connected > limit + 1 then -- clients are connected before the kernel drops the last ACK of some
    lunet.eventually(function() return moved "ListenDrops" > 0 end, LONG)
  end
  local dropped, handshakes = moved "ListenDrops", moved "TCPReqQFullDrop"
  if depth > 0 then assert(place.listener:accept(LONG)) end
  return {
    family = case.family, backlog = case.backlog, somaxconn = case.somaxconn, syncookies = case.syncookies,
    limit = limit, depth = depth, connected = connected, next = next_client, dropped = dropped,
    handshakes = handshakes, late = connect(place, "late", knobs.patience) == "connected",
  }
end

-- Accepts one client after the other until a new one gets in. Returns the depth at which it did (-1: never), the result
-- of its first try, and the accepted connections.
local function depth_with_room(place, patience)
  local accepted, first = {}, nil
  for depth = queue_of(place).depth, 0, -1 do
    local result = connect(place, "new", patience)
    first = first or result
    if result == "connected" then return depth, first, accepted end
    if depth > 0 then accepted[#accepted + 1] = assert(place.listener:accept(LONG)) end
  end
  return -1, first, accepted
end

-- Accepts the rest of the queue, and returns the names of all accepted clients.
local function order_of(place, accepted)
  local names = {}
  while queue_of(place).depth > 0 do accepted[#accepted + 1] = assert(place.listener:accept(LONG)) end
  for i, connection in ipairs(accepted) do names[i] = assert(connection:receive("l", LONG)) end
  return table.concat(names, " ")
end

local function has_waiter(case) return case.family == "tcp" and case.has_waiter or false end

-- A client finds the queue full and goes on sending its SYN.
local function start_waiter(place)
  local moved = lab.counters(place.server)
  local waiter = lunet.spawn(connect, place, "waiter", LONG)
  lab.await(function() return moved "ListenOverflows" > 0 end)
  return waiter
end

local function measure_change(case, knobs)
  local place = open({ family = case.family, backlog = case.from, syncookies = knobs.syncookies,
    somaxconn = case.somaxconn and case.from or DEFAULT_SOMAXCONN }, knobs)
  local moved = lab.counters(place.clients)
  local queued = connect_one_by_one(place, case.from + 1, LONG)
  local waiter = has_waiter(case) and start_waiter(place)

  if case.to then
    assert(place.listener:resize(case.to))
  else
    assert(place.server:sysctl("net.core.somaxconn", case.somaxconn))
  end
  local queue = queue_of(place)
  local room_at, new, accepted = depth_with_room(place, knobs.patience)
  local early = waiter and moved "TCPTimeouts" or nil
  if waiter then waiter:join() end
  lab.await_depth(place.listener, queued + (room_at >= 0 and 1 or 0) + (waiter and 1 or 0) - #accepted)
  return {
    family = case.family, change = case.change, limit = queue.limit, stay = queue.depth, new = new, room_at = room_at,
    early = early, syns = waiter and moved "TCPTimeouts" or nil, order = order_of(place, accepted),
  }
end

-- -- programs: lunet itself never blocks, and has more descriptors ---------------------------------

local function say(process, word)
  assert(process.stdin:send(word .. "\n"))
  return assert(process.stdout:receive("l", LONG))
end

-- A program without a free descriptor accepts: its result, and the queue before and after.
local function accept_at_limit()
  local server, clients, link = lab.hosts { "server", "clients" }
  local target = { address = link:address(server), port = PORT }
  local program = peer_process.start(server, { "sh", "-c", 'ulimit -n 32 && exec perl "$0" "$@"', SERVER, PORT,
    stdin = "pipe", label = "server" }, PORT)
  local function depth() return lab.socket(server, { state = "LISTEN", local_port = PORT }).queue.depth end
  local client = assert(clients:connect(target, LONG))
  lab.await(function() return depth() == 1 end)
  local row = { accept = say(program, "accept"), depth = depth() }
  row.client, row.accept_again = client:state(), say(program, "accept again")
  row.depth_after = depth()
  return row
end

-- A program connects a blocking Unix socket to a full queue; then the server accepts a client.
local function connect_blocking(knobs)
  local place = open({ family = "unix", backlog = 0, somaxconn = DEFAULT_SOMAXCONN }, knobs)
  connect_one_by_one(place, 1, LONG)
  local program = assert(place.clients:exec { "perl", CLIENT, "server", stdin = "pipe", label = "client" })
  assert(program.stdout:receive("l", LONG))
  local early, _, code = program.stdout:receive("l", knobs.patience)
  assert(place.listener:accept(LONG))
  return { while_full = early or code, with_room = early or assert(program.stdout:receive("l", LONG)) }
end

-- -- the claim ---------------------------------------------------------------------------------

-- Whether a client gave up before the kernel could answer: then nothing was tried.
local function gave_up(family, result, dropped) return family == "tcp" and result == "TIMEOUT" and dropped == 0 end

-- Whether the case shows a kernel before 6.13, which admits nobody.
local function is_old_kernel(case)
  return case.syncookies == 0 and case.backlog == 0 and case.family == "tcp" and case.handshakes > 0
end

-- How many SYNs the kernel drops of clients that find no place. A patient client sends its SYN again after 1 s.
local function dropped_of(case, refused, knobs)
  if case.family == "unix" or refused == 0 then return 0 end
  local most = refused * (1 + math.floor(knobs.patience + 0.1) * 2)
  return most == refused and expect.time(refused, refused) or expect.between(refused, most)
end

local function check_capacity(case, knobs)
  local name = ("%s, backlog %d, somaxconn %d"):format(case.family, case.backlog, case.somaxconn)
  local limit, is_tcp = math.min(case.backlog, case.somaxconn), case.family == "tcp"
  expect.value(name .. ": limit", case.limit, limit)
  assert(case.connected <= case.depth, name .. ": more clients are connected than the queue holds")
  if gave_up(case.family, case.next, case.dropped) then
    experiment.not_judged("%s: a client gave up before it could be answered", name)
  end
  local places = is_old_kernel(case) and 0 or limit + 1
  local refused = limit + knobs.clients - places
  if knobs.arrival == "one_by_one" then refused = math.min(refused, 1) end
  expect.fields(name, case, { connected = places, depth = places, late = places > 0,
    next = refused == 0 and "none" or is_tcp and "TIMEOUT" or "EAGAIN", dropped = dropped_of(case, refused, knobs),
    handshakes = is_old_kernel(case) and case.dropped or expect.between(0, case.dropped) })
  if knobs.arrival == "one_by_one" and places > 0 then expect.value(name .. ": handshakes", case.handshakes, 0) end
  return refused > 0
end

-- The order in which clients are accepted: the queued ones, the new one, the waiter.
local function order_to_be(case)
  local names = {}
  for i = 1, case.from + 1 do names[i] = tostring(i) end
  names[#names + 1] = "new"
  if has_waiter(case) then names[#names + 1] = "waiter" end
  return table.concat(names, " ")
end

local function check_change(row, case)
  local name, limit = ("%s, %s"):format(case.family, case.change), case.to or case.from
  local stay, has_room = case.from + 1, limit > case.from
  expect.fields(name, row, { limit = limit, stay = stay })
  if row.room_at == -1 then
    experiment.not_judged("%s: the new client gave up before it could be answered", name)
  elseif (row.early or 0) > 0 then
    experiment.not_judged("%s: the waiter sent its SYN again: the machine was late", name)
  end
  expect.fields(name, row, { new = has_room and "connected" or case.family == "tcp" and "TIMEOUT" or "EAGAIN",
    room_at = math.min(limit, stay), order = order_to_be(case) })
  if has_waiter(case) then expect.fields(name, row, { early = 0, syns = expect.time(1, 1) }) end
end

return experiment {
  claim = "A queue holds one client more than the backlog or somaxconn, whichever is less. Before Linux 6.13 a "
    .. "backlog of 0 without syncookies admits nobody.",
  knobs = {
    backlog = { -1, "connections", "what listen(2) is given; -1: each of 0, 1, 2, 5, 128, 5000", min = -1 },
    somaxconn = { DEFAULT_SOMAXCONN, "connections", "the server's net.core.somaxconn, unless backlog is -1", min = 0 },
    family = { "all", "family", "the listener's family", choices = choice.of(FAMILIES) },
    arrival = { "one_by_one", "way", "how the clients come", choices = { "one_by_one", "racing" } },
    change = { "all", "case", "how a listener with a full queue changes", choices = { "all", "grow", "shrink",
      "to_zero", "sysctl", "none" } },
    clients = { 2, "clients", "how many come beyond the limit; the first of them still finds room", min = 1,
      max = 10000 },
    patience = { 0.3, "s", "how long a client waits for its connection", min = 0 },
    delay = { 0.0, "s", "one-way delay of the link: makes handshakes race", min = 0, max = 1 },
    syncookies = { 1, "mode", "the server's net.ipv4.tcp_syncookies", min = 0, max = 2 },
  },
  measures = { -- of the first listener: `--family tcp --backlog N` leaves no other
    ["capacity.1.connected"] = { "clients", "clients whose connect succeeded" },
    ["capacity.1.depth"] = { "connections", "connections in the queue" },
    ["capacity.1.dropped"] = { "SYNs", "SYNs that the kernel dropped" },
  },
  control = { arrival = "racing", delay = 0.01, patience = 0.8 },
  needs = { perl = "perl-base" },
  -- next: the error of the first client without a place. handshakes: SYNs dropped for too many open handshakes
  -- (TCPReqQFullDrop). late: whether a client got in after the server had accepted one. stay: clients still queued
  -- after the change. new: the first try of a new client. room_at: the depth at which it got in. order: the order of
  -- accept. early, syns: SYNs that the waiter had sent again when the new client got in, and when it got in itself.
  columns = { "family", "backlog", "somaxconn", "syncookies", "limit", "depth", "connected", "next", "dropped",
    "handshakes", "late", "change", "stay", "new", "room_at", "order", "early", "syns" },

  run = function(knobs)
    local sets, why = lunet.can "net.core.somaxconn"
    if not sets then lunet.note("Without cases of another somaxconn: " .. why .. ".") end
    lunet.note "Listeners of all sizes. Nobody accepts, until the first client finds no room."
    local capacity = lunet.together(capacity_cases(knobs, sets), function(case)
      return measure_capacity(case, knobs)
    end)
    lunet.note "Full queues: the backlog changes while a client waits for room, and another one comes."
    local changed = lunet.together(change_cases(knobs, sets), function(case) return measure_change(case, knobs) end)
    lunet.note "Programs: one accepts when it has no descriptor left, one connects by a blocking Unix socket."
    return { sets_somaxconn = sets or false, capacity = capacity, changed = changed,
      emfile = knobs.family ~= "unix" and accept_at_limit() or nil,
      waiting = knobs.family ~= "tcp" and connect_blocking(knobs) or nil }
  end,

  check = function(outcome, knobs)
    local cases, are_tried = capacity_cases(knobs, outcome.sets_somaxconn), true
    local changes = change_cases(knobs, outcome.sets_somaxconn)
    expect.cases("capacity", outcome.capacity, cases, { "family", "backlog", "somaxconn", "syncookies" })
    expect.cases("changed", outcome.changed, changes, { "family", "change" })
    for _, case in ipairs(outcome.capacity) do are_tried = check_capacity(case, knobs) and are_tried end
    for i, row in ipairs(outcome.changed) do check_change(row, changes[i]) end
    if knobs.family ~= "unix" then
      expect.fields("accept without a descriptor", outcome.emfile, { accept = "EMFILE", depth = 1,
        client = "ESTABLISHED", accept_again = "accepted", depth_after = 0 })
    end
    if knobs.family ~= "tcp" then
      expect.fields("a blocking connect", outcome.waiting, { while_full = "TIMEOUT", with_room = "connected" })
    end
    if not are_tried then experiment.not_judged "nobody came beyond the last place" end
  end,

  figures = function(outcome)
    local exact, unqueued = 0, 0
    for _, case in ipairs(outcome.capacity) do
      if case.connected == case.limit + 1 then exact = exact + 1 end
      unqueued = unqueued + case.connected - case.depth
    end
    return ("limit + 1 connect in %d of %d cases; %d in no queue"):format(exact, #outcome.capacity, unqueued)
  end,
}
