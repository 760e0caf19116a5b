-- idle.lua PAIRS: connections of which one end each is read; how much memory a pair takes.
local uv = require "luv"
local echo = require "echo"
local round = require "round"

local pairs_wanted = round.argument(1)
local near, far = {}, {}
local before, start

local server, port
server, port = echo.listen(1024, function()
  local connection = uv.new_tcp()
  server:accept(connection)
  connection:read_start(function() end)
  far[#far + 1] = connection
  if #far < pairs_wanted then return start() end
  print(('{"bytes": %.0f}'):format((round.resident_bytes() - before) / pairs_wanted))
  os.exit(0)
end)

function start()
  local connection = uv.new_tcp()
  near[#near + 1] = connection
  connection:connect("127.0.0.1", port, function() end)
end
before = round.resident_bytes()
start()
uv.run()
