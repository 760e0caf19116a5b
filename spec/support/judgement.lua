--- Judges an outcome that no run found.
local judge = require "lunet.run.judge"
local new_run = require("lunet.run.run").new

---@param experiment table
---@param outcome table
---@param values table<string, any> of all knobs
---@return lunet.run with its verdict, why, figures and plot
return function(experiment, outcome, values)
  local run = new_run(experiment, values)
  run.outcome = outcome
  return judge.judge(run)
end
