--- An `it` for experiments: `local it = require "spec.support.patient"(it)`. What fails because the machine disturbed
--- the experiment, whose message then names the machine, is run again. What is disturbed every time says so in a line:
--- a spec can ask nothing of an experiment that was not judged.
local ATTEMPTS <const> = 4

local function disturbance(failure)
  local message = type(failure) == "table" and failure.message or failure
  return tostring(message):match "[^\n]*%f[%w]the machine%f[%W][^\n]*"
end

---@param it fun(description: string, body: fun()) busted's
---@return fun(description: string, body: fun())
return function(it)
  return function(description, body)
    it(description, function()
      local why
      for _ = 1, ATTEMPTS do
        local ok, failure = pcall(body)
        if ok then return end
        why = disturbance(failure)
        if not why then error(failure, 0) end
      end
      io.stderr:write("not judged: ", why, "\n")
    end)
  end
end
