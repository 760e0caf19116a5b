-- Claim. A forwarder that listens lets its client connect at once, whether its server refuses, has a full queue or
-- never accepts.
--
-- Why. The kernel of the forwarder's host completes the client's handshake (listen(2)). The program accepts the client,
-- and only then connects to the server: the client's connect(2) is over before the forwarder knows of the server. The
-- forwarder can report a failure only by the end of the connection, or by words of its protocol, such as 502. Until
-- then it reads what the client sends. A FIN is the end of that data: most forwarders still deliver the data when the
-- server has room. An RST ends the connection, and each forwarder chooses what to do with the data that it has. A
-- forwarder without a listening socket, such as the kernel's NAT, answers only when its server has answered.
--
-- Where it was met. Health checks that connect to a proxy and call the server healthy; connect timeouts that never
-- fire; connections that end at once, without a word, where the client's library knows no "connection refused".
--
-- What to do. Check the server by a request and its answer, not by a connect. Bound the wait for the answer, and do not
-- take a FIN before the first byte for an empty answer. Give requests an identity: a client that left may still be
-- served.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local features = require "lunet.network.features"
local forwarder = require "lunet.peer.forwarder"
local lab = require "lunet.lab"
local lunet = require "lunet"

local AT_ONCE = 4 -- forwarders that do something side by side: more would make each other late
local LONGEST = 600 -- s; the longest wait for a turn
local HAS_LINEAR = features.has_sysctl "net.ipv4.tcp_syn_linear_timeouts" -- without it the kernel has none
local SERVERS = { "closed", "full", "frozen" }
local DEPARTURES = { "close", "reset" }
local ROOM = 32 -- clients that the queue of the frozen server takes
local LATE = 1.5 -- s; some forwarders give up a full queue after 3 s
local TURN = 0.05 -- s between two looks
local TOLD = 4 -- s in which each forwarder tells its client of a closed port: HAProxy after 3 s
local SILENT = 20 -- s in which none tells its client of a frozen server: pasta after 24 s

-- Why forwarders of the library cannot be started here: "NAME: why".
local function refusals_of(knobs)
  local left_out = {}
  for _, name in ipairs(knobs.forwarder == "all" and forwarder.names() or {}) do
    local refused = forwarder.refusal(name)
    if refused then left_out[#left_out + 1] = ("%s: %s"):format(name, refused) end
  end
  return left_out
end

-- The forwarders of a run that leaves these out.
local function names_of(knobs, left_out)
  if knobs.forwarder ~= "all" then return { knobs.forwarder } end
  local names, is_out = {}, {}
  for _, words in ipairs(left_out) do is_out[words:match "^[^:]*"] = true end
  for _, name in ipairs(forwarder.names()) do
    if not is_out[name] then names[#names + 1] = name end
  end
  return names
end

local function cases_of(knobs, left_out)
  local cases = {}
  for _, name in ipairs(names_of(knobs, left_out)) do
    for _, server in ipairs(choice.pick(SERVERS, knobs.server)) do
      cases[#cases + 1] = { forwarder = name, server = server }
    end
  end
  return cases
end

local function backlog_of(case) return case.server == "full" and 0 or ROOM end

local function host(name, knobs)
  return assert(lunet.host { name = name, sysctl = { ["net.ipv4.tcp_syn_retries"] = knobs.retries,
    ["net.ipv4.tcp_syn_linear_timeouts"] = knobs.linear } })
end

-- Three hosts in a row.
local function prepare(case, knobs, in_turn)
  local client, server = host("client", knobs), host("server", knobs)
  local between = host(select(2, forwarder.describe(case.forwarder)), knobs)
  local near, far = lunet.link(client, between), lunet.link(between, server)
  local listener
  if case.server ~= "closed" then listener = lab.listen(server, { backlog = backlog_of(case) }) end
  local place = { client = client, server = server, listener = listener }
  in_turn(function()
    place.version = forwarder.version(case.forwarder)
    place.running = forwarder.start(case.forwarder, between, { address = near:address(between),
      server = far:address(server), server_port = lab.PORT })
  end)
  return place
end

-- Accepts everybody, and collects what they send, until it is stopped.
local function collect(listener)
  local heard, is_over, open = "", false, 0
  local function read(connection)
    repeat
      local part, _, code = connection:receive(nil, lab.LONG)
      heard = heard .. (part or "")
    until code
    connection:close()
    open = open - 1
  end
  local acceptor = lunet.spawn(function()
    while not is_over do
      local connection = listener:accept(TURN)
      if connection then
        open = open + 1
        lunet.spawn(read, connection)
      end
    end
  end)
  local sink = {}
  function sink.has(word) return heard:find(word, 1, true) ~= nil end
  function sink.is_idle() return open == 0 and lab.depth(listener) == 0 end
  function sink.stop()
    is_over = true
    acceptor:join()
  end
  return sink
end

local function connect(place, label, timeout, knobs)
  local running = place.running
  if not knobs.direct then return running:connect(place.client, label, timeout) end
  local server = { address = running.server, port = running.server_port, label = label }
  return running.host:connect(server, timeout)
end

local function fill(place, case)
  return case.server == "full" and lab.fill_queue(place.server, place.listener) or {}
end

local function close_all(clients)
  for _, client in ipairs(clients) do client:close() end
end

-- How many requests wait in the server's queue.
local function queued_requests(place)
  local count = 0
  for _, socket in ipairs(assert(place.server:sockets { local_port = lab.PORT, state = "ESTABLISHED" })) do
    if not socket.owned and socket.receive_queue > 0 then count = count + 1 end
  end
  return count
end

local function await_rest(place)
  assert(place.running:await_rest(lab.LONG), place.running.name .. " does not rest")
end

-- The addresses from which the forwarder is connected to the server, or tries to be.
local function outgoing_addresses(running)
  local addresses = {}
  for _, socket in ipairs(running:outgoing()) do addresses[socket.local_address] = true end
  return addresses
end

-- Whether it has tried to connect since then. It may have given up former attempts, so their number does not tell.
local function has_tried(running, known)
  for address in pairs(outgoing_addresses(running)) do
    if not known[address] then return true end
  end
  return false
end

-- A client that leaves its request with the forwarder. Waits until the request is in the server's queue or, if that is
-- full, until the forwarder tries to connect: pen does not if the machine was so late that it has given up the server.
local function ask(place, case, word, knobs)
  local running, is_frozen = place.running, case.server == "frozen"
  local known, before = outgoing_addresses(running), queued_requests(place)
  local connects = not knobs.direct and (running.description.listens or is_frozen)
  local client = connect(place, word, connects and lab.LONG or knobs.patience, knobs)
  if not client then return nil end
  client:send(running:request(word), lab.LONG)
  if is_frozen then
    lab.await(function() return queued_requests(place) > before end)
  else
    lunet.eventually(function() return has_tried(running, known) end, LATE + knobs.patience)
  end
  await_rest(place) -- it has read the request, too
  return client
end

-- Clients that leave while the server is full or frozen. Returns the words of those that had connected, by departure,
-- and whether the queue was free too late.
local function leave(place, case, knobs, row)
  local words, clients, began = {}, {}, lunet.now()
  local fillers = fill(place, case)
  for _, departure in ipairs(choice.pick(DEPARTURES, knobs.departure)) do
    local word = "left-by-" .. departure
    clients[departure] = ask(place, case, word, knobs)
    words[departure] = clients[departure] and word
    row["by_" .. departure] = words[departure] and "no" or "not connected"
  end
  for departure, client in pairs(clients) do place.running:leave(client, departure) end
  await_rest(place)
  lunet.sleep(knobs.patience)
  assert(place.listener:resize(ROOM))
  close_all(fillers)
  return words, lunet.now() - began > LATE + knobs.patience
end

-- The server accepts. Waits until all their requests came, or none can come any more.
local function deliver(place, words, is_late, knobs, row)
  local sink <const>, next_look = collect(place.listener), 0
  lunet.eventually(function()
    local missing = 0
    for departure, word in pairs(words) do
      if sink.has(word) then row["by_" .. departure] = "yes" else missing = missing + 1 end
    end
    if missing == 0 or lunet.now() < next_look then return missing == 0 end
    next_look = lunet.now() + TURN -- a look takes more time than all else
    return #place.running:outgoing() == 0 and sink.is_idle()
  end, knobs.longest)
  sink.stop()
  for departure in pairs(words) do
    local field = "by_" .. departure
    if row[field] == "no" and is_late then row[field] = "late" end
  end
end

-- Waits until nothing is added to a log for some time, and returns its words about the last client.
local function settled_log(running, before, quiet)
  local log, since = running:log(), lunet.now()
  while lunet.now() - since < quiet do
    lunet.sleep(TURN)
    local more = running:log()
    if more ~= log then log, since = more, lunet.now() end
  end
  return running:logged(log:sub(before + 1))
end

-- Whether the server's kernel has a connection from another host.
local function is_reached(place)
  for _, socket in ipairs(assert(place.server:sockets { local_port = lab.PORT, state = "ESTABLISHED" })) do
    if socket.local_address:match "^(.*):" ~= socket.peer_address:match "^(.*):" then return true end
  end
  return false
end

-- A client that waits until it hears of the server.
local function wait(place, knobs, row)
  local running, began = place.running, lunet.now()
  local log_before = #running:log()
  local client, _, code = connect(place, "W", knobs.longest, knobs)
  row.connect, row.told = client and "ok" or code, client and "nothing" or code
  -- An RST came between the handshake and lunet's look. One in place of a handshake is ECONNREFUSED
  -- (net/ipv4/tcp_input.c, tcp_reset).
  if code == "ECONNRESET" then row.connect, row.told = "ok", "RST" end
  if client then
    if running.description.speaks_first or knobs.speaks then client:send(running:request "wait", lab.LONG) end
    row.told = running:await_end(client, math.max(0, began + knobs.longest - lunet.now()))
  end
  row.after, row.reached = lunet.now() - began, is_reached(place)
  row.logged = settled_log(running, log_before, knobs.patience)
  if client then client:close() end
end

local function measure(place, case, knobs, in_turn)
  local running <close> = place.running
  local row = { forwarder = case.forwarder, server = case.server, by_close = "-", by_reset = "-",
    program = running.name .. " " .. place.version }
  if place.listener then
    local words, is_late = in_turn(leave, place, case, knobs, row)
    deliver(place, words, is_late, knobs, row)
    lunet.sleep(knobs.patience) -- what is logged of them comes before the next client
    assert(place.listener:resize(backlog_of(case)))
  end
  local fillers = fill(place, case)
  wait(place, knobs, row)
  close_all(fillers)
  return row
end

local function is_one_of(word, words)
  for _, one in ipairs(words) do
    if word == one then return true end
  end
  return false
end

-- How a client is told. A forwarder that has not read the client's request sends an RST by close(2).
local function check_told(name, row, description, knobs, late)
  local is_over = row.told == "nothing" or row.told == "TIMEOUT"
  if is_over then expect.value(name .. ": after", row.after, expect.at_least(knobs.longest)) end
  if not is_over and row.after >= knobs.longest then late[#late + 1] = name end
  if row.connect ~= "ok" then return expect.value(name .. ": told", row.told, row.connect) end
  if row.server == "closed" and knobs.longest < TOLD then return end
  if row.server == "frozen" and knobs.longest > SILENT then return end
  local may_wait = row.server == "full" or row.server == "frozen"
  local is_told = row.server ~= "frozen" and (is_one_of(row.told, description.tells or { "FIN" })
    or knobs.speaks and row.told == "RST")
  if not is_told and not (may_wait and is_over) then error(("%s: told is %s"):format(name, row.told), 0) end
end

-- The claim about a row. Notes the rows that the machine disturbed.
local function check_row(row, knobs, late)
  local name, description = row.forwarder .. ", " .. row.server, forwarder.describe(row.forwarder)
  local connects = description.listens or row.server == "frozen"
  if connects then expect.value(name .. ": connect", row.connect, "ok") end
  if not connects and row.connect == "ok" then error(name .. ": connect is ok", 0) end
  if knobs.longest <= SILENT then expect.value(name .. ": reached", row.reached, row.server == "frozen") end
  check_told(name, row, description, knobs, late)
  for _, departure in ipairs(DEPARTURES) do
    local delivers = row.server == "frozen" or description.delivers[departure]
    local is_asked = row.server ~= "closed" and is_one_of(departure, choice.pick(DEPARTURES, knobs.departure))
    local wanted = not is_asked and "-" or not connects and "not connected" or delivers and "yes" or "no"
    local delivered = row["by_" .. departure]
    if delivered == "late" and wanted == "yes" then
      late[#late + 1] = name
    else
      expect.value(("%s: by_%s"):format(name, departure), delivered == "late" and "no" or delivered, wanted)
    end
  end
  expect.value(name .. ": the program", row.program:match "^(.*) %S+$", select(2, forwarder.describe(row.forwarder)))
end

return experiment {
  claim = "A forwarder that listens lets its client connect at once, whether its server refuses, has a full queue or "
    .. "never accepts.",
  knobs = {
    forwarder = { "all", "forwarder", "one of lua/lunet/peer/forwarders, or the path of such a file" },
    server = { "all", "server", "closed: nobody listens; full: so is its queue; frozen: it never accepts",
      choices = choice.of(SERVERS) },
    departure = { "all", "way", "how clients leave that do not wait", choices = choice.of(DEPARTURES) },
    patience = { 0.3, "s", "how long a client that leaves waits, and how long a log must rest", min = 0 },
    longest = { 8.5, "s", "how long a client waits that does not leave", min = 0 },
    speaks = { false, "", "whether the client that waits has sent its request" },
    retries = { 2, "SYNs", "tcp_syn_retries of the clients' and the forwarders' hosts", min = 1, max = 6 },
    linear = { HAS_LINEAR and 4 or 0, "SYNs", "tcp_syn_linear_timeouts of these hosts", min = 0, max = 10 },
    direct = { false, "", "whether the clients connect to the server itself, past the forwarder" },
  },
  -- connect: what it said. reached: whether the server's kernel had its connection in the end. told: how the client
  -- that waited heard of the server; after: in seconds. logged: in which words. by_close, by_reset: whether the request
  -- of a client that had left so was delivered; late: it was not, but the machine kept the queue full for longer than
  -- some forwarders try.
  columns = { "forwarder", "server", "connect", "reached", "told", "after", "logged", "by_close", "by_reset",
    "program" },
  needs = function(knobs) return forwarder.needs(names_of(knobs, refusals_of(knobs))) end,
  control = { direct = true, forwarder = "socat" },

  run = function(knobs)
    local in_turn, left_out = lab.turns(AT_ONCE, LONGEST), refusals_of(knobs)
    local rows = lunet.together(cases_of(knobs, left_out), function(case) return prepare(case, knobs, in_turn) end,
      function(place, case) return measure(place, case, knobs, in_turn) end)
    return { rows = rows, left_out = left_out }
  end,

  check = function(outcome, knobs)
    expect.cases("rows", outcome.rows, cases_of(knobs, outcome.left_out), { "forwarder", "server" })
    for _, words in ipairs(outcome.left_out) do
      local name = words:match "^[^:]*"
      expect.value(name .. ": needs a device", forwarder.describe(name).device ~= nil, true)
    end
    local late = {}
    for _, row in ipairs(outcome.rows) do check_row(row, knobs, late) end
    if #late > 0 then experiment.not_judged("the machine was late with %s", table.concat(late, "; ")) end
  end,

  figures = function(outcome)
    local full, by_close, by_reset = 0, 0, 0
    for _, row in ipairs(outcome.rows) do
      if row.server == "full" and row.connect == "ok" then
        full = full + 1
        by_close = by_close + (row.by_close == "yes" and 1 or 0)
        by_reset = by_reset + (row.by_reset == "yes" and 1 or 0)
      end
    end
    return ("%d connect though the queue is full; %d deliver after a FIN, %d after an RST"):format(full, by_close,
      by_reset)
  end,
}
