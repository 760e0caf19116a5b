--- The lock that a run of an `exclusive` experiment holds on a machine, whoever started it. The kernel takes it back
--- when its process ends. It is an abstract Unix address (unix(7)): that needs no file which all users may write. A
--- container with a network of its own counts as a machine.
local lunet = require "lunet"

local alone = {}

local ADDRESS <const> = "unix:@lunet-exclusive"
local PAUSE <const> = 0.05 -- s; between two tries: a run takes longer

--- Waits until no such run goes on.
---@return lunet.listener lock a to-be-closed value
function alone.enter()
  while true do
    local lock, message, code = lunet.listen { address = ADDRESS, backlog = 0 }
    if lock then return lock end
    if code ~= "EADDRINUSE" then error("sweep: the lock of exclusive experiments: " .. message, 0) end
    lunet.sleep(PAUSE)
  end
end

return alone
