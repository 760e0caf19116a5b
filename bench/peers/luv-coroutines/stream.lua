-- stream.lua MEBIBYTES: one connection, sends of 64 KiB one after another; the other end reads to the end.
local uv = require "luv"
local net = require "net"
local round = require "round"

local mebibytes = round.argument(1)
local chunk = ("x"):rep(64 * 1024)
local received, started = 0, nil

local server, port
server, port = net.serve(function(sink)
  while true do
    local data = sink:receive()
    if not data then break end
    received = received + #data
  end
  assert(received == mebibytes * 2 ^ 20)
  round.print_rate(mebibytes, round.finish(started))
  sink:close()
  server:close()
end)

net.spawn(function()
  local source = assert(net.connect(port))
  started = round.start(net.now)
  for _ = 1, mebibytes * 16 do assert(source:send(chunk)) end
  source:close()
end)
uv.run()
