--- How far a long run is, in words of its own, on a terminal at standard error.
local text = require "lunet.text.width"

local progress = {}

local CLEAR <const> = "\r\27[K"

local is_shown = false

--- Shows what a run tells of how far it is, until the result is closed.
---@param is_terminal boolean whether standard error is one; else nothing is shown
function progress.show(is_terminal)
  is_shown = is_terminal
  return setmetatable({}, {
    __close = function()
      if is_shown then io.stderr:write(CLEAR) end
      is_shown = false
    end,
  })
end

--- Tells how far a run is, in a few words; unless somebody shows it, to nobody.
---@param words string
function progress.tell(words)
  if is_shown then io.stderr:write(CLEAR .. text.lines_shown(words)) end
end

return progress
