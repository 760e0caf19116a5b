-- due.lua COUNT: so many coroutines sleep, and are due within one second; how late each wakes, and how many wake
-- early.
local uv = require "luv"
local net = require "net"
local round = require "round"

local count = round.argument(1)
local late = round.zeros(count)
local base = net.now() + round.LEAD
for i = 1, count do
  net.spawn(function()
    local due = round.due(base, i, count)
    net.sleep(math.ceil((due - net.now()) * 1e3))
    late[i] = net.now() - due
  end)
end
uv.run()
round.print_late(late)
