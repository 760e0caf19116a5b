-- ghosts.lua COUNT: clients connect, send and leave, one after another, while nobody accepts; then all are accepted
-- and read to their end.
local lunet = require "lunet"
local round = require "round"

local count = round.argument(1)
local listener <close> = assert(lunet.listen { backlog = count })

local started = round.start(lunet.now)
for _ = 1, count do
  local connection = assert(lunet.connect(listener))
  assert(connection:send(round.MESSAGE))
  connection:close()
end
local fill = round.finish(started)

started = round.start(lunet.now)
for _ = 1, count do
  local ghost = assert(listener:accept())
  assert(#ghost:receive "a" == #round.MESSAGE)
  ghost:close()
end
round.print_ghosts(count, fill, round.finish(started))
