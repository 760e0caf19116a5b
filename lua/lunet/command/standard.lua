--- What the commands say: results on standard output, complaints on standard error.
local text = require "lunet.text.width"

local standard = {}

-- As it was before a script ran: that may have changed print and io.stdout.
local stdout = io.stdout

--- Prints a text.
---@param words string
---@return boolean? ok
---@return string? why
function standard.print(words)
  local ok, why = stdout:write(words, "\n")
  if ok then ok, why = stdout:flush() end
  return ok, why
end

--- Complains on standard error.
---@param words string
function standard.complain(words) io.stderr:write("lunet: " .. text.lines_shown(words) .. "\n") end

return standard
