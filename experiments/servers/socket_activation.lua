-- Claim. A queue that is handed to the next program survives a restart. Its clients are served in order, ghosts too;
-- the client that the old program had accepted is lost.
--
-- Why. The queue belongs to the listening socket, not to the program. The socket lives as long as somebody has it open:
-- systemd, or lunet here (socket units, sd_listen_fds(3)). A program that is killed loses only the connections that it
-- has accepted. The others stay in the queue for the next program that accepts. A program that closes a socket of its
-- own resets its queue (inet_csk_listen_stop). The last call of listen(2) sets the limit of the queue, and most servers
-- call it on the socket that they are handed: a backlog that the unit sets does not last.
--
-- Where it was met. Deployments without a lost request, and duplicates after them: the requests of clients that had
-- given up during the restart were carried out by the new version.
--
-- What to do. Let the service manager hold the socket, or hand it over (SIGUSR2 of gunicorn and nginx). Bound the queue
-- in the server's own settings. Expect ghosts after a restart, more of them the longer it takes.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local server = require "lunet.peer.server"

local QUIET = 1 -- s without new evidence
local BACKLOG = 10
local CASES = {
  { name = "gunicorn-gunicorn", first = "gunicorn", second = "gunicorn" },
  { name = "gunicorn-node", first = "gunicorn", second = "node" },
  { name = "uwsgi-python", first = "uwsgi", second = "python_http" },
  { name = "python-uwsgi", first = "python_http", second = "uwsgi" },
}

local function start(place, name)
  return server.start(name, place.host, { address = place.address, listener = place.listener,
    clients = name == "node" and 100 or 1 })
end

local function prepare(case, knobs)
  local host, clients, link = lab.hosts { "server", "clients" }
  local place = { host = host, clients = clients, address = link:address(host) }
  if knobs.queue == "handed" then place.listener = lab.listen(host, { backlog = BACKLOG }) end
  place.first = start(place, case.first)
  assert(place.first:await_answer(place.first:ask(clients, "before"), lab.LONG))
  return place
end

local function limit_of(running) return tostring(assert(running:listener()).queue.limit) end

-- A has the only place; a ghost, B and C wait in the queue.
local function queue_clients(place)
  local running, waiting = place.first, {}
  local a = running:hold(place.clients, "A")
  for i, word in ipairs { "ghost", "second", "third" } do
    waiting[i] = running:ask(place.clients, word, word)
    lab.await(function() return running:listener().queue.depth == i end)
  end
  waiting[1]:close()
  return a, waiting
end

-- The words that were carried out, in the order of the evidence.
local function served_of(evidence)
  local words = {}
  for word in evidence:gmatch "%l+" do
    if word == "ghost" or word == "second" or word == "third" then words[#words + 1] = word end
  end
  return #words > 0 and table.concat(words, ", ") or "nobody"
end

local function ending_of(running, client)
  local code = select(3, running.read_until(client, nil, lab.LONG))
  return ({ EOF = "FIN", ECONNRESET = "RST" })[code] or code
end

local function run_case(place, case)
  local a, waiting = queue_clients(place)
  local row = { case = case.name, limits = limit_of(place.first), waited = place.first:listener().queue.depth }
  place.first:close() -- by SIGKILL
  row.accepted = ending_of(place.first, a)
  lab.await(function() return place.listener or not place.first:listener() end) -- a socket of its own goes with it
  local second <close> = start(place, case.second)
  local later
  lab.await(function()
    if not second:listener() then return false end
    later = second:ask(place.clients, "later", "later")
    return second:await_answer(later, lab.LONG)
  end)
  row.limits = row.limits .. ", " .. limit_of(second)
  row.served = served_of(second:settled_evidence(later, QUIET))
  for _, client in ipairs(waiting) do client:close() end
  return row
end

return experiment {
  claim = "A queue that is handed to the next program survives a restart. Its clients are served in order, ghosts too; "
    .. "the client that the old program had accepted is lost.",
  knobs = {
    case = { "all", "case", "the program that is killed, and the next one", choices = choice.of(CASES, "name") },
    queue = { "handed", "way", "whether each program is handed lunet's listener, or has one of its own",
      choices = { "handed", "own" } },
  },
  -- waited: how many were in the queue; accepted: how the connection of the one that was not ended; limits: of the
  -- queue, with the first program and with the second; it is 10 when lunet hands it over.
  columns = { "case", "waited", "accepted", "served", "limits" },
  needs = function(knobs)
    local names = {}
    for _, case in ipairs(choice.pick(CASES, knobs.case, "name")) do
      table.move({ case.first, case.second }, 1, 2, #names + 1, names)
    end
    return server.needs(names)
  end,
  control = { queue = "own" },

  run = function(knobs)
    lunet.note "A is accepted. A ghost and two clients wait in the queue when the server is killed."
    return { cases = lunet.together(choice.pick(CASES, knobs.case, "name"), function(case)
      return prepare(case, knobs)
    end, run_case) }
  end,

  check = function(outcome, knobs)
    local cases = choice.pick(CASES, knobs.case, "name")
    expect.value("the number of cases", #outcome.cases, #cases)
    for i, case in ipairs(cases) do
      expect.fields(case.name, outcome.cases[i], { case = case.name, waited = 3, accepted = "FIN",
        served = "ghost, second, third" })
    end
  end,

  figures = function(outcome)
    local served = 0
    for _, case in ipairs(outcome.cases) do
      for _ in case.served:gmatch "second" do served = served + 1 end
    end
    return ("served after the restart in %d of %d cases"):format(served, #outcome.cases)
  end,
}
