--- Runs of frozen_servers, whose rows are found by their names.
local frozen_servers = dofile "experiments/servers/frozen_servers.lua"

local frozen = {}

local function key(...) return table.concat({ ... }, " ") end

--- Runs it; its claim must hold.
---@param judge function as of spec.support.patient
---@param knobs table
---@return fun(server: string, frozen: string, accepted: string, departure: string): table row
---@return table outcome
function frozen.run(judge, knobs)
  local outcome, holds, why = judge(frozen_servers, knobs)
  assert(holds, why)
  local rows = {}
  for _, row in ipairs(outcome.rows) do rows[key(row.server, row.frozen, row.accepted, row.departure)] = row end
  return function(...) return rows[key(...)] or error("no row " .. key(...), 0) end, outcome
end

return frozen
