--- The trial of a remedy (lunet.load.remedy): a server on a host of its own, and a host for its clients. The trial
--- knows when a client has left; the server does not.
---
--- A request is a line: its id ("7.2": the second attempt of the seventh), the seconds for which the server works on it
--- or "hold", and the client's words about its deadline. The server may say "hello" and "wait", and answers "done" or
--- "busy".
local admission = require "lunet.load.admission"
local lab = require "lunet.lab"
local lunet = require "lunet"
local option_table = require "lunet.text.options"
local workload = require "lunet.load.workload"

local LONG = 60 -- s; bounds waits for states that do come
local PORT, CONTROL_PORT = 7300, 7301
local CONTROL_BACKLOG = 1000
local SWEEP = 0.002 -- s; how often queued connections that look like ghosts are destroyed
local BACKOFF = 2 -- service times; the longest first pause of clients that back off

---@class lunet.trial
---@field remedy lunet.remedy
---@field clients lunet.host
---@field host lunet.host the server's
---@field server lunet.loaded_server
---@field target lunet.connect_target
---@field patience number seconds
---@field service number seconds
---@field executed {number: integer, at: number, stale: boolean?}[] the finished requests; stale: for nobody
---@field left table<string, true> ids of attempts whose clients have left
---@field canceled table<string, true> ids of attempts whose clients have said that they left
local trial = {}
trial.__index = trial

-- -- the server --------------------------------------------------------------------------------

local function parse(line)
  local id, service, said = line:match "^(%S+) (%S+) ?(%S*)$"
  return { id = id, number = math.tointeger(id:match "^%d+"), service = service, said = tonumber(said) }
end

local function read(self, connection)
  if self.remedy.greets then connection:send "hello\n" end
  local line, _, code = connection:receive("l", LONG)
  if code then return nil end -- no request, or a reset has cut it
  local canceled = line:match "^cancel (%S+)$"
  if canceled then
    self.canceled[canceled] = true
    return nil
  end
  local request = parse(line)
  request.read = lunet.now()
  request.came = request.read - admission.waited(connection)
  return request
end

local function work(self, connection, request)
  local key = self.remedy.key and self.remedy.key(request)
  if not (key and self.answered[key]) then
    self.executed[#self.executed + 1] = { number = request.number, at = lunet.now(), stale = self.left[request.id] }
    if request.service ~= "hold" then lunet.sleep(tonumber(request.service)) end
    if key then self.answered[key] = true end
  end
  connection:send "done\n"
  if request.service == "hold" then connection:receive("a", LONG) end
end

local function options_of(self)
  local is_over = self.remedy.is_over
  return option_table.merged(self.remedy.options,
    { is_over = is_over and function(connection, request) return is_over(connection, request, self) end })
end

local function new_server(self, backlog)
  local is_wanted = self.remedy.is_wanted
  local listen = option_table.merged({ port = PORT, backlog = backlog }, self.remedy.listen)
  return admission.server {
    host = self.host, listen = listen,
    read = function(connection) return read(self, connection) end,
    work = function(connection, request) work(self, connection, request) end,
    is_wanted = is_wanted and function(connection, request)
      return request.service == "hold" or is_wanted(connection, request, self)
    end,
  }
end

---@class lunet.trial_options
---@field patience number seconds, of the clients; the server guesses it
---@field service number seconds, of a request; the server knows it
---@field delay number seconds, of the link each way
---@field backlog integer unless the remedy has one

--- Makes the hosts and the server, which listens and does not serve yet.
---@param remedy lunet.remedy
---@param options lunet.trial_options
---@return lunet.trial
function trial.open(remedy, options)
  local self = setmetatable({ remedy = remedy, patience = options.patience, service = options.service, left = {},
    canceled = {}, answered = {}, executed = {} }, trial)
  local clients, server, link = lab.hosts { "clients", "server", delay = options.delay }
  self.clients, self.host = clients, server
  self.target = { address = link:address(self.host), port = PORT }
  local within_patience = (options.patience - 4 * options.delay) / options.service
  self.server = new_server(self, remedy.backlog and math.max(0, math.floor(remedy.backlog * within_patience) - 1)
    or options.backlog)
  assert(self.server:open())
  return self
end

local function destroy_ghosts(self)
  repeat
    lunet.sleep(SWEEP)
    local is_listening = self.server.listener and self.server.listener:queue()
    if is_listening then
      assert(self.host:destroy { listener = self.server.listener, state = "CLOSE_WAIT", owned = false })
    end
  until self.is_stopped
end

--- Begins to serve, in a task.
function trial:start()
  if self.remedy.destroys then lunet.spawn(destroy_ghosts, self) end
  if self.remedy.cancels == "control" then
    self.control = assert(self.host:listen { port = CONTROL_PORT, backlog = CONTROL_BACKLOG })
    lunet.spawn(function() self.control:serve(function(connection) read(self, connection) end) end)
  end
  lunet.spawn(self.server[self.remedy.way or "gated"], self.server, options_of(self))
end

function trial:stop()
  self.is_stopped = true
  self.server:stop()
  if self.control then self.control:close() end
end

-- -- its clients -------------------------------------------------------------------------------

local function cancel(self, id)
  local port = self.remedy.cancels == "control" and CONTROL_PORT or PORT
  local connection <close> = self.clients:connect({ address = self.target.address, port = port }, LONG)
  if connection then connection:send("cancel " .. id .. "\n") end
end

local function ask(self, connection, request, id, deadline)
  local function left() return math.max(0, deadline - lunet.now()) end
  if self.remedy.waits then
    local greeting, message, code = connection:receive("l", left())
    if not greeting then return nil, message, code end
  end
  local said = self.remedy.says and self.remedy.says(left(), request.number) or ""
  local service = request.hold and "hold" or request.service
  local sent, message, code = connection:send(("%s %s %s\n"):format(id, service, said))
  if not sent then return nil, message, code end
  if request.half_closes then connection:shutdown() end
  local reply
  repeat reply, message, code = connection:receive("l", left()) until reply ~= "hello" and reply ~= "wait"
  if code then return nil, message, code end
  if reply == "busy" then return nil, "the server is busy", "BUSY" end
  return reply
end

local function exchange(self, connection, request, deadline)
  local id = request.number .. "." .. request.attempts
  request.connection, request.address = connection, connection:address()
  local reply, message, code = ask(self, connection, request, id, deadline)
  if reply and request.hold then
    request.is_served = true
    lunet.eventually(function() return request.may_leave end, LONG)
  elseif not reply then
    self.left[id] = true
    if self.remedy.cancels then lunet.spawn(cancel, self, id) end
  end
  return reply, message, code
end

--- Makes clients that have the remedy, too. Their requests may have more fields than those of workload.requests: the
--- client `half_closes`, which shuts down its side after sending; or it must `hold` the server until it `may_leave`.
---@param patience number seconds
---@param retries integer
---@return lunet.clients
function trial:new_clients(patience, retries)
  return workload.clients {
    host = self.clients, target = self.target, patience = patience, departure = self.remedy.departure,
    budget = self.remedy.budget, retries = math.min(retries, self.remedy.retries or retries),
    backoff = self.remedy.backoff and BACKOFF * self.service or 0,
    exchange = function(connection, request, deadline) return exchange(self, connection, request, deadline) end,
  }
end

return trial
