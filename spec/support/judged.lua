local lateness = require "lunet.run.lateness"
local lunet = require "lunet"

local ATTEMPTS <const> = 5
local LOOK <const>, QUIET <const>, LONGEST <const> = 0.2, 0.02, 6 -- s

-- Waits until the machine lets tasks run in time, or for some seconds.
local function wait_until_quiet()
  lunet.eventually(function()
    local machine <close> = lateness.watch()
    lunet.sleep(LOOK)
    return machine:worst() < QUIET
  end, LONGEST)
end

--- Runs an experiment until the machine lets its claim be judged; at most five times, each on a quieter machine.
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
    wait_until_quiet()
  end
  return outcome, holds, why
end
