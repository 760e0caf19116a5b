---@meta

--- A watched accept queue (host:watch).
---@class lunet.watch
local watch = {}

--- Looks once more, and tells the greatest depth that a look has found so far, with the limit then. `drops` is what the
--- kernel has dropped for these listeners since they began to listen (see listener:queue()), `looks` how many looks
--- there were.
---@return {depth: integer, limit: integer, drops: integer, looks: integer}|nil peak all but `looks` are 0 if nothing
--- has listened there
---@return string? message
---@return string? code "CLOSED", "EMFILE", "ENOMEM", ...
function watch:peak() end

--- Ends the watch. Idempotent; does not wait.
---@return true
function watch:close() end
