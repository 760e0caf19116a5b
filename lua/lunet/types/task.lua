---@meta

--- A coroutine that runs while other tasks wait. It ends before its parent does.
---
---     local task <close> = lunet.spawn(function(n)
---       lunet.sleep(0.01)
---       return 2 * n
---     end, 21)
---@class lunet.task
local task = {}

--- Waits for the task's end. Raises the task's own error value if it failed.
---
---     print(task:join(0)) --> nil  join: ...  TIMEOUT
---     print(task:join(60)) --> true  42
---@async
---@param timeout? number seconds
---@return true|nil ok and the results of the task's function; or nil
---@return any message
---@return string? code "TIMEOUT" (the task goes on), "CANCELED" (somebody canceled the task)
function task:join(timeout) end

--- Cancels the task: its present wait and every later one raise an error object with the `code` "CANCELED". A task that
--- has not begun never begins. A task that catches the error and returns is still canceled: its results do not count.
--- Idempotent; does not wait.
---
---     print(task:cancel()) --> true
---     print(task:join(60)) --> nil  the task was canceled (CANCELED)  CANCELED
---@return true
function task:cancel() end
