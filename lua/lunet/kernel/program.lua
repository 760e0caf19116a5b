--- Programs that lunet needs for a moment: runs one to its end.
local lunet = require "lunet"

local program = {}

local LONG = 900 -- s; bounds a download

--- Runs a program and returns all that it printed. Its errors are part of that. It has 900 s.
---@param words (string|number)[]
---@return string|nil text nil: it could not be run, or failed
---@return string? message why, in its own words
function program.output(words)
  words.stderr = "stdout"
  local process, message = lunet.exec(words)
  if not process then return nil, message end
  local _close <close> = process
  local text = process.stdout:receive("a", LONG)
  if not text then return nil, ("%s: not done after %d s"):format(words[1], LONG) end
  local status = process:wait(LONG)
  if status == 0 then return text end
  return nil, ("%s: %s"):format(words[1], text:match "[^\n]*%S%s*$" or "status " .. tostring(status))
end

return program
