-- Claim. A client with Happy Eyeballs leaves an IPv6 address whose queue is full for IPv4 within half a second. It
-- stays with an IPv6 server that never accepts.
--
-- Why. The client tries the IPv6 address of a name first. If that connect has not succeeded after a quarter of a
-- second, it tries IPv4 as well (RFC 8305, 5). curl 7.88 does so after 200 ms, and keeps both. Node 20 does after 250
-- ms, and gives IPv6 up (autoSelectFamilyAttemptTimeout). A full queue drops the SYN, so that IPv4 wins. A server that
-- never accepts has a queue with room: connect succeeds, in the kernel, and the race is over. From then on the client
-- waits as long as for any answer, and IPv4 is never asked. A client without Happy Eyeballs (Python's http.client, here
-- with the same addresses, and the control) tries one after the other, each with its whole timeout. All leave a closed
-- port at once.
--
-- Where it was met. Services whose second address was hung or full: "it hangs only from our office", where the network
-- has IPv6.
--
-- What to do. Do not take Happy Eyeballs for a health check: it covers the handshake alone. Bound the wait for the
-- answer, and try again by the other family. A server that is stuck has to close its listener, or fill its queue.
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local lateness = require "lunet.run.lateness"
local lunet = require "lunet"
local nobody = require "lunet.peer.nobody"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"
local statistics = require "lunet.load.statistics"

-- How each client is started, before the addresses, the port and its patience. It prints the address that answered, or
-- "nobody".
local CLIENTS = {
  curl = { program = "curl", package = "curl", shell = "sh", script = lunet.beside "happy_eyeballs_client.sh" },
  node = { program = "node", package = "nodejs", shell = "node", script = lunet.beside "happy_eyeballs_client.js" },
  python = { program = "/usr/bin/python3", package = "python3", shell = "/usr/bin/python3",
    script = lunet.beside "happy_eyeballs_client.py" },
}
local NAMES = { "curl", "node" } -- Python's is the control
local STATES = { "full", "never_accepts", "closed" }
local UNSEEN = 1 -- s; how much later a busy machine may be with the clients than with lunet
local SOON = 0.5 -- s; from the first SYN to the answer, of a client that need not wait for long

local function cases_of(knobs)
  local cases = {}
  for _, name in ipairs(choice.pick(NAMES, knobs.client)) do
    for _, state in ipairs(choice.pick(STATES, knobs.ipv6)) do cases[#cases + 1] = { client = name, ipv6 = state } end
  end
  return cases
end

local function serve(connection)
  repeat local line = connection:receive("l", lab.LONG) until not line or line == "\r" -- the request's last one
  connection:send "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"
end

-- A server whose IPv4 address serves everybody, and whose IPv6 address is as the case has it.
local function prepare(case)
  local server, host, link = lab.hosts { "server", "client" }
  local place = { server = server, host = host, v4 = link:address(server), v6 = link:address(server, "ipv6"),
    scratch = scratch.open() }
  nobody.let_in(host, place.scratch)
  place.serving = lab.listen(server, { address = place.v4, port = lab.PORT, backlog = 5 })
  if case.ipv6 == "closed" then return place end
  place.listener = lab.listen(server, { address = place.v6, port = lab.PORT, backlog = case.ipv6 == "full" and 0 or 5 })
  if case.ipv6 == "full" then place.fillers = lab.fill_queue(server, place.listener) end
  return place
end

-- A copy that the user without rights may read.
local function copy_of(path, place)
  local file <close> = assert(io.open(path))
  return place:write("client", file:read "a")
end

-- The seconds from the client's first SYN to the first answer to its request, or to its end.
local function seconds_of(capture, ended)
  local first
  for _, segment in ipairs(capture:segments()) do
    if segment.direction == "in" and segment.flags == "SYN" then first = first or segment.at end
    if segment.direction == "out" and segment.bytes > 0 then return segment.at - first end
  end
  return ended - first
end

local function measure(place, case, knobs)
  local _undo <close> = place.scratch
  local capture, client = assert(place.server:capture()), CLIENTS[case.client]
  local serving = lunet.spawn(function() place.serving:serve(serve) end)
  local words = nobody.program({ client.shell, copy_of(client.script, place.scratch), place.v6, place.v4, lab.PORT,
    knobs.patience }, place.scratch)
  words.label = case.client
  local process <close> = assert(place.host:exec(words))
  local _, text = peer_process.finish(process)
  local ended = lunet.now()
  serving:cancel()
  local peer = text:match "nobody" or text:match "[^\n]*" -- curl tells the address at once
  local families = { [place.v4] = "IPv4", [place.v6] = "IPv6" }
  local queued = place.listener and lab.depth(place.listener) - #(place.fillers or {}) or 0
  return { client = case.client, ipv6 = case.ipv6, answered = families[peer] or peer, queued = queued,
    seconds = statistics.round(seconds_of(capture, ended), 3) }
end

-- -- the claim ---------------------------------------------------------------------------------

local function check_row(row, case, knobs, late)
  local name = ("%s, IPv6 %s"):format(case.client, case.ipv6)
  if case.ipv6 == "never_accepts" then
    expect.fields(name, row, { answered = "nobody", queued = 1, seconds = expect.at_least(knobs.patience - SOON) })
    lateness.at_most(name .. ": left", row.seconds, knobs.patience + 2 * SOON, late, UNSEEN)
    return
  end
  expect.fields(name, row, { answered = "IPv4", queued = 0 })
  lateness.at_most(name .. ": answered", row.seconds, SOON, late, UNSEEN)
end

return experiment {
  claim = "A client with Happy Eyeballs leaves an IPv6 address whose queue is full for IPv4 within half a second. It "
    .. "stays with an IPv6 server that never accepts.",
  knobs = {
    client = { "all", "client", "who asks: curl, Node, or Python, which has no Happy Eyeballs and is not among all",
      choices = { "all", "curl", "node", "python" } },
    ipv6 = { "all", "state", "of the IPv6 address: a full queue; a queue with room that nobody accepts from; closed",
      choices = choice.of(STATES) },
    patience = { 2.0, "s", "how long a client waits: curl and Node for all, Python at each step", min = 1, max = 60 },
  },
  control = { client = "python" },
  needs = function(knobs)
    local packages = {}
    for _, name in ipairs(choice.pick(NAMES, knobs.client)) do
      packages[CLIENTS[name].program] = CLIENTS[name].package
    end
    return packages
  end,
  -- answered: the family by which the client got its answer, or nobody. queued: whether the IPv6 queue holds it.
  -- seconds: from its first SYN to the answer, or to its end.
  columns = { "client", "ipv6", "answered", "queued", "seconds" },

  run = function(knobs)
    lunet.note "Each client asks a name with an IPv6 address that is in trouble, and an IPv4 address that serves."
    local rows, late = lab.measure(cases_of(knobs), prepare,
      function(place, case) return measure(place, case, knobs) end)
    return { rows = rows, lateness = late }
  end,

  check = function(outcome, knobs)
    local cases = cases_of(knobs)
    expect.cases("rows", outcome.rows, cases, { "client", "ipv6" })
    for i, row in ipairs(outcome.rows) do check_row(row, cases[i], knobs, outcome.lateness) end
    if knobs.ipv6 == "closed" then
      experiment.not_judged "no client met a full queue, or a server that never accepts"
    end
  end,

  figures = function(outcome)
    local by_ipv4 = 0
    for _, row in ipairs(outcome.rows) do by_ipv4 = by_ipv4 + (row.answered == "IPv4" and 1 or 0) end
    return ("of %d clients %d were answered, by IPv4"):format(#outcome.rows, by_ipv4)
  end,
}
