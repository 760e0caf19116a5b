-- idle.lua PAIRS: connections of which one end each has a coroutine that waits for data; how much memory a pair takes.
local cqueues = require "cqueues"
local echo = require "echo"
local round = require "round"

local pairs_wanted = round.argument(1)
local queue = cqueues.new()
local server, port = echo.listen()
local near, far = {}, {}
local before = round.resident_bytes()
queue:wrap(function()
  for i = 1, pairs_wanted do
    near[i] = echo.connect(port)
    near[i]:connect()
    far[i] = server:accept()
    far[i]:setmode("bn", "bn")
    queue:wrap(function() far[i]:read(-64) end)
    if i % 100 == 0 then cqueues.sleep(0) end
  end
  cqueues.sleep(0.1)
  print(('{"bytes": %.0f}'):format((round.resident_bytes() - before) / pairs_wanted))
  os.exit(0)
end)
assert(queue:loop())
