--- What servers and clients can do against requests whose clients give up while they wait, each with versions that
--- are naive: what people write first, and what that gets wrong.
---
--- A remedy is data: lunet.load.trial makes a server and clients that have it.
local admission = require "lunet.load.admission"
local lunet = require "lunet"

local TICK = 0.004 -- s; what the kernel's ages may be short of (HZ = 250)
local SKEW = 60 -- s; by which clocks of clients are ahead or behind

---@class lunet.remedy
---@field name string
---@field naive? string what this version of it does wrong
---@field way? string how the server takes connections, a method of admission's servers; default gated: one at a time
---@field options? table of that way
---@field is_wanted? fun(connection: lunet.connection, request: table, trial: lunet.trial): boolean? what the server
--- asks before it works
---@field is_over? fun(connection: lunet.connection, request: table, trial: lunet.trial): boolean? waits until a request
--- that waits in the server need not be kept
---@field key? fun(request: table): any what the server remembers of a request that it has carried out
---@field listen? table options of the listener
---@field backlog? number as a share of how many can be served within the patience
---@field greets? boolean whether the server says first that it is there
---@field waits? boolean whether clients send only then
---@field says? fun(left: number, number: integer): number what clients say of the seconds that they have left
---@field departure? "close"|"reset" how clients leave
---@field cancels? "control"|"same" whether clients that left say so, and to which port
---@field retries? integer how often a client tries again at most
---@field budget? number retries that each request adds to those that all may spend
---@field backoff? boolean whether clients pause before a retry

-- -- what the server asks before it works ------------------------------------------------------

local function is_there(connection) return admission.is_there(connection, "wait\n") end
local function has_not_ended(connection) return connection:liveness() == "open" end
local function is_not_reset(connection) return connection:liveness() ~= "reset" end
local function takes_bytes(connection) return connection:send "wait\n" end
local function is_not_canceled(_, request, trial) return not trial.canceled[request.id] end

-- What is left of a patience that began with the client's SYN: its request came one and a half round trips later,
-- and the reply takes half of one.
local function time_left(connection, request, trial)
  local patience = trial.patience - 2 * admission.round_trip(connection) - TICK
  return request.came + patience - trial.service - lunet.now()
end
local function is_young(...) return time_left(...) > 0 end
local function is_young_without_margin(_, request, trial) return lunet.now() - request.came < trial.patience end
local function is_young_since_accept(_, request, trial) return lunet.now() - request.read < trial.patience end

-- The same of what the client said that it had left when it sent its request.
local function time_said(connection, request, trial)
  local patience = request.said - admission.round_trip(connection) - TICK
  return request.came + patience - trial.service - lunet.now()
end
local function is_in_time(...) return time_said(...) > 0 end
local function is_in_time_since_accept(_, request) return request.read + request.said > lunet.now() end
local function is_before_wall_clock(_, request) return request.said > lunet.now() end

-- -- what waits in the server is watched so ----------------------------------------------------

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

-- -- what clients say of their deadline --------------------------------------------------------

local function seconds_left(left) return left end
local function wall_clock(left, number) return lunet.now() + left + (number % 2 == 0 and -SKEW or SKEW) end

-- -- how a server refuses ----------------------------------------------------------------------

-- Closing with bytes unread would send RST, which says nothing.
local function say_busy(connection)
  connection:send "busy\n"
  connection:shutdown()
  connection:receive("a", 10)
end
local function reset(connection) connection:reset() end

-- -- all of them -------------------------------------------------------------------------------

local ROOM = 30 -- accepted at once by accept_early

---@type lunet.remedy[]
return {
  { name = "none" },

  { name = "accept_early", way = "early", options = { room = ROOM }, is_wanted = is_there, is_over = has_left },
  { name = "accept_early", naive = "no watch", way = "early" },

  { name = "check_liveness", is_wanted = is_there },
  { name = "check_liveness", naive = "FIN is gone", is_wanted = has_not_ended },
  { name = "check_liveness", naive = "first send", is_wanted = takes_bytes },

  { name = "client_reset", departure = "reset", is_wanted = is_not_reset },
  { name = "client_reset", naive = "no check", departure = "reset" },

  { name = "greet_first", greets = true, waits = true },
  { name = "greet_first", naive = "no wait", greets = true },

  { name = "request_age", is_wanted = is_young },
  { name = "request_age", naive = "no margin", is_wanted = is_young_without_margin },
  { name = "request_age", naive = "from accept", is_wanted = is_young_since_accept },

  { name = "request_deadline", says = seconds_left, is_wanted = is_in_time },
  { name = "request_deadline", naive = "from accept", says = seconds_left, is_wanted = is_in_time_since_accept },
  { name = "request_deadline", naive = "wall clock", says = wall_clock, is_wanted = is_before_wall_clock },

  { name = "short_backlog", backlog = 0.5 },
  { name = "short_backlog", naive = "backlog 0", backlog = 0 },

  { name = "close_when_busy", way = "reopening" },
  { name = "close_when_busy", naive = "no reuse", way = "reopening", listen = { reuseaddr = false } },

  { name = "refuse_when_busy", way = "refusing", options = { refuse = say_busy }, backoff = true },
  { name = "refuse_when_busy", naive = "no backoff", way = "refusing", options = { refuse = say_busy } },
  { name = "refuse_when_busy", naive = "reset", way = "refusing", options = { refuse = reset } },

  { name = "lifo", way = "early", options = { newest_first = true }, is_wanted = is_young,
    is_over = too_late(time_left) },
  { name = "lifo", naive = "keeps all", way = "early", options = { newest_first = true } },

  { name = "request_id", key = function(request) return request.number end },
  { name = "request_id", naive = "new id", key = function(request) return request.id end },

  { name = "cancel", cancels = "control", is_wanted = is_not_canceled },
  { name = "cancel", naive = "same port", cancels = "same", is_wanted = is_not_canceled },

  { name = "retry_budget", budget = 0.1 },
  { name = "retry_budget", naive = "per request", retries = 1 },

  { name = "newest_in_time", way = "early", options = { newest_first = true }, says = seconds_left,
    is_wanted = is_in_time, is_over = too_late(time_said) },
}
