local lunet = require "lunet"

local BOUND <const> = require "spec.support.bound"

--- Waits for a state that does come; fails if it does not.
---@param predicate fun(): any
---@return any value what the predicate returned
return function(predicate) return assert(lunet.eventually(predicate, BOUND)) end
