--- The progress of a long run, in its own words, on a terminal at standard error.
local text = require "lunet.text.width"

local progress = {}

local CLEAR <const> = "\r\27[K"

local is_shown = false

--- Shows the progress of runs until the result closes.
---@param is_terminal boolean whether standard error is one; without a terminal nothing is shown
function progress.show(is_terminal)
  is_shown = is_terminal
  return setmetatable({}, {
    __close = function()
      if is_shown then io.stderr:write(CLEAR) end
      is_shown = false
    end,
  })
end

--- Tells the progress of a run in a few words, which are lost if nobody shows them.
---@param words string
function progress.tell(words)
  if is_shown then io.stderr:write(CLEAR .. text.lines_shown(words)) end
end

return progress
