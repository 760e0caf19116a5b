-- pingpong.lua TRIPS CONNECTIONS: on each connection, all at once, 64 bytes there and back, each receive with a
-- timeout that it does not need.
local uv = require "luv"
local net = require "net"
local round = require "round"

local PATIENCE = 10000 -- ms

local trips, count = round.argument(1), round.argument(2)
local server, port = net.serve(net.echo(PATIENCE))
local connections = {}

local function round_trip(connection)
  local sent = net.now()
  connection:send(round.MESSAGE)
  assert(connection:receive_exactly(#round.MESSAGE, PATIENCE))
  return net.now() - sent
end

local function on_each(trips_left, latencies, when_done)
  local connections_left = count
  for _, connection in ipairs(connections) do
    net.spawn(function()
      while trips_left > 0 do
        trips_left = trips_left - 1
        local seconds = round_trip(connection)
        latencies[#latencies + 1] = seconds
      end
      connections_left = connections_left - 1
      if connections_left == 0 then when_done() end
    end)
  end
end

local function finish(latencies, took)
  for _, connection in ipairs(connections) do connection:close() end
  server:close()
  round.print_latencies(latencies, took)
end

net.spawn(function()
  for i = 1, count do connections[i] = assert(net.connect(port)) end
  on_each(trips // 10 + 1, {}, function()
    local latencies, started = {}, round.start(net.now)
    on_each(trips, latencies, function() finish(latencies, round.finish(started)) end)
  end)
end)
uv.run()
