--- A want of resources: descriptors, memory, buffers, watches; or a call that a signal interrupted. If a call of a run
--- fails for one, the run tells nothing about its claim, however its script took the failure: it could not run.
local core = require "lunet.core"

local shortage = {}

local WORDS <const> = "a call failed for want of resources: "

--- Watches for such failures from now on.
function shortage.watch() core.expect_no_shortage() end

--- Ends the watch, and returns the first failure, in words that name the call and the error; nil without one.
---@return string?
function shortage.found()
  local text = core.shortage()
  return text and WORDS .. text
end

--- Whether an error of a run is such a failure.
---@param failure any
---@return boolean
function shortage.is(failure) return type(failure) == "string" and failure:sub(1, #WORDS) == WORDS end

return shortage
