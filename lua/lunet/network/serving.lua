--- The two ways in which listener:serve handles connections: a task for each connection, or a task for each message.
local core = require "lunet.core"

local serving = {}

-- Accepts until that fails, or `take` returns an error.
local function accept_all(listener, take)
  while true do
    local connection, message, code = listener:accept()
    if connection then message, code = take(connection) end
    if message then return message, code end
  end
end

local function handle_connection(connection, handler)
  local closed_at_end <close> = connection
  handler(closed_at_end)
end

--- Each connection has a task of its own, until the handler ends. Returns when accepting fails.
---@param listener lunet.listener
---@param handler fun(connection: lunet.connection)
---@return string message
---@return string code
function serving.by_connection(listener, handler)
  return accept_all(listener, function(connection) core.spawn(handle_connection, connection, handler) end)
end

local closing_at_failure = { __close = function(self, failure) return failure and self.connection:close() end }
local finishing = { __close = function(self) self.idlers:finish() end }

-- The stream goes on after a receive that took too long.
local function has_ended(connection)
  local ended = connection:ended()
  return ended and ended ~= "TIMEOUT"
end

local function handle_message(idlers, connection, handler)
  local _ <close> = setmetatable({ connection = connection }, closing_at_failure)
  handler(connection)
  if has_ended(connection) then return connection:close() end
  local ok, message, code = idlers:add(connection)
  if not ok and code ~= "CLOSED" then error("serve: " .. message, 0) end
end

local function handle_messages(idlers, handler)
  local _ <close> = idlers
  while true do
    local connection, _, code = idlers:next()
    if code then return end
    if connection then core.spawn(handle_message, idlers, connection, handler) end
  end
end

--- A connection has a task only while a message is handled: from the moment it has something to read until the handler
--- returns. Returns when accepting fails; the connections are served until they end.
---@param listener lunet.listener
---@param handler fun(connection: lunet.connection)
---@return string message
---@return string code
function serving.by_message(listener, handler)
  local idlers = assert(core.idlers())
  core.spawn(handle_messages, idlers, handler)
  local _ <close> = setmetatable({ idlers = idlers }, finishing)
  return accept_all(listener, function(connection) return select(2, idlers:add(connection)) end)
end

return serving
