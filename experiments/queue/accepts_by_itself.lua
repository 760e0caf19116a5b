-- Claim. A stuck server goes on accepting if it has ordered io_uring's multishot accept. Its queue stays empty, and
-- every client is connected, accepted and unheard.
--
-- Why. accept(2) takes one connection out of the queue when the program asks. A multishot accept is one order for all
-- that come (io_uring_prep_multishot_accept(3); Linux 5.19, io_uring/net.c, io_accept). Whenever a connection comes,
-- the kernel interrupts the program, whatever that does, and accepts in its name. The program need not ask; it only has
-- to be able to run. So nothing that holds the program up holds back its accepts, and its queue tells nothing of it.
-- The number of descriptors bounds them. A program that is stopped (SIGSTOP, a frozen cgroup) cannot be interrupted:
-- there the queue fills as always.
--
-- Where it was met. Servers on io_uring that hang with thousands of accepted clients. Monitoring by the depth of the
-- queue or by SYN drops never rings for them. A balancer that sends to the shortest queue prefers them.
--
-- What to do. Bound the accepts: order one at a time, or cancel the order when there is enough work. Watch the unread
-- bytes of accepted connections in place of the queue.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local nobody = require "lunet.peer.nobody"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"

local SOURCE = lunet.beside "accepts_by_itself_server.c"
local SERVERS = { "accept", "multishot" }

local function cases_of(knobs)
  local cases = {}
  for _, name in ipairs(choice.pick(SERVERS, knobs.server)) do cases[#cases + 1] = { server = name } end
  return cases
end

local function compile(host, place)
  local status, text = peer_process.finish(host:exec { "gcc", "-O1", "-o", place.path .. "/server", SOURCE, "-luring",
    stderr = "stdout" })
  if status ~= 0 then error("gcc: " .. text, 0) end
end

-- Starts a server, which is stuck from then on.
local function start(place, case, knobs)
  local words = nobody.program({ place.scratch.path .. "/server", lab.PORT, knobs.backlog, case.server },
    place.scratch)
  words.label = case.server
  local process = assert(place.server:exec(words))
  local said = process.stdout:receive("l", lab.LONG)
  if said ~= "ready" then experiment.not_judged("this kernel lets no program have it: %s", said or "nothing") end
  if knobs.state == "stopped" then peer_process.freeze(process) end
  return process
end

local function listener_of(place) return lab.socket(place.server, { state = "LISTEN" }) end

-- Connects the clients one after the other. The kernel may take a moment to accept for the server.
local function connect_all(place, knobs)
  local connected = 0
  for i = 1, knobs.clients do
    local target = { address = place.target, port = lab.PORT, label = "client " .. i }
    local connection = place.client:connect(target, knobs.patience)
    if connection then
      connected = connected + 1
      connection:send "hello\n"
      lunet.eventually(function() return listener_of(place).queue.depth == 0 end, knobs.patience)
    end
  end
  return connected
end

local function prepare()
  local server, client, link = lab.hosts { "server", "client" }
  local place = { server = server, client = client, target = link:address(server), scratch = scratch.open() }
  nobody.let_in(server, place.scratch)
  compile(server, place.scratch)
  return place
end

local function measure(place, case, knobs)
  local _undo <close> = place.scratch
  local _process <close> = start(place, case, knobs)
  local row = { server = case.server, connected = connect_all(place, knobs) }
  row.queued, row.accepted = listener_of(place).queue.depth, 0
  for _, socket in ipairs(assert(place.server:sockets { state = "ESTABLISHED" })) do
    if socket.owned then row.accepted = row.accepted + 1 end
  end
  return row
end

-- -- the claim ---------------------------------------------------------------------------------

-- can: whether the kernel has the multishot accept.
local function check_rows(outcome, knobs, can)
  local room = math.min(knobs.backlog + 1, knobs.clients)
  expect.cases("rows", outcome.rows, cases_of(knobs), { "server" })
  for _, row in ipairs(outcome.rows) do
    local accepts = can and row.server == "multishot"
    local count = accepts and knobs.clients or room
    expect.fields(row.server, row, { connected = count, accepted = accepts and count or 0,
      queued = accepts and 0 or room })
  end
end

return experiment {
  claim = "A stuck server goes on accepting if it has ordered io_uring's multishot accept. Its queue stays empty, and "
    .. "every client is connected, accepted and unheard.",
  knobs = {
    server = { "all", "server", "accept: it would call accept(2), were it not stuck; multishot: by io_uring",
      choices = choice.of(SERVERS) },
    state = { "stuck", "state", "of the server: it does something else; SIGSTOP", choices = { "stuck", "stopped" } },
    backlog = { 2, "connections", "of the server's listener", min = 0, max = 100 },
    clients = { 8, "clients", "that connect, one after the other", min = 1, max = 500 },
    patience = { 0.5, "s", "how long a client tries to connect", min = 0.1, max = 60 },
  },
  control = { state = "stopped" },
  needs = { gcc = "gcc", ["/usr/include/liburing.h"] = "liburing-dev" },
  -- connected: clients. accepted: connections that the server has. queued: those in its queue.
  columns = { "server", "connected", "accepted", "queued" },

  run = function(knobs)
    lunet.note "Clients connect to servers that do nothing."
    return { rows = lunet.together(cases_of(knobs), prepare, function(place, case)
      return measure(place, case, knobs)
    end) }
  end,

  check = function(outcome, knobs) check_rows(outcome, knobs, true) end,

  expects = { {
    before = "5.19",
    because = "io_uring refuses a multishot accept, so that the queue fills (commit 4e86a2c98013)",
    check = function(outcome, knobs) check_rows(outcome, knobs, false) end,
  } },

  figures = function(outcome)
    local parts = {}
    for i, row in ipairs(outcome.rows) do
      parts[i] = ("%s %d connected, %d accepted"):format(row.server, row.connected, row.accepted)
    end
    return table.concat(parts, "; ")
  end,
}
