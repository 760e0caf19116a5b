--- Connected pairs, over TCP on loopback.
local lunet = require "lunet"

local pair = {}

--- Opens a listener, connects to it and accepts. All three are to be closed by the caller.
---@return lunet.connection near
---@return lunet.connection far
---@return lunet.listener listener
function pair.open()
  local listener = assert(lunet.listen { backlog = 8 })
  local near = assert(lunet.connect(listener, 10))
  local far = assert(listener:accept(10))
  return near, far, listener
end

return pair
