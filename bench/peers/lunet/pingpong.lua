-- pingpong.lua TRIPS CONNECTIONS: on each connection, all at once, 64 bytes there and back, each receive with a
-- timeout that it does not need.
local lunet = require "lunet"
local round = require "round"

local PATIENCE = 10 -- s

local function echo(connection)
  while true do
    local data = connection:receive(nil, PATIENCE)
    if not data then break end
    connection:send(data)
  end
end

local trips, count = round.argument(1), round.argument(2)
local listener <close> = assert(lunet.listen { backlog = 4096 })
local _server <close> = lunet.spawn(function() listener:serve(echo) end)
local connections = {}
for i = 1, count do connections[i] = assert(lunet.connect(listener)) end

local function round_trip(connection)
  local sent = lunet.now()
  connection:send(round.MESSAGE)
  assert(connection:receive(#round.MESSAGE, PATIENCE))
  return lunet.now() - sent
end

local function on_each(trips_left, latencies)
  lunet.together(connections, function(connection)
    while trips_left > 0 do
      trips_left = trips_left - 1
      local seconds = round_trip(connection)
      latencies[#latencies + 1] = seconds
    end
  end)
end

on_each(trips // 10 + 1, {})
local latencies, started = {}, round.start(lunet.now)
on_each(trips, latencies)
round.print_latencies(latencies, round.finish(started))
