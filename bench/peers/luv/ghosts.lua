-- ghosts.lua COUNT: clients connect, send and leave, one after another, while nobody accepts; then all are accepted
-- and read to their end. libuv has accepted the first of them by itself, and stops there until it is fetched.
local uv = require "luv"
local echo = require "echo"
local round = require "round"

local count = round.argument(1)
local left, drained, is_draining = count, 0, false
local started, fill, drain

local function accept_ghost(server)
  local ghost = uv.new_tcp()
  server:accept(ghost)
  ghost:read_start(function(message, data)
    assert(not message, message)
    if data then return end
    ghost:close()
    drained = drained + 1
    if drained < count then return end
    drain = round.finish(started)
    server:close()
  end)
end

local server, port = echo.listen(count, function(server)
  if is_draining then accept_ghost(server) end
end)

local function start()
  if left == 0 then
    fill = round.finish(started)
    started = round.start(echo.now)
    is_draining = true
    return accept_ghost(server)
  end
  left = left - 1
  local connection = uv.new_tcp()
  connection:connect("127.0.0.1", port, function(message)
    assert(not message, message)
    connection:write(round.MESSAGE, function() connection:close(start) end)
  end)
end

started = round.start(echo.now)
start()
uv.run()
round.print_ghosts(count, fill, drain)
