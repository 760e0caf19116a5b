-- churn.lua CYCLES CLIENTS: each client connects, sends, has it back and closes, and again.
-- With "record" as a third argument, queues are looked at when they may have moved, as when an experiment runs.
local core = require "lunet.core"
local lunet = require "lunet"
local round = require "round"

local function echo(connection)
  while true do
    local data = connection:receive()
    if not data then break end
    connection:send(data)
  end
end

local function cycle(listener)
  local connection = assert(lunet.connect(listener))
  assert(connection:send(round.MESSAGE))
  assert(connection:receive(#round.MESSAGE))
  connection:close()
end

local function run(cycles, clients)
  local listener <close> = assert(lunet.listen { backlog = 1024 })
  local _server <close> = lunet.spawn(function() listener:serve(echo) end)
  lunet.scope(function()
    for _ = 1, clients do
      lunet.spawn(function()
        while cycles > 0 do
          cycles = cycles - 1
          cycle(listener)
        end
      end)
    end
  end)
end

local cycles, clients = round.argument(1), round.argument(2)
core.record(arg[3] == "record")
run(cycles // 10 + clients, clients)
local started = round.start(lunet.now)
run(cycles, clients)
round.print_rate(cycles, round.finish(started))
