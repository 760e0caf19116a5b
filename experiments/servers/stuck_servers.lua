-- Claim. A stuck worker hangs nobody if others take from the same queue, else its share, whose requests it carries out
-- later. A graceful stop may reset queued clients; a reload serves them.
--
-- Why. Workers that wait at one listening socket are woken in turn (inet_csk_wait_for_connect, ep_poll). A stopped
-- process does not wait, so a free one takes the next client. With SO_REUSEPORT each worker has a queue of its own, and
-- the kernel picks it by a hash, whatever its worker does. memcached's main thread hands clients to threads in turn.
-- HAProxy prefers the thread with the fewest, and Node's primary process a worker that has taken the client before. The
-- client of a stuck worker cannot tell whether it was accepted. Its request stays in the kernel when it leaves. A
-- listening socket that its last process closes resets its queue (inet_csk_listen_stop). Servers close it when they are
-- told to stop, and then serve the clients that they have accepted. Each worker of nginx takes one client more. While a
-- busy worker keeps the socket open, connects still succeed, and are reset when it ends. At a reload the next workers
-- inherit the socket. HAProxy's next process asks the old one for it, and after a second takes one of its own.
--
-- Where it was met. One request in n that hangs, while the status page says that all workers are idle. A retry that
-- helps at one server, and at another only by luck. Resets at every deployment, although SIGTERM is graceful.
--
-- What to do. Know how clients come to workers (`handed`), and retry from a new port. Check a worker by a request of
-- its own, not by the server's counts. Reload in place of a stop, or leave the load balancer first.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local pool = require "lunet.peer.pool"

local AT_ONCE = 3 -- cases side by side: more would make each other late
local ATTEMPTS = 3 -- at an order of which the machine keeps the workers busy for too long
local LOOK = 0.2 -- s between two looks whether a worker has ended; each reads the list of all processes
local LOAD = 20 -- s, within which a server that has nothing to do comes to rest
local QUIET = 1 -- s without new evidence, after which a request counts as not carried out
local HASHED = 10 -- so many clients meet each of two workers by a hash, but for one run in 500
local SOME = { "nginx", "nginx_reuseport", "gunicorn", "node_cluster", "memcached" }
local HAPPENINGS = { "stuck", "stop", "reload" }

local function names_of(knobs)
  return knobs.server == "all" and pool.names() or knobs.server == "some" and SOME or { knobs.server }
end

-- A case for each server and event, except orders that a server does not know.
local function cases_of(knobs)
  local cases = {}
  for _, name in ipairs(names_of(knobs)) do
    local description, short = pool.describe(name)
    for _, what in ipairs(choice.pick(HAPPENINGS, knobs.happens)) do
      if what == "stuck" or description.graceful[what] then
        cases[#cases + 1] = { path = name, server = short, order = what, description = description,
          limit = what == "reload" and description.hands_over or math.huge }
      end
    end
  end
  return cases
end

local function start(case, knobs)
  local server, clients = assert(lunet.host(case.server)), assert(lunet.host "clients")
  local link = lunet.link(server, clients)
  local running = pool.start(case.path, server, knobs.workers, { address = link:address(server) })
  return { running = running, clients = clients, server = server, workers = pool.workers(running),
    program = ("%s %s"):format(case.server, pool.version(case.path)) }
end

local function far_end_of(place, client)
  local _, port = client.connection:address()
  return place.running:far_end(port)
end

-- Connects clients one after the other, each with a request of its own, and waits for no answer.
local function ask_all(place, count, prefix)
  local clients = {}
  for i = 1, count do
    local word = ("%s%03d"):format(prefix, i)
    clients[i] = { word = word, connection = place.running:ask(place.clients, word, word) }
  end
  return clients
end

-- Waits until each client is answered, or its connection has ended, or for some seconds. Clients with an answer leave.
local function listen_to(place, clients, seconds)
  lunet.together(clients, function(client)
    local found, text, code = place.running.read_until(client.connection, place.running.description.answer, seconds)
    client.is_answered, client.received, client.code = found ~= nil, text, code
    if found then client.connection:close() end
  end)
end

local function pick(clients, is_wanted)
  local picked = {}
  for _, client in ipairs(clients) do
    if is_wanted(client) then picked[#picked + 1] = client end
  end
  return picked
end

local function is_waiting(client) return not client.is_answered and client.code == "TIMEOUT" end

-- The clients that hang: they have no answer in time, nor when the server has come to rest. php-fpm serves the next
-- client when the one before has left, so a client that is answered late leaves before the server rests.
local function find_hung(place, clients, patience)
  listen_to(place, clients, patience)
  local waiting = pick(clients, is_waiting)
  repeat
    local before = #waiting
    place.running:await_rest(LOAD)
    listen_to(place, waiting, 0)
    waiting = pick(waiting, is_waiting)
  until #waiting == before
  return waiting
end

local function count_listeners(place)
  return #place.server:sockets { state = "LISTEN", local_port = place.running.port }
end

local function count_queued(place, clients)
  return #pick(clients, function(client)
    local socket = far_end_of(place, client)
    return socket ~= nil and not socket.owned
  end)
end

-- The clients leave, and the server's kernel knows.
local function leave(place, clients)
  for _, client in ipairs(clients) do place.running:leave(client.connection, "close") end
end

local function count_carried_out(place, clients)
  local evidence = place.running:settled_evidence(place.running:be_answered(place.clients, "later"), QUIET)
  return #pick(clients, function(client) return evidence:find(client.word, 1, true) ~= nil end)
end

-- Clients that hung have left, and as many come again. Returns how many of these hang.
local function retry(place, hung, knobs)
  leave(place, hung)
  local hung_again = find_hung(place, ask_all(place, #hung, "again"), knobs.patience)
  leave(place, hung_again)
  return #hung_again
end

-- Whether the server itself ends a stuck worker within so many seconds: "-": nobody looked.
local function watch(place, worker, seconds)
  if seconds == 0 then return "-" end
  local began = lunet.now()
  while lunet.now() - began < seconds do
    if not pool.is_there(place.running, worker) then return ("ended after %.0f s"):format(lunet.now() - began) end
    lunet.sleep(LOOK)
  end
  return ("not in %g s"):format(seconds)
end

local function measure_stuck(place, case, knobs)
  local running, workers, before = place.running, place.workers, #place.running:log()
  local stuck = table.move(workers, math.max(1, #workers - knobs.stuck + 1), #workers, 1, {})
  place.tell(("%d of %d workers are stopped, and %d clients come."):format(#stuck, #workers, knobs.clients))
  for _, worker in ipairs(stuck) do pool.stop(running, worker) end
  local hung = find_hung(place, ask_all(place, knobs.clients, "client"), knobs.patience)
  local queued, listeners = count_queued(place, hung), count_listeners(place)
  local says = pool.status(running, place.clients, knobs.patience)
  place.tell(("%d clients hang. They leave, and as many come again."):format(#hung))
  local hung_again, watchdog = retry(place, hung, knobs), watch(place, stuck[1], knobs.watch)
  place.tell "The workers go on."
  for _, worker in ipairs(stuck) do pool.go_on(running, worker) end
  return {
    server = case.server, handed = case.description.handed, workers = #workers, stuck = #stuck, listeners = listeners,
    hang = #hung, queued = queued, accepted = #hung - queued, hang_again = hung_again,
    carried_out = count_carried_out(place, hung), says = says, watchdog = watchdog,
    log = hung[1] and running:logged(running:log():sub(before + 1), hung[1].word) or "-",
    program = place.program, limit = running.limit,
  }
end

-- -- graceful stop and reload --------------------------------------------------------------------

-- A word for a client's fate: "served"; "reset"; "closed" without an answer; "hangs".
local function fate_of(client)
  if client.is_answered then return "served" end
  return ({ TIMEOUT = "hangs", EOF = "closed" })[client.code] or "reset"
end

-- A client that comes when the order was given.
local function come_later(place)
  local running = place.running
  local connection, _, code = place.clients:connect({ address = running.address, port = running.port,
    label = "newcomer" }, lab.LONG)
  if not connection then return { code = code, word = "newcomer", is_refused = true } end
  connection:send(running.description.request("newcomer", running), lab.LONG)
  return { connection = connection, word = "newcomer" }
end

local function count_fates(clients)
  local counts = { served = 0, reset = 0, closed = 0, hangs = 0 }
  for _, client in ipairs(clients) do
    local fate = fate_of(client)
    counts[fate] = counts[fate] + 1
  end
  return counts
end

local function measure_order(place, case, knobs)
  local running = place.running
  place.tell(("All workers are stopped, as if they were busy, and %d clients come."):format(knobs.queued))
  for _, worker in ipairs(place.workers) do pool.stop(running, worker) end
  local clients = ask_all(place, knobs.queued, "client")
  running:await_rest(LOAD)
  local queued = count_queued(place, clients)
  place.tell(("The server is told to %s."):format(case.order))
  local ordered = lunet.now()
  pool.order(running, case.order)
  lunet.sleep(knobs.busy)
  local newcomer = come_later(place)
  place.tell "The workers go on."
  for _, worker in ipairs(place.workers) do pool.go_on(running, worker) end
  local is_late = knobs.busy <= case.limit and lunet.now() - ordered > case.limit
  listen_to(place, clients, knobs.longest)
  listen_to(place, newcomer.connection and { newcomer } or {}, knobs.longest)
  local counts = count_fates(clients)
  return {
    server = case.server, order = case.order, queued = queued, served = counts.served, reset = counts.reset,
    closed = counts.closed, hangs = counts.hangs, newcomer = newcomer.connection and fate_of(newcomer) or "refused",
    ends = running.process:wait(case.order == "stop" and knobs.longest or 0) ~= nil, late = is_late or nil,
    program = place.program, limit = running.limit,
  }
end

local function measure(case, knobs, tell)
  local place = start(case, knobs)
  place.tell = tell
  local _running <close> = place.running
  return (case.order == "stuck" and measure_stuck or measure_order)(place, case, knobs)
end

-- Measures a case on hosts of its own, and again if the machine was late with it.
local function measure_in_time(case, knobs, tell)
  local row
  for _ = 1, ATTEMPTS do
    lunet.scope(function() row = measure(case, knobs, tell) end)
    if not row.late then break end
  end
  return row
end

-- A row for each case. Some cases run side by side, and others follow when these are done.
local function measure_all(cases, knobs)
  local tell, rows, last = #cases == 1 and lunet.note or function() end, {}, 0
  local function take_turns()
    while last < #cases do
      last = last + 1
      local i = last
      rows[i] = measure_in_time(cases[i], knobs, tell)
    end
  end
  lunet.scope(function()
    for _ = 1, AT_ONCE do lunet.spawn(take_turns) end
  end)
  return rows
end

-- -- the claim -----------------------------------------------------------------------------------

-- How many of n clients hang, by how they come to the workers.
local HANG = {
  ["taken"] = function(row) return row.workers == 1 and math.maxinteger or 0 end,
  ["by hash"] = function(_, n) return expect.between(n < HASHED and 0 or 1, n < HASHED and n or n - 1) end,
  ["in turn"] = function(row, n)
    local share = n * row.stuck / row.workers
    return expect.between(math.floor(share), math.ceil(share))
  end,
  ["least loaded"] = function(row, n) return expect.between(0, math.ceil(n * row.stuck / row.workers)) end,
  ["when ready"] = function(row, n) return math.min(n, row.stuck) end,
}

local function hang_of(row, n)
  local wanted = HANG[row.handed](row, n)
  return math.type(wanted) and math.min(wanted, n) or wanted
end

-- How many of them hang again when they come a second time. Node's stuck worker still has the first client.
local function hang_again_of(row)
  if row.hang == 0 or row.handed == "when ready" then return 0 end
  return row.handed == "by hash" and expect.between(0, row.hang) or hang_of(row, row.hang)
end

local function check_program(name, row, case, knobs)
  expect.value(name .. ": program", row.program:match "^(.*) %d", case.server)
  expect.fields(name, row, { limit = case.description.limit(knobs.workers) })
end

local function check_stuck(row, case, knobs)
  local is_queued = row.handed == "taken" or row.handed == "by hash"
  local workers = case.description.is_alone and 1 or knobs.workers
  expect.fields(row.server, row, { handed = case.description.handed, workers = workers,
    stuck = math.min(knobs.stuck, workers), listeners = row.handed == "by hash" and workers or 1 })
  expect.fields(row.server, row, { hang = hang_of(row, knobs.clients), queued = is_queued and row.hang or 0,
    accepted = row.hang - row.queued, hang_again = hang_again_of(row), log = row.hang == 0 and "-" or nil,
    watchdog = knobs.watch == 0 and "-" or nil })
  local is_replaced = row.watchdog:find "^ended" ~= nil
  expect.fields(row.server, row, { carried_out = is_replaced and expect.between(0, row.hang) or row.hang })
  check_program(row.server, row, case, knobs)
end

local function check_order(row, case, knobs)
  if row.late then experiment.not_judged("the machine was late with %s", row.server) end
  local name = ("%s, %s"):format(row.server, row.order)
  local is_stop = row.order == "stop"
  expect.fields(name, row, { hangs = 0, closed = 0, ends = is_stop, queued = expect.between(0, knobs.queued),
    served = is_stop and expect.between(0, knobs.queued) or knobs.queued,
    reset = knobs.queued - row.served })
  if not is_stop then expect.fields(name, row, { newcomer = "served" }) end
  check_program(name, row, case, knobs)
end

return experiment {
  claim = "A stuck worker hangs nobody if others take from the same queue, else its share, whose requests it carries "
    .. "out later. A graceful stop may reset queued clients; a reload serves them.",
  knobs = {
    server = { "some", "server", "one of lua/lunet/peer/pools, or the path of such a file; some of them; or all" },
    happens = { "all", "event", "a worker is stuck; or a graceful stop, or reload, while the workers are busy",
      choices = choice.of(HAPPENINGS) },
    workers = { 2, "workers", "how many the server has", min = 1, max = 16 },
    stuck = { 1, "workers", "how many of them are stuck, at most", min = 1, max = 16 },
    clients = { 20, "clients", "how many come while a worker is stuck", min = 1, max = 200 },
    patience = { 1.0, "s", "how long each of them waits for its answer", min = 0, max = 60 },
    watch = { 0.0, "s", "how long to wait whether the server itself ends the stuck worker", min = 0, max = 600 },
    queued = { 5, "clients", "how many wait at a graceful stop or reload", min = 1, max = 50 },
    busy = { 0.5, "s", "how long the workers are still busy after that order", min = 0, max = 10 },
    longest = { 10.0, "s", "how long the queued clients wait for their answer", min = 1, max = 60 },
  },
  control = { server = "gunicorn", happens = "stuck", stuck = 2 },
  -- handed: how clients come to workers (lunet.handed). listeners: listening sockets of the port. hang, hang_again:
  -- clients without an answer, and those of them that come again. queued, accepted: where they are. carried_out: how
  -- many of their requests, when the workers go on. says: what the server says of itself meanwhile. watchdog: whether
  -- it ends the stuck worker. served, reset, closed, hangs: what becomes of queued clients; newcomer: of one that comes
  -- after the order. ends: whether the server does. late: the workers were busy for longer than the run
  -- wanted, and than the server lets them be.
  columns = { "server", "handed", "order", "workers", "stuck", "listeners", "hang", "queued", "accepted", "hang_again",
    "carried_out", "served", "reset", "closed", "hangs", "newcomer", "ends", "says", "watchdog", "log", "program",
    "limit" },
  needs = function(knobs) return pool.needs(names_of(knobs)) end,

  run = function(knobs)
    local cases, outcome = cases_of(knobs), { rows = {}, orders = {} }
    for i, row in ipairs(measure_all(cases, knobs)) do
      table.insert(cases[i].order == "stuck" and outcome.rows or outcome.orders, row)
    end
    return outcome
  end,

  check = function(outcome, knobs)
    local stuck, orders, resets, stops = {}, {}, 0, 0
    for _, case in ipairs(cases_of(knobs)) do table.insert(case.order == "stuck" and stuck or orders, case) end
    expect.cases("rows", outcome.rows, stuck, { "server" })
    expect.cases("orders", outcome.orders, orders, { "server", "order" })
    for i, row in ipairs(outcome.rows) do check_stuck(row, stuck[i], knobs) end
    expect.each(outcome.orders, function(row, i) check_order(row, orders[i], knobs) end)
    for _, row in ipairs(outcome.orders) do
      stops, resets = stops + (row.order == "stop" and 1 or 0), resets + row.reset
    end
    if stops > 0 and resets == 0 then experiment.not_judged "all queued clients were served before the end" end
    if #stuck + #orders == 0 then experiment.not_judged "the server knows no such order" end
  end,

  figures = function(outcome)
    local hang, resets, stops = 0, 0, 0
    for _, row in ipairs(outcome.rows) do hang = hang + (row.hang > 0 and 1 or 0) end
    for _, row in ipairs(outcome.orders) do
      if row.order == "stop" then stops, resets = stops + 1, resets + (row.reset > 0 and 1 or 0) end
    end
    return ("a stuck worker hangs clients at %d of %d servers; %d of %d graceful stops reset some"):format(hang,
      #outcome.rows, resets, stops)
  end,
}
