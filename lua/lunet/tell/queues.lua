--- The depths of a run's queues over time, as a plot for the terminal.
local depths = require "lunet.recording.depths"
local plot = require "lunet.text.plot"

local queues = {}

local MOST <const> = 4 -- queues in a plot
local BINS <const> = 60 -- points of a plot's curve
local WIDTH <const>, HEIGHT <const> = 76, 6 -- of a plot, in characters

-- The greatest depth in each part of the time; a gap before the queue begins and after it ends.
local function curve_of(queue, first, step)
  local curve, now, next = {}, nil, 1
  for bin = 1, BINS do
    local deepest, upto = now, first + bin * step
    while queue[next] and queue[next].at <= upto do
      now = queue[next].depth
      deepest = math.max(deepest or 0, now)
      next = next + 1
    end
    if queue.finish and queue.finish <= upto then now = nil end
    curve[bin] = deepest or math.huge
  end
  return curve
end

local function name_of(queue, run)
  local where = queue.port and "port " .. queue.port or queue.address or ""
  return ("%s, %s, limit %d"):format(queue.label or run:host_name(queue.host), where, queue.highest)
end

--- Draws the queues if a program listens; nil otherwise, since the timeline tells everything about lunet's own
--- listeners.
---@param run lunet.run
---@return string[]? lines
function queues.lines(run)
  local list, has_foreign = depths.of(run.events), false
  for _, queue in ipairs(list) do has_foreign = has_foreign or queue.is_foreign end
  if not has_foreign then return nil end
  local first, last = run:zero(), run.events[#run.events].at
  local step, x, series = math.max(last - first, 1e-6) / BINS, {}, {}
  for bin = 1, BINS do x[bin] = bin * step * 1000 end
  table.sort(list, function(a, b)
    if a.deepest ~= b.deepest then return a.deepest > b.deepest end
    return a[1].at < b[1].at
  end)
  for i = 1, math.min(#list, MOST) do series[name_of(list[i], run)] = curve_of(list[i], first, step) end
  local drawn = plot.line { x = x, series = series, xlabel = "ms", width = WIDTH, height = HEIGHT }
  local lines = {}
  for line in tostring(drawn):gmatch "[^\n]+" do lines[#lines + 1] = "  " .. line end
  if #list > MOST then lines[#lines + 1] = ("  (%d more queues are not drawn)"):format(#list - MOST) end
  return lines
end

return queues
