-- How long a link takes, by the median of 20, each between two new hosts.
local lunet = require "lunet"

local times = {}
for i = 1, 20 do
  local a <close> = assert(lunet.host "a")
  local b <close> = assert(lunet.host "b")
  local began = lunet.now()
  lunet.link(a, b)
  times[i] = lunet.now() - began
end
table.sort(times)
print(("%.1f ms"):format((times[10] + times[11]) / 2 * 1e3))
