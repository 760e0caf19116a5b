--- Ctrl-C, which is raised as an error: whoever catches errors has to let it pass.
local interrupt = {}

--- Whether an error is Ctrl-C (core/binding/interrupt.c), with or without its traceback.
---@param failure any an error value
---@return boolean
function interrupt.is(failure)
  return type(failure) == "string" and failure:find "^[^\n]*interrupted!" ~= nil
end

--- Like pcall, but lets Ctrl-C pass.
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
