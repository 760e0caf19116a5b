-- idle.lua PAIRS: connections of which one end each has a coroutine that waits for data; how much memory a pair takes.
local uv = require "luv"
local net = require "net"
local round = require "round"

local pairs_wanted = round.argument(1)
local near, far = {}, {} -- all of them stay
local before = round.resident_bytes()

local function finish()
  print(('{"bytes": %.0f}'):format((round.resident_bytes() - before) / pairs_wanted))
  os.exit(#near >= pairs_wanted - 1)
end

local _, port = net.serve(function(connection)
  far[#far + 1] = connection
  if #far == pairs_wanted then finish() end
  connection:receive()
end)
net.spawn(function()
  for i = 1, pairs_wanted do near[i] = assert(net.connect(port)) end
end)
uv.run()
