--- A want of resources: descriptors, memory, buffers, watches; or a call that a signal interrupted. A run in which a
--- call failed for one tells nothing about its claim, whatever its script made of that: it could not run.
local core = require "lunet.core"

local shortage = {}

local WORDS <const> = "a call failed for want of resources: "

--- From now on the first such failure is kept.
function shortage.watch() core.expect_no_shortage() end

--- The first one since, in words that name the call and the error; nil if there was none. Ends the watch.
---@return string?
function shortage.found()
  local text = core.shortage()
  return text and WORDS .. text
end

--- Whether an error of a run is one.
---@param failure any
---@return boolean
function shortage.is(failure) return type(failure) == "string" and failure:sub(1, #WORDS) == WORDS end

return shortage
