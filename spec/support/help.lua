--- The helps that lunet prints, and their options.
local program = require "spec.support.program"

local help = {}

--- Asks lunet for a help.
---@param words string "", "sweep", "experiments/stale_replay.lua"
---@return string
function help.of(words)
  return program.shell(("exec %s %s --help"):format(program.quote(os.getenv "LUNET"), words)).output
end

--- The options of a help in order, each as the help writes it: "-h, --help", "--record LEVEL".
---@param text string
---@return string[]
function help.options(text)
  local options = {}
  for line in text:gmatch "\n  ?( %-[^\n]*)" do
    local option = line:sub(2)
    -- A name that fills its column has one blank behind it.
    options[#options + 1] = option:match "^(.-)  " or option:sub(22, 22) == " " and option:sub(1, 21) or option
  end
  return options
end

return help
