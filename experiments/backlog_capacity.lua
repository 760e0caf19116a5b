-- How many clients connect while nobody accepts, what the next one gets, and who stays and who gets in first when
-- the backlog of a live listener changes.
--
-- Why: listen(2) cuts its backlog to net.core.somaxconn, for every family (net/socket.c, __sys_listen_socket), and
-- keeps it as sk_max_ack_backlog. TCP drops a SYN when sk_ack_backlog > sk_max_ack_backlog (include/net/sock.h,
-- sk_acceptq_is_full; net/ipv4/tcp_input.c, tcp_conn_request; counter ListenOverflows): the queue holds one more than
-- its limit. The next client gets no answer and sends its SYN again after 1 s and later; to it a full queue looks like
-- a dead host. Unix sockets compare alike (net/unix/af_unix.c, unix_recvq_full), but tell: connect fails at once with
-- EAGAIN, or sleeps if the socket is a blocking one. A further listen(2) sets the limit and touches nobody: who is
-- queued stays, in order. Who was left out is not told of new room: the first SYN after that gets in first.
-- somaxconn is read at listen(2) only.
--
-- Races: the queue is looked at when the SYN comes, and the place is taken when the handshake ends. If arrival =
-- racing and there is a delay, every SYN finds an empty queue. With syncookies 1 or 2 all those clients connect, and
-- those above the limit are in no queue. With 0 the kernel keeps limit + 1 open handshakes (TCPReqQFullDrop).
--
-- Where people met it: a backlog of 1 admits two; a backlog of 5000 that was 128 for years, by an old somaxconn; a
-- somaxconn that was raised without effect until the server was restarted; connects that take just over 1 s when a
-- server was busy for a moment; EAGAIN from the Unix socket between a web server and its application server.
--
-- What to do: look at the limit in force (listener:queue().limit; Send-Q in `ss -lt`), not at the configuration; raise
-- both numbers, then listen again; watch ListenDrops. Choose a backlog by how long the last in the queue waits.
local lunet = require "lunet"
local choice = require "lunet.choice"
local experiment = require "lunet.experiment"

local LONG = 10 -- s; bounds waits for states that do come
local DEFAULT_SOMAXCONN = 4096 -- the kernel's since 5.4; 128 before

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

-- Every case over every family, as {family, case}.
local function over_families(cases, knobs)
  local all = {}
  for _, family in ipairs(choice.pick(FAMILIES, knobs.family)) do
    for _, case in ipairs(cases) do all[#all + 1] = { family, case } end
  end
  return all
end

--- A listener, and where its clients are: on a host of their own, or on its own for Unix.
local function open(family, backlog, somaxconn, knobs)
  local sysctl = { ["net.core.somaxconn"] = somaxconn, ["net.ipv4.tcp_syncookies"] = knobs.syncookies }
  local server = assert(lunet.host { name = "server", sysctl = sysctl })
  if family == "unix" then
    local listener = assert(server:listen { address = "unix:@server", backlog = backlog })
    return { server = server, clients = server, listener = listener }
  end
  local clients = assert(lunet.host "clients")
  lunet.link(server, clients, { delay = knobs.delay })
  return { server = server, clients = clients, listener = assert(server:listen { port = 7300, backlog = backlog }) }
end

--- A client, which says its name when it is connected: "connected", or why it is not.
local function connect(place, name, patience)
  local target = { place.listener, label = "client " .. name }
  local connection, message, code = place.clients:connect(target, patience)
  if code == "EMFILE" then error(message) end
  if connection then connection:send(name .. "\n", LONG) end
  return connection and "connected" or code
end

local function wait_for_depth(place, depth)
  return lunet.eventually(function() return place.listener:queue().depth == depth end, LONG)
end

-- How many connect, and what the first one gets that does not.
local function connect_one_by_one(place, count, patience)
  for i = 1, count do
    local result = connect(place, tostring(i), patience)
    if result ~= "connected" then return i - 1, result end
    wait_for_depth(place, i) -- the client knows first: the queue entry comes with the ACK that it sends last
  end
  return count, "none"
end

local function connect_racing(place, count, patience)
  local tasks, connected, other = {}, 0, "none"
  for i = 1, count do tasks[i] = lunet.spawn(connect, place, tostring(i), patience) end
  for _, task in ipairs(tasks) do
    local _, result = task:join()
    if result == "connected" then connected = connected + 1 else other = result end
  end
  wait_for_depth(place, math.min(count, place.listener:queue().limit + 1))
  return connected, other
end

local arrivals = { one_by_one = connect_one_by_one, racing = connect_racing }

local function measure_capacity(family, backlog, somaxconn, knobs)
  local place = open(family, backlog, somaxconn, knobs)
  local before, limit = place.server:counters(), place.listener:queue().limit
  local connected, next_client = arrivals[knobs.arrival](place, limit + knobs.clients, knobs.patience)
  local depth = place.listener:queue().depth
  local function dropped() return (place.server:counters() - before).ListenDrops end
  if connected > limit + 1 then -- they know of it before the ACK that they sent last finds no room
    lunet.eventually(function() return dropped() > 0 end, LONG)
  end
  local drops = dropped()
  assert(place.listener:accept(LONG))
  return {
    family = family, backlog = backlog, somaxconn = somaxconn, limit = limit, depth = depth, connected = connected,
    next = next_client, dropped = drops, late = connect(place, "late", knobs.patience) == "connected",
  }
end

--- Accepts one after the other until a new client gets in. At which depth it did (-1: never), what its first try
--- gave, and what was accepted.
local function depth_with_room(place, patience)
  local accepted, first = {}, nil
  for depth = place.listener:queue().depth, 0, -1 do
    local result = connect(place, "new", patience)
    first = first or result
    if result == "connected" then return depth, first, accepted end
    if depth > 0 then accepted[#accepted + 1] = assert(place.listener:accept(LONG)) end
  end
  return -1, first, accepted
end

--- The names of those who were accepted, and of those who are queued.
local function order_of(place, accepted)
  local names = {}
  while place.listener:queue().depth > 0 do accepted[#accepted + 1] = assert(place.listener:accept(LONG)) end
  for i, connection in ipairs(accepted) do names[i] = assert(connection:receive("l", LONG)) end
  return table.concat(names, " ")
end

--- A client that finds the queue full and goes on sending its SYN.
local function start_waiter(place)
  local before = place.server:counters()
  local waiter = lunet.spawn(connect, place, "waiter", LONG)
  assert(lunet.eventually(function() return (place.server:counters() - before).ListenOverflows > 0 end, LONG))
  return waiter
end

-- `early` and `syns` count the SYNs that the waiter has sent again: until the new client is in, and until it is in
-- itself.
local function measure_change(family, case, knobs)
  local place = open(family, case.from, case.somaxconn and case.from or DEFAULT_SOMAXCONN, knobs)
  local before = place.clients:counters()
  local function syns_repeated() return (place.clients:counters() - before).TCPTimeouts end
  local queued = connect_one_by_one(place, case.from + 1, LONG)
  local waiter = family == "tcp" and case.has_waiter and start_waiter(place)

  if case.to then
    place.listener:resize(case.to)
  else
    place.server:sysctl("net.core.somaxconn", case.somaxconn)
  end
  local queue = place.listener:queue()
  local room_at, new, accepted = depth_with_room(place, knobs.patience)
  local early = syns_repeated()
  if waiter then waiter:join() end
  wait_for_depth(place, queued + (room_at >= 0 and 1 or 0) + (waiter and 1 or 0) - #accepted)
  return {
    family = family, change = case.change, limit = queue.limit, stay = queue.depth, new = new, room_at = room_at,
    early = waiter and early or 0, syns = waiter and syns_repeated() or 0, order = order_of(place, accepted),
  }
end

local function check_capacity(case)
  local name = ("%s, backlog %d, somaxconn %d: "):format(case.family, case.backlog, case.somaxconn)
  assert(case.limit == math.min(case.backlog, case.somaxconn), name .. "the limit is " .. case.limit)
  assert(case.connected <= case.depth, name .. "more clients are connected than the queue holds")
  assert(case.next ~= "none", name .. "every client found room")
  assert(case.connected == case.depth, name .. "the queue does not hold those who connected")
  assert(case.depth == case.limit + 1, name .. case.depth .. " are queued")
  assert(case.next == (case.family == "tcp" and "TIMEOUT" or "EAGAIN"), name .. "the next client got " .. case.next)
  assert(case.dropped > 0 or case.family == "unix", name .. "the kernel counted no dropped SYN")
  assert(case.late, name .. "a free place was not given to a new client")
end

local function check_change(case)
  local name = ("%s, %s: "):format(case.family, case.change)
  local queued = {}
  for i = 1, case.stay do queued[i] = tostring(i) end
  queued = table.concat(queued, " ")
  assert(case.order:sub(1, #queued) == queued, name .. "the accept order is " .. case.order)
  local is_at_limit = case.room_at == math.min(case.limit, case.stay)
  assert(is_at_limit or case.early > 0, name .. "there was room at depth " .. case.room_at)
  if case.family == "tcp" and case.change == "grow" then
    assert(case.order:find "waiter", name .. "the waiter never got in")
    assert(case.syns > 0, name .. "the waiter got in without another SYN")
    assert(case.early > 0 or case.order == queued .. " new waiter", name .. "the accept order is " .. case.order)
  end
end

return experiment {
  claim = "As many clients connect as the queue holds: one more than the backlog or somaxconn, whichever is less.",
  knobs = {
    backlog = { -1, "connections", "what listen(2) is given; -1: each of 0, 1, 2, 5, 128, 5000", min = -1 },
    somaxconn = { DEFAULT_SOMAXCONN, "connections", "the server's net.core.somaxconn, unless backlog is -1", min = 0 },
    family = { "all", "family", "of the listener's address", choices = choice.of(FAMILIES) },
    arrival = { "one_by_one", "way", "how the clients come", choices = { "one_by_one", "racing" } },
    change = { "all", "case", "what befalls a full queue", choices = { "all", "grow", "shrink", "to_zero", "sysctl",
      "none" } },
    clients = { 2, "clients", "how many come beyond the limit; the first of them still finds room", min = 1,
      max = 10000 },
    patience = { 0.3, "s", "how long a client waits for its connection", min = 0 },
    delay = { 0.0, "s", "one-way delay of the link: the time for a race", min = 0, max = 1 },
    syncookies = { 1, "mode", "the server's net.ipv4.tcp_syncookies", min = 0, max = 2 },
  },
  control = { arrival = "racing", delay = 0.01, patience = 0.8 },
  columns = { "family", "backlog", "somaxconn", "limit", "depth", "connected", "next", "dropped", "late",
    "change", "stay", "new", "room_at", "order", "early", "syns" },

  run = function(knobs)
    lunet.note "Listeners of all sizes. Nobody accepts, until the first client finds no room."
    local sizes = knobs.backlog == -1 and EACH or { { knobs.backlog, knobs.somaxconn } }
    local capacity = lunet.together(over_families(sizes, knobs), function(case)
      return measure_capacity(case[1], case[2][1], case[2][2], knobs)
    end)
    lunet.note "Full queues: the backlog changes while a client waits for room, and another one comes."
    local changed = lunet.together(over_families(choice.pick(CHANGES, knobs.change, "change"), knobs), function(case)
      return measure_change(case[1], case[2], knobs)
    end)
    return { capacity = capacity, changed = changed }
  end,

  check = function(outcome)
    for _, case in ipairs(outcome.capacity) do check_capacity(case) end
    for _, case in ipairs(outcome.changed) do check_change(case) end
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
