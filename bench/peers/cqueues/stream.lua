-- stream.lua MEBIBYTES: one connection, sends of 64 KiB one after another; the other end reads to the end.
local cqueues = require "cqueues"
local echo = require "echo"
local round = require "round"

local mebibytes = round.argument(1)
local chunk = ("x"):rep(64 * 1024)
local queue = cqueues.new()
local server, port = echo.listen()
local started, received = round.start(cqueues.monotime), 0
queue:wrap(function()
  local source = echo.connect(port)
  for _ = 1, mebibytes * 16 do assert(source:write(chunk)) end
  source:close()
end)
queue:wrap(function()
  local sink = server:accept()
  sink:setmode("bn", "bn")
  sink:setbufsiz(#chunk)
  while true do
    local data = sink:read(-#chunk)
    if not data then break end
    received = received + #data
  end
end)
assert(queue:loop())
assert(received == mebibytes * 2 ^ 20)
round.print_rate(mebibytes, round.finish(started))
