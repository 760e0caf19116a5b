--- How late the machine lets a script run: a task that wakes every few milliseconds, and by how much it was late at
--- worst. An experiment that bounds a time from above allows for it, since a busy machine is no fault of the kernel.
---
---     local machine <close> = lateness.watch()
---     ...
---     return { seconds = seconds, lateness = machine:worst() }
local core = require "lunet.core"

local lateness = {}
lateness.__index = lateness

local EVERY <const> = 0.01 -- s; from one look to the next

--- Starts to watch. Waits only in a task of its own.
---@return lunet.lateness watch a to-be-closed value
function lateness.watch()
  local self = setmetatable({ at_worst = 0.0 }, lateness)
  self.task = core.spawn(function()
    while true do
      local due = core.now() + EVERY
      core.sleep(EVERY)
      self.at_worst = math.max(self.at_worst, core.now() - due)
    end
  end)
  return self
end

--- The worst since the watch began.
---@return number seconds
function lateness:worst() return self.at_worst end

--- Ends the watch.
function lateness:close() self.task:cancel() end

lateness.__close = lateness.close

return lateness
