-- idle.lua PAIRS: connections of which one end each has a task that waits for data; how much memory a pair takes.
local lunet = require "lunet"
local round = require "round"

local pairs_wanted = round.argument(1)
local listener = assert(lunet.listen { backlog = 1024 })
local near, far = {}, {} -- all of them stay
local before = round.resident_bytes()
for i = 1, pairs_wanted do
  near[i] = assert(lunet.connect(listener))
  far[i] = assert(listener:accept())
  lunet.spawn(function() far[i]:receive() end)
end
lunet.sleep(0)
lunet.sleep(0)
print(('{"bytes": %.0f}'):format((round.resident_bytes() - before) / pairs_wanted))
os.exit(#near == pairs_wanted)
