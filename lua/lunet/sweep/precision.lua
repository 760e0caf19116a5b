--- How narrow the intervals of a sweep must be, and how many more runs its points take for that.
---
---     --until 'goodput 5%' --most 50
---
--- A point gets more runs until half of the interval's width is at most 5 % of the median. For a share, such as
--- `holds`, it is at most 0.05. No point gets more than 50 runs.
local results = require "lunet.sweep.results"

local precision = {}

local GROWTH <const> = 4 -- a round adds a run for each so many, one at least: reading all results takes time

--- Reads a rule.
---@param text string "goodput 5%"
---@return {figure: string, share: number}|nil rule
---@return string? message
function precision.parse(text)
  local figure, percent = text:match "^%s*(%S+)%s+([%d.]+)%%%s*$"
  percent = tonumber(percent)
  if percent and percent > 0 then return { figure = figure, share = percent / 100 } end
  return nil, ("--until: '%s' is not FIGURE PERCENT%%, as in 'goodput 5%%'"):format(text)
end

local function is_narrow(found, point, rule)
  local _, is_share = found:numbers(point, rule.figure)
  local range = found:interval(point, rule.figure)
  local unit = range and (is_share and 1 or math.abs(range.value))
  return range ~= nil and (range.high - range.low) / 2 <= rule.share * unit
end

--- Adds runs to the points whose interval is not narrow yet, and saves the plan.
---@param opened lunet.sweep_directory whose runs so far are done
---@param rule {figure: string, share: number}
---@param most integer of a point
---@return boolean|nil added whether there are more runs to do; or nil
---@return string? message
function precision.add_runs(opened, rule, most)
  local found, plan, has_any, added = results.of(opened), opened.plan, false, false
  for _, point in ipairs(plan.points) do
    local runs = plan:runs_of(point)
    has_any = has_any or #found:numbers(point, rule.figure) > 0
    if runs < most and not is_narrow(found, point, rule) then
      point.runs, added = math.min(most, runs + math.max(1, runs // GROWTH)), true
    end
  end
  if not has_any then return nil, ("--until: no run has a figure '%s'"):format(rule.figure) end
  if added then
    local ok, message = plan:save(opened.path)
    if not ok then return nil, message end
  end
  return added
end

return precision
