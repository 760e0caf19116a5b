--- Interference: what happened to a run from outside, after which its outcome tells nothing about its claim.
---
---     local find_interference = interference.watch()
---     ...
---     local why = find_interference(verdict == "holds")
local core = require "lunet.core"
local suspension = require "lunet.run.suspension"

local interference = {}

-- All network namespaces share the tables, also those of other programs. A full one makes connect(2) fail by
-- EHOSTUNREACH, and loses segments without a word. But a claim that holds has met nothing of it.
local FULL <const> = "the machine's table of neighbours was full (%d times): raise "
  .. "net.ipv4.neigh.default.gc_thresh3, or that of ipv6, which all network namespaces share"

local function watch_neighbours()
  local before = core.neighbours_refused()
  return function()
    local refused = before and core.neighbours_refused()
    return refused and refused > before and FULL:format(refused - before) or nil
  end
end

--- Watches for interference with this process from now on.
---@return fun(holds?: boolean): string? found says what there was; nil if there was nothing
function interference.watch()
  local find_suspension, find_full_table = suspension.watch(), watch_neighbours()
  return function(holds) return find_suspension() or not holds and find_full_table() or nil end
end

return interference
