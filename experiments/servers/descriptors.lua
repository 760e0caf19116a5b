-- Claim. A server that has no descriptor left refuses clients, or leaves them queued and serves them later, ghosts too.
-- Python's threading server takes a whole processor meanwhile.
--
-- Why. accept(2) fails with EMFILE and leaves the connection in the queue, so that the listening socket stays readable.
-- A server that goes on asking epoll(7) or select(2) is told again at once: it spins (socketserver.py swallows the
-- error). Others look away for a while: nginx tries again every 0.5 s (accept_mutex_delay). Some never come so far:
-- redis and lighttpd read their limit (getrlimit(2)) at the start, and lower their limit of clients to half of it.
-- Node keeps one descriptor in reserve: it gives that up to accept the client, and closes the connection (libuv,
-- uv__emfile_trick). sshd accepts, and then has no descriptors for the process that would serve the client. Clients
-- that are left in the queue are served when descriptors come back, whether they are still there or not.
--
-- Where it was met. A server at 100 % of a processor that answers nobody and logs nothing; a limit of 1024 descriptors
-- that a service inherited; clients that time out while `ss` shows a growing queue.
--
-- What to do. Raise the limit (LimitNOFILE=), and bound clients well below it, so that a request that needs another
-- descriptor gets one. Watch the depth of the queue: no log has it.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local server = require "lunet.peer.server"

local SERVERS = { "lighttpd", "nginx", "node", "python_http", "redis", "sshd" }
local TELLS, SPINS = { redis = true }, { python_http = true }
local MANY = 1000 -- clients, as far as the server's own limit goes
local FULL = 1 -- s in which a client that is not let in shows that the server is full
local LOAD = 20 -- s, within which a server that has nothing to do comes to rest
local SPIN = 2 -- s without rest in which a server spins that is expected to
local QUIET = 1 -- s without new evidence

local function prepare(name, knobs)
  local host, clients, link = lab.hosts { name, "clients" }
  return { clients = clients, running = server.start(name, host, { address = link:address(host), clients = MANY,
    limits = { nofile = knobs.nofile } }) }
end

-- Clients that keep what they have, until one more is not let in; that one leaves.
local function fill(running, clients)
  local held = {}
  while true do
    local client, is_held = running:try_to_hold(clients, "holder", FULL)
    if not is_held then
      client:reset()
      return held
    end
    held[#held + 1] = client
  end
end

-- Tells what a client sees within its patience, and whether the server spins meanwhile. Not by its processor time: the
-- kernel of a busy guest adds whole ticks to whoever runs when it comes to count.
local function be_patient(running, client, patience)
  local text, code = select(2, running.read_until(client, nil, patience))
  local spins = not running:await_rest(SPINS[running.name] and SPIN or LOAD)
  if code == "TIMEOUT" then -- a busy machine's server may not have come so far
    text, code = select(2, running.read_until(client, nil, 0, text))
  end
  local _, port = client:address()
  local socket = running:far_end(port)
  if text:find(running.description.answer) then return "served", "holds", spins end
  if code ~= "TIMEOUT" then return text ~= "" and running.description.refusal or "closed", "refuses", spins end
  return "nothing", socket and socket.owned and "holds" or "stops", spins
end

-- Which of the two that came while the server was full were served in the end.
local function served_of(evidence)
  local words = {}
  for _, word in ipairs { "ghost", "waiter" } do
    if evidence:find(word, 1, true) then words[#words + 1] = word end
  end
  return #words > 0 and table.concat(words, ", ") or "nobody"
end

local function settle(running, clients, back)
  if back == "none" then
    lunet.sleep(QUIET)
    return running:evidence()
  end
  local later = lab.await(function()
    local client = running:ask(clients, "later", "later")
    if running:await_answer(client) then return client end
    client:close()
  end)
  return running:settled_evidence(later, QUIET)
end

local function measure(place, knobs)
  local running <close> = place.running
  local held = fill(running, place.clients)
  local ghost = running:ask(place.clients, "ghost", "ghost")
  local sees, at_limit, spins = be_patient(running, ghost, knobs.patience)
  ghost:close()
  local waiter = running:ask(place.clients, "waiter", "waiter")
  if at_limit == "refuses" then running.read_until(waiter, nil, lab.LONG) end -- to its end
  if knobs.back == "all" then
    for _, client in ipairs(held) do client:close() end
    running:await_answer(waiter)
  end
  waiter:close()
  return { server = running.name, held = #held, at_limit = at_limit, sees = sees, spins = spins,
    served = served_of(settle(running, place.clients, knobs.back)) }
end

return experiment {
  claim = "A server that has no descriptor left refuses clients, or leaves them queued and serves them later, ghosts "
    .. "too. Python's threading server takes a whole processor meanwhile.",
  knobs = {
    server = { "all", "server", "one of them alone", choices = choice.of(SERVERS) },
    nofile = { 64, "descriptors", "how many the server may have open (RLIMIT_NOFILE)", min = 48, max = 1024 },
    patience = { 1, "s", "how long the ghost waits for an answer before it leaves", min = 0.1 },
    back = { "all", "descriptors", "which come back: all, since their clients leave, or none",
      choices = { "all", "none" } },
  },
  -- held: how many clients it let in; served: whose requests were carried out in the end.
  columns = { "server", "held", "at_limit", "sees", "spins", "served" },
  needs = function(knobs) return server.needs(choice.pick(SERVERS, knobs.server)) end,
  control = { back = "none", server = "lighttpd" },

  run = function(knobs)
    return { rows = lunet.together(choice.pick(SERVERS, knobs.server), function(name)
      return prepare(name, knobs)
    end, function(place) return measure(place, knobs) end) }
  end,

  check = function(outcome, knobs)
    local names = choice.pick(SERVERS, knobs.server)
    expect.value("the number of servers", #outcome.rows, #names)
    for i, row in ipairs(outcome.rows) do
      if row.sees == "served" then experiment.not_judged("the machine was late: %s was not full", names[i]) end
      local is_queued = row.sees == "nothing"
      local refusal = TELLS[names[i]] and server.describe(names[i]).refusal or "closed"
      expect.fields(names[i], row, { server = names[i], held = expect.between(8, knobs.nofile),
        at_limit = is_queued and "stops" or "refuses", sees = is_queued and "nothing" or refusal,
        served = is_queued and "ghost, waiter" or "nobody", spins = SPINS[names[i]] or false })
    end
  end,

  figures = function(outcome)
    local refuse, spin = 0, {}
    for _, row in ipairs(outcome.rows) do
      if row.at_limit == "refuses" then refuse = refuse + 1 end
      if row.spins then spin[#spin + 1] = row.server end
    end
    return ("of %d servers %d refuse; spinning: %s"):format(#outcome.rows, refuse,
      #spin > 0 and table.concat(spin, ", ") or "none")
  end,
}
