-- A layer over luv in which calls wait by yielding, as those who write straight-line scripts on it have.
local uv = require "luv"

local net = {}

local connection_methods = {}
local connection_metatable = { __index = connection_methods }

-- Resumes, and lets errors surface.
local function continue(thread, ...)
  local ok, message = coroutine.resume(thread, ...)
  if not ok then error(debug.traceback(thread, message), 0) end
end

function net.spawn(body, ...) continue(coroutine.create(body), ...) end

function net.now() return uv.hrtime() / 1e9 end

local function wake(connection)
  local thread = connection.waiting
  if not thread then return end
  connection.waiting = nil
  continue(thread)
end

local function new_connection(tcp)
  return setmetatable({ tcp = tcp, chunks = {}, first = 1, last = 0 }, connection_metatable)
end

-- Reading begins with the first receive, and goes on.
local function read_on(connection)
  connection.is_reading = true
  connection.tcp:read_start(function(message, data)
    if data then
      connection.last = connection.last + 1
      connection.chunks[connection.last] = data
    else
      connection.ended = message or "EOF"
    end
    wake(connection)
  end)
end

local function wait(connection, patience)
  connection.waiting = coroutine.running()
  if patience then
    connection.timer = connection.timer or uv.new_timer()
    connection.timer:start(patience, 0, function()
      connection.ended = "TIMEOUT"
      wake(connection)
    end)
  end
  coroutine.yield()
  if patience then connection.timer:stop() end
end

--- A chunk as it came; nil and why when there is none.
---@param patience? integer milliseconds
function connection_methods:receive(patience)
  if not self.is_reading then read_on(self) end
  if self.first > self.last and not self.ended then wait(self, patience) end
  if self.first > self.last then return nil, self.ended end
  local data = self.chunks[self.first]
  self.chunks[self.first] = nil
  self.first = self.first + 1
  return data
end

--- Exactly so many bytes.
function connection_methods:receive_exactly(size, patience)
  local data = self:receive(patience)
  while data and #data < size do
    local more, why = self:receive(patience)
    if not more then return nil, why end
    data = data .. more
  end
  return data
end

--- Waits only if the kernel does not take all of it at once.
function connection_methods:send(data)
  local sent = self.tcp:try_write(data)
  if sent == #data then return true end
  local thread = coroutine.running()
  self.tcp:write(data:sub((sent or 0) + 1), function(message) continue(thread, message) end)
  local message = coroutine.yield()
  return not message, message
end

function connection_methods:close()
  if self.timer then self.timer:close() end
  self.tcp:close()
end

--- Calls the handler in a coroutine of its own for every connection. Returns the listening handle and its port.
function net.serve(handler)
  local server = uv.new_tcp()
  assert(server:bind("127.0.0.1", 0))
  assert(server:listen(4096, function(message)
    assert(not message, message)
    local tcp = uv.new_tcp()
    server:accept(tcp)
    net.spawn(handler, new_connection(tcp))
  end))
  return server, server:getsockname().port
end

function net.connect(port)
  local tcp, thread = uv.new_tcp(), coroutine.running()
  tcp:connect("127.0.0.1", port, function(message) continue(thread, message) end)
  local message = coroutine.yield()
  if message then return nil, message end
  return new_connection(tcp)
end

function net.sleep(milliseconds)
  local timer, thread = uv.new_timer(), coroutine.running()
  uv.update_time()
  timer:start(milliseconds, 0, function()
    timer:close()
    continue(thread)
  end)
  coroutine.yield()
end

--- Echoes until its client has left.
function net.echo(patience)
  return function(connection)
    while true do
      local data = connection:receive(patience)
      if not data then break end
      connection:send(data)
    end
    connection:close()
  end
end

return net
