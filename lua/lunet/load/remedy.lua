--- The remedies of servers and clients against requests whose clients give up while they wait.
---
--- The list at the end is meant to be read from top to bottom. Each entry is one remedy, or a naive version of the one
--- above it: what people write first. A comment says what it does, what it costs, or what the naive version gets wrong.
--- Then come the fields that lunet.load.trial makes a server and clients of. The last line says what the two parts of
--- experiments/overload/remedies.lua show of it.
local admission = require "lunet.load.admission"
local expect = require "lunet.run.expect"
local lunet = require "lunet"
local scenario = require "lunet.load.scenario"

local TICK = 0.004 -- s; what the kernel's ages may be short of (HZ = 250)
local SKEW = 60 -- s; how far the clocks of clients are ahead or behind

---@class lunet.remedy
---@field name string
---@field naive? string what this version of it does wrong
---@field way? string how the server takes connections, a method of admission's servers; default gated: one at a time
---@field options? table of that way
---@field is_wanted? fun(connection: lunet.connection, request: table, trial: lunet.trial): boolean? what the server
--- asks before it works
---@field is_over? fun(connection: lunet.connection, request: table, trial: lunet.trial): boolean? waits until a request
--- in the server's own queue need not be kept
---@field key? fun(request: table): any what the server remembers of a request that it has carried out
---@field listen? table options of the listener
---@field backlog? number share of the requests that can be served within the patience
---@field greets? boolean whether the server sends a greeting first
---@field waits? boolean whether clients wait for that greeting
---@field says? fun(left: number, number: integer): number what clients say about the seconds that they have left
---@field departure? "close"|"reset" how clients leave
---@field cancels? "control"|"same" the port to which clients say that they have left; default: they say nothing
---@field destroys? boolean whether somebody at the server's machine destroys queued connections whose FIN has come
---@field retries? integer how often a client tries again at most
---@field budget? number retries that each request adds to a budget that all clients share
---@field backoff? boolean whether clients pause before a retry
---@field scenario? table<string, any> what the scenario shows; nil: it is not tried there
---@field trips? integer[] extra round trips of a client, and of one that half-closes
---@field overload? table<string, string> what the overload shows; nil: it is not tried there
---@field only_without_delay? string the one field that is not judged on a link with a delay

-- -- what the scenario shows ------------------------------------------------------------------
-- See lunet.load.scenario. A field that depends on who comes first is left out.

local LEAVERS, BURST = scenario.LEAVERS, scenario.BURST
local NOTHING_HELPED = { stale = LEAVERS, again = 2, patient = "served", half = "served", burst = BURST }
local ALL_WELL = { stale = 0, again = 1, patient = "served", half = "served", burst = BURST }
local DROPS_PATIENT = { stale = 0, again = 1, patient = "dropped", half = "served", burst = BURST }
local DROPS_HALF = { stale = 0, again = 1, patient = "served", half = "dropped", burst = BURST }
local BY_CLOCK = { stale = LEAVERS, again = 2, patient = "dropped", half = "dropped", burst = 3 }
local SHORT = { stale = 0, patient = "served", burst = expect.at_most(BURST - 1) }
local CLOSES = { stale = 0, burst = expect.at_most(BURST - 1) }
local REFUSES = { stale = 0, again = 1, patient = "served", half = "served", burst = expect.at_most(BURST - 1) }
local DESTROYS = { stale = 0, again = 1, patient = "served", half = "reset", burst = BURST }
local DESTROYS_IN_VAIN = { stale = LEAVERS + 1, again = 2, patient = "served", half = "reset", burst = BURST }
local RESETS = { stale = 0, patient = "reset", half = "reset" }
local REMEMBERS = { stale = LEAVERS, again = 1, patient = "served", half = "served", burst = BURST }

-- -- what the server asks before it works -----------------------------------------------------

local function is_there(connection) return admission.is_there(connection, "wait\n") end
local function has_not_ended(connection) return connection:liveness() == "open" end
local function is_not_reset(connection) return connection:liveness() ~= "reset" end
local function takes_bytes(connection) return connection:send "wait\n" end
local function is_not_canceled(_, request, trial) return not trial.canceled[request.id] end

-- The rest of a patience that began with the client's SYN. The request came one and a half round trips later, and the
-- reply takes half of one.
local function time_left(connection, request, trial)
  local patience = trial.patience - 2 * admission.round_trip(connection) - TICK
  return request.came + patience - trial.service - lunet.now()
end
local function is_young(...) return time_left(...) > 0 end
local function is_young_without_margin(_, request, trial) return lunet.now() - request.came < trial.patience end
local function is_young_since_accept(_, request, trial) return lunet.now() - request.read < trial.patience end

-- The rest of the time that the client still had, by its own word, when it sent the request.
local function time_said(connection, request, trial)
  local patience = request.said - admission.round_trip(connection) - TICK
  return request.came + patience - trial.service - lunet.now()
end
local function is_in_time(...) return time_said(...) > 0 end
local function is_in_time_since_accept(_, request) return request.read + request.said > lunet.now() end
local function is_before_wall_clock(_, request) return request.said > lunet.now() end

-- -- how the server watches a request in its own queue ---------------------------------------

local function has_left(connection)
  connection:receive(1)
  return connection:liveness() and not is_there(connection)
end

local function too_late(left)
  return function(...)
    lunet.sleep(math.max(0, left(...)))
    return true
  end
end

-- -- what clients say about their deadline ----------------------------------------------------

local function seconds_left(left) return left end
local function wall_clock(left, number) return lunet.now() + left + (number % 2 == 0 and -SKEW or SKEW) end

-- -- how a server refuses ---------------------------------------------------------------------

-- A close with bytes unread would send RST, which tells the client nothing.
local function say_busy(connection)
  connection:send "busy\n"
  connection:shutdown()
  connection:receive("a", 10)
end
local function reset(connection) connection:reset() end

-- -- the remedies ----------------------------------------------------------------------------

local ROOM = 30 -- connections that accept_early lets be open at once

---@type lunet.remedy[]
return {
  -- One client at a time, and everybody else in the kernel's queue.
  { name = "none",
    scenario = NOTHING_HELPED, trips = { 0, 0 }, overload = { tries = "many", goodput = "lost" } },

  -- The server accepts and reads at once, watches for FIN and probes. Costs descriptors, bounded by `room`.
  { name = "accept_early", way = "early", options = { room = ROOM }, is_wanted = is_there, is_over = has_left,
    scenario = ALL_WELL, trips = { 0, 1 }, overload = { held = "bounded", goodput = "lost" } },
  -- Only reads at once. It carries out everything, and holds descriptors without bound.
  { name = "accept_early", naive = "no watch", way = "early",
    scenario = NOTHING_HELPED, overload = { held = "unbounded", goodput = "lost" } },

  -- After a FIN the server sends something and waits for ACK or RST. Costs a round trip, and an interim reply in the
  -- protocol.
  { name = "check_liveness", is_wanted = is_there,
    scenario = ALL_WELL, trips = { 0, 1 }, overload = { goodput = "lost" } },
  -- Takes FIN for gone, and so drops half-closing clients. Goodput is 19 to 98 % by the seed: not judged.
  { name = "check_liveness", naive = "FIN is gone", is_wanted = has_not_ended,
    scenario = DROPS_HALF, overload = {} },
  -- Takes a send that succeeds for a client that is there. The first send always succeeds.
  { name = "check_liveness", naive = "first send", is_wanted = takes_bytes,
    scenario = NOTHING_HELPED },

  -- The client leaves by RST, and the server looks. A crash sends FIN and a firewall nothing; the entry keeps its place
  -- in the queue.
  { name = "client_reset", departure = "reset", is_wanted = is_not_reset,
    scenario = ALL_WELL, trips = { 0, 0 }, overload = { goodput = "lost" } },
  -- The server does not look. recv(2) returns what came before the RST (net/ipv4/tcp.c, tcp_recvmsg_locked).
  { name = "client_reset", naive = "no check", departure = "reset",
    scenario = NOTHING_HELPED },

  -- Somebody at the server's machine destroys queued connections in CLOSE_WAIT every few milliseconds (ss -K), and the
  -- server looks. Half-closing clients are in CLOSE_WAIT, too: they get RST. The entry keeps its place in the queue.
  -- A kernel without CONFIG_INET_DIAG_DESTROY ends the run. Its goodput is not judged.
  { name = "destroy_ghosts", destroys = true, is_wanted = is_not_reset,
    scenario = DESTROYS, trips = { 0, 0 }, overload = {} },
  -- The server does not look: it reads what came before, and carries it out; also that of the half-closing client.
  { name = "destroy_ghosts", naive = "no check", destroys = true,
    scenario = DESTROYS_IN_VAIN },

  -- The client sends once the server has greeted it. Costs one more round trip, in which nobody is served.
  { name = "greet_first", greets = true, waits = true,
    scenario = ALL_WELL, trips = { 1, 1 }, overload = { goodput = "lost" } },
  -- The client does not wait for the greeting.
  { name = "greet_first", naive = "no wait", greets = true,
    scenario = NOTHING_HELPED },

  -- The server reads the age of the request (tcpi_last_data_recv) and guesses the patience. It drops patient clients.
  { name = "request_age", is_wanted = is_young,
    scenario = DROPS_PATIENT, trips = { 0, 0 }, overload = { goodput = "restored" } },
  -- Leaves no margin for its own work, and answers too late.
  { name = "request_age", naive = "no margin", is_wanted = is_young_without_margin,
    overload = { goodput = "lost" } },
  -- Measures the age from accept: no request is ever old.
  { name = "request_age", naive = "from accept", is_wanted = is_young_since_accept,
    scenario = NOTHING_HELPED },

  -- The client says how long it still waits, and the server subtracts the kernel's age of the request.
  { name = "request_deadline", says = seconds_left, is_wanted = is_in_time,
    scenario = ALL_WELL, trips = { 0, 0 }, overload = { goodput = "restored" } },
  -- The server counts the client's seconds from accept.
  { name = "request_deadline", naive = "from accept", says = seconds_left, is_wanted = is_in_time_since_accept,
    scenario = NOTHING_HELPED },
  -- The client says a time of a wall clock, and the clocks differ (here by 60 s).
  { name = "request_deadline", naive = "wall clock", says = wall_clock, is_wanted = is_before_wall_clock,
    scenario = BY_CLOCK, overload = {} },

  -- The backlog + 2 is less than patience / service. A client that finds no room sends its SYN again after 1 s. The
  -- server does not look at requests: what queues is stale. Over a link with a delay, handshakes at the same time pass
  -- the queue's limit, and clients that find no place are reset.
  { name = "short_backlog", backlog = 0.5, only_without_delay = "goodput",
    scenario = NOTHING_HELPED, trips = { 0, 0 }, overload = { goodput = "restored" } },
  -- Backlog 0: a burst that could be served meets a full queue.
  { name = "short_backlog", naive = "backlog 0", backlog = 0, only_without_delay = "burst",
    scenario = SHORT, overload = {} },

  -- The server closes its listener while it works, and clients come again. A client that connects between accept and
  -- close is reset.
  { name = "close_when_busy", way = "reopening",
    scenario = CLOSES, trips = { 0, 0 }, overload = {} },
  -- Without SO_REUSEADDR, connections in TIME_WAIT keep the port.
  { name = "close_when_busy", naive = "no reuse", way = "reopening", listen = { reuseaddr = false },
    scenario = CLOSES, overload = { goodput = "lost" } },

  -- The server replies "busy", shuts down and reads on; clients come again after a pause. Its goodput is not judged.
  { name = "refuse_when_busy", way = "refusing", options = { refuse = say_busy }, backoff = true,
    scenario = REFUSES, trips = { 0, 0 }, overload = {} },
  -- Clients come again at once, and the server is idle between their tries.
  { name = "refuse_when_busy", naive = "no backoff", way = "refusing", options = { refuse = say_busy },
    overload = {} },
  -- The server resets, and clients cannot know whether they were served.
  { name = "refuse_when_busy", naive = "reset", way = "refusing", options = { refuse = reset },
    scenario = RESETS },

  -- The server accepts all, serves the newest first and drops those that are too old: unfair on purpose.
  { name = "lifo", way = "early", options = { newest_first = true }, is_wanted = is_young,
    is_over = too_late(time_left),
    scenario = DROPS_PATIENT, trips = { 0, 0 }, overload = { goodput = "restored", held = "bounded" } },
  -- Keeps all. Old requests stay, hold descriptors, and are carried out when it is quiet again.
  { name = "lifo", naive = "keeps all", way = "early", options = { newest_first = true },
    scenario = NOTHING_HELPED, overload = { held = "unbounded" } },

  -- A retry repeats the request's id, and the server remembers its replies. Each request is carried out once, also for
  -- a client that has left: that makes a retry harmless, not rare.
  { name = "request_id", key = function(request) return request.number end,
    scenario = REMEMBERS, trips = { 0, 0 }, overload = { goodput = "lost" } },
  -- Each attempt has an id of its own.
  { name = "request_id", naive = "new id", key = function(request) return request.id end,
    scenario = NOTHING_HELPED },

  -- A client that leaves says so on a second connection.
  { name = "cancel", cancels = "control", is_wanted = is_not_canceled,
    scenario = ALL_WELL, trips = { 0, 0 }, overload = { goodput = "lost" } },
  -- To the same port: the message queues behind the request.
  { name = "cancel", naive = "same port", cancels = "same", is_wanted = is_not_canceled,
    scenario = NOTHING_HELPED },

  -- Clients share a budget of retries: 1.1 tries instead of 3. It is no remedy for a long queue.
  { name = "retry_budget", budget = 0.1,
    scenario = NOTHING_HELPED, trips = { 0, 0 }, overload = { tries = "few", goodput = "lost" } },
  -- A limit for each request: twice the load remains.
  { name = "retry_budget", naive = "per request", retries = 1,
    overload = { tries = "many", goodput = "lost" } },

  -- request_deadline and lifo together: the best here. A short queue and request_id go well with it.
  { name = "newest_in_time", way = "early", options = { newest_first = true }, says = seconds_left,
    is_wanted = is_in_time, is_over = too_late(time_said),
    scenario = ALL_WELL, trips = { 0, 0 }, overload = { goodput = "restored", held = "bounded" } },
}
