-- ghosts.lua COUNT: clients connect, send and leave, one after another, while nobody accepts; then all are accepted
-- and read to their end.
local cqueues = require "cqueues"
local echo = require "echo"
local round = require "round"

local count = round.argument(1)
local queue = cqueues.new()
local server, port = echo.listen()

queue:wrap(function()
  local started = round.start(cqueues.monotime)
  for _ = 1, count do
    local connection = echo.connect(port)
    assert(connection:write(round.MESSAGE))
    connection:close()
  end
  local fill = round.finish(started)

  started = round.start(cqueues.monotime)
  for _ = 1, count do
    local ghost = assert(server:accept())
    ghost:setmode("bn", "bn")
    assert(#ghost:read "*a" == #round.MESSAGE)
    ghost:close()
  end
  round.print_ghosts(count, fill, round.finish(started))
end)
assert(queue:loop())
