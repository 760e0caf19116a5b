--- Looks again and again, until it is interrupted.
local core = require "lunet.core"
local lunet = require "lunet"

local watch = {}

local SHARE <const> = 10 -- looks take at most one part in so many of a processor

local CLEAR_LINE <const>, CLEAR_BELOW <const>, HOME <const>, CLEAR <const> = "\27[K", "\27[J", "\27[H", "\27[2J"

--- Makes words that replace those of the look before if standard output is a terminal. Elsewhere an empty line ends
--- them.
---@param lines string[]
---@param is_first boolean
---@return string
function watch.screen(lines, is_first)
  if not core.is_terminal(1) then return table.concat(lines, "\n") .. "\n" end
  local shown = {}
  for i, line in ipairs(lines) do shown[i] = line .. CLEAR_LINE end
  return (is_first and CLEAR or "") .. HOME .. table.concat(shown, "\n") .. CLEAR_BELOW
end

--- Calls `look` each `every` seconds. If one takes long, the next one comes later.
---@param every number seconds
---@param most? integer how often; nil: without end
---@param look fun(number: integer): boolean? looks and tells; false ends the loop
---@return boolean? ok
function watch.run(every, most, look)
  local due, number = lunet.now(), 0
  while true do
    number = number + 1
    local began = os.clock()
    if not look(number) then return nil end
    if most and number >= most then return true end
    due = math.max(due + every, lunet.now() + (SHARE - 1) * (os.clock() - began))
    lunet.sleep(math.max(0, due - lunet.now()))
  end
end

return watch
