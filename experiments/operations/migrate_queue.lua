-- Claim. A listener that closes leaves its queue to the next one of its port if tcp_migrate_req is 1. By default its
-- clients are reset, though the next one listens already.
--
-- Why. With SO_REUSEPORT each listener has a queue of its own (socket(7)). Its clients belong to that queue: another
-- listener of the port, with room, changes nothing for them. A listener that closes resets them
-- (net/ipv4/inet_connection_sock.c, inet_csk_listen_stop). Since Linux 5.14 (commit f9ac779f881c) the kernel can move
-- connections and open handshakes to another listener of the group (net/core/sock_reuseport.c, reuseport_migrate_sock).
-- It does so only if net.ipv4.tcp_migrate_req is 1 when the listener closes, or if a BPF program says where to. The
-- default is 0. TCPMigrateReqSuccess counts what was moved. A client's request moves with it, and so do clients that
-- have left.
--
-- Where it was met. Web servers and proxies whose workers have a listener each (nginx's `reuseport`, HAProxy's and
-- Envoy's): a reload, or fewer workers, resets connections that no log of the server knows.
--
-- What to do. Set net.ipv4.tcp_migrate_req to 1 where listeners share a port, before the reload. Else hand the
-- listening socket on, or stop new connections first and accept until the queue is empty (drain).
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local features = require "lunet.network.features"
local lab = require "lunet.lab"
local lunet = require "lunet"

local HAS_MIGRATION <const> = features.has_sysctl "net.ipv4.tcp_migrate_req"
local CASES <const> = { { setting = "default", migrate = 0 }, { setting = "migrate", migrate = 1 } }

local function listen(server, label, knobs)
  return lab.listen(server, { backlog = knobs.clients, reuseport = true, label = label })
end

local function prepare(case, knobs)
  local sysctl = { ["net.ipv4.tcp_migrate_req"] = HAS_MIGRATION and case.migrate or nil }
  local server, clients = lab.hosts { { name = "server", sysctl = sysctl }, "clients" }
  return { server = server, clients = clients, old = listen(server, "old", knobs) }
end

-- Clients that have sent a request and wait in the queue of the old listener; one more has left.
local function queue_clients(place, count)
  local clients = {}
  for i = 1, count do
    clients[i] = lab.queue_client(place.clients, place.old, { label = "client " .. i })
    assert(clients[i]:send(("request %d\n"):format(i), lab.LONG))
  end
  local ghost = lab.queue_client(place.clients, place.old, { label = "ghost" })
  assert(ghost:send("request of a ghost\n", lab.LONG))
  ghost:close()
  lab.await(function() return lab.socket(place.server, { listener = place.old, state = "CLOSE_WAIT" }) end)
  return clients
end

-- Answers everybody who is in a queue, and returns how many requests were carried out.
local function serve(listener)
  local carried_out = 0
  for _ = 1, lab.depth(listener) do
    local far <close> = assert(listener:accept(lab.LONG))
    local request = far:receive("l", lab.LONG)
    if request then
      carried_out = carried_out + 1
      far:send(request .. " is done\n", lab.LONG)
    end
  end
  return carried_out
end

local function measure(place, case, knobs)
  local clients = queue_clients(place, knobs.clients)
  local moved = lab.counters(place.server)
  local next_one = knobs.next and listen(place.server, "next", knobs)
  place.old:close()
  local taken = next_one and lab.depth(next_one) or 0
  local carried_out = next_one and serve(next_one) or 0
  local answered, reset = 0, 0
  for i, client in ipairs(clients) do
    local answer, _, code = client:receive("l", lab.LONG)
    if answer == ("request %d is done"):format(i) then answered = answered + 1 end
    if code == "ECONNRESET" then reset = reset + 1 end
  end
  return { setting = case.setting, taken = taken, carried_out = carried_out, answered = answered, reset = reset,
    moved = HAS_MIGRATION and moved "TCPMigrateReqSuccess" or nil }
end

local function check_rows(outcome, knobs, has_migration)
  expect.cases("rows", outcome.rows, CASES, { "setting" })
  for _, row in ipairs(outcome.rows) do
    local count = (has_migration and row.setting == "migrate") and knobs.clients or 0
    local taken = count > 0 and count + 1 or 0
    expect.fields(row.setting, row, { taken = taken, carried_out = taken, answered = count,
      reset = knobs.clients - count, moved = HAS_MIGRATION and taken or nil })
  end
end

return experiment {
  claim = "A listener that closes leaves its queue to the next one of its port if tcp_migrate_req is 1. By default its "
    .. "clients are reset, though the next one listens already.",
  knobs = {
    clients = { 3, "clients", "how many wait in the queue with a request, besides one that has left", min = 1,
      max = 1000 },
    next = { true, "", "whether another listener has the port before the first one closes" },
  },
  control = { next = false },
  -- taken: connections in the next listener's queue, of which so many requests were carried out. answered, reset: what
  -- the clients heard. moved: what the kernel counts (TCPMigrateReqSuccess).
  columns = { "setting", "taken", "carried_out", "answered", "reset", "moved" },
  expects = { {
    before = "5.14",
    because = "the queue of a listener cannot move (commit f9ac779f881c)",
    check = function(outcome, knobs) check_rows(outcome, knobs, false) end,
  } },

  run = function(knobs)
    lunet.note "Clients wait in the queue of a listener that accepts nobody. Another one opens the port; it closes."
    return { rows = lunet.together(CASES, function(case) return prepare(case, knobs) end,
      function(place, case) return measure(place, case, knobs) end) }
  end,

  check = function(outcome, knobs) check_rows(outcome, knobs, true) end,

  figures = function(outcome)
    local words = {}
    for i, row in ipairs(outcome.rows) do
      words[i] = ("%s: %d answered, %d reset"):format(row.setting, row.answered, row.reset)
    end
    return table.concat(words, "; ")
  end,
}
