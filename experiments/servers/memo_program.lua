-- Claim. A connect callback reports success before the server accepts. The memo's server carries out the request of a
-- client that has left; a look at the client, or an accept that refuses, prevents it.
--
-- Why. In 2024 a C# developer wanted a server for one client at a time: Listen(100), and a semaphore that holds back
-- the next AcceptAsync until the present client has left. The result surprised him, and lunet began with his memo.
-- The kernel completes B's handshake, so that ConnectAsync's callback says Success; the backlog keeps B's connection
-- and its login (listen(2)). B hears nothing and leaves, which the server cannot see. When A leaves, the server
-- accepts a connection without a client, reads the login, carries it out and replies: the first SendAsync succeeds,
-- since the kernel takes the bytes. After an RST the accept succeeds as well, but RemoteEndPoint throws
-- (getpeername(2): ENOTCONN). The memo also says that B's next connection receives the old reply. That does not
-- happen: it is another connection, and TCP keeps their bytes apart. experiments/reply_on_reconnect.lua shows which
-- programs mix them up.
--
-- Where it was met. In the memo: the server logged in a client program that had been closed long before.
--
-- What to do. memo_server.cs has two remedies. `look`: before it carries out a request the server asks whether the
-- client has closed its end (Poll and Available). It costs clients that end their side and wait. `refuse`: the server
-- accepts at once, and tells a client that is one too many that it is busy.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"

local LONG, PORT = lab.LONG, lab.PORT
local QUIET = 1 -- s without a login, after which B's counts as not carried out
local REMEDIES, DEPARTURES = { "none", "look", "refuse" }, { "close", "reset" }

local function compile(source, place)
  local program = place.path .. "/" .. source .. ".exe"
  local compiler <close> = assert(lunet.exec { "mcs", "-out:" .. program, lunet.beside(source .. ".cs"),
    stderr = "stdout" })
  local text = assert(compiler.stdout:receive("a", LONG))
  if compiler:wait(LONG) ~= 0 then error(("mcs refused %s: %s"):format(source, text), 0) end
  return program
end

-- Hosts with the server, the client program, and A.
local function prepare(case, programs)
  local server, a, b, to_a, to_b = lab.hosts { "server", "A", "B" }
  local place = scratch.open()
  local environment = { HOME = place.path } -- where Mono keeps files of its own
  local process = peer_process.start(server, { "mono", programs.server, PORT, place.path .. "/logins", case.remedy,
    stderr = "stdout", env = environment, label = "memo_server" }, PORT)
  local client = assert(b:exec { "mono", programs.client, to_b:address(server), PORT, stdin = "pipe",
    stderr = "stdout", env = environment, label = "memo_client" })
  return { host = server, a = a, address = to_a:address(server), files = place, server = process, client = client,
    log = {} }
end

-- Reads the server's output up to a line, and returns what the pattern captures.
local function await_line(place, pattern)
  return lab.await(function()
    local line = assert(place.server.stdout:receive("l", LONG))
    place.log[#place.log + 1] = line
    if place.is_alone then lunet.note("The server: " .. line) end
    return line:match(pattern)
  end)
end

-- Tells the client program what to do, and returns what it reports.
local function tell(place, command)
  assert(place.client.stdin:send(command .. "\n"))
  local line = assert(place.client.stdout:receive("l", LONG))
  if place.is_alone then lunet.note("B's program: " .. line) end
  return line:match "^%l+: (.*)" or error("the client said: " .. line, 0)
end

local function connect_a(place)
  local a = assert(place.a:connect({ address = place.address, port = PORT, label = "A" }, LONG))
  assert(a:send "login A\n")
  for _ = 1, 2 do assert(a:receive("l", LONG)) end
  await_line(place, "^send: ")
  return a
end

-- Whether the server has accepted B, or what is left of its connection.
local function is_accepted(place)
  return not lab.socket(place.host, { local_port = PORT, state = { "ESTABLISHED", "CLOSE_WAIT" }, owned = false })
end

-- B connects, asks, waits and leaves.
local function meet(place, case, knobs)
  local client = { remedy = case.remedy, departure = case.departure, connect = tell(place, "connect") }
  if knobs.request == "login" then tell(place, "send login B") end
  client.received = tell(place, ("receive %.0f"):format(knobs.patience * 1000))
  client.accepted = is_accepted(place)
  tell(place, case.departure)
  return client
end

-- A has left. Tells what the server saw of B, and what B's program receives on a connection that it makes now.
local function come_back(place, client, knobs)
  for _ = 1, client.accepted and 1 or 2 do await_line(place, "^end: ") end -- A's, and the ghost's
  tell(place, "connect")
  client.again = tell(place, ("receive %.0f"):format(knobs.patience * 1000))
  tell(place, "send status B")
  client.answer = tell(place, ("receive %.0f"):format(LONG * 1000))
  lunet.sleep(QUIET)
  local log = table.concat(place.log, "\n")
  local accepts = {}
  for peer in log:gmatch "accept: Success, (%l+ ?%l*)" do accepts[#accepts + 1] = peer:gsub(" $", "") end
  local logins = place.files:read "logins"
  client.carried_out = logins:find("login B", 1, true) ~= nil
  return { remedy = client.remedy, departure = client.departure, seen_as = accepts[2],
    sent = log:match "carry out: login B\n.-send: ([^\n]*)" or "nothing" }
end

local function run_case(place, case, knobs)
  local _files <close> = place.files
  local a = connect_a(place)
  local client = meet(place, case, knobs)
  a:close()
  return { client = client, ghost = come_back(place, client, knobs) }
end

local function cases_of(knobs)
  return choice.combinations(knobs, { { "remedy", REMEDIES }, { "departure", DEPARTURES } })
end

local function check_case(case, client, ghost)
  local name, is_refused = ("remedy %s, %s"):format(case.remedy, case.departure), case.remedy == "refuse"
  expect.fields(name, client, { connect = "Success", received = is_refused and "busy" or "nothing",
    accepted = is_refused, carried_out = case.remedy == "none", again = "nothing", answer = "reply to status B" })
  local sent = case.departure == "close" and "Success, Shutdown" or "ConnectionReset, Shutdown"
  if ghost.sent == "Success, Success" then experiment.not_judged("%s: the machine was late with the RST", name) end
  expect.fields(name, ghost, { sent = case.remedy == "none" and sent or "nothing",
    seen_as = case.departure == "reset" and not is_refused and "no address" or "client" })
end

return experiment {
  claim = "A connect callback reports success before the server accepts. The memo's server carries out the request of "
    .. "a client that has left; a look at the client, or an accept that refuses, prevents it.",
  knobs = {
    remedy = { "all", "program", "the memo's (none), or with one of two remedies", choices = choice.of(REMEDIES) },
    departure = { "all", "way", "how B leaves: by FIN or by RST", choices = choice.of(DEPARTURES) },
    request = { "login", "request", "what B has sent when it leaves", choices = { "login", "none" } },
    patience = { 0.5, "s", "how long B waits for an answer before it leaves", min = 0.001 },
  },
  -- received: by B before it left; again: by B's next connection before it asked; seen_as: what RemoteEndPoint said;
  -- sent: what SendAsync's callbacks said of the two parts of the reply.
  columns = { "remedy", "departure", "connect", "received", "accepted", "carried_out", "again", "answer", "seen_as",
    "sent" },
  needs = { mcs = "mono-mcs", mono = "mono-runtime" },
  control = { request = "none" },

  run = function(knobs)
    local built <close> = scratch.open()
    local programs = { server = compile("memo_server", built), client = compile("memo_client", built) }
    lunet.note "B's program is memo_client.cs, and the server is memo_server.cs. A has the server's only place."
    local cases = cases_of(knobs)
    local results = lunet.together(cases, function(case) return prepare(case, programs) end, function(place, case)
      place.is_alone = #cases == 1
      return run_case(place, case, knobs)
    end)
    local outcome = { clients = {}, ghosts = {} }
    for i, result in ipairs(results) do outcome.clients[i], outcome.ghosts[i] = result.client, result.ghost end
    return outcome
  end,

  check = function(outcome, knobs)
    local cases = cases_of(knobs)
    expect.cases("clients", outcome.clients, cases, { "remedy", "departure" })
    expect.cases("ghosts", outcome.ghosts, cases, { "remedy", "departure" })
    for i, case in ipairs(cases) do check_case(case, outcome.clients[i], outcome.ghosts[i]) end
  end,

  figures = function(outcome)
    local succeeded, carried_out, replayed = 0, 0, 0
    for _, client in ipairs(outcome.clients) do
      if client.connect == "Success" then succeeded = succeeded + 1 end
      if client.carried_out then carried_out = carried_out + 1 end
      if client.again ~= "nothing" then replayed = replayed + 1 end
    end
    return ("of %d: %d succeed, %d carried out after B left, %d old replies received"):format(#outcome.clients,
      succeeded, carried_out, replayed)
  end,
}
