--- Open-loop load: requests come at fixed times, however the server fares, and clients have patience, retry and leave.
---
---     local host = assert(lunet.host "server")
---     local listener = assert(host:listen { backlog = 100 })
---     local serving <close> = lunet.spawn(listener.serve, listener, workload.serve)
---     local clients = workload.clients { host = host, target = listener, patience = 60 }
---     local requests = workload.requests { seed = 1, rate = 100, seconds = 0.1, service = 0.0005 }
---
--- In an open loop clients do not wait for each other, like independent people: a slow server does not get fewer
--- requests. Latency counts from the due time of a request, so that a stalled server cannot hide the wait that it
--- causes.
local core = require "lunet.core"
local lunet = require "lunet"
local options = require "lunet.text.options"
local random = require "lunet.load.random"
local statistics = require "lunet.load.statistics"

---@class lunet.workload
local workload = {}

---@class lunet.request
---@field number integer
---@field at number due time, in seconds after the beginning
---@field service number seconds of the server's work
---@field jitter number[] a number of [0, 1) for the pause before each retry
---@field began? number the beginning of its first attempt; seconds after the beginning
---@field attempts integer so far
---@field code? string the error of its last attempt
---@field answered? number the time of a reply in time; seconds after the beginning
---@field gave_up? number the time at which its client gave up; seconds after the beginning

local SERVICE = {
  fixed = function(mean) return mean end,
  exponential = function(mean, stream) return stream:exponential(mean) end,
}

local MOST_RETRIES, MOST_REQUESTS = 16, 1000000

local LOAD = {
  seed = options.whole(), rate = options.above(0), seconds = options.above(0, "seconds"),
  service = options.above(0, "seconds"), distribution = options.one_of { "fixed", "exponential" },
}

---@class lunet.load
---@field seed integer
---@field rate number requests per second, above 0; times seconds at most a million
---@field seconds number the time in which they come, above 0
---@field service number seconds, the mean, above 0
---@field distribution? "fixed"|"exponential" of the service times; default fixed

--- Makes the requests of a run: a Poisson process. With the same seed and rate they come at the same times, whatever
--- else differs. The n-th one has the same service time and jitter.
---
---     print(#requests > 0, requests[1].at < 0.1, requests[1].service) --> true  true  0.0005
---@param load lunet.load
---@return lunet.request[]
function workload.requests(load)
  options.check("requests", load, LOAD, { "seed", "rate", "seconds", "service" })
  if load.rate * load.seconds > MOST_REQUESTS then
    core.misuse(("requests: rate times seconds is at most %d, not %g"):format(MOST_REQUESTS, load.rate * load.seconds))
  end
  local draw_service = SERVICE[load.distribution or "fixed"]
  local arrivals = random.new(load.seed, "arrivals")
  local services, jitters = random.new(load.seed, "service"), random.new(load.seed, "jitter")
  local requests, at = {}, 0
  while true do
    at = at + arrivals:exponential(1 / load.rate)
    if at >= load.seconds then return requests end
    local jitter = {}
    for i = 1, MOST_RETRIES do jitter[i] = jitters:uniform() end
    requests[#requests + 1] = {
      number = #requests + 1, at = at, service = draw_service(load.service, services), jitter = jitter,
      attempts = 0,
    }
  end
end

--- Sends each request at its time, in a task of its own, and waits until all of them are over.
---
---     local lateness = workload.offer(requests, function(request) clients:send(request) end)
---     print(#lateness == #requests, requests[1].answered ~= nil) --> true  true
---@async
---@param requests lunet.request[]
---@param send fun(request: lunet.request)
---@param began? number the time of the beginning, by lunet.now(); now by default
---@return number[] lateness of each, in seconds, in their order
function workload.offer(requests, send, began)
  options.value("offer: requests", requests, options.list)
  options.value("offer: send", send, options.fn)
  for i, request in ipairs(requests) do
    local at = type(request) == "table" and request.at
    options.value(("offer: the time (at) of request %d"):format(i), at, options.from(0, "seconds"))
  end
  began = began or lunet.now()
  options.value("offer: began", began, options.from(-math.huge, "seconds"))
  local lateness = {}
  lunet.scope(function()
    for i, request in ipairs(requests) do
      lunet.sleep(math.max(0, began + request.at - lunet.now()))
      request.began = lunet.now() - began
      lateness[i] = request.began - request.at
      lunet.spawn(send, request)
    end
  end)
  return lateness
end

-- -- server ----------------------------------------------------------------------------------

--- Serves a connection of these clients: reads its request, works on it for its service time after accept, and replies.
--- The work is a sleep to an absolute time, which takes no processor.
---
---     local client = assert(host:connect(listener, 60))
---     client:send "7 0.001\n" -- the request's number, and the seconds of its work
---     print(client:receive("l", 60)) --> done 7
---@async
---@param connection lunet.connection
---@param idle? number seconds to wait for a request; nil waits without limit
---@return integer|nil number of the request
---@return string? message
---@return string? code as of connection:receive
function workload.serve(connection, idle)
  local accepted = lunet.now()
  local line, message, code = connection:receive("l", idle)
  if code then return nil, message, code end -- even if a reset has cut a request
  local number, service = line:match "^(%d+) (%S+)$"
  lunet.sleep(math.max(0, accepted + tonumber(service) - lunet.now()))
  connection:send("done " .. number .. "\n")
  return math.tointeger(tonumber(number))
end

-- -- clients ---------------------------------------------------------------------------------

---@class lunet.client_policy
---@field host lunet.host of the clients
---@field target lunet.listener|lunet.connect_target
---@field patience number seconds for one attempt: connect, request and reply together
---@field retries? integer of a request, default 0, at most 16
---@field backoff? number seconds; the pause before the n-th retry is a random part of 2^(n-1) times as long (full
--- jitter); default 0: at once
---@field budget? number 0 or more: retries that each request adds to the budget of all, 0.1: one in ten; no limit by
--- default
---@field departure? "close"|"reset" the way in which a client leaves when its patience is over; default close
---@field exchange? fun(connection: lunet.connection, request: lunet.request, deadline: number): any, string?, string?
--- the client's part after connect; returns the reply, or nil, message, code

--- Clients that share a policy and a retry budget (workload.clients).
---@class lunet.clients: lunet.client_policy
local clients = {}
clients.__index = clients

-- The client's part of workload.serve.
local function exchange_lines(connection, request, deadline)
  local line = ("%d %.9f\n"):format(request.number, request.service)
  local sent, message, code = connection:send(line, math.max(0, deadline - lunet.now()))
  if not sent then return nil, message, code end
  local reply
  reply, message, code = connection:receive("l", math.max(0, deadline - lunet.now()))
  if code then return nil, message, code end -- even if a reset has cut a reply
  return reply
end

local POLICY = {
  host = options.host, target = options.target, patience = options.above(0, "seconds"),
  retries = options.whole(0, MOST_RETRIES), backoff = options.from(0, "seconds"), budget = options.from(0),
  departure = options.one_of { "close", "reset" }, exchange = options.fn,
}

--- Makes clients that share a policy and a retry budget.
---
---     local hasty = workload.clients { host = host, target = listener, patience = 60, retries = 3, backoff = 0.01 }
---     print(hasty:send(requests[1])) --> true
---@param policy lunet.client_policy
---@return lunet.clients
function workload.clients(policy)
  options.check("clients", policy, POLICY, { "host", "target", "patience" })
  local defaults = { retries = 0, backoff = 0, departure = "close", exchange = exchange_lines, credit = 0 }
  return setmetatable(options.merged(defaults, policy), clients)
end

-- One attempt under one patience, which includes the wait for the SYN-ACK.
local function try(self, request)
  local deadline = lunet.now() + self.patience
  local connection, _, code = self.host:connect(self.target, self.patience)
  if not connection then return nil, code end
  local reply
  reply, _, code = self.exchange(connection, request, deadline)
  if reply then connection:close() else connection[self.departure](connection) end
  return reply, code
end

local function may_retry(self, request)
  if request.attempts > self.retries then return false end
  if not self.budget then return true end
  if self.credit < 1 then return false end
  self.credit = self.credit - 1
  return true
end

--- Tries a request until a reply comes in time or the client gives up, and writes the result into the request.
---
---     print(clients:send(requests[1]), requests[1].attempts) --> true  1
---@async
---@param request lunet.request
---@return boolean answered
function clients:send(request)
  local began = lunet.now()
  self.credit = self.credit + (self.budget or 0)
  repeat
    request.attempts = request.attempts + 1
    local reply, code = try(self, request)
    if reply then
      request.answered = (request.began or 0) + lunet.now() - began
      return true
    end
    request.code = code
    local wants_more = may_retry(self, request)
    if wants_more and self.backoff > 0 then
      lunet.sleep(self.backoff * 2 ^ (request.attempts - 1) * request.jitter[request.attempts])
    end
  until not wants_more
  request.gave_up = (request.began or 0) + lunet.now() - began
  return false
end

--- Measures how many requests a second get an answer if one client sends them one after the other: a closed loop. Loads
--- are relative to this.
---
---     print(clients:capacity(0.001, 3) < 1000) --> true
---@async
---@param service number seconds
---@param count integer of requests
---@return number|nil per_second
---@return string? why names the request without an answer
function clients:capacity(service, count)
  options.value("capacity: service", service, options.from(0, "seconds"))
  options.value("capacity: count", count, options.whole(1))
  local began = lunet.now()
  for i = 1, count do
    local request = { number = i, service = service, jitter = {}, attempts = 0 }
    if not try(self, request) then return nil, ("capacity: request %d got no answer"):format(i) end
  end
  return count / (lunet.now() - began)
end

-- -- its results -----------------------------------------------------------------------------

--- The times of replies in time, in seconds after the beginning, by the number of the request.
---
---     workload.offer(requests, function(request) clients:send(request) end)
---     print(#workload.answers(requests) == #requests) --> true
---@param requests lunet.request[]
---@return number[]
function workload.answers(requests)
  options.value("answers: requests", requests, options.list)
  local answers = {}
  for _, request in ipairs(requests) do answers[#answers + 1] = request.answered end
  return answers
end

---@class lunet.load_summary
---@field offered integer requests
---@field attempts integer
---@field answered integer requests
---@field goodput number answered requests per second
---@field success number the part of the requests that was answered, 0 to 1
---@field wait_p50? number seconds from the due time; half of the requests waited no longer
---@field wait_p99? number likewise 99 of 100

--- Sums up the requests due from one time to another. A request that its client gave up counts among the waits, with
--- the time until then: otherwise a server that answers few would look quick.
---
---     workload.offer(requests, function(request) clients:send(request) end)
---     local summary = workload.summary(requests, 0, 0.1)
---     print(summary.offered == #requests, summary.success) --> true  1.0
---@param requests lunet.request[]
---@param from number seconds after the beginning: the time before is the warm-up
---@param to number
---@return lunet.load_summary summary goodput per second; success from 0 to 1; waits in seconds from the due time
function workload.summary(requests, from, to)
  options.value("summary: requests", requests, options.list)
  options.value("summary: from", from, options.from(0, "seconds"))
  options.value("summary: to", to, options.above(from, "seconds"))
  local offered, attempts, answered, waits = 0, 0, 0, {}
  for _, request in ipairs(requests) do
    if request.at >= from and request.at < to then
      offered = offered + 1
      attempts = attempts + request.attempts
      if request.answered then answered = answered + 1 end
      local ended = request.answered or request.gave_up
      if ended then waits[#waits + 1] = ended - request.at end
    end
  end
  return {
    offered = offered, attempts = attempts, answered = answered,
    goodput = answered / (to - from), success = offered > 0 and answered / offered or 0,
    wait_p50 = statistics.quantile(waits, 0.5), wait_p99 = statistics.quantile(waits, 0.99),
  }
end

return workload
