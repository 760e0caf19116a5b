--- Connected pairs, over TCP on loopback unless a target says otherwise.
local lunet = require "lunet"
local merged = require "spec.support.merged"

local pair = {}

--- Opens a listener, connects to it and accepts. The caller closes all three.
---@param target? lunet.listen_target where to listen, with which options
---@param options? lunet.options of the connecting side
---@return lunet.connection near
---@return lunet.connection far
---@return lunet.listener listener
function pair.open(target, options)
  local listener = assert(lunet.listen(target or { backlog = 8 }))
  local near = assert(lunet.connect(merged({ listener }, options), 10))
  local far = assert(listener:accept(10))
  return near, far, listener
end

return pair
