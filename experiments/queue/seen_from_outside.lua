-- Claim. Without privilege, and without a word from server or clients, lunet queues counts who in a queue has left, and
-- how.
--
-- Why. The depth (sk_ack_backlog) counts ghosts like everybody else, and ss(8) shows no more. But sock_diag(7) lists
-- queued connections, too: they have no inode, since no program holds them. One whose FIN has come is in CLOSE_WAIT
-- (net/ipv4/tcp_input.c, tcp_fin). One that was reset is in no list, and keeps its place (tcp_reset): the depth less
-- the listed ones counts these. Depth and list are read at different moments, so the difference counts only if nothing
-- came in between. PassiveOpens of /proc/net/snmp proves that. A half-closed client, which still waits for its answer,
-- looks like one that has closed. A client that vanished without a segment looks like one that is there (`vanished`).
--
-- Where it was met. On-call engineers who see "Recv-Q 51, Send-Q 50" in ss and wonder whether anybody still waits: a
-- restart drops live clients, and patience carries out the requests of dead ones.
--
-- What to do. Run lunet queues before you restart or scale. If most of the queue has left, end the old server, do not
-- let it catch up. Alert on the share that has left, not on the depth.
local lunet = require "lunet"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local json = require "lunet.text.json"
local lab = require "lunet.lab"
local lfs = require "lfs"
local needs = require "lunet.run.needs"
local nobody = require "lunet.peer.nobody"
local peer_process = require "lunet.peer.process"

local LISTENERS <const> = { { port = 7300, address = "0.0.0.0" }, { port = 7301, address = "::" },
  { port = 7302, address = "0.0.0.0" } }
local KINDS <const> = { "closed", "half", "reset", "vanished", "live" }
local BYTES <const> = 10 -- of a request at the first listener; twice as many at the second one, and so on
local SPARE <const> = 5 -- places that stay free
local GRAIN <const> = 0.02 -- s; the kernel counts the age of bytes in jiffies
local USERS <const> = { own = function(words) return words end, nobody = nobody.words }

-- How many clients of a kind come to the listener with this number.
local function share_of(count, number)
  return count // #LISTENERS + (number <= count % #LISTENERS and 1 or 0)
end

local function all_of(knobs, number)
  local count = 0
  for _, kind in ipairs(KINDS) do count = count + share_of(knobs[kind], number) end
  return count
end

-- This lunet; a stock lua5.4 finds the one that is installed.
local function find_lunet()
  local own = lfs.symlinkattributes("/proc/self/exe", "target")
  return own:find "/lunet$" and own or assert(needs.path "lunet", "lunet is missing: it runs as a program of its own")
end

local function run_queues(host, user, ...)
  local program = USERS[user] { find_lunet(), "queues", ... }
  local status, printed = peer_process.finish(host:exec(program))
  assert(status == 0, ("lunet queues ended with status %s and printed: %s"):format(status, printed))
  return printed
end

-- -- clients ----------------------------------------------------------------------------------

-- The server's socket for a client; nil if its kernel lists none.
local function listed(server, client)
  return lab.socket(server, { peer_address = client.address, local_port = client.to,
    state = { "ESTABLISHED", "CLOSE_WAIT" } }) -- clients of two listeners may have the same port
end

local leave = {
  closed = function(client) client.connection:close() end,
  half = function(client) assert(client.connection:shutdown()) end,
  reset = function(client) assert(client.connection:reset()) end,
  live = function() end,
  vanished = function(client, clients)
    local _, port = client.connection:address()
    assert(clients:drop { direction = "out", from_port = port, port = client.to })
    assert(client.connection:reset())
  end,
}

local function has_arrived(server, client)
  local socket = listed(server, client)
  if client.kind == "reset" then return not socket end
  local is_over = client.kind == "closed" or client.kind == "half"
  return socket and socket.receive_queue == client.bytes + (is_over and 1 or 0)
end

local function bring_clients(clients, listener, number, knobs)
  local list = {}
  for _, kind in ipairs(KINDS) do
    for _ = 1, share_of(knobs[kind], number) do
      local connection = lab.queue_client(clients, listener, { label = kind })
      list.before = list.before or lunet.now()
      assert(connection:send(("x"):rep(BYTES * number)))
      list.after = list.after or lunet.now()
      list[#list + 1] = { kind = kind, connection = connection, address = connection:address(),
        to = LISTENERS[number].port, bytes = BYTES * number }
    end
  end
  return list
end

local function let_leave(server, clients, list)
  for _, client in ipairs(list) do
    leave[client.kind](client, clients)
    lab.await(function() return has_arrived(server, client) end)
  end
end

-- -- looks ------------------------------------------------------------------------------------

-- The first client of each list has waited longest: the time from after its send until before the look is the least
-- age of its bytes.
local function look(server, clients, user, lists)
  local began = lunet.now()
  local at_server = assert(json.decode(run_queues(server, user, "--json")))
  local ended = lunet.now()
  local at_clients = assert(json.decode(run_queues(clients, user, "--json")))
  local queues, waiting = {}, {}
  for i, entry in ipairs(at_server.listeners) do
    queues[i] = { user = user, port = entry.port, depth = entry.depth, limit = entry.limit, drops = entry.drops,
      fin = entry.left_by_fin, rst = entry.left_by_reset, bytes = entry.bytes, half_open = entry.half_open,
      peak = entry.peak, oldest = entry.oldest_seconds, least = began - lists[i].after,
      most = ended - lists[i].before }
  end
  for i, entry in ipairs(at_clients.clients) do
    waiting[i] = { user = user, port = entry.port, waiting = entry.waiting, bytes = entry.bytes, queued = entry.queued }
  end
  table.sort(waiting, function(a, b) return a.port < b.port end)
  return queues, waiting
end

local function append(list, more) table.move(more, 1, #more, #list + 1, list) end

-- -- the check --------------------------------------------------------------------------------

-- The truth about a queue. The server's kernel takes a client that vanished for one that waits.
local function truth_of(knobs, number)
  local function share(kind) return share_of(knobs[kind], number) end
  local left = share "closed" + share "half"
  local reset = share "reset" + share "vanished"
  return { depth = all_of(knobs, number), limit = all_of(knobs, number) + SPARE, drops = 0, fin = left, rst = reset,
    bytes = BYTES * number * (left + share "live"), half_open = 0, peak = all_of(knobs, number) }
end

local function check_queues(outcome, knobs)
  expect.value("the number of entries", #outcome.queues, 2 * #LISTENERS)
  for i, row in ipairs(outcome.queues) do
    local number = (i - 1) % #LISTENERS + 1
    local name = ("%s, port %d"):format(row.user, row.port)
    expect.fields(name, row, truth_of(knobs, number))
    expect.fields(name, row, { user = i <= #LISTENERS and "own" or "nobody", port = LISTENERS[number].port })
    expect.value(name .. ": oldest", row.oldest, expect.between(row.least - GRAIN, row.most + GRAIN))
  end
end

local function check_clients(outcome, knobs)
  expect.value("the number of servers that clients wait for", #outcome.waiting, 2 * #LISTENERS)
  for i, row in ipairs(outcome.waiting) do
    local number = (i - 1) % #LISTENERS + 1
    local count = share_of(knobs.half, number) + share_of(knobs.live, number)
    expect.fields(("%s, clients of port %d"):format(row.user, row.port), row, {
      user = i <= #LISTENERS and "own" or "nobody", port = LISTENERS[number].port, waiting = count,
      bytes = BYTES * number * count, queued = 0 })
  end
end

local function sentence_of(knobs)
  local truth = truth_of(knobs, 1)
  return ("%d of %d clients in the queue of :%d have gone (%d by FIN, %d by RST)"):format(truth.fin + truth.rst,
    truth.depth, LISTENERS[1].port, truth.fin, truth.rst)
end

return experiment {
  claim = "Without privilege, and without a word from server or clients, lunet queues counts who in a queue has left, "
    .. "and how.",
  knobs = {
    closed = { 14, "clients", "how many close: a FIN", min = 6, max = 1000 },
    half = { 13, "clients", "how many only end their side: a FIN, too", min = 3, max = 1000 },
    reset = { 13, "clients", "how many reset", min = 3, max = 1000 },
    live = { 10, "clients", "how many stay", min = 3, max = 1000 },
    vanished = { 0, "clients", "how many reset without a segment that arrives", min = 0, max = 1000 },
    wait = { 0.1, "s", "how long the clients wait before anybody leaves", min = 0, max = 60 },
  },
  -- Each row of `queues` is what lunet queues told of one listener; of `waiting`, what it told where the clients are.
  columns = { "user", "port", "depth", "limit", "drops", "fin", "rst", "waiting", "queued", "bytes", "half_open",
    "peak", "oldest", "least", "most" },
  control = { vanished = 1 },

  run = function(knobs)
    local server, clients = lab.hosts { "server", "clients" }
    local lists = {}
    lunet.note "Clients fill three queues. Nobody accepts."
    for number, where in ipairs(LISTENERS) do
      local listener = lab.listen(server, { address = where.address, port = where.port,
        backlog = all_of(knobs, number) + SPARE })
      lists[number] = bring_clients(clients, listener, number, knobs)
    end
    lunet.sleep(knobs.wait)
    lunet.note "Most of them leave: by FIN, by RST, or with one half of their connection."
    for _, list in ipairs(lists) do let_leave(server, clients, list) end

    local outcome = { queues = {}, waiting = {} }
    for _, user in ipairs { "own", "nobody" } do
      local queues, waiting = look(server, clients, user, lists)
      append(outcome.queues, queues)
      append(outcome.waiting, waiting)
    end
    outcome.sentence = run_queues(server, "nobody", "--port", 7300):gsub("\n", " "):match "%d+ of [^;]*%)"
    return outcome
  end,

  check = function(outcome, knobs)
    check_queues(outcome, knobs)
    check_clients(outcome, knobs)
    expect.value("the sentence", outcome.sentence, sentence_of(knobs))
  end,

  figures = function(outcome) return outcome.sentence end,
}
