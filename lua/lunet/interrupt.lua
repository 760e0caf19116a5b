--- Ctrl-C, which is raised as an error: whoever catches errors has to let it pass.
local interrupt = {}

--- Whether an error is Ctrl-C (core/binding/interrupt.c), with or without its traceback.
---@param failure any an error value
---@return boolean
function interrupt.is(failure)
  return type(failure) == "string" and failure:find "^[^\n]*interrupted!" ~= nil
end

return interrupt
