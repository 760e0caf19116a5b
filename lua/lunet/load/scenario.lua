--- The scenario for remedies (load.remedy). The server serves A, and one patient client and three others queue. The
--- three give up. A client comes that half-closes. A leaves. One of the three comes again. Then five come at once.
local lunet = require "lunet"
local options = require "lunet.text.options"
local statistics = require "lunet.load.statistics"
local trial = require "lunet.load.trial"

local scenario = {}

local LONG = 60 -- s; bounds waits for states that do come
local RETRY = 0.01 -- s; pause of a refused client

--- The number of clients that give up, and of those that come at once.
scenario.LEAVERS, scenario.BURST = 3, 5

--- Seconds; the delay of the link for counting round trips.
scenario.TRIP = 0.1

-- -- clients ----------------------------------------------------------------------------------

local function wait_for(predicate) assert(lunet.eventually(predicate, LONG)) end

-- A quarter of the overload's service time: a client that is served in time here is so by far.
local function new_request(site, number, fields)
  return options.merged({ number = number, service = site.service / 4, jitter = {}, attempts = 0 }, fields)
end

local REFUSED = { ECONNREFUSED = true, BUSY = true }
local ENDS = { ECONNRESET = "reset", EPIPE = "reset", EOF = "dropped", TIMEOUT = "timeout" }

-- A patient client. After a refusal it knows that the server did nothing, and comes again.
local function insist(site, request)
  local clients = site:new_clients(LONG, 0)
  repeat
    if clients:send(request) then return "served" end
    if not REFUSED[request.code] then return ENDS[request.code] or request.code end
    lunet.sleep(RETRY)
  until site.ends and lunet.now() > site.ends
  return "refused"
end

-- Whether the server's kernel has everything that these clients sent.
local function have_left(site, requests)
  local here = {}
  for _, socket in ipairs(site.host:sockets { state = "ESTABLISHED", local_port = site.target.port }) do
    here[socket.peer_address] = true
  end
  return statistics.count(requests, function(request) return here[request.address] end) == 0
end

-- Whether a client waits for the server, was refused, or found the queue full.
local function has_come(site, request, before)
  if request.code or assert(site.host:counters()).ListenOverflows > before then return true end
  if not request.connection then return false end
  if not request.half_closes or site.remedy.waits then return true end
  return request.connection:state() == "FIN_WAIT2"
end

local function arrive(site, request)
  local before = assert(site.host:counters()).ListenOverflows
  local task = lunet.spawn(insist, site, request)
  wait_for(function() return has_come(site, request, before) end)
  return task
end

local function result_of(task)
  local _, result = task:join()
  return result
end

local function is_answered(request) return request.answered end

local function burst(site)
  local requests, clients = {}, site:new_clients(site.patience, 0)
  for i = 1, scenario.BURST do requests[i] = new_request(site, 10 + i) end
  lunet.together(requests, function(request) clients:send(request) end)
  return statistics.count(requests, is_answered)
end

-- -- its course -------------------------------------------------------------------------------

--- Runs the scenario. Waits.
---@param site lunet.trial
---@return table row stale: requests carried out for nobody; again: how often the server
--- carried out the request of the client that came again; patient, half: the ends of these two; burst: served clients
--- among those at once
function scenario.run(site)
  site:start()
  local a = new_request(site, 0, { hold = true })
  lunet.spawn(insist, site, a)
  wait_for(function() return a.is_served end)

  local patient = arrive(site, new_request(site, 2))
  local leavers, clients = {}, site:new_clients(site.patience, 0)
  for i = 1, scenario.LEAVERS do leavers[i] = new_request(site, 2 * i + 1) end
  lunet.together(leavers, function(leaver) clients:send(leaver) end)
  wait_for(function() return have_left(site, leavers) end)
  local half = arrive(site, new_request(site, 4, { half_closes = true }))

  a.may_leave, site.ends = true, lunet.now() + 1
  insist(site, leavers[1]) -- its user tries once more
  local run = { patient = result_of(patient), half = result_of(half) }
  wait_for(function() return site.server.held == 0 end)
  run.burst = burst(site)
  site:stop()
  run.stale = statistics.count(site.executed, function(one) return one.stale end)
  run.again = statistics.count(site.executed, function(one) return one.number == leavers[1].number end)
  return run
end

--- Makes the hosts for counting round trips. A server that guesses the clients' patience guesses so much that it never
--- drops the one request for its age, however late the machine is.
---@param remedy lunet.remedy
---@return lunet.trial
function scenario.open_for_trips(remedy)
  return trial.open(remedy, { patience = LONG, service = 0.01, delay = scenario.TRIP, backlog = 60 })
end

--- Counts the round trips from the beginning of service to the reply, for a client that waits in the queue. The half
--- round trip of the reply itself does not count. The link has a delay of scenario.TRIP. Waits.
---@param site lunet.trial from open_for_trips
---@param half_closes boolean whether the client shuts down its side after sending
---@return integer trips
function scenario.count_trips(site, half_closes)
  local request = new_request(site, 1, { half_closes = half_closes, service = 0 })
  local task = lunet.spawn(insist, site, request)
  wait_for(function()
    if assert(site.server.listener:queue()).depth == 0 then return false end
    local socket = assert(site.host:sockets({ listener = site.server.listener }))[1]
    return site.remedy.waits or socket and socket.receive_queue > 0 and socket.fin == half_closes
  end)
  local began = lunet.now()
  site:start()
  local result = result_of(task)
  assert(result == "served", ("%s: a client alone was not served (%s)"):format(site.remedy.name, result))
  local seconds = lunet.now() - began
  site:stop()
  return math.floor(seconds / (2 * scenario.TRIP))
end

return scenario
