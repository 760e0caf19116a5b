local assert = require "luassert"

--- Connects, accepts and sends a line each way.
---@param client lunet.host
---@param listener lunet.listener
---@return lunet.connection near
---@return lunet.connection far
return function(client, listener)
  local near = assert(client:connect(listener, 10))
  local far = assert(listener:accept(10))
  assert(near:send "ping\n")
  assert.equal("ping", far:receive("l", 10))
  assert(far:send "pong\n")
  assert.equal("pong", near:receive("l", 10))
  return near, far
end
