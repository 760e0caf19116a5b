--- An `it` for experiments: `local it = require "spec.support.patient"(it)`. What fails because the machine disturbed
--- the experiment, whose message then names the machine, is run again. What was not judged even then says so in a line,
--- since a spec can ask nothing of it; a claim that did not hold fails, whatever its words.
local ATTEMPTS <const> = 4

local function message_of(failure) return tostring(type(failure) == "table" and failure.message or failure) end

local function disturbance(message) return message:match "[^\n]*%f[%w]the machine%f[%W][^\n]*" end

-- The verdict that the spec was given: nil for holds, or the word.
local function was_not_judged(message) return message:find "%(nil%)" ~= nil or message:find "not judged" ~= nil end

---@param it fun(description: string, body: fun()) busted's
---@return fun(description: string, body: fun())
return function(it)
  return function(description, body)
    it(description, function()
      local why
      for attempt = 1, ATTEMPTS do
        local ok, failure = pcall(body)
        if ok then return end
        local message = message_of(failure)
        why = disturbance(message)
        if not why or attempt == ATTEMPTS and not was_not_judged(message) then error(failure, 0) end
      end
      io.stderr:write("not judged: ", why, "\n")
    end)
  end
end
