-- due.lua COUNT: so many timers are due within one second; how late each fires, and how many fire early.
local uv = require "luv"
local echo = require "echo"
local round = require "round"

local count = round.argument(1)
local late, timers = round.zeros(count), {}
local base = echo.now() + round.LEAD
for i = 1, count do
  local due = round.due(base, i, count)
  timers[i] = uv.new_timer()
  uv.update_time()
  timers[i]:start(math.ceil((due - echo.now()) * 1e3), 0, function() late[i] = echo.now() - due end)
end
uv.run()
round.print_late(late)
