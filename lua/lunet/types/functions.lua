---@meta

--- The functions of lunet that are written in C; other types have files of their own. All calls have this in common:
---
--- * Success returns a value that is neither nil nor false; failure returns nil, message, CODE.
---   CODE is the kernel's name of the error ("ECONNREFUSED", see errno(3)) or one of lunet's own:
---   "TIMEOUT" (the script's own deadline passed), "EOF" (the peer ended its side), "CLOSED" (this side closed it,
---   perhaps during the wait), "CANCELED". Misuse raises.
--- * Time is seconds. A timeout is always the last argument: nil waits without limit, 0 polls.
--- * Calls marked "waits" drive the loop in the main script and yield in a task. Other tasks run only during such
---   calls. In a plain coroutine they raise before anything starts. They also do so in a task inside require, a sort or
---   gsub callback, a metamethod called from C, an error handler or a finalizer.
--- * Every listener, connection, process, host, rule, capture and task is a to-be-closed value
---   (`local c <close> = ...`). It is open until a script closes it, or until its scope or its host ends, even if no
---   variable refers to it. The garbage collector closes nothing.

---@class lunet
---@field version string as `lunet --version` prints it
local lunet = {}

--- Makes a task: a child of the current one, which starts when this one waits. A task ends after its children. join
--- raises its error; without a join, its parent's present or next wait does.
---
---     local task = lunet.spawn(function(a, b) return a + b end, 2, 3)
---     print(task:join()) --> true  5
---@param fn function
---@param ... any arguments for fn
---@return lunet.task task
function lunet.spawn(fn, ...) end

--- Calls fn, then waits for every task that fn spawned, then closes every listener and connection that fn or those
--- tasks opened. The first error (of fn or of a task that nobody joined) cancels the other tasks, and scope raises it
--- when they have ended. Waits.
---
---     local listener
---     lunet.scope(function() listener = assert(lunet.listen { backlog = 5 }) end)
---     print(select(3, listener:accept())) --> CLOSED
---@async
---@param fn function
---@param ... any arguments for fn
---@return any ... results of fn
function lunet.scope(fn, ...) end

--- Lets time pass; waits. Never returns early. 0 lets the other tasks have a turn.
---
---     local before = lunet.now()
---     lunet.sleep(0.01)
---     print(lunet.now() - before >= 0.01) --> true
---@async
---@param seconds number 0 or more
---@return true
function lunet.sleep(seconds) end

--- The monotonic clock (clock_gettime(2), CLOCK_MONOTONIC). All times of the API are on it.
---
---     local before = lunet.now()
---     lunet.sleep(0.001)
---     print(lunet.now() > before) --> true
---@return number seconds
function lunet.now() end

--- Puts the script's own words into the timeline.
---
---     print(lunet.note "the server is stuck now") --> true
---@param text string
---@return true
function lunet.note(text) end

--- Lists the open listeners, connections, processes and hosts, as a text for each. For leak checks.
---
---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     print(table.unpack(lunet.open_handles())) --> listener 127.0.0.1:...
---@return string[]
function lunet.open_handles() end

--- Makes a text of an error, with the tracebacks of the tasks that it passed.
---
---     local ok, failure = pcall(lunet.scope, function() lunet.spawn(error, "boom") end)
---     print(ok, lunet.traceback(failure):match "^[^\n]*") --> false  boom
---@param error any
---@return string
function lunet.traceback(error) end
