--- Lua for a script that counts its own namespaces: it waits until the undertaker (core/platform/undertaker.h) has made
--- its spares, which would otherwise take room at any time.
---
--- `await_spares(n)` waits until the undertaker holds n namespaces: the mould, those of the hosts, and two spares.
--- `undertaker` is the undertaker's process.
return [[
local undertaker
local function await_spares(count)
  local lunet = require "lunet"
  undertaker = assert(io.popen "pgrep -x lunet-undertake -P $PPID"):read "n"
  assert(lunet.eventually(function()
    local listing <close> = io.popen(("ls -l /proc/%d/fd"):format(undertaker))
    return select(2, listing:read "a":gsub("net:%[", "")) == count
  end, 20))
end
]]
