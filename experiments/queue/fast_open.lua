-- Claim. With a cookie, a request can be carried out and answered before the handshake is over. Without a place, or
-- with another key, it comes later and nobody is told.
--
-- Why. With a cookie of the server, connect sends nothing and succeeds at once, whether or not anybody listens there.
-- The first send is the SYN. When it comes, the server's kernel puts the connection into the queue, request included.
-- The program may accept it, carry it out and answer while the state is SYN_RECV and the client has heard nothing
-- (net/ipv4/tcp_fastopen.c: tcp_fastopen_defer_connect on the client, tcp_try_fastopen on the server; RFC 7413). A
-- client that leaves then says nothing at all: there is neither FIN nor RST before the handshake is over. So the server
-- sees an open connection until the client's host answers a SYN-ACK by RST. The request stays readable. A cookie
-- belongs to the client's address and the server's key (net.ipv4.tcp_fastopen_key, random for each host). A restart
-- elsewhere, or a load balancer over servers with keys of their own, makes it worthless. Without a valid cookie the
-- kernel acknowledges only the SYN, and the client sends the data again after it. The same happens when `places`
-- connections have not ended their handshakes. Then the request is as late as without fast open, and there is no error.
-- An accepted connection that ends by RST keeps its place for 60 s, against spoofed addresses (reqsk_fastopen_remove):
-- clients that give up early shut this door for the others. A full accept queue drops the SYN as ever, and a network
-- that drops SYNs with data costs 1 s.
--
-- Where it was met. A promised round trip that is not saved behind a balancer; middleboxes that drop such SYNs;
-- requests that a server carried out for clients that never got a connection.
--
-- What to do. Use it only for requests that may be carried out twice, or for nobody (RFC 7413, 2.1 and 6.1: a SYN may
-- be duplicated). Give all servers of an address one key. Watch TCPFastOpenListenOverflow and TCPFastOpenPassiveFail.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"

local LONG = lab.LONG
local REQUEST = "request\n"

-- The cases in the order of the table. `why`: the counter that moves when the kernel does not take the request with
-- the SYN.
local cases = {
  { name = "first", why = "TCPFastOpenCookieReqd" },
  { name = "again" },
  { name = "unfinished" },
  { name = "no_place", why = "TCPFastOpenListenOverflow" },
  { name = "new_key", why = "TCPFastOpenPassiveFail" },
  { name = "filtered", why = "TCPSynRetrans" },
  { name = "full_queue", why = "ListenOverflows" },
  { name = "left" },
  { name = "left_accepted" },
  { name = "nobody" },
}

local function why_not(name) return choice.find(cases, name, "name").why end

-- -- what happens --------------------------------------------------------------------------------

local function open(s, host, label)
  return host:connect({ s.listener, label = label, fastopen_connect = true }, LONG)
end

-- Connects the client of the case, which may connect plainly although it has a cookie.
local function open_client(s)
  return s.client:connect({ s.listener, label = s.case, fastopen_connect = s.is_fast }, LONG)
end

local function fetch_cookie(s, host)
  local client <close> = assert(open(s, host, "cookie"))
  local _accepted <close> = assert(s.listener:accept(LONG))
  client:reset()
end

-- Waits until the server's kernel has the request.
local function wait_for_request(s, client)
  local _, port = client:address()
  lab.await(function()
    local socket = lab.socket(s.server, { peer_port = port })
    return socket and socket.receive_queue >= #REQUEST
  end)
end

local function lose_syn_acks(s) return assert(s.server:drop { direction = "out", flags = "SYN-ACK" }) end

-- Puts an obstacle in the way, by case. May return a rule, which ends later.
local obstacles = {
  unfinished = lose_syn_acks,
  left = lose_syn_acks,
  left_accepted = lose_syn_acks,
  filtered = function(s) return assert(s.server:drop { flags = "data", first = 1 }) end,
  new_key = function(s)
    assert(s.server:sysctl("net.ipv4.tcp_fastopen_key", "00000001-00000002-00000003-00000004"))
  end,
  no_place = function(s)
    -- The handshakes of these clients do not end.
    local rule = assert(s.server:drop { flags = "ACK", from = s.others_address })
    for i = 1, s.places do
      s[i] = assert(open(s, s.other, "pending"))
      assert(s[i]:send(REQUEST))
      wait_for_request(s, s[i])
    end
    return rule
  end,
  full_queue = function(s) s.fillers = lab.fill_queue(s.other, s.listener) end,
}

local function stage(case, knobs)
  local server = assert(lunet.host { name = "server", sysctl = { ["net.ipv4.tcp_fastopen"] = 2 } })
  local sysctl = { ["net.ipv4.tcp_fastopen"] = 1, ["net.ipv4.tcp_fastopen_blackhole_timeout_sec"] = 0 }
  local client = assert(lunet.host { name = case.name, sysctl = sysctl })
  local other = assert(lunet.host { name = "other", sysctl = sysctl })
  lunet.link(server, client, lab.delayed(knobs.delay))
  local others_address = lunet.link(server, other):address(other)
  local listener = lab.listen(server, { backlog = 5, fastopen = knobs.places })
  local s = { case = case.name, is_fast = knobs.connect == "fast_open", places = knobs.places, server = server,
    client = client, other = other, others_address = others_address, listener = listener }
  if s.case ~= "first" then fetch_cookie(s, client) end
  fetch_cookie(s, other)
  if obstacles[s.case] then s.rule = obstacles[s.case](s) end
  return s
end

-- Accepts clients up to this one.
local function accept_client(s, client)
  local _, wanted = client:address()
  while true do
    local connection = assert(s.listener:accept(LONG))
    local _, port = connection:peer()
    if port == wanted then return connection end
    connection:close()
  end
end

local function one_client(s)
  local at_server, at_client = lab.counters(s.server), lab.counters(s.client)
  local why = why_not(s.case)
  local started = lunet.now()
  local client <close>, _, code = open_client(s)
  if not client then return { case = s.case, connect = code } end
  local row = { case = s.case, connect = client:state() }
  assert(client:send(REQUEST))
  if s.case == "full_queue" then
    lab.await(function() return at_server "ListenOverflows" > 0 end)
    assert(s.listener:accept(LONG))
  end
  wait_for_request(s, client)
  row.ms = math.floor((lunet.now() - started) * 1000 + 0.5)
  local connection <close> = accept_client(s, client)
  assert(connection:receive("l", 0))
  assert(connection:send "reply\n")
  row.server, row.client = connection:state(), client:state()
  row.in_syn = at_server "TCPFastOpenPassive" > 0 and "yes"
    or why and at_server(why) + at_client(why) > 0 and why:gsub("^TCPFastOpen", "") or "no"
  if s.rule then s.rule:close() end
  assert(client:receive("l", LONG))
  return row
end

-- The server reads the request and answers. Returns what it sees of the client before, the request, and the result.
local function serve(connection)
  local sees = connection:liveness()
  local reads = connection:receive("l", 0)
  local bytes, _, code = connection:send "reply\n"
  return sees, reads, bytes and "sent" or code
end

-- A client leaves before it has heard from the server. The server accepts it before the RST, or after.
local function departure(s)
  local client, _, code = open_client(s)
  local row = { case = s.case, connect = client and client:state() or code }
  if not client then return row end
  assert(client:send(REQUEST))
  wait_for_request(s, client)
  local connection = s.case == "left_accepted" and accept_client(s, client)
  client:close()
  if connection then row.sees, row.reads, row.reply = serve(connection) end
  s.rule:close() -- so that the next SYN-ACK comes to the client's host, which answers by RST
  lab.await(function() return #s.server:sockets { state = "SYN_RECV" } == 0 end)
  row.depth = assert(s.listener:queue()).depth
  if not connection then
    connection = assert(s.listener:accept(LONG))
    row.sees, row.reads, row.reply = serve(connection)
  end
  row.ends = connection:liveness()

  local since = lab.counters(s.server)
  local next_client <close> = assert(open(s, s.other, "next"))
  assert(next_client:send(REQUEST))
  wait_for_request(s, next_client)
  row.next = since "TCPFastOpenPassive" > 0 and "in the SYN" or "after it"
  return row
end

-- With a cookie, connect asks nobody.
local function nobody(s)
  s.listener:close()
  local _, _, plain = s.client:connect(s.listener, LONG)
  local client, _, code = open_client(s)
  local row = { case = s.case, plain_connect = plain or "success", connect = client and client:state() or code }
  if not client then return row end
  row.sent = client:send(REQUEST)
  row.receive = select(3, client:receive("l", LONG))
  return row
end

-- -- what is expected ---------------------------------------------------------------------------

-- The rows of the picked cases, by the list of the outcome that they belong to.
local function by_list(record_of, knobs)
  local lists = { clients = {}, departures = {}, nobody = {} }
  for i, case in ipairs(choice.pick(cases, knobs.case, "name")) do
    local name = case.name == "nobody" and "nobody" or case.name:find "^left" and "departures" or "clients"
    table.insert(lists[name], record_of(case, i))
  end
  return lists
end

local SECOND_SYN = { filtered = true, full_queue = true } -- the request comes with the SYN of 1 s later
local MOMENT = 20 -- ms; how long an exchange takes besides the delays

-- The request comes with the SYN, or two ways later, or with the SYN that is sent again.
local function check_client(r, knobs)
  local why, is_first = why_not(r.case), r.case == "first"
  local ms = 1000 * knobs.delay * (why and 3 or 1) + (SECOND_SYN[r.case] and 900 or 0)
  expect.fields(r.case, r, { connect = is_first and "ESTABLISHED" or "SYN_SENT",
    in_syn = why and why:gsub("^TCPFastOpen", "") or "yes", ms = expect.time(math.floor(ms), 2.5 * ms + MOMENT) })
  local is_open = not why and (r.case == "unfinished" or knobs.delay > 0)
  if is_open and r.case ~= "unfinished" and r.server == "ESTABLISHED" then
    experiment.not_judged("%s: the handshake was over: the machine was late", r.case)
  end
  expect.fields(r.case, r, { server = is_open and "SYN_RECV" or "ESTABLISHED",
    client = is_open and "SYN_SENT" or "ESTABLISHED" })
end

local function check_departure(r, knobs)
  local is_early = r.case == "left_accepted"
  local is_shut = is_early and knobs.places == 1
  expect.fields(r.case, r, { connect = "SYN_SENT", reads = "request", sees = is_early and "open" or "reset",
    reply = is_early and "sent" or "ECONNRESET", depth = is_early and 0 or 1, ends = "reset",
    next = is_shut and "after it" or "in the SYN" })
end

local function check_nobody(r)
  expect.fields(r.case, r, { connect = "SYN_SENT", plain_connect = "ECONNREFUSED", sent = #REQUEST,
    receive = "ECONNREFUSED" })
end

return experiment {
  claim = "With a cookie, a request can be carried out and answered before the handshake is over. Without a place, "
    .. "or with another key, it comes later and nobody is told.",
  knobs = {
    places = { 1, "connections", "how many the queue may hold before their handshakes are over", min = 0, max = 4 },
    delay = { 0.05, "s", "one-way delay of the link", min = 0, max = 0.1 },
    connect = { "fast_open", "way", "how the client connects: by TCP_FASTOPEN_CONNECT, or plainly, cookie or not",
      choices = { "fast_open", "plain" } },
    case = { "all", "case", "what the client meets, or does", choices = choice.of(cases, "name") },
  },
  -- connect: the client's state after connect, or the error. in_syn: whether the request was taken with the SYN, or the
  -- counter that says why not. ms: when the server's kernel had the request. server, client: the states after the
  -- reply. sees, reads, reply: what the server sees of a client that left, reads, and gets for its reply. ends: what it
  -- sees in the end. next: how the request of the next client comes.
  columns = { "case", "plain_connect", "connect", "in_syn", "ms", "server", "client", "sees", "reads", "reply", "depth",
    "ends", "next" },

  run = function(knobs)
    lunet.note "Every client except the first has fetched its cookie before."
    local rows = lunet.together(choice.pick(cases, knobs.case, "name"), function(case)
      return stage(case, knobs)
    end, function(s)
      if s.case == "nobody" then return nobody(s) end
      return (s.case:find "^left" and departure or one_client)(s)
    end)
    return by_list(function(_, i) return rows[i] end, knobs)
  end,

  check = function(outcome, knobs)
    local wanted = by_list(function(case) return { case = case.name } end, knobs)
    for list in pairs(wanted) do expect.cases(list, outcome[list], wanted[list], { "case" }) end
    if knobs.places == 0 then experiment.not_judged "without places the server gives no cookie" end
    for _, r in ipairs(outcome.clients) do check_client(r, knobs) end
    for _, r in ipairs(outcome.departures) do check_departure(r, knobs) end
    for _, r in ipairs(outcome.nobody) do check_nobody(r) end
    if knobs.case == "first" then experiment.not_judged "no client had a cookie" end
  end,
  control = { connect = "plain", case = "again" },

  figures = function(outcome)
    local texts = {}
    for _, r in ipairs(outcome.clients) do
      if r.case == "first" or r.case == "again" then texts[#texts + 1] = ("%s %d ms"):format(r.case, r.ms) end
    end
    return table.concat(texts, ", ")
  end,
}
