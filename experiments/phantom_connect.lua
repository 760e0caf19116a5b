-- Phantoms: clients that are connected, as they and their kernels see it, and that no queue holds. Many wait for a
-- full queue; one place becomes free; all their SYNs come again while it is free, and all are answered.
--
-- Why: the queue is looked at twice. At the SYN (net/ipv4/tcp_input.c, tcp_conn_request) one free place lets any
-- number pass: backlog + 1 are kept as requests (inet_csk_reqsk_queue_is_full), the rest get SYN cookies, or
-- nothing with tcp_syncookies = 0; with 2 all get cookies. The SYN-ACK makes a client ESTABLISHED. At its ACK
-- (tcp_ipv4.c, tcp_v4_syn_recv_sock) the queue is full again for all but the first, and the ACK is dropped
-- (tcp_minisocks.c, tcp_check_req): the server has a request in SYN_RECV, or with a cookie nothing at all.
-- What becomes of a phantom (`fates`):
-- * freed, places became free: what it wrote is sent again until it is taken, and carries the ACK. If it is silent,
--   the server's SYN-ACK, sent again after 1, 3, 7, ... s, has it repeat its ACK (a challenge ACK, RFC 5961). One
--   that wrote and left becomes a ghost, whose request is carried out.
-- * expired, tcp_synack_retries were used up before (5: 63 s): a write is taken, then comes RST. Who wrote and left
--   is never told. A silent one stays ESTABLISHED for good: no timer runs on either side.
-- * cookie: the server sends nothing again, so a silent client never gets in, though there is room. What is written
--   gets in while the cookie is valid, one or two minutes, but only the first segment fits the cookie, which covers
--   the sequence number (net/ipv4/syncookies.c): a second one, be it a FIN, is answered by RST, and all is lost.
-- tcp_abort_on_overflow = 1 turns requests into RST, and leaves those with cookies as they are (`counts`).
--
-- Where met: all connects succeed and some clients hang; worst where the server speaks first (SMTP, SSH, MySQL).
-- What to do: take no connect for an answer, bound the wait for the first reply; keepalive for who only listens.
-- A race: without `delay` the handshakes overlap only because the kernel's timers fire together, as they mostly do.
local lunet = require "lunet"
local experiment = require "lunet.experiment"

local LONG = 20 -- s; bounds waits for states that do come
-- What the phantoms do: nothing; write once; write again when the first write has had its end; write twice at once;
-- write and leave.
local ACTIONS = { "idle", "once", "later", "twice", "close" }
local SEGMENTS = 6 -- that they send at once, the FIN of the last counted

-- How much a counter of a host has moved since.
local function watch_counter(host, name)
  local before = host:counters()
  return function() return (host:counters() - before)[name] end
end

local function start_server(knobs, case)
  local server, others = assert(lunet.host { name = "server", sysctl = {
    ["net.ipv4.tcp_abort_on_overflow"] = case.abort,
    ["net.ipv4.tcp_syncookies"] = case.cookies,
    ["net.ipv4.tcp_synack_retries"] = 5,
  } }), assert(lunet.host "A")
  lunet.link(server, others)
  local listener, held = assert(server:listen { port = 7300, backlog = knobs.backlog }), {}
  for i = 1, knobs.backlog + 1 do
    held[i] = assert(others:connect({ listener, label = "A" }, LONG))
    lunet.eventually(function() return listener:queue().depth == i end, LONG)
  end
  return server, listener, held
end

local function start_waiters(clients, listener, how_many)
  local waiters = {}
  for i = 1, how_many do
    local waiter = {}
    waiter.task = lunet.spawn(function()
      waiter.connection = clients:connect { listener, label = "W" .. i, nodelay = true } -- each write is a segment
    end)
    waiters[i] = waiter
  end
  return waiters
end

-- The state of the server's socket for a client's address.
local function state_for(server, address)
  local socket = server:sockets({ peer_address = address })[1]
  return socket and socket.state or "none"
end

-- Those of the waiters who are connected: the server has a connection with some, and not with the phantoms.
local function sort_connected(server, waiters)
  local phantoms, known = {}, {}
  for _, waiter in ipairs(waiters) do
    if waiter.connection then
      waiter.address = waiter.connection:address()
      local list = state_for(server, waiter.address) == "ESTABLISHED" and known or phantoms
      list[#list + 1] = waiter
    end
  end
  return phantoms, known
end

local function count_requests(server)
  return #server:sockets { state = "SYN_RECV" }
end

local function count_resets(waiters)
  local resets = 0
  for _, waiter in ipairs(waiters) do
    if waiter.connection and waiter.connection:liveness() == "reset" then resets = resets + 1 end
  end
  return resets
end

-- Clients come to a full queue, and their SYNs are dropped. One place becomes free, and their SYNs come again.
local function free_one_place(knobs, case, how_many)
  local server, listener, held = start_server(knobs, case)
  local clients = assert(lunet.host "clients")
  lunet.link(server, clients, { delay = knobs.delay })
  local overflows, refused = watch_counter(server, "ListenOverflows"), watch_counter(server, "TCPReqQFullDrop")
  local cookies, resets = watch_counter(server, "SyncookiesSent"), watch_counter(server, "OutRsts")
  local waiters = start_waiters(clients, listener, how_many)
  assert(lunet.eventually(function() return overflows() >= how_many end, LONG))
  held[#held + 1] = assert(listener:accept(LONG))
  -- Each SYN was dropped once; then it was dropped again, or the ACK after it was, but for the one that fits.
  assert(lunet.eventually(function()
    return overflows() + refused() >= 2 * how_many - 1 and listener:queue().depth > knobs.backlog
  end, LONG))
  if case.abort == 1 then lunet.eventually(function() return count_requests(server) == 0 end, LONG) end
  assert(lunet.eventually(function() return count_resets(waiters) == resets() end, LONG))
  local phantoms, known = sort_connected(server, waiters)
  return { server = server, listener = listener, clients = clients, waiters = waiters, held = held,
    phantoms = phantoms, known = known, cookies = cookies(), resets = resets(), overflows = overflows }
end

-- A row of the table `counts`.
local function count(knobs, case)
  local scene = free_one_place(knobs, case, knobs.waiters)
  for _, waiter in ipairs(scene.waiters) do waiter.task:cancel() end -- some SYNs were dropped again
  return { abort = case.abort, cookies = case.cookies, connected = #scene.known + #scene.phantoms,
    queued = #scene.known, requests = count_requests(scene.server), by_cookie = scene.cookies, reset = scene.resets,
    phantoms = #scene.phantoms - scene.resets }
end

-- Accepts all who are in the queue or come to it; reads what the phantoms write, and answers each line.
local function serve(scene)
  local accepted, is_phantom = {}, {} -- by the client's address
  for _, phantom in ipairs(scene.phantoms) do is_phantom[phantom.address] = true end
  lunet.spawn(function()
    while true do
      local connection, message, code = scene.listener:accept()
      if code == "CLOSED" then return end
      assert(connection, message)
      local address = connection:peer()
      local entry = { connection = connection, read = 0 }
      scene.held[#scene.held + 1] = connection
      if is_phantom[address] then
        accepted[address] = entry
        lunet.spawn(function()
          for line in connection:lines() do
            entry.read = entry.read + 1
            connection:send("done " .. line .. "\n")
          end
        end)
      end
    end
  end)
  return accepted
end

local function write(connection, text)
  local bytes, _, code = connection:send(text .. "\n")
  return bytes and "taken" or code
end

-- Returns when the phantom knows what became of what it did.
local function act(phantom, row)
  local connection = phantom.connection
  if row.client == "idle" then return end
  local first = write(connection, "request 1")
  if row.client == "close" then return connection:close() end
  if row.client == "twice" then row.second = write(connection, "request 2") end
  lunet.eventually(function() return connection:liveness() == "reset" or connection:unsent() == 0 end, LONG)
  if row.client == "later" then row.second = write(connection, "request 2") end
  for _ = 1, first == row.second and 2 or 1 do
    local reply, _, code = connection:receive("l", LONG)
    row.answer = reply or code
    if not reply then return end
  end
end

-- What became of a phantom, in the end: a row of the table `fates`.
local function tell_fate(scene, accepted, phantom)
  local row = phantom.row
  local port = tonumber(phantom.address:match "%d+$")
  local function own_socket() return scene.clients:sockets({ local_port = port })[1] end
  local function server_state() return state_for(scene.server, phantom.address) end
  phantom.task:join()
  if row.client == "close" then lunet.eventually(function() return not own_socket() end, LONG) end
  lunet.eventually(function() return server_state() ~= "SYN_RECV" end, LONG)
  if server_state() == "ESTABLISHED" then lunet.eventually(function() return accepted[phantom.address] end, LONG) end
  local entry, socket = accepted[phantom.address], own_socket()
  row.accepted, row.read = entry ~= nil, entry and entry.read or 0
  row.state, row.timer = socket and socket.state or "gone", socket and socket.timer or "none"
  return row
end

-- What client and server believe, and the fates of the phantoms.
local function live(knobs, case)
  local scene = free_one_place(knobs, case, #ACTIONS + 1)
  local queue = scene.listener:queue()
  local story = { connected = #scene.known + #scene.phantoms, queued = #scene.known, depth = queue.depth,
    limit = queue.limit, requests = count_requests(scene.server), reset = scene.resets }
  local dropped, resets = watch_counter(scene.server, "ListenOverflows"), watch_counter(scene.server, "OutRsts")

  if case.is_story then lunet.note "All are connected, and one is in the queue. The others, phantoms, act." end
  for i, phantom in ipairs(scene.phantoms) do
    phantom.row = { case = case.name, client = ACTIONS[i], second = "-", answer = "-" }
    phantom.task = lunet.spawn(act, phantom, phantom.row)
  end
  lunet.eventually(function() return dropped() + resets() >= SEGMENTS or scene.resets > 0 end, LONG)
  story.dropped = dropped()
  if case.name == "expired" then
    assert(scene.server:sysctl("net.ipv4.tcp_synack_retries", 0)) -- asked when the request's timer fires
    lunet.eventually(function() return count_requests(scene.server) == 0 end, LONG)
  end

  if case.is_story then lunet.note "What they sent was dropped. Now the server accepts all who are in the queue." end
  local accepted, rows = serve(scene), {}
  for i, phantom in ipairs(scene.phantoms) do rows[i] = tell_fate(scene, accepted, phantom) end
  scene.listener:close()
  for _, entry in pairs(accepted) do entry.connection:close() end
  return { rows = rows, story = story }
end

local function list_jobs(knobs)
  local jobs = {}
  local function add(name, fn, case)
    if knobs.cases == "all" or knobs.cases == name then jobs[#jobs + 1] = { table = name, fn = fn, case = case } end
  end
  add("fates", live, { name = "expired", abort = knobs.abort, cookies = 1 })
  add("fates", live, { name = "cookie", abort = knobs.abort, cookies = 2 })
  for abort = 0, 1 do
    for cookies = 0, 2 do add("counts", count, { abort = abort, cookies = cookies }) end
  end
  return jobs
end

return experiment {
  claim = "When one place in a full queue becomes free, many of the clients that wait are connected at once, and the "
    .. "queue holds just one of them.",
  knobs = {
    backlog = { 5, "connections", "how many the kernel may queue", min = 5, max = 1000 },
    waiters = { 8, "clients", "how many wait for a place, in the counts", min = 1, max = 100 },
    abort = { 0, "setting", "tcp_abort_on_overflow of the server's host, in the fates", choices = { 0, 1 } },
    cases = { "all", "table", "which is made besides the story", choices = { "all", "fates", "counts", "none" } },
    delay = { 0.1, "s", "one way between clients and server: makes their handshakes overlap", min = 0 },
  },
  columns = { "case", "client", "second", "answer", "accepted", "read", "state", "timer", "abort", "cookies",
    "connected", "queued", "requests", "by_cookie", "reset", "phantoms" },
  control = { abort = 1 },

  run = function(knobs)
    lunet.note "The queue is full, and six clients wait for a place. The server accepts one connection, and no more."
    local freed = { name = "freed", abort = knobs.abort, cookies = 1, is_story = true }
    local story = lunet.scope(live, knobs, freed)
    local outcome = { story = story.story, fates = story.rows, counts = {} }
    local jobs = list_jobs(knobs)
    if #jobs > 0 then lunet.note "Other cases, side by side." end
    local results = lunet.together(jobs, function(job) return job.fn(knobs, job.case) end)
    for i, job in ipairs(jobs) do
      for _, row in ipairs(results[i].rows or { results[i] }) do table.insert(outcome[job.table], row) end
    end
    return outcome
  end,

  check = function(outcome)
    local story = outcome.story
    assert(story.reset == 0, ("%d who were connected were reset"):format(story.reset))
    assert(story.connected > 1, "one client was connected, and it is in the queue")
    assert(story.queued == 1 and story.depth == story.limit + 1, "the queue does not hold just one more")
    assert(story.requests == story.connected - 1, "the server has no request for a phantom")
    for _, row in ipairs(outcome.counts) do
      assert(row.connected > 1 and row.queued == 1, ("%d connected, %d queued"):format(row.connected, row.queued))
      assert(row.phantoms == row.connected - 1 - row.reset, "a phantom was lost")
    end
    for _, row in ipairs(outcome.fates) do
      local is_in = row.case == "freed" or row.case == "cookie" and (row.client == "once" or row.client == "later")
      assert(row.accepted == is_in, ("case %s, client %s: accepted %s"):format(row.case, row.client, row.accepted))
    end
  end,

  figures = function(outcome)
    local story, most = outcome.story, outcome.counts[2]
    local text = ("1 place free: %d of %d connected"):format(story.connected, #ACTIONS + 1)
    return most and ("%s, %d of %d with SYN cookies"):format(text, most.connected, most.connected) or text
  end,
}
