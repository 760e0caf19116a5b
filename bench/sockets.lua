-- How long it takes to list a host's sockets, of which it has few: the kernel walks its whole hash table.
--
--   script/build release && build/release/lunet bench/sockets.lua [TIMES]
local lunet = require "lunet"

local times = tonumber(arg[1]) or 1000
local host <close> = assert(lunet.host "h")
local _listener <close> = assert(host:listen { backlog = 5 })
local spans = {}
for i = 1, times do
  local began = lunet.now()
  assert(host:sockets())
  spans[i] = lunet.now() - began
end
table.sort(spans)
local median = spans[(times + 1) // 2]
print(("host:sockets() takes %.3f ms (median), %.3f at the least"):format(median * 1e3, spans[1] * 1e3))
