-- idle-handler.lua PAIRS: connections that each wait for data without a task; how much memory a pair takes.
local lunet = require "lunet"
local round = require "round"

local pairs_wanted = round.argument(1)
local listener = assert(lunet.listen { backlog = 1024 })
local near = {} -- all of them stay
local before = round.resident_bytes()
lunet.spawn(function()
  listener:serve(function(connection) assert(connection:receive()) end, { idle = "light" })
end)
for i = 1, pairs_wanted do near[i] = assert(lunet.connect(listener)) end
assert(lunet.eventually(function() return listener:queue().depth == 0 end, 60))
print(('{"bytes": %.0f}'):format((round.resident_bytes() - before) / pairs_wanted))
os.exit(#near == pairs_wanted)
