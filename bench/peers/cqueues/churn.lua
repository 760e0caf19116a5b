-- churn.lua CYCLES CLIENTS: each client connects, sends, has it back and closes, and again.
local cqueues = require "cqueues"
local echo = require "echo"
local round = require "round"

local function cycle(port)
  local connection = echo.connect(port)
  assert(connection:write(round.MESSAGE))
  assert(connection:read(#round.MESSAGE))
  connection:close()
end

local function run(cycles, clients)
  local queue = cqueues.new()
  local server, port = echo.listen()
  local clients_left = clients
  queue:wrap(echo.serve, queue, server)
  for _ = 1, clients do
    queue:wrap(function()
      while cycles > 0 do
        cycles = cycles - 1
        cycle(port)
      end
      clients_left = clients_left - 1
    end)
  end
  while clients_left > 0 do assert(queue:step()) end
  server:close()
end

local cycles, clients = round.argument(1), round.argument(2)
run(cycles // 10 + clients, clients)
local started = round.start(cqueues.monotime)
run(cycles, clients)
round.print_rate(cycles, round.finish(started))
