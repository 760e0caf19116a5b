-- Claim. However a path ends, a client that only waits for a reply learns nothing of it. A connect, sent data and
-- keepalive learn after different times, by different codes.
--
-- Why. TCP notices an end only by a segment that nobody acknowledges (net/ipv4/tcp_timer.c): a SYN (tcp_syn_retries),
-- data (tcp_retries2), a keepalive probe. A receive sends nothing, and so asks nobody: not even a rule that answers
-- everything by RST gets something to answer. ICMP ends only a connect (RFC 1122, 4.2.3.9). On a connection it merely
-- names the error, should the timer end it (tcp_v4_err, sk_err_soft). A lost carrier ends nothing either: addresses and
-- routes stay, and TCP sends again when the carrier is back. A path that loses only data is the worst: connect and
-- keepalive work.
--
-- Where it was met. Pools whose connections died at a firewall, and that noticed at the next query. A switch that was
-- restarted while clients waited. A path with a smaller MTU, over which health checks work.
--
-- What to do. Bound every wait: a deadline for each receive, keepalive or user_timeout for each connection. Check
-- health with as many bytes as requests have. Neither a carrier nor an answer to a keepalive probe is an answer of the
-- server.
local choice = require "lunet.run.choice"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"
local lunet = require "lunet"
local option_table = require "lunet.text.options"
local statistics = require "lunet.load.statistics"

local LONG = lab.LONG
local AFTER = 1 -- s; how long after the healing each connection is tried again
local AT_ONCE = 0.5 -- s, besides the lateness of the machine
local FIRST_RTO = 0.2 -- s; TCP_RTO_MIN, from which the kernel computes what tcp_retries2 means
local NEIGHBOUR = 3 -- s, after which the kernel gives up asking for a neighbour
local SLOW = 0.1 -- s; how much too long a time may be, besides the lateness of the machine
local ROUNDS = 40 -- of bytes there and back, until the kernel has forgotten a slow handshake
local WORD = "hello"

local function by_rule(options)
  return function(place)
    local rule = assert(place.server:drop(options))
    return function() rule:close() end
  end
end

local function by_link(act)
  return function(place)
    assert(act(place.link, place))
    return function() assert(place.link:mend()) end
  end
end

-- A host forgets its neighbours when its carrier goes, and must ask for them again when that is back.
local function lose_neighbours(link, place)
  assert(link:cut { silently = true })
  for _, host in ipairs { place.server, place.client } do
    assert(link:unplug(host))
    assert(link:plug(host))
  end
  return true
end

-- A router forwards until its kernel has taken its links down, a moment later.
local function lose_router(place)
  place.router:close()
  lab.await(function() return place.server:sysctl "net.ipv4.conf.eth0.forwarding" == nil end)
end

-- connect, send, keepalive, queued: the codes of those that learn of it, at the client; of queued at the server, which
-- accepts the connection and answers. may: what those that send hear instead now and then. is_instant: those that learn
-- of it at once. is_lost: nothing heals it. syn_retries: the kernel gives a neighbour up after 3 s, and then some SYNs
-- must still be left. Two are too few for Linux 6.1, which says ETIMEDOUT: the SYN still waits for the neighbour, so
-- the kernel's own ICMP error makes it send once more at once (tcp_ld_RTO_revert, RFC 6069). From 6.5 on the first SYNs
-- do not back off, and nothing is reverted.
local TIMES_OUT = "ETIMEDOUT"
local WAYS = {
  { way = "silence", cut = by_rule { direction = "both" }, connect = TIMES_OUT, send = TIMES_OUT,
    keepalive = TIMES_OUT, queued = TIMES_OUT },
  { way = "no answers", cut = by_rule { direction = "out" }, connect = TIMES_OUT, send = TIMES_OUT,
    keepalive = TIMES_OUT, queued = TIMES_OUT },
  { way = "no data", cut = by_rule { direction = "both", flags = "data" }, connect = "success", send = TIMES_OUT,
    queued = TIMES_OUT, is_instant = { connect = true } },
  { way = "reset", cut = by_rule { reject = "reset" }, connect = "ECONNREFUSED", send = "ECONNRESET",
    keepalive = "ECONNRESET", queued = "ECONNRESET", is_instant = { connect = true, send = true } },
  { way = "port unreachable", cut = by_rule { reject = "unreachable" }, connect = "ECONNREFUSED",
    send = "ECONNREFUSED", keepalive = TIMES_OUT, queued = TIMES_OUT, is_instant = { connect = true } },
  { way = "host unreachable", cut = by_rule { reject = "host-unreachable" }, connect = "EHOSTUNREACH",
    send = "EHOSTUNREACH", keepalive = TIMES_OUT, queued = TIMES_OUT, is_instant = { connect = true } },
  { way = "prohibited", cut = by_rule { reject = "prohibited" }, connect = "EHOSTUNREACH", send = "EHOSTUNREACH",
    keepalive = TIMES_OUT, queued = TIMES_OUT, is_instant = { connect = true } },
  { way = "dead neighbour", cut = by_link(lose_neighbours), syn_retries = 3, connect = "EHOSTUNREACH",
    send = TIMES_OUT, keepalive = TIMES_OUT, queued = TIMES_OUT },
  { way = "cable out here", cut = by_link(function(link, place) return link:unplug(place.client) end),
    connect = TIMES_OUT, send = TIMES_OUT, keepalive = TIMES_OUT, queued = TIMES_OUT },
  { way = "cable out there", cut = by_link(function(link, place) return link:unplug(place.server) end),
    connect = TIMES_OUT, send = TIMES_OUT, keepalive = TIMES_OUT, queued = TIMES_OUT },
  { way = "interface removed", cut = function(place) place.link:close() end, is_lost = true, connect = "ENETUNREACH",
    send = TIMES_OUT, keepalive = TIMES_OUT, queued = TIMES_OUT, may = "ENETUNREACH", is_instant = { connect = true } },
  { way = "router gone", has_router = true, cut = lose_router, is_lost = true, connect = TIMES_OUT, send = TIMES_OUT,
    keepalive = TIMES_OUT, queued = TIMES_OUT },
  { way = "route lost", has_router = true, cut = function(place) place.link:close() end, is_lost = true,
    connect = "ENETUNREACH", send = "ENETUNREACH", keepalive = TIMES_OUT, queued = TIMES_OUT,
    is_instant = { connect = true } },
  { way = "host gone", cut = function(place) place.server:close() end, is_lost = true, connect = "ENETUNREACH",
    send = TIMES_OUT, keepalive = TIMES_OUT, queued = "CLOSED", is_instant = { connect = true, queued = true } },
}

local ACTS = { "connect", "send", "receive", "keepalive", "queued" }

-- Exchanges bytes until the retransmission timeout is that of a quick path. On a busy machine the handshake may have
-- been slow, and times would be judged by that.
local function settle_timeout(near, far)
  for _ = 1, ROUNDS do
    assert(near:send(WORD))
    assert(far:receive(#WORD, LONG))
    if assert(near:info()).tcpi_rto / 1e6 <= FIRST_RTO + lateness.GRAIN then return end
  end
end

-- A link between the server and the client; or between the server and a router, which a switch joins with the client.
local function join(place, way, sysctl)
  if not way.has_router then
    place.link = lunet.link(place.server, place.client, { delay = 0 })
    return
  end
  place.router = assert(lunet.host { name = "router", sysctl = sysctl })
  assert(place.router:sysctl("net.ipv4.ip_forward", 1))
  place.link = lunet.link(place.server, place.router)
  local switch = lunet.lan { place.router, place.client }
  assert(place.client:route("default", switch:address(place.router)))
  assert(place.server:route("default", place.link:address(place.router)))
end

local function prepare(knobs, way)
  -- Not icmp_ratelimit: by its default a router that has lost its route answers twice, and then nothing while segments
  -- keep coming. With 0 routers up to 6.12 answer once a second at most (ip_error, inet_peer_xrlim_allow).
  local sysctl = { ["net.ipv4.tcp_retries2"] = knobs.retries2, ["net.ipv4.icmp_ratemask"] = 0,
    ["net.ipv4.tcp_syn_retries"] = way.syn_retries or knobs.syn_retries }
  local place = { near = {}, far = {} }
  place.server = assert(lunet.host { name = "server", sysctl = sysctl })
  place.client = assert(lunet.host { name = "client", sysctl = sysctl })
  join(place, way, sysctl)
  place.target = { address = place.link:address(place.server), port = lab.PORT }
  place.listener = lab.listen(place.server, { backlog = 8 })
  for _, act in ipairs { "send", "receive", "keepalive" } do
    place.near[act] = assert(place.client:connect(option_table.merged(place.target, { keepidle = 1, keepintvl = 1,
      keepcnt = 1, keepalive = act == "keepalive" or act == "receive" and knobs.waits == "keepalive" }), LONG))
    place.far[act] = assert(place.listener:accept(LONG))
  end
  place.near.queued = assert(place.client:connect(place.target, LONG))
  lab.await_depth(place.listener, 1)
  settle_timeout(place.near.send, place.far.send)
  return place
end

local function wait_at(connection, patience) return select(3, connection:receive(1, patience)) end

-- Returns the retransmission timeout, too.
local function send_and_wait(connection, patience)
  local rto = statistics.round(assert(connection:info()).tcpi_rto / 1e6, 3)
  assert(connection:send(WORD))
  return wait_at(connection, patience), rto
end

-- By name; each returns what it learned.
local acts = {
  connect = function(place, patience)
    local connection, _, code = place.client:connect(place.target, patience)
    place.near.connect = connection
    return connection and "success" or code
  end,
  send = function(place, patience) return send_and_wait(place.near.send, patience) end,
  receive = function(place, patience) return wait_at(place.near.receive, patience) end,
  keepalive = function(place, patience) return wait_at(place.near.keepalive, patience) end,
  queued = function(place, patience)
    local accepted, _, code = place.listener:accept(0)
    if not accepted then return code end
    place.far.queued = accepted
    return send_and_wait(accepted, patience)
  end,
}

-- Looks at one connection a second after the healing: does something that one end sends then reach the other?
local function look_after(place, act, row)
  if act == "connect" then
    local connection, _, code = place.client:connect(place.target, AFTER)
    return connection and "works" or code
  end
  local near, far = place.near[act], place.far[act]
  if row.code then return "has ended" end
  local sent, _, code = far:send(WORD)
  if not sent then return code end
  local data, _, why = near:receive(#WORD, AFTER)
  return data and "works" or why
end

local function run_act(place, way, act, knobs, began)
  local code, rto = acts[act](place, knobs.patience)
  return { way = way.way, act = act, code = code ~= "TIMEOUT" and code or nil, rto = rto,
    seconds = statistics.round(lunet.now() - began, 2) }
end

-- Returns also how long the cut took. The path may have ended so much earlier than the acts begin.
local function watch(place, way, knobs)
  local cutting = lunet.now()
  local heal = way.cut(place)
  local began, tasks, rows = lunet.now(), {}, {}
  for i, act in ipairs(ACTS) do tasks[i] = lunet.spawn(run_act, place, way, act, knobs, began) end
  for i, task in ipairs(tasks) do rows[i] = select(2, assert(task:join(LONG + knobs.patience))) end
  if not heal then return rows, began - cutting end
  heal()
  lunet.sleep(AFTER)
  for i, act in ipairs(ACTS) do rows[i].after = look_after(place, act, rows[i]) end
  return rows, began - cutting
end

-- The least and the most seconds after which an act learns a code.
local function bounds_of(way, row, code, knobs)
  local act = row.act
  local is_instant = way.is_instant and way.is_instant[act]
  if not code then return knobs.patience, knobs.patience + AT_ONCE end
  if is_instant or act == "queued" and code == "ECONNRESET" then return 0, AT_ONCE end
  if act == "connect" then
    local least = way.syn_retries and NEIGHBOUR or 2 ^ (knobs.syn_retries + 1) - 1
    return least, least * lateness.TIMER
  end
  if act == "keepalive" then -- the first probe comes within a second, the end of the wait for its answer a second later
    local least = code == "ECONNRESET" and 0 or 1
    return least, (least + 1) * lateness.TIMER
  end
  local least = FIRST_RTO * (2 ^ (knobs.retries2 + 1) - 1)
  return least, (2 * least + 4 * row.rto) * lateness.TIMER
end

local function check_after(what, row, late)
  local wanted = (row.act == "connect" or row.code == nil) and "works" or "has ended"
  if row.after ~= wanted and late > AT_ONCE then experiment.not_judged("%s: the machine was %g s late", what, late) end
  assert(row.after == wanted, ("%s: a second after the healing: %s"):format(what, row.after))
end

local function check_row(way, row, knobs, late)
  local what = ("%s, %s"):format(way.way, row.act)
  local least, most = bounds_of(way, row, way[row.act], knobs)
  if not row.code and way[row.act] and most + SLOW + late > knobs.patience then
    experiment.not_judged("%s: watched for too short a time: the machine was %g s late", what, late)
  end
  if row.code == "EHOSTUNREACH" and way[row.act] == TIMES_OUT and row.seconds >= NEIGHBOUR - lateness.GRAIN then
    experiment.not_judged("%s: the machine was so late that the search for the neighbour ended first", what)
  end
  local may = (row.act == "send" or row.act == "queued") and way.may
  assert(row.code == way[row.act] or row.code and row.code == may,
    ("%s: %s"):format(what, row.code or "it learned nothing"))
  local early = least - lateness.GRAIN - row.seconds
  if early > 0 and early <= late then experiment.not_judged("%s: the machine was %g s late", what, late) end
  assert(early <= 0, ("%s: after %g s, less than %g"):format(what, row.seconds, least))
  lateness.at_most(what, row.seconds, most + SLOW, late)
  if way.is_lost then assert(row.after == nil, what .. ": nothing heals that") else check_after(what, row, late) end
end

return experiment {
  claim = "However a path ends, a client that only waits for a reply learns nothing of it. A connect, sent data and "
    .. "keepalive learn after different times, by different codes.",
  knobs = {
    way = { "all", "end", "how the path ends", choices = choice.of(WAYS, "way") },
    waits = { "bare", "option", "of the client that only waits", choices = { "bare", "keepalive" } },
    retries2 = { 2, "doublings", "tcp_retries2 of both hosts", min = 1, max = 6 },
    syn_retries = { 1, "SYNs", "tcp_syn_retries of the client", min = 1, max = 3 },
    patience = { 6.0, "s", "how long each connection is watched; later codes count as none", min = 4, max = 600 },
  },

  run = function(knobs)
    lunet.note "Each way to end a path has a server and a client of its own, and five connections."
    local outcome, longest_cut = { rows = {} }, 0
    local lists, late = lab.measure(choice.pick(WAYS, knobs.way, "way"), function(way) return prepare(knobs, way) end,
      function(place, way)
        local rows, cut = watch(place, way, knobs)
        longest_cut = math.max(longest_cut, cut)
        return rows
      end)
    for _, list in ipairs(lists) do table.move(list, 1, #list, #outcome.rows + 1, outcome.rows) end
    outcome.lateness = statistics.round(math.max(late, longest_cut), 3)
    return outcome
  end,

  check = function(outcome, knobs)
    local ways = choice.pick(WAYS, knobs.way, "way")
    assert(#outcome.rows == #ways * #ACTS, "there is a row of every act")
    for i, row in ipairs(outcome.rows) do
      local way = ways[(i - 1) // #ACTS + 1]
      assert(row.way == way.way and row.act == ACTS[(i - 1) % #ACTS + 1], "the rows are in order")
      check_row(way, row, knobs, outcome.lateness)
    end
  end,

  control = { waits = "keepalive" },
  -- code: what the act learned, after so many seconds; none: nothing until patience was over. after: whether the
  -- connection works a second after the healing; of connect, whether a new one does. rto: the kernel's retransmission
  -- timeout before the send, in seconds.
  columns = { "way", "act", "code", "seconds", "after", "rto" },
  figures = function(outcome)
    local learned, waited = 0, 0
    for _, row in ipairs(outcome.rows) do
      if row.act == "receive" then waited = waited + 1 elseif row.code then learned = learned + 1 end
    end
    return ("%d ends: %d acts learned of them, no waiting client did"):format(waited, learned)
  end,
}
