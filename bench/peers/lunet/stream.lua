-- stream.lua MEBIBYTES: one connection, sends of 64 KiB one after another; the other end reads to the end.
local lunet = require "lunet"
local round = require "round"

local mebibytes = round.argument(1)
local chunk = ("x"):rep(64 * 1024)
local listener <close> = assert(lunet.listen { backlog = 1 })
local source = assert(lunet.connect(listener))
local sink <close> = assert(listener:accept())

local started, received = round.start(lunet.now), 0
lunet.spawn(function()
  for _ = 1, mebibytes * 16 do assert(source:send(chunk)) end
  source:close()
end)
while true do
  local data = sink:receive()
  if not data then break end
  received = received + #data
end
assert(received == mebibytes * 2 ^ 20)
round.print_rate(mebibytes, round.finish(started))
