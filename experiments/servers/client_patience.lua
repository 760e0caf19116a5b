-- Claim. A connected client cannot see that its server never accepts: it waits until its timeout for an answer, or
-- without end. A connect timeout ends only the wait for a full queue.
--
-- Why. The kernel completes the handshake for the server (listen(2)). So connect(2) succeeds, and a connect timeout has
-- nothing left to measure: the client reads, as it does from a slow server. TCP ends no such wait, since the server's
-- kernel answers keepalive probes. Only a timer of the client's own ends it, and most clients have none by default. If
-- the queue is full, the kernel drops the SYN. Then the client's connect timeout ends the wait, or the kernel's limit
-- (tcp(7), tcp_syn_retries). The connections of a client that has left stay queued until the server accepts them
-- (net/ipv4/tcp_input.c, tcp_fin).
--
-- Where it was met. Cron jobs that hung for weeks; pools that were "connected" to a dead server; retries that filled
-- the queue of a slow one.
--
-- What to do. Set the timeout for the whole answer. Try it against a server that never accepts, since an option's name
-- does not tell what the option covers. Run a client without such a timeout by timeout(1).
local lunet = require "lunet"
local client = require "lunet.peer.client"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"

local SERVERS <const> = { "never", "full", "silent", "closed" }
local OPTIONS <const> = { "default", "connect", "answer" }
local BACKLOG <const> = { full = 1 } -- of the others 100: room for every retry
local AT_ONCE <const> = 8 -- clients that start side by side: more would make each other late
local LONGEST <const> = 600 -- s within which all others have started
local LATE <const> = 30 -- s that a client may take longer than the machine lets it, before the check says that it waits
local SETTLED <const> = 10 -- s within which the server's kernel knows what a client has left
local PAUSE <const> = 0.1 -- s between looks for a client's first SYN, whose time the kernel stamps
local CLOCKS <const> = 0.1 -- s by which that time may be wrong
local MOST_SEGMENTS <const> = 4096 -- of a client and its server
local KERNEL <const> = 127 -- s that the kernel tries to connect, or longer, by default (tcp(7), tcp_syn_retries)
local SLACK <const>, RELATIVE_SLACK <const> = 3, 0.05 -- s; timers are coarse, some by a part of their length

-- The least and the most of a number of a description.
local function ends_of(number)
  if type(number) == "table" then return table.unpack(number) end
  return number, number
end

-- How many of its connections a client leaves, at least and at most.
local function ghosts_of(wait, connections)
  local least, most = ends_of(wait.ghosts or connections)
  return math.min(least, connections), math.min(most, connections)
end

-- After how many seconds a client gives up before this server, at least, and the latest that a check takes for that.
local function patience_of(wait, knobs)
  local seconds = wait[knobs.server == "full" and "connect" or "answer"] or math.huge
  local least, most = ends_of(seconds)
  return least, most * (1 + RELATIVE_SLACK) + SLACK
end

local function has_option(name, option) return client.describe(name).waits[option] ~= nil end

-- The clients of a run: all that have the option.
local function names_of(knobs)
  if knobs.client ~= "all" then return { knobs.client } end
  local names = {}
  for _, name in ipairs(client.names()) do
    if has_option(name, knobs.option) then names[#names + 1] = name end
  end
  return names
end

-- Accepts every client, and is silent.
local function begin_silence(listener)
  local accepted = {}
  lunet.spawn(function()
    while true do
      local connection = listener:accept()
      if not connection then return end
      accepted[#accepted + 1] = connection
    end
  end)
  return accepted
end

local function prepare(name, knobs)
  local server, host, link = lab.hosts { "server", select(2, client.describe(name)) }
  local address = link:address(server)
  local running = client.open(name, host, { address = address, port = lab.PORT, option = knobs.option })
  local place = { running = running, server = server, version = client.version(name), fillers = {} }
  if knobs.server == "closed" then
    place.capture = assert(server:capture(MOST_SEGMENTS))
    return place
  end
  place.listener = lab.listen(server, { backlog = BACKLOG[knobs.server] or 100 })
  place.is_full = knobs.server == "full"
  if place.is_full then place.fillers = lab.fill_queue(host, place.listener) end
  if knobs.server == "silent" then place.accepted = begin_silence(place.listener) end
  place.capture = assert(server:capture(MOST_SEGMENTS))
  return place
end

-- How many connections the client has made: those that the server has accepted, and those in its queue.
local function count_connections(place)
  if not place.listener then return 0 end
  return #(place.accepted or {}) + lab.depth(place.listener) - #place.fillers
end

-- How many of them the client has left. The kernel does not list those that left by RST.
local function count_ghosts(place)
  local present = 0
  for _, socket in ipairs(assert(place.server:sockets { local_port = lab.PORT, state = "ESTABLISHED" })) do
    if not socket.fin then present = present + 1 end
  end
  return count_connections(place) - (present - #place.fillers)
end

-- The times of the first SYN of each connection that the client has tried to make.
local function times_of_tries(place)
  local times, seen = {}, {}
  for _, segment in ipairs(assert(place.capture:segments())) do
    if segment.flags == "SYN" and not seen[segment.from] then
      seen[segment.from] = true
      times[#times + 1] = segment.at
    end
  end
  return times
end

-- Waits until the client's first SYN has come, or it has given up without one. Returns the time of the SYN.
local function await_arrival(place)
  local deadline = lunet.now() + lab.LONG
  while true do
    local has_ended = place.running:await_end(0)
    local arrived = times_of_tries(place)[1]
    if arrived or has_ended then return arrived or lunet.now() end
    if lunet.now() > deadline then error(place.running.name .. " does not connect", 0) end
    lunet.sleep(PAUSE)
  end
end

-- Starts the client. Returns the time of its first SYN, and how many seconds it has taken to send it.
local function start(place)
  local began = lunet.now()
  place.running:start()
  local arrived = await_arrival(place)
  return arrived, arrived - began
end

-- Waits until the server's kernel has the connections of a client that has given up, and knows which of them it left.
local function await_departure(place)
  lunet.eventually(function()
    local connections, ghosts = count_connections(place), count_ghosts(place)
    local is_connected = place.is_full or not place.listener or connections == #times_of_tries(place)
    local least, most = ghosts_of(place.running.wait, connections)
    return is_connected and ghosts >= least and ghosts <= most
  end, SETTLED)
end

-- The client gives up, or has waited as long as the run lets it.
local function measure(place, knobs, in_turn, tell)
  local running <close> = place.running
  local _capture <close> = place.capture
  tell(running.name .. " starts.")
  local arrived, startup = in_turn(start, place)
  tell "Its first SYN has come."
  local _, latest = patience_of(running.wait, knobs)
  local longest = knobs.longest + (latest <= knobs.longest and LATE or 0)
  local gave_up = running:await_end(arrived + longest - lunet.now())
  local waited = lunet.now() - arrived
  tell(gave_up and "It gives up." or "It has waited as long as this run lets it.")
  local status = gave_up and (running:status() or "runs on") or "waits"
  lunet.sleep(0) -- the loop may have accepted a connection that the server's task has yet to take
  if gave_up then await_departure(place) end
  local row = { client = running.name, version = place.version, option = running.wait.option or "none",
    gave_up = gave_up, seconds = gave_up and waited or ("longer than %g"):format(knobs.longest),
    tries = #times_of_tries(place), connections = count_connections(place), ghosts = count_ghosts(place),
    status = status, words = running:words(), startup = startup }
  if place.listener then place.listener:close() end -- which ends the task that accepts
  return row
end

-- Some clients start their timers before they connect. If such a client connects late, its timer ends while the client
-- still connects, or has yet to ask: it then leaves and says what it would before a full queue.
local function check_start(name, row, seconds)
  local is_cut = row.gave_up and row.seconds < seconds / 2 and row.startup + row.seconds >= seconds - CLOCKS
  if is_cut then experiment.not_judged("the machine was late with %s: its SYN came after %g s", name, row.startup) end
end

-- A client gives up after so many seconds.
local function check_end(name, row, wait, knobs)
  local seconds, latest = patience_of(wait, knobs)
  check_start(name, row, seconds)
  local connections = expect.between(ends_of(knobs.server == "full" and 0 or wait.connections or 1))
  local wanted = { gave_up = true, tries = knobs.server == "full" and expect.at_least(1) or connections,
    connections = connections, seconds = expect.time(0, latest) }
  if knobs.server ~= "full" then
    local is_said = wait.words and row.words:find(wait.words, 1, true)
    wanted.status, wanted.words = wait.status, is_said and row.words or wait.words
  end
  expect.fields(name, row, wanted)
  expect.value(name .. ": ghosts", row.ghosts, expect.between(ghosts_of(wait, row.connections)))
  expect.value(name .. ": the time since it was started", row.startup + row.seconds,
    expect.at_least(seconds - CLOCKS))
end

local function check_row(row, name, knobs)
  local description, short = client.describe(name)
  local wait, is_full = description.waits[knobs.option], knobs.server == "full"
  expect.fields(short, row, { client = short, option = wait.option or "none" })
  local seconds, latest = patience_of(wait, knobs)
  if is_full and math.min(seconds, knobs.longest) >= KERNEL then return end -- the kernel's limit, a number of times
  if latest <= knobs.longest then
    check_end(short, row, wait, knobs)
  elseif seconds > knobs.longest then
    local connections = is_full and 0 or expect.at_least(1)
    expect.fields(short, row, { gave_up = false, status = "waits", tries = expect.at_least(1),
      connections = connections })
  end
end

return experiment {
  claim = "A connected client cannot see that its server never accepts: it waits until its timeout for an answer, or "
    .. "without end. A connect timeout ends only the wait for a full queue.",
  knobs = {
    client = { "all", "client", "one of lua/lunet/peer/clients, or the path of such a file" },
    server = { "never", "server", "never: it never accepts; full: its queue is full, too; silent: it accepts, and says "
      .. "nothing; closed: nobody listens", choices = SERVERS },
    option = { "default", "setting", "the client's defaults; or its own option that bounds the connect, or the wait "
      .. "for an answer. A client without such an option is left out", choices = OPTIONS },
    longest = { 20, "s", "how long the run lets a client wait", min = 1 },
  },
  -- seconds: from its first SYN until it gives up; tries: how many connections it has tried to make by then;
  -- connections: those that it has made, of which it has left the ghosts; status: its exit status, "runs on" if it does
  -- not end by itself, "waits" if it has not given up; words: what it said last.
  columns = { "client", "version", "option", "seconds", "tries", "connections", "ghosts", "status", "words" },
  needs = function(knobs) return client.needs(names_of(knobs)) end,
  control = { server = "closed", client = "curl" },
  slow = true,

  run = function(knobs)
    local names = names_of(knobs)
    local tell = #names == 1 and lunet.note or function() end
    local in_turn = lab.turns(AT_ONCE, LONGEST)
    return { rows = lunet.together(names, function(name) return prepare(name, knobs) end, function(place)
      return measure(place, knobs, in_turn, tell)
    end) }
  end,

  check = function(outcome, knobs)
    local names = names_of(knobs)
    expect.value("the number of clients", #outcome.rows, #names)
    expect.each(outcome.rows, function(row, i) check_row(row, names[i], knobs) end)
  end,

  figures = function(outcome, knobs)
    local waiting = 0
    for _, row in ipairs(outcome.rows) do waiting = waiting + (row.gave_up and 0 or 1) end
    return ("of %d clients %d wait longer than %g s"):format(#outcome.rows, waiting, knobs.longest)
  end,
}
