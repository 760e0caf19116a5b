-- due.lua COUNT: so many tasks sleep, and are due within one second; how late each wakes, and how many wake early.
local lunet = require "lunet"
local round = require "round"

local count = round.argument(1)
local late = round.zeros(count)
local base = lunet.now() + round.LEAD
lunet.scope(function()
  for i = 1, count do
    lunet.spawn(function()
      local due = round.due(base, i, count)
      lunet.sleep(math.max(0, due - lunet.now()))
      late[i] = lunet.now() - due
    end)
  end
end)
round.print_late(late)
