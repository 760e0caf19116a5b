--- The queues of a run's listeners, those of programs among them: how deep each was, and when.
local plot = require "lunet.text.plot"
local depths = {}

local MOST <const> = 4 -- queues in a plot
local BINS <const> = 60 -- points of a plot's curve
local WIDTH <const>, HEIGHT <const> = 76, 6 -- of a plot, in characters

---@class lunet.depths: table the queue events of one listener, in order
---@field host integer
---@field label? string
---@field port? integer none of a Unix socket
---@field address? string
---@field deepest integer
---@field highest integer the highest limit
---@field finish? number when the listener was closed; nil if it outlives the run
---@field is_foreign? boolean whether it is a program's

--- Finds them.
---@param events table[] from lunet.recording
---@return lunet.depths[] in the order in which they were first seen
function depths.of(events)
  local list, by_socket, found = {}, {}, {}
  for _, e in ipairs(events) do
    local queue = e.socket and by_socket[e.socket]
    if e.kind == "found" then
      found[e.socket] = true
    elseif e.kind == "queue" then
      if not queue then
        queue = { host = e.host or 0, label = e.label, port = e.local_port, address = e.local_address, deepest = 0,
          highest = 0, is_foreign = found[e.socket] }
        by_socket[e.socket] = queue
        list[#list + 1] = queue
      end
      queue[#queue + 1] = e
      queue.deepest, queue.highest = math.max(queue.deepest, e.depth), math.max(queue.highest, e.limit)
    elseif queue and (e.kind == "close" or e.kind == "gone") then
      queue.finish = e.at
    end
  end
  return list
end

-- The deepest that it was in each part of the time; a gap where it was not yet, or not any more.
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
  local place = queue.port and "port " .. queue.port or queue.address or ""
  return ("%s, %s, limit %d"):format(queue.label or run:host_name(queue.host), place,
    queue.highest)
end

--- The depths of a run's queues over time, for the terminal, if a program listens; nil otherwise, since the timeline
--- has all there is to know of lunet's own listeners.
---@param run lunet.run
---@return string[]? lines
function depths.lines(run)
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
  for line in drawn:gmatch "[^\n]+" do lines[#lines + 1] = "  " .. line end
  if #list > MOST then lines[#lines + 1] = ("  (%d more queues are not drawn)"):format(#list - MOST) end
  return lines
end

return depths
