--- A place where every call that can wait has something to wait for, for ever.
local lunet = require "lunet"
local pair = require "spec.support.pair"

local room = {}

local Room = {}
Room.__index = Room

local SMALL = 4096 -- bytes; the kernel's least for a send buffer is a little more

-- Places that few calls need, by name.
local more = {
  -- A link over which nothing passes.
  link = function(made)
    made.other = assert(lunet.host "other")
    made.link = lunet.link(made.host, made.other, { delay = 0 })
  end,
  -- A capture that sees nothing.
  tap = function(made) made.tap = assert(made.host:capture()) end,
}

--- Opens everything, and what few calls need. To be closed by the caller, by `room:close()` or a <close> variable.
---@param besides? "link"|"tap"
function room.open(besides)
  local made = setmetatable({}, Room)
  -- Nobody connects to it.
  made.listener = assert(lunet.listen { backlog = 1 })
  -- Its queue has no room: a SYN is dropped.
  made.full = assert(lunet.listen { backlog = 0 })
  made.queued = assert(lunet.connect(made.full, 10))
  assert(lunet.eventually(function() return made.full:queue().depth == 1 end, 10))
  -- Nobody sends or reads: neither end gets a byte, and the near end's buffers fill up.
  made.near, made.far, made.pair_listener = pair.open({ backlog = 1, rcvbuf = SMALL }, { sndbuf = SMALL })
  -- The same on a host.
  made.host = assert(lunet.host "room")
  made.host_full = assert(made.host:listen { backlog = 0 })
  made.host_queued = assert(made.host:connect(made.host_full, 10))
  assert(lunet.eventually(function() return made.host_full:queue().depth == 1 end, 10))
  made.process = assert(made.host:exec { "sleep", "infinity" })
  -- It sleeps.
  made.task = lunet.spawn(lunet.sleep, math.huge)
  if besides then more[besides](made) end
  return made
end

function Room:close()
  for _, name in ipairs { "tap", "link", "other" } do
    if self[name] then self[name]:close() end
  end
  for _, name in ipairs { "listener", "full", "queued", "near", "far", "pair_listener", "host_queued",
    "host_full", "process", "host" } do self[name]:close() end
  self.task:cancel()
  self.task:join(10)
end

Room.__close = Room.close

return room
