-- churn.lua CYCLES CLIENTS: each client connects, sends, has it back and closes, and again.
local uv = require "luv"
local net = require "net"
local round = require "round"

local function cycle(port)
  local connection = assert(net.connect(port))
  assert(connection:send(round.MESSAGE))
  assert(connection:receive_exactly(#round.MESSAGE))
  connection:close()
end

local function run(cycles, clients)
  local server, port = net.serve(net.echo())
  local clients_left = clients
  for _ = 1, clients do
    net.spawn(function()
      while cycles > 0 do
        cycles = cycles - 1
        cycle(port)
      end
      clients_left = clients_left - 1
      if clients_left == 0 then server:close() end
    end)
  end
  uv.run()
end

local cycles, clients = round.argument(1), round.argument(2)
run(cycles // 10 + clients, clients)
local started = round.start(net.now)
run(cycles, clients)
round.print_rate(cycles, round.finish(started))
