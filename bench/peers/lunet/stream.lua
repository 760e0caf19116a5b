-- stream.lua MEBIBYTES [discard]: one connection, sends of 64 KiB one after another; the other end reads to the end, or
-- discards all.
local lunet = require "lunet"
local round = require "round"

local mebibytes = round.argument(1)
local chunk = ("x"):rep(64 * 1024)
local listener <close> = assert(lunet.listen { backlog = 1 })
local source = assert(lunet.connect(listener))
local sink <close> = assert(listener:accept())

local function receive_all()
  local received = 0
  while true do
    local data = sink:receive()
    if not data then return received end
    received = received + #data
  end
end

local started = round.start(lunet.now)
lunet.spawn(function()
  for _ = 1, mebibytes * 16 do assert(source:send(chunk)) end
  source:close()
end)
local received = arg[2] == "discard" and sink:discard "a" or receive_all()
assert(received == mebibytes * 2 ^ 20)
round.print_rate(mebibytes, round.finish(started))
