---@meta

--- A watched accept queue (host:watch).
---
---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     local watch <close> = assert(lunet.watch(listener))
---     local client <close> = assert(lunet.connect(listener, 60))
---@class lunet.watch
local watch = {}

--- Looks once more (sock_diag(7)), and tells the greatest depth that a look has found so far, with the limit then.
--- `drops` is what the kernel has dropped for these listeners since they began to listen (see listener:queue()),
--- `looks` how many looks there were.
---
---     print(lunet.eventually(function() return watch:peak().depth == 1 end, 60)) --> true
---     print(watch:peak().limit) --> 5
---@return {depth: integer, limit: integer, drops: integer, looks: integer}|nil peak all but `looks` are 0 if nothing
--- has listened there
---@return string? message
---@return string? code "CLOSED", "EMFILE", "ENOMEM", ...
function watch:peak() end

--- Ends the watch. Idempotent; does not wait.
---
---     print(watch:close()) --> true
---     print(select(3, watch:peak())) --> CLOSED
---@return true
function watch:close() end
