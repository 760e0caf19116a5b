local ATTEMPTS <const> = 5

--- Runs an experiment until the machine lets its claim be judged, or it is not judged for another reason; at most five
--- times.
---@param run fun(knobs: table?): table, boolean?, string? an experiment
---@param knobs? table
---@return table outcome
---@return boolean? holds
---@return string? why
return function(run, knobs)
  local outcome, holds, why
  for _ = 1, ATTEMPTS do
    outcome, holds, why = run(knobs)
    if holds ~= nil or not why:find "the machine" then break end
  end
  return outcome, holds, why
end
