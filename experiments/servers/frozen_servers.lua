-- Claim. A stopped server that goes on carries out the requests of clients that have left, unless it writes to them
-- first. Few look whether the client is there.
--
-- Why. While a server is stopped the kernel completes handshakes, queues the connections and keeps what clients send.
-- recv(2) gives that before it tells of the FIN or the RST behind it (net/ipv4/tcp.c, tcp_recvmsg_locked). A server
-- learns that a client has left when it writes to it. A write to a connection that was reset fails at once (EPIPE). A
-- connection that the client has closed is reset by the first bytes that come, so the second write fails. A protocol
-- with a greeting or a login protects by that chance. named and dnsmasq fail to ask for the address of a connection
-- that was reset (getpeername(2)), and puma looks at the connection's state. Squid needs a handshake with its backend,
-- and hears of the FIN meanwhile. HAProxy with abortonclose asks its backend all the same. lighttpd starts a CGI
-- program and kills it as soon as it hears of the RST: what that has done by then is chance. NATS sends each client a
-- PING 2 s after it came. If it was stopped then, chance decides whether it reads before that PING fails. To a server
-- that looks, a client that only ended its side (`shutdown`) has left as well: it waits for an answer that never comes.
-- Where only the process that accepts is stopped, clients that have a process of their own are served on.
--
-- Where it was met. Writes that "timed out" and appeared when a suspended virtual machine or a debugger let the server
-- go on. Clients that Tinyproxy drops after a stop: its reads have a timeout, and such a read ends with EINTR when the
-- program was stopped meanwhile (signal(7)).
--
-- What to do. Do not take a timeout for "not done". Let the last step of a write wait for an answer, or say until when
-- it may be done. Do not end the sending side of a connection before the answer is there.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lunet = require "lunet"
local options = require "lunet.text.options"
local peer_process = require "lunet.peer.process"
local server = require "lunet.peer.server"

local CLIENTS = 4 -- that a server serves at once, so that its limit plays no part
local AT_ONCE = 10 -- servers side by side: more would make each other late
local LONGEST = 3600 -- s, within which all others are measured
local LOAD = 20 -- s, within which a server that has nothing to do comes to rest
local QUIET = 0.5 -- s without new evidence, after which a request counts as not carried out
local SOME = { "lighttpd", "mosquitto", "nginx", "puma", "redis" }
local FROZEN, ACCEPTED = { "whole", "master", "workers" }, { "after", "before" }
local DEPARTURES = { "close", "reset", "shutdown" }
local ALL = { server = "all" } -- names are picked before
local KEY = { "server", "frozen", "accepted", "departure" }

local function names_of(knobs)
  return knobs.server == "all" and server.names() or knobs.server == "some" and SOME or { knobs.server }
end

-- Whether a case differs from the others. The parts of most servers do not. Where the first process accepts, the others
-- have no part in a client that it has not accepted yet.
local function is_one(case)
  local workers = server.describe(case.path).workers
  return case.frozen == "whole" or workers == "accept"
    or workers == "read" and (case.frozen == "master" or case.accepted == "before")
end

local function cases_of(knobs)
  local cases = {}
  for _, name in ipairs(names_of(knobs)) do
    for _, case in ipairs(choice.combinations(options.merged(knobs, ALL), { { "frozen", FROZEN },
      { "accepted", ACCEPTED }, { "departure", DEPARTURES } })) do
      case.path, case.server = name, select(2, server.describe(name))
      if is_one(case) then cases[#cases + 1] = case end
    end
  end
  return cases
end

-- Whether B is served although something is stopped.
local function is_free(case, description)
  return case.frozen == "master" and (description.workers == "accept" or case.accepted == "before")
end

-- Stops the server, or a part of it.
local function freeze(running, frozen)
  if frozen == "whole" then return peer_process.freeze(running.process) end
  for i, entry in ipairs(assert(running.process:tree())) do
    if (i == 1) == (frozen == "master") then peer_process.freeze(running.process, entry.pid) end
  end
end

-- The part of its request that a client sends before it hears from the server; all but two bytes, if it sends all.
local function first_of(running)
  return running.description.first or running.description.request("ghost", running):sub(1, -3)
end

-- B has sent its request to a server that is stopped. Returns also what B has received.
local function send_request(running, case, knobs, host)
  if case.accepted == "before" then
    local b, text = running:begin(host, "ghost", "B")
    if running.description.is_interrupted then assert(running:await_rest(lab.LONG)) end -- its read has begun
    freeze(running, case.frozen)
    if knobs.sends == "all" then running:go_on(b, "ghost") end
    return b, text
  end
  freeze(running, case.frozen)
  if knobs.sends == "all" then return running:ask(host, "ghost", "B"), "" end
  local b = assert(host:connect({ address = running.address, port = running.port, label = "B" }, lab.LONG))
  b:send(first_of(running), lab.LONG)
  return b, ""
end

-- Waits some seconds for B's answer, and puts into a word what B has: "other" is another answer.
local function look(running, client, received, seconds)
  local found, text, code = running.read_until(client, running.description.answer, seconds, received)
  if found then return "answered" end
  return code == "TIMEOUT" and "nothing" or #text > #received and "other" or "closed"
end

local function measure(case, knobs)
  local host, b_host, c_host = lab.hosts { case.server, "B", "C" }
  local lan = lunet.lan { host, b_host, c_host }
  local running <close> = server.start(case.path, host, { address = lan:address(host), clients = CLIENTS })
  running:await_rest(LOAD)
  local before = #running:log()
  local b, received = send_request(running, case, knobs, b_host)
  local sees = look(running, b, received, is_free(case, running.description) and lab.LONG or knobs.patience)
  running:leave(b, case.departure)
  assert(running.process:thaw())
  local waits = case.departure == "shutdown" and sees == "nothing"
  local answer = waits and look(running, b, received, lab.LONG) or "-"
  b:close()
  local evidence = running:settled_evidence(running:be_answered(c_host, "C"), QUIET)
  return { server = case.server, frozen = case.frozen, accepted = case.accepted, departure = case.departure,
    sees = sees, carried_out = evidence:find("ghost", 1, true) ~= nil, answer = answer,
    log = running:logged(running:log():sub(before + 1), "ghost"),
    program = ("%s %s"):format(case.server, server.version(case.path)) }
end

-- -- the claim -----------------------------------------------------------------------------------

-- Whether a server that goes on carries out B's request; nil: the machine decides.
local function is_carried_out(case, description)
  if description.races == case.departure then return nil end
  local is_new = case.accepted == "after"
  local greets = is_new and description.greets or 0
  if description.is_interrupted and not is_new then return false end
  local looks = server.looks(description, case.departure, true)
  if looks and (is_new or server.looks(description, "close", true)) then return false end
  if case.departure == "reset" then return greets == 0 end
  -- The RST that answers the first write comes before the second one, unless the machine is late.
  if case.departure == "close" and greets > 1 then return nil end
  return true
end

local function check_row(row, case)
  local description = server.describe(case.path)
  local name = table.concat({ row.server, row.frozen, row.accepted, row.departure }, ", ")
  expect.value(name .. ": program", row.program:match "^(.*) %d", case.server)
  if is_free(case, description) then
    return expect.fields(name, row, { sees = "answered", carried_out = true, answer = "-" })
  end
  expect.fields(name, row, { sees = "nothing", carried_out = is_carried_out(case, description) })
  if case.departure ~= "shutdown" then return expect.fields(name, row, { answer = "-" }) end
  local leaves = description.looks == true and (row.carried_out and "other" or "closed")
  expect.fields(name, row, { answer = leaves or row.carried_out and "answered" or "closed" })
end

return experiment {
  claim = "A stopped server that goes on carries out the requests of clients that have left, unless it writes to them "
    .. "first. Few look whether the client is there.",
  knobs = {
    server = { "some", "server", "one of lua/lunet/peer/servers, or the path of such a file; some of them; or all" },
    frozen = { "all", "part", "what is stopped: the whole server, its first process, or all its other processes",
      choices = choice.of(FROZEN) },
    accepted = { "all", "time", "when the server accepts the client: before it is stopped, or after",
      choices = choice.of(ACCEPTED) },
    departure = { "all", "way", "how the client leaves; shutdown: it ends its side and waits for its reply",
      choices = choice.of(DEPARTURES) },
    sends = { "all", "part", "what the client sends; first: what its like send before they hear from the server",
      choices = { "all", "first" } },
    patience = { 0.2, "s", "how long the client waits for a reply before it leaves", min = 0 },
  },
  -- sees: what B has received when it leaves. answer: what it receives later, if it only ended its side; other: not
  -- what it asked for. log: what the server's log says of B.
  columns = { "server", "frozen", "accepted", "departure", "sees", "carried_out", "answer", "log" },
  needs = function(knobs) return server.needs(names_of(knobs)) end,
  control = { sends = "first", server = "redis" },

  run = function(knobs)
    lunet.note "Each client has a server of its own, of which something is stopped before it sends its request."
    local in_turn = lab.turns(AT_ONCE, LONGEST)
    return { rows = lunet.together(cases_of(knobs), function(case) return in_turn(measure, case, knobs) end) }
  end,

  check = function(outcome, knobs)
    local cases = cases_of(knobs)
    expect.cases("rows", outcome.rows, cases, KEY)
    for i, row in ipairs(outcome.rows) do check_row(row, cases[i]) end
  end,

  figures = function(outcome)
    local stopped, carried_out, unanswered = 0, 0, 0
    for _, row in ipairs(outcome.rows) do
      if row.sees == "nothing" then
        stopped = stopped + 1
        if row.carried_out then carried_out = carried_out + 1 end
        if row.answer ~= "-" and row.answer ~= "answered" then unanswered = unanswered + 1 end
      end
    end
    return ("of %d requests %d carried out; %d clients waited in vain"):format(stopped, carried_out, unanswered)
  end,
}
