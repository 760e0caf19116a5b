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

local function read(opened)
  local ok, found = pcall(results.of, opened)
  if ok then return found end
  return nil, type(found) == "table" and found.lost or error(found, 0)
end

-- Whether a run has the figure, or none is done yet; or nil, and the figures that there are.
local function has_figure(found, rule)
  local is_any_done = false
  for _, point in ipairs(found.plan.points) do
    is_any_done = is_any_done or #found:numbers(point, results.HOLDS) > 0
    if #found:numbers(point, rule.figure) > 0 then return true end
  end
  if not is_any_done then return true end
  return nil, ("--until: no run has a figure '%s' (known: %s)"):format(rule.figure,
    table.concat(found:figure_names(), ", "))
end

--- Whether the runs that are done have the figure of a rule.
---@param opened lunet.sweep_directory
---@param rule {figure: string, share: number}
---@return true|nil
---@return string? message
function precision.check(opened, rule)
  local found, message = read(opened)
  if not found then return nil, message end
  return has_figure(found, rule)
end

--- Adds runs to the points whose interval is not narrow yet, and saves the plan.
---@param opened lunet.sweep_directory whose runs so far are done
---@param rule {figure: string, share: number}
---@param most integer of a point
---@return boolean|nil added whether there are more runs to do; or nil
---@return string? message
function precision.add_runs(opened, rule, most)
  local found, why = read(opened)
  if not found then return nil, why end
  local is_known, unknown = has_figure(found, rule)
  if not is_known then return nil, unknown end
  local plan, added = opened.plan, false
  for _, point in ipairs(plan.points) do
    local runs = plan:runs_of(point)
    if runs < most and not is_narrow(found, point, rule) then
      point.runs, added = math.min(most, runs + math.max(1, runs // GROWTH)), true
    end
  end
  if added then
    local is_saved, message = plan:save(opened.path)
    if not is_saved then return nil, message end
  end
  return added
end

return precision
