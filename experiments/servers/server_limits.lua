-- Claim. At its limit of clients a server refuses a client, or carries out its request after it has left. The
-- exceptions look first whether the client is there.
--
-- Why. A server that counts its clients after accept(2) can tell the one too many, or close its connection. A server
-- that stops accepting tells nobody: the kernel completes the handshake and keeps what the client sends (listen(2)).
-- The server accepts that connection when it has room, and reads the request before it can read the client's FIN:
-- recv(2) returns the bytes first. A server can look for the FIN before: a proxy that holds the client itself, or puma,
-- which asks the kernel for the connection's state (TCP_INFO). The name of a limit does not tell which of these it is,
-- nor does the log: Tinyproxy says that it refuses clients, which wait.
--
-- Where it was met. Requests that "timed out" and were carried out minutes later, when a slow client left; log lines
-- with status 200 for clients that had long shown an error; load balancers that retried.
--
-- What to do. Prefer a limit that refuses, or a server that looks (HAProxy's abortonclose). Where the server stops
-- accepting, keep the listening queue short. Give requests a deadline or an identity, which the server checks before
-- it carries them out.
local lunet = require "lunet"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local server = require "lunet.peer.server"

local AT_ONCE = 10 -- servers side by side: more would make each other late
local LONGEST = 600 -- s, within which all others are measured
local LOAD = 20 -- s, within which the load of a server's start is over
local LOOK = 0.05 -- s between looks at a server's sockets
local SETTLE = 2 -- s for the server to be done with B, without which memcached_slow may serve nobody any more
local QUIET = 1 -- s without new evidence, after which a request counts as not carried out

-- The servers that have a limit.
local function names_of(knobs)
  local names = {}
  for _, name in ipairs(knobs.server == "all" and server.names() or { knobs.server }) do
    if server.describe(name).limit then names[#names + 1] = name end
  end
  if #names == 0 then error(("knob server: '%s' has no limit of clients"):format(knobs.server), 0) end
  return names
end

-- Hosts for a server and its clients; the server is started.
local function prepare(name)
  local short = select(2, server.describe(name))
  local hosts = {}
  for i, called in ipairs { short, "A", "B", "C" } do hosts[i] = assert(lunet.host(called)) end
  local lan = lunet.lan(hosts)
  local version = server.version(name)
  local running = server.start(name, hosts[1], { address = lan:address(hosts[1]) })
  return { running = running, version = version, a = hosts[2], b = hosts[3], c = hosts[4] }
end

-- Puts into words what a client has seen.
local function words_of(description, text, code)
  if description.refusal and text:find(description.refusal, 1, true) then return description.refusal end
  if text ~= "" then return (text:gsub("%c+", " ")) end
  return code == "TIMEOUT" and "nothing" or "closed"
end

-- Puts into a word how a server treats a client that is one too many.
local function behaviour(accepted, sees)
  return sees ~= "nothing" and "refuses" or accepted and "holds" or "stops"
end

-- Notes the queue limits that the server's listening socket has had, and whether it has accepted a client.
local function watch(running, port, seen)
  local listener, socket = running:listener(), running:far_end(port)
  local limit = listener and tostring(listener.queue.limit) or "none"
  if seen.limits[#seen.limits] ~= limit then seen.limits[#seen.limits + 1] = limit end
  seen.accepted = seen.accepted or socket ~= nil and socket.owned
end

-- B waits for an answer, and the server's kernel is watched meanwhile.
local function be_patient(running, client, patience, limit)
  local seen = { limits = { tostring(limit) }, accepted = false }
  local _, port = client:address()
  local is_over = false
  lunet.spawn(function()
    while not is_over do
      watch(running, port, seen)
      lunet.sleep(LOOK)
    end
  end)
  local _, text, code = running.read_until(client, nil, patience)
  is_over = true
  watch(running, port, seen)
  seen.sees = words_of(running.description, text, code)
  seen.accepted = seen.accepted or seen.sees ~= "nothing" -- who tells a client has accepted it
  return seen
end

local function measure(place, knobs, tell)
  local running <close> = place.running
  local is_late = not running:await_rest(LOAD)
  local began = lunet.now()
  tell "A connects and takes the only place."
  local a = running:hold(place.a, "A")
  local took = lunet.now() - began
  local longest = 2 * knobs.patience
  is_late = is_late or took > longest
  local log_before, limit = #running:log(), running:listener().queue.limit
  tell "B connects, and sends a whole request."
  local b = running:ask(place.b, "ghost", "B", knobs.request == "part" and -3 or nil)
  local seen = be_patient(running, b, math.max(knobs.patience, math.min(2 * took, longest)), limit)
  is_late = is_late or lunet.now() - began > (running.description.holds_for or math.huge)
  local _, port = b:address()
  local socket = running:far_end(port)
  tell(seen.sees == "nothing" and "B has waited long enough, and leaves." or "B was refused, and leaves.")
  running:leave(b, knobs.departure)
  tell "A leaves. C comes, and is answered."
  a:close()
  lunet.eventually(function() return running:is_done_with(port) end, SETTLE)
  local c = running:be_answered(place.c, "C")
  local evidence = running:settled_evidence(c, QUIET)
  tell(("C was answered, and since then nothing was carried out for %d s."):format(QUIET))
  local counted = running:statistics(c)
  if counted then tell(("%s itself counts: %s."):format(running.name, counted)) end
  local row = { server = running.name, at_limit = behaviour(seen.accepted, seen.sees), accepted = seen.accepted,
    sees = seen.sees, carried_out = evidence:find("ghost", 1, true) ~= nil, backlog = table.concat(seen.limits, ", ") }
  if is_late then row.accepted, row.carried_out = "not judged", "not judged" end
  return row, { program = running.name .. " " .. place.version, limit = running.limit,
    unread = socket ~= nil and not socket.owned and socket.receive_queue > 0,
    log = running:logged(running:log():sub(log_before + 1), "ghost") }
end

-- Whether a server carries out what B asked for; nil: chance decides.
local function is_carried_out(at_limit, description, departure)
  if at_limit == "refuses" then return false end
  if description.races == departure then return nil end
  return not server.looks(description, departure)
end

return experiment {
  claim = "At its limit of clients a server refuses a client, or carries out its request after it has left. The "
    .. "exceptions look first whether the client is there.",
  knobs = {
    server = { "all", "server", "one of lua/lunet/peer/servers, or the path of such a file" },
    patience = { 2, "s", "how long B waits for an answer before it leaves; longer where A waited long", min = 0 },
    departure = { "close", "way", "how B leaves; shutdown: it ends its side and goes on reading",
      choices = { "close", "reset", "shutdown" } },
    request = { "whole", "request", "what B has sent when it leaves", choices = { "whole", "part" } },
  },
  -- at_limit: it refuses B, holds it, accepted and without a word, or stops accepting;
  -- accepted: whether the server had accepted B before B left; backlog: the limit of its queue, and what that became;
  -- unread: B's request waits in the kernel when B leaves; log: what the server's log says of B.
  columns = { "server", "at_limit", "accepted", "sees", "carried_out", "backlog", "program", "limit", "unread", "log" },
  needs = function(knobs) return server.needs(names_of(knobs)) end,
  control = { request = "part", server = "gunicorn" },

  run = function(knobs)
    local names = names_of(knobs)
    local tell = #names == 1 and lunet.note or function() end
    local servers, in_turn = {}, lab.turns(AT_ONCE, LONGEST)
    local rows = lunet.together(names, function(name, i)
      local row
      row, servers[i] = in_turn(function() return measure(prepare(name), knobs, tell) end)
      return row
    end)
    return { servers = servers, rows = rows }
  end,

  check = function(outcome, knobs)
    expect.value("the number of servers", #outcome.rows, #names_of(knobs))
    expect.value("the number of servers", #outcome.servers, #outcome.rows)
    local names, late = names_of(knobs), {}
    for i, row in ipairs(outcome.rows) do
      local description, name = server.describe(names[i])
      expect.value("a server", row.server, name)
      expect.value("the limit", outcome.servers[i].limit, description.limit(1))
      expect.value("a program", outcome.servers[i].program:match "^(.*) %d", name)
      if row.carried_out == "not judged" then
        late[#late + 1] = name
      else
        local at_limit = behaviour(row.accepted, row.sees)
        local told = description.refusal or "closed"
        expect.fields(name, row, { at_limit = at_limit,
          carried_out = is_carried_out(at_limit, description, knobs.departure),
          accepted = at_limit ~= "stops", sees = at_limit == "refuses" and told or "nothing" })
        expect.fields(name, outcome.servers[i], { unread = at_limit == "stops" })
      end
    end
    if #late > 0 then experiment.not_judged("the machine was late with %s", table.concat(late, ", ")) end
  end,

  figures = function(outcome)
    local refuse, wait = 0, 0
    for _, row in ipairs(outcome.rows) do
      if row.at_limit == "refuses" then refuse = refuse + 1 elseif row.carried_out == true then wait = wait + 1 end
    end
    return ("of %d servers %d refuse, %d carry out what a client that left had asked for"):format(#outcome.rows, refuse,
      wait)
  end,
}
