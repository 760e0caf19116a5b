--- Connected pairs, over TCP on loopback unless a target says otherwise.
local assert = require "luassert"
local lunet = require "lunet"
local merged = require "spec.support.merged"

local BOUND <const> = require "spec.support.bound"

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

--- Closes what `open` gave, or other handles, and fails if anything else is open.
---@param ... table
function pair.close(...)
  for _, handle in ipairs { ... } do handle:close() end
  assert.same({}, lunet.open_handles())
end

--- Sends, and waits until all of it is in the other end's kernel buffer.
---@param near lunet.connection
---@param far lunet.connection
---@param data string
function pair.deliver(near, far, data)
  local before = far:unread()
  assert(near:send(data, BOUND))
  assert(lunet.eventually(function() return far:unread() == before + #data end, BOUND))
end

return pair
