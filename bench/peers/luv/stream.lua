-- stream.lua MEBIBYTES: one connection, sends of 64 KiB one after another; the other end reads to the end.
local uv = require "luv"
local echo = require "echo"
local round = require "round"

local mebibytes = round.argument(1)
local chunk = ("x"):rep(64 * 1024)
local received, started, took = 0, nil, nil

local server, port
server, port = echo.listen(16, function()
  local sink = uv.new_tcp()
  server:accept(sink)
  sink:read_start(function(message, data)
    assert(not message, message)
    if data then
      received = received + #data
      return
    end
    took = round.finish(started)
    sink:close()
    server:close()
  end)
end)

local source = uv.new_tcp()
local chunks_left = mebibytes * 16
local function send(message)
  assert(not message, message)
  if chunks_left == 0 then return source:shutdown(function() source:close() end) end
  chunks_left = chunks_left - 1
  source:write(chunk, send)
end
source:connect("127.0.0.1", port, function(message)
  started = round.start(echo.now)
  send(message)
end)
uv.run()
assert(received == mebibytes * 2 ^ 20)
round.print_rate(mebibytes, took)
