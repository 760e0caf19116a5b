--- Waits for states that the kernel does not announce: it is asked again and again.
local core = require "lunet.core"

local waiting = {}

-- A wait looks at once, then after pauses that grow from the first to the last.
local FIRST_PAUSE <const>, LAST_PAUSE <const>, GROWTH <const> = 0.0001, 0.005, 1.5

--- Checks a timeout. Raises unless it is nil, or a number of seconds, 0 or more.
---@param timeout any
---@param name string of the caller, which a script called
function waiting.check(timeout, name)
  if timeout ~= nil and (type(timeout) ~= "number" or timeout ~= timeout or timeout < 0) then
    core.misuse(("%s: a timeout is a number of seconds, 0 or more; not %s"):format(name, tostring(timeout)))
  end
end

--- Calls a function until it returns a true value.
---@param look fun(): any
---@param timeout? number seconds; nil waits without limit, 0 asks once
---@return any value of the function; nil when the deadline passed
function waiting.until_true(look, timeout)
  local deadline = timeout and core.now() + timeout or math.huge
  local pause = FIRST_PAUSE
  while true do
    local is_last = core.now() >= deadline -- a last look after the deadline: the state may have come in time
    local value = look()
    if value or is_last then return value or nil end
    core.sleep(math.max(0, math.min(pause, deadline - core.now())))
    pause = math.min(pause * GROWTH, LAST_PAUSE)
  end
end

return waiting
