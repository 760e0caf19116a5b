---@meta

---@class lunet.task
local task = {}

--- Waits for the task's end. Raises the task's own error value if it failed.
---@param timeout? number seconds
---@return true|nil ok and the results of the task's function; or nil
---@return any message
---@return string? code "TIMEOUT" (the task goes on), "CANCELED" (somebody canceled the task)
function task:join(timeout) end

--- Cancels the task: its present wait and every later one raise an error object with the `code` "CANCELED". A task that
--- has not begun never begins. A task that catches the error and returns is still canceled: its results do not count.
--- Idempotent; does not wait.
---@return true
function task:cancel() end
