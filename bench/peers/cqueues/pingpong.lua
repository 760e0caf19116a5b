-- pingpong.lua TRIPS CONNECTIONS: on each connection, all at once, 64 bytes there and back, each receive with a
-- timeout that it does not need.
local cqueues = require "cqueues"
local echo = require "echo"
local round = require "round"

local PATIENCE = 10 -- s

local trips, count = round.argument(1), round.argument(2)
local queue = cqueues.new()
local server, port = echo.listen()
queue:wrap(echo.serve, queue, server, PATIENCE)

local function round_trip(connection)
  local sent = cqueues.monotime()
  connection:write(round.MESSAGE)
  assert(connection:read(#round.MESSAGE))
  return cqueues.monotime() - sent
end

local connections = {}
for i = 1, count do
  connections[i] = echo.connect(port)
  connections[i]:settimeout(PATIENCE)
end

local function on_each(trips_left, latencies)
  local connections_left = count
  for _, connection in ipairs(connections) do
    queue:wrap(function()
      while trips_left > 0 do
        trips_left = trips_left - 1
        local seconds = round_trip(connection)
        latencies[#latencies + 1] = seconds
      end
      connections_left = connections_left - 1
    end)
  end
  while connections_left > 0 do assert(queue:step()) end
end

on_each(trips // 10 + 1, {})
local latencies, started = {}, round.start(cqueues.monotime)
on_each(trips, latencies)
round.print_latencies(latencies, round.finish(started))
