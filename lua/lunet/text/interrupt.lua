--- The text of the error by which a signal ends the program (core/binding/interrupt.c). Code that catches errors must
--- let it pass.
local interrupt = {}

--- Whether an error is such an interruption, with or without its traceback.
---@param failure any an error value
---@return boolean
function interrupt.is(failure)
  if type(failure) ~= "string" then return false end
  local first = failure:match "^[^\n]*"
  return first:find("interrupted!", 1, true) ~= nil or first:find "interrupted by SIG%u+!" ~= nil
end

--- Like pcall, but lets an interruption pass.
---@param fn function
---@param ... any its arguments
---@return boolean ok
---@return any ... what fn returned, or the error
function interrupt.pcall(fn, ...)
  local results = table.pack(pcall(fn, ...))
  if not results[1] and interrupt.is(results[2]) then error(results[2], 0) end
  return table.unpack(results, 1, results.n)
end

return interrupt
