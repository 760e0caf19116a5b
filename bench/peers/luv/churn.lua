-- churn.lua CYCLES CLIENTS: each client connects, sends, has it back and closes, and again.
local uv = require "luv"
local echo = require "echo"
local round = require "round"

local function run(cycles, clients)
  local server, port = echo.start()
  local clients_left = clients

  local function start()
    if cycles == 0 then
      clients_left = clients_left - 1
      if clients_left == 0 then server:close() end
      return
    end
    cycles = cycles - 1
    local connection, received = uv.new_tcp(), 0
    connection:connect("127.0.0.1", port, function(message)
      assert(not message, message)
      connection:write(round.MESSAGE)
      connection:read_start(function(failure, data)
        assert(not failure, failure)
        received = received + #data
        if received == #round.MESSAGE then connection:close(start) end
      end)
    end)
  end

  for _ = 1, clients do start() end
  uv.run()
end

local cycles, clients = round.argument(1), round.argument(2)
run(cycles // 10 + clients, clients)
local started = round.start(echo.now)
run(cycles, clients)
round.print_rate(cycles, round.finish(started))
