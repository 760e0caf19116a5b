-- Claim. When one place in a full queue becomes free, many waiting clients are connected at once. The queue holds one
-- of them.
--
-- Why. The kernel looks at the queue twice. At the SYN (net/ipv4/tcp_input.c, tcp_conn_request) one free place lets any
-- number pass. It keeps backlog + 1 of them as requests (inet_csk_reqsk_queue_is_full), and the others get SYN cookies,
-- or nothing with tcp_syncookies = 0; with 2 all get cookies. The SYN-ACK makes a client ESTABLISHED. At its ACK
-- (tcp_ipv4.c, tcp_v4_syn_recv_sock) the queue is full again for all except the first, and the kernel drops the ACK
-- (tcp_minisocks.c, tcp_check_req). The server has a request in SYN_RECV, or with a cookie nothing at all: the client
-- is a phantom. When places become free (`freed`), a phantom's kernel sends its data again until the server takes it,
-- and the data carries the ACK. A silent phantom repeats its ACK (RFC 5961) for the SYN-ACK, which comes again after 1,
-- 3, 7, ... s. A phantom that wrote and left becomes a ghost, and the server carries out its request. If
-- tcp_synack_retries were used up before (`expired`; 5: 63 s), a write succeeds, and RST follows. A phantom that wrote
-- and left is never told; a silent one stays ESTABLISHED for good, since no timer runs on either side. With a `cookie`
-- the server sends nothing again, so a silent phantom never gets in. Written bytes get in while the cookie is valid,
-- one or two minutes. The cookie covers the sequence number of the first segment (net/ipv4/syncookies.c). So the server
-- answers a second segment, even a FIN, by RST, and all is lost, with one exception (`heads`). The number is part of a
-- sum with the index of the MSS, 0 to 3 (check_tcp_syn_cookie; 3 for the 1460 bytes of Ethernet). A segment that begins
-- 1, 2 or 3 bytes late therefore passes for a cookie with a smaller MSS. Suppose that the queue dropped a first write
-- of 1 to 3 bytes, and a place becomes free before it is sent again. Then the second write opens the connection: the
-- server reads a request without its head, acknowledges the head with the rest, and neither side has an error.
-- tcp_abort_on_overflow = 1 turns requests into RST, and leaves phantoms with cookies as they are (`counts`). Without a
-- delay connect itself gives ECONNRESET, and the handshakes overlap only if the kernel's timers fire together; else
-- nothing is judged.
--
-- Where it was met. Clients that hang although every connect succeeds; it is worst where the server speaks first (SMTP,
-- SSH, MySQL).
--
-- What to do. Do not take a connect for an answer, and bound the wait for the first reply. Set keepalive where a client
-- only listens. Write a request at once, or check that it is whole (a length, a checksum, TLS).
local lunet = require "lunet"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"

local LONG, SETTLED = lab.LONG, 5 -- s; SETTLED: waiters that were told nothing new for so long are told no more
-- The phantoms do nothing; write once; write again when the first write is settled; write twice at once; write and
-- leave.
local ACTIONS = { "idle", "once", "later", "twice", "close" }
local SEGMENTS = { [0] = 0, 0, 1, 2, 4, 6 } -- how many segments the first n of them send at once, with the FIN
local REQUEST = "undelete 7" -- its head gets lost
local HEADS = 4 -- bytes; the longest head that is tried

local function start_server(knobs, case)
  local server, others = lab.hosts { { name = "server", sysctl = {
    ["net.ipv4.tcp_abort_on_overflow"] = case.abort,
    ["net.ipv4.tcp_syncookies"] = case.cookies,
    ["net.ipv4.tcp_synack_retries"] = 5,
  } }, "A" }
  local listener = lab.listen(server, { backlog = knobs.backlog })
  return server, listener, lab.fill_queue(others, listener, "A")
end

local function start_waiters(clients, listener, how_many)
  local waiters = {}
  for i = 1, how_many do
    local waiter = {}
    waiter.task = lunet.spawn(function()
      local target = { listener, label = "W" .. i, nodelay = true } -- each write is a segment
      waiter.connection, waiter.message, waiter.code = clients:connect(target)
    end)
    waiters[i] = waiter
  end
  return waiters
end

-- The state of the server's socket for a client's address.
local function state_for(server, address)
  return (lab.socket(server, { peer_address = address }) or { state = "none" }).state
end

-- The connected waiters in two lists: the server has no connection with phantoms, and has one with the others.
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

local function count_requests(server) return #server:sockets { state = "SYN_RECV" } end

-- How many were reset after they were connected, and how many by connect itself.
local function count_resets(waiters)
  local later, in_connect = 0, 0
  for _, waiter in ipairs(waiters) do
    if waiter.connection and waiter.connection:liveness() == "reset" then later = later + 1 end
    if waiter.code == "ECONNRESET" then in_connect = in_connect + 1 end
  end
  return later, in_connect
end

-- Clients come to a full queue, and their SYNs are dropped. One place becomes free, and their SYNs come again.
local function free_one_place(knobs, case, how_many)
  local server, listener, held = start_server(knobs, case)
  local clients = assert(lunet.host "clients")
  lunet.link(server, clients, lab.delayed(knobs.delay))
  local moved = lab.counters(server)
  local sent, waiters = lab.counters(clients), start_waiters(clients, listener, how_many)
  lab.await(function() return moved "ListenOverflows" >= how_many end)
  held[#held + 1] = assert(listener:accept(LONG))
  -- Each SYN was dropped once. Then it was dropped again, or the ACK after it, except for the client that fits.
  lab.await(function()
    local dropped = moved "ListenOverflows" + moved "TCPReqQFullDrop"
    return dropped >= 2 * how_many - 1 and lab.depth(listener) > knobs.backlog
  end)
  if case.abort == 1 then lunet.eventually(function() return count_requests(server) == 0 end, LONG) end
  local told, since, later, in_connect, phantoms, known = 0, lunet.now()
  -- Until the waiters' tasks know what their kernel knows. They are told one of two resets for a repeated SYN.
  lab.await(function()
    later, in_connect = count_resets(waiters)
    if later + in_connect ~= told then told, since = later + in_connect, lunet.now() end
    phantoms, known = sort_connected(server, waiters)
    local is_told = told == moved "OutRsts" or lunet.now() - since > 2 * knobs.delay + SETTLED
    return is_told and #known > 0 and #phantoms + #known - later == #clients:sockets { state = "ESTABLISHED" }
  end)
  return { server = server, listener = listener, clients = clients, waiters = waiters, held = held,
    phantoms = phantoms, known = known, cookies = moved "SyncookiesSent", resets = moved "OutRsts",
    in_connect = in_connect, resent = sent "TCPSynRetrans" }
end

-- A row of the table `counts`.
local function count(knobs, case)
  local scene = free_one_place(knobs, case, knobs.waiters)
  for _, waiter in ipairs(scene.waiters) do waiter.task:cancel() end -- some SYNs were dropped again
  return { abort = case.abort, cookies = case.cookies, connected = #scene.known + #scene.phantoms,
    queued = #scene.known, requests = count_requests(scene.server), by_cookie = scene.cookies, reset = scene.resets,
    in_connect = scene.in_connect, phantoms = #scene.phantoms - (scene.resets - scene.in_connect),
    resent = scene.resent }
end

-- Accepts every client that is in the queue or comes to it. Answers each line of a phantom.
local function serve(scene)
  local accepted, is_phantom = {}, {} -- by the client's address
  for _, phantom in ipairs(scene.phantoms) do is_phantom[phantom.address] = true end
  lunet.spawn(function()
    while true do
      local connection, message, code = scene.listener:accept()
      if code == "CLOSED" then return end
      assert(connection, message)
      local address = connection:peer()
      local entry = { connection = connection, lines = {} }
      scene.held[#scene.held + 1] = connection
      if is_phantom[address] then
        accepted[address] = entry
        lunet.spawn(function()
          for line in connection:lines() do
            entry.lines[#entry.lines + 1] = line
            connection:send("done " .. line .. "\n")
          end
        end)
      end
    end
  end)
  return accepted
end

local function stop_serving(scene, accepted)
  scene.listener:close()
  for _, entry in pairs(accepted) do entry.connection:close() end
end

local function write(connection, text)
  local bytes, _, code = connection:send(text .. "\n")
  return bytes and "taken" or code
end

-- Lets a phantom act, and waits for what it gets to know.
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

-- The fate of a phantom in the end: a row of the table `fates`.
local function tell_fate(scene, accepted, phantom)
  local row = phantom.row
  local port = tonumber(phantom.address:match "%d+$")
  local function own_socket() return lab.socket(scene.clients, { local_port = port }) end
  local function server_state() return state_for(scene.server, phantom.address) end
  phantom.task:join()
  if row.client == "close" then lunet.eventually(function() return not own_socket() end, LONG) end
  lunet.eventually(function() return server_state() ~= "SYN_RECV" end, LONG)
  if server_state() == "ESTABLISHED" then lunet.eventually(function() return accepted[phantom.address] end, LONG) end
  local entry, socket = accepted[phantom.address], own_socket()
  row.accepted, row.read = entry ~= nil, entry and #entry.lines or 0
  row.state, row.timer = socket and socket.state or "gone", socket and socket.timer or "none"
  return row
end

-- The views of client and server, and the fates of the phantoms.
local function live(knobs, case)
  local scene = free_one_place(knobs, case, #ACTIONS + 1)
  local queue = assert(scene.listener:queue())
  local story = { connected = #scene.known + #scene.phantoms, queued = #scene.known, depth = queue.depth,
    limit = queue.limit, requests = count_requests(scene.server), reset = scene.resets }
  local moved = lab.counters(scene.server)

  if case.is_story then lunet.note "All are connected, and one is in the queue. The others, phantoms, act." end
  for i, phantom in ipairs(scene.phantoms) do
    phantom.row = { case = case.name, client = ACTIONS[i], second = "-", answer = "-" }
    phantom.task = lunet.spawn(act, phantom, phantom.row)
  end
  lunet.eventually(function()
    return moved "ListenOverflows" + moved "OutRsts" >= SEGMENTS[#scene.phantoms] or scene.resets > 0
  end, LONG)
  story.dropped = moved "ListenOverflows"
  if case.name == "expired" then
    assert(scene.server:sysctl("net.ipv4.tcp_synack_retries", 0)) -- asked when the request's timer fires
    lunet.eventually(function() return count_requests(scene.server) == 0 end, LONG)
  end

  if case.is_story then lunet.note "The kernel dropped their data. Now the server accepts all clients in the queue." end
  local accepted, rows = serve(scene), {}
  for i, phantom in ipairs(scene.phantoms) do rows[i] = tell_fate(scene, accepted, phantom) end
  stop_serving(scene, accepted)
  return { rows = rows, story = story }
end

-- Phantoms with SYN cookies write the head of a request while the queue is full, and the rest once it has places.
local function lose_heads(knobs)
  local scene = free_one_place(knobs, { abort = 0, cookies = 2 }, HEADS + 1)
  local at_server, at_clients = lab.counters(scene.server), lab.counters(scene.clients)
  for head, phantom in ipairs(scene.phantoms) do assert(phantom.connection:send(REQUEST:sub(1, head))) end
  lab.await(function() return at_server "ListenOverflows" >= #scene.phantoms end)
  local accepted, rows = serve(scene), {}
  lab.await_depth(scene.listener, 0)
  for head, phantom in ipairs(scene.phantoms) do phantom.sent = write(phantom.connection, REQUEST:sub(head + 1)) end
  local is_late = at_clients "RetransSegs" > 0
  for head, phantom in ipairs(scene.phantoms) do
    local reply, _, code = phantom.connection:receive("l", LONG)
    local entry = accepted[phantom.address]
    rows[head] = { head = head, sent = phantom.sent, read = entry and table.concat(entry.lines, "|") or "nothing",
      answer = reply or code, state = phantom.connection:state(), resent = is_late }
  end
  stop_serving(scene, accepted)
  return { rows = rows }
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
  add("heads", lose_heads, {})
  return jobs
end

-- -- the check -----------------------------------------------------------------------------------

-- The fate of each phantom, in the order of ACTIONS. Its fields: the second write, the answer, how many lines the
-- server reads, the state of the socket in the end, whether the server accepts it.
local ONCE <const> = { "-", "done request 1", 1, "ESTABLISHED", true }
local BOTH <const> = { "taken", "done request 2", 2, "ESTABLISHED", true }
local OUT <const>, LEFT <const> = { "-", "-", 0, "ESTABLISHED", false }, { "-", "-", 0, "gone", false }
local LOST <const> = { "taken", "ECONNRESET", 0, "gone", false }
local FATES <const> = {
  freed = { { "-", "-", 0, "ESTABLISHED", true }, ONCE, BOTH, BOTH, { "-", "-", 1, "gone", true } },
  expired = { OUT, { "-", "ECONNRESET", 0, "gone", false }, { "ECONNRESET", "EOF", 0, "gone", false }, LOST, LEFT },
  cookie = { OUT, ONCE, BOTH, LOST, LEFT },
}

-- How many are answered at once: as requests, for which there is room, and by a SYN cookie.
local function answered(how_many, cookies, room)
  local kept = cookies == 2 and 0 or math.min(how_many, room)
  return kept, cookies == 0 and 0 or how_many - kept
end

local function check_story(story, knobs, room)
  assert(story.reset == 0, ("%d waiting clients were reset"):format(story.reset))
  if knobs.delay == 0 and story.connected < #ACTIONS + 1 then
    experiment.not_judged "the handshakes did not overlap, without a delay"
  end
  expect.fields("the story", story, { connected = #ACTIONS + 1, queued = 1, limit = knobs.backlog,
    depth = knobs.backlog + 1, requests = math.min(#ACTIONS, room - 1), dropped = expect.at_least(SEGMENTS[#ACTIONS]) })
end

local function check_fates(outcome, knobs)
  local cases = {}
  for _, name in ipairs { "freed", "expired", "cookie" } do
    local is_tried = name == "freed" or knobs.cases == "all" or knobs.cases == "fates"
    for _, client in ipairs(is_tried and ACTIONS or {}) do cases[#cases + 1] = { case = name, client = client } end
  end
  expect.cases("fates", outcome.fates, cases, { "case", "client" })
  for i, row in ipairs(outcome.fates) do
    local second, answer, read, state, is_in = table.unpack(FATES[row.case][(i - 1) % #ACTIONS + 1])
    expect.fields(("case %s, client %s"):format(row.case, row.client), row, { second = second, answer = answer,
      read = read, state = state, timer = "none", accepted = is_in })
  end
end

local function check_count(row, knobs, room)
  local name = ("abort %d, cookies %d"):format(row.abort, row.cookies)
  local kept, by_cookie = answered(knobs.waiters, row.cookies, room)
  local resets = row.abort == 1 and math.max(kept - 1, 0) or 0
  if knobs.delay == 0 and row.connected + row.in_connect < kept + by_cookie then
    experiment.not_judged "the handshakes did not overlap, without a delay"
  end
  if (row.by_cookie > by_cookie or row.reset > resets) and row.resent > knobs.waiters then
    experiment.not_judged("%s: the machine was late, or the link is slow, and SYNs came a third time", name)
  end
  expect.fields(name, row, { connected = kept + by_cookie - row.in_connect, queued = 1, reset = resets,
    requests = math.max(kept - 1, 0) - resets, by_cookie = by_cookie,
    phantoms = row.connected - 1 - (row.reset - row.in_connect) })
  if knobs.delay == 0 and row.in_connect ~= resets then -- the reset came a moment after connect(2) had returned
    experiment.not_judged "the handshakes did not overlap, without a delay"
  end
  if knobs.delay > 0 then expect.value(name .. ": in_connect", row.in_connect, 0) end
end

local function check_counts(outcome, knobs, room)
  local cases = {}
  for _, job in ipairs(list_jobs(knobs)) do cases[#cases + 1] = job.table == "counts" and job.case or nil end
  expect.cases("counts", outcome.counts, cases, { "abort", "cookies" })
  if #cases > 0 and knobs.waiters == 1 then experiment.not_judged "just one client waits" end
  for _, row in ipairs(outcome.counts) do check_count(row, knobs, room) end
end

local function check_heads(outcome, knobs)
  expect.value("the number of heads", #outcome.heads, (knobs.cases == "all" or knobs.cases == "heads") and HEADS or 0)
  for head, row in ipairs(outcome.heads) do
    local rest, is_in = REQUEST:sub(head + 1), head < HEADS
    if row.resent then experiment.not_judged "the machine let the head be sent again before the rest" end
    expect.fields(("a lost head of %d bytes"):format(head), row, { head = head, sent = "taken",
      read = is_in and rest or "nothing", answer = is_in and "done " .. rest or "ECONNRESET",
      state = is_in and "ESTABLISHED" or "CLOSE" })
  end
end

-- room: for so many requests. With less of it another client has a cookie, and another fate.
local function check_all(outcome, knobs, room)
  check_story(outcome.story, knobs, room)
  check_counts(outcome, knobs, room)
  if room > knobs.backlog then check_fates(outcome, knobs) end
  check_heads(outcome, knobs)
end

return experiment {
  claim = "When one place in a full queue becomes free, many waiting clients are connected at once. The queue holds "
    .. "one of them.",
  knobs = {
    backlog = { 5, "connections", "how many the kernel may queue", min = 5, max = 1000 },
    waiters = { 8, "clients", "how many wait for a place, in the counts", min = 1, max = 100 },
    abort = { 0, "setting", "tcp_abort_on_overflow of the server's host, in the fates", choices = { 0, 1 } },
    cases = { "all", "table", "the table to make besides the story",
      choices = { "all", "fates", "counts", "heads", "none" } },
    delay = { 0.1, "s", "one-way delay of the link: makes handshakes overlap", min = 0, max = 60 },
  },
  -- fates. second, answer: what the phantom's second write gave, and what it heard. accepted, read: whether the server
  -- accepted it, and how many lines it read. state, timer: the phantom's socket in the end. counts. requests: in
  -- SYN_RECV at the server. by_cookie: SYN cookies sent. reset, in_connect: resets, and those that connect returned.
  -- resent: SYNs that came again. heads. head: bytes that were lost. sent: what the second write gave.
  columns = { "case", "client", "second", "answer", "accepted", "read", "state", "timer", "abort", "cookies",
    "connected", "queued", "requests", "by_cookie", "reset", "in_connect", "phantoms", "head", "sent" },
  measures = { -- of the first two counts, with tcp_abort_on_overflow = 0
    ["counts.1.phantoms"] = { "clients", "clients that are connected and not queued, with tcp_syncookies = 0" },
    ["counts.2.phantoms"] = { "clients", "the same with tcp_syncookies = 1, the kernel's default" },
    ["counts.2.queued"] = { "connections", "connections that came to the one free place" },
  },
  control = { abort = 1 },
  expects = { { before = "6.13", because = "a full queue has room for one request fewer (3479c7549fb1; fixed also in "
    .. "6.12.10, 6.6.72, 6.1.125)", check = function(outcome, knobs) check_all(outcome, knobs, knobs.backlog) end } },

  run = function(knobs)
    lunet.note "The queue is full, and six clients wait for a place. The server accepts one connection, and no more."
    local story = lunet.scope(live, knobs, { name = "freed", abort = knobs.abort, cookies = 1, is_story = true })
    local outcome = { story = story.story, fates = story.rows, counts = {}, heads = {} }
    local jobs = list_jobs(knobs)
    if #jobs > 0 then lunet.note "Other cases, side by side." end
    for i, result in ipairs(lunet.together(jobs, function(job) return job.fn(knobs, job.case) end)) do
      for _, row in ipairs(result.rows or { result }) do table.insert(outcome[jobs[i].table], row) end
    end
    return outcome
  end,

  check = function(outcome, knobs) check_all(outcome, knobs, knobs.backlog + 1) end,

  figures = function(outcome)
    local story, most = outcome.story, outcome.counts[2]
    local text = ("1 place free: %d of %d connected"):format(story.connected, #ACTIONS + 1)
    return most and ("%s, %d of %d with SYN cookies"):format(text, most.connected, most.connected) or text
  end,
}
