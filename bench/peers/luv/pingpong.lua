-- pingpong.lua TRIPS CONNECTIONS: on each connection, all at once, 64 bytes there and back, each receive with a
-- timeout that it does not need.
local uv = require "luv"
local echo = require "echo"
local round = require "round"

local PATIENCE = 10000 -- ms

local trips, count = round.argument(1), round.argument(2)
local warm_up = trips // 10 + 1
local server, port = echo.start(PATIENCE)
local clients, connected, closed = {}, 0, 0
local latencies, started, took = {}, nil, nil

local function on_late() error "a receive took too long" end

local function ping(client)
  client.received = 0
  client.sent = uv.hrtime()
  client.tcp:write(round.MESSAGE)
  client.timer:start(PATIENCE, 0, on_late)
end

local function finish(client)
  client.timer:close()
  client.tcp:close()
  closed = closed + 1
  if closed < count then return end
  took = round.finish(started)
  server:close()
end

local function count_trip(client)
  if warm_up > 0 then
    warm_up = warm_up - 1
    if warm_up == 0 then started = round.start(echo.now) end
  else
    latencies[#latencies + 1] = (uv.hrtime() - client.sent) / 1e9
    trips = trips - 1
  end
end

local function on_read(client, data)
  client.received = client.received + #data
  if client.received < #round.MESSAGE then return end
  client.timer:stop()
  if trips > 0 then count_trip(client) end
  if trips > 0 then ping(client) else finish(client) end
end

for i = 1, count do
  local client = { tcp = uv.new_tcp(), timer = uv.new_timer() }
  clients[i] = client
  client.tcp:connect("127.0.0.1", port, function(message)
    assert(not message, message)
    client.tcp:read_start(function(failure, data)
      assert(not failure, failure)
      on_read(client, data)
    end)
    connected = connected + 1
    if connected == count then for _, each in ipairs(clients) do ping(each) end end
  end)
end
uv.run()
round.print_latencies(latencies, took)
