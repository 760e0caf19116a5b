--- Servers that carry out one request at a time. They differ in how they take connections: some leave them in the
--- kernel's queue, some in a queue of their own; some refuse clients, or drop requests before the work.
---
---     local server = admission.server { host = host, listen = { port = 7300, backlog = 100 },
---       read = function(connection) return connection:receive "l" end,
---       work = function(connection, request) ... connection:send "done\n" end }
---     assert(server:open())
---     lunet.spawn(server.gated, server)
---     ...
---     server:stop()
local lunet = require "lunet"
local option_table = require "lunet.text.options"

local LONG = 10 -- s; bounds the wait for an answer to a probe

local admission = {}

-- -- a server's knowledge of its client -----------------------------------------------------

--- Whether the client is still there; waits a round trip if it has sent FIN. Such a client may have left, or it has
--- ended its side and waits for the reply. An interim reply tells: the kernel of a client that left answers with RST
--- (RFC 1122, 4.2.2.13), the kernel of a waiting one acknowledges. A client that vanished without a segment seems to be
--- there.
---@param connection lunet.connection
---@param interim string a message that clients skip before a reply: "wait\n"
---@return boolean is_there
function admission.is_there(connection, interim)
  if connection:liveness() ~= "fin" then return connection:liveness() == "open" end
  if connection:unsent() == 0 then connection:send(interim) end
  lunet.eventually(function() return connection:unsent() == 0 or connection:liveness() ~= "fin" end, LONG)
  return connection:liveness() == "fin"
end

--- The age of the last bytes from the client, its time in the queue included (tcpi_last_data_recv; a FIN alone does not
--- change it). The kernel counts in ticks, so the age may be one too short, which is 4 ms at HZ = 250.
---@param connection lunet.connection
---@return number seconds
function admission.waited(connection) return assert(connection:info()).tcpi_last_data_recv / 1000 end

--- The round trip to the client, as the handshake has measured it.
---@param connection lunet.connection
---@return number seconds
function admission.round_trip(connection) return assert(connection:info()).tcpi_rtt / 1e6 end

-- -- servers ---------------------------------------------------------------------------------

---@class lunet.loaded_server
---@field host lunet.host
---@field listen lunet.listen_target
---@field read fun(connection: lunet.connection): any takes the request; nil without one
---@field is_wanted? fun(connection: lunet.connection, request: any): boolean? asked just before the work
---@field work fun(connection: lunet.connection, request: any)
---@field listener? lunet.listener
---@field held integer accepted connections that are open
---@field most_held integer
local server = {}
server.__index = server

--- Makes a server, which listens after open.
---@param fields table host, listen, read, work, is_wanted
---@return lunet.loaded_server
function admission.server(fields)
  return setmetatable(option_table.merged({ held = 0, most_held = 0, waiting = {} }, fields), server)
end

--- Listens. One of the ways below then serves clients.
---@return true|nil ok
---@return string? message
---@return string? code
function server:open()
  local listener, message, code = self.host:listen(self.listen)
  if not listener then return nil, message, code end
  self.listener = listener
  return true
end

--- Stops the server: drops waiting clients, and finishes the current work.
function server:stop()
  self.is_stopped = true
  self.listener:close()
  for _, entry in ipairs(self.waiting) do self:drop(entry) end
  self.waiting = {}
end

-- nil after stop. Another failure, such as a lack of descriptors, is an error: a server must not end in silence.
local function take(self)
  local connection, message, code = self.listener:accept()
  if code == "CLOSED" then return nil end
  if not connection then error(message, 0) end
  self.held = self.held + 1
  self.most_held = math.max(self.most_held, self.held)
  return connection
end

-- Accepts at once, a task per connection, until the server is stopped.
local function take_all(self, handle)
  repeat
    local connection = take(self)
    if connection then lunet.spawn(handle, connection) end
  until not connection
end

local function let_go(self, connection)
  self.held = self.held - 1
  connection:close()
end

local function work_if_wanted(self, connection, request)
  if not self.is_wanted or self.is_wanted(connection, request) then self.work(connection, request) end
end

local function serve(self, connection)
  local request = self.read(connection)
  if request then work_if_wanted(self, connection, request) end
  let_go(self, connection)
end

--- Accepts the next client after the last one is served: the others wait in the kernel's queue. Like the other ways, it
--- waits until the server stops.
function server:gated()
  repeat
    local connection = take(self)
    if connection then serve(self, connection) end
  until not connection
end

-- Its port may not be free yet.
local function open_again(self)
  while not self.is_stopped do
    local is_open, message, code = self:open()
    if is_open then return end
    if code ~= "EADDRINUSE" then error(message, 0) end
    lunet.sleep(0.01)
  end
end

--- Closes its listener while it serves: the kernel refuses new clients, and resets queued ones.
function server:reopening()
  repeat
    local connection = take(self)
    self.listener:close()
    if connection then serve(self, connection) end
    open_again(self)
  until self.is_stopped
end

--- Accepts at once, and refuses clients that come while it serves.
---@param options {refuse: fun(connection: lunet.connection)}
function server:refusing(options)
  local is_busy = false
  local function handle(connection)
    if is_busy then
      options.refuse(connection)
      return let_go(self, connection)
    end
    is_busy = true
    serve(self, connection)
    is_busy = false
  end
  take_all(self, handle)
end

-- -- a queue of the server's own -------------------------------------------------------------

function server:drop(entry)
  if entry.watcher then entry.watcher:cancel() end
  let_go(self, entry.connection)
end

-- The task that finds the server idle serves until no request waits.
local function serve_waiting(self, is_newest_first)
  if self.is_busy then return end
  self.is_busy = true
  while #self.waiting > 0 do
    local entry = table.remove(self.waiting, is_newest_first and #self.waiting or 1)
    work_if_wanted(self, entry.connection, entry.request)
    self:drop(entry)
  end
  self.is_busy = false
end

local function remove(list, item)
  for i, other in ipairs(list) do
    if other == item then return table.remove(list, i) end
  end
  return nil
end

local function drop_when_over(self, entry, is_over)
  if is_over(entry.connection, entry.request) and remove(self.waiting, entry) then let_go(self, entry.connection) end
end

---@class lunet.early_options
---@field newest_first? boolean
---@field room? integer accepted connections open at once, at most; the others wait in the kernel's queue
---@field is_over? fun(connection: lunet.connection, request: any): boolean? waits until a waiting request needs no more
--- work; a true value drops it

--- Accepts at once and reads at once: the requests wait in the server.
---@param options? lunet.early_options
function server:early(options)
  options = options or {}
  if options.room then self.listener:gate(options.room) end
  local function handle(connection)
    local request = self.read(connection)
    if not request or self.is_stopped then return let_go(self, connection) end
    local entry = { connection = connection, request = request }
    self.waiting[#self.waiting + 1] = entry
    if options.is_over then entry.watcher = lunet.spawn(drop_when_over, self, entry, options.is_over) end
    serve_waiting(self, options.newest_first)
  end
  take_all(self, handle)
end

return admission
