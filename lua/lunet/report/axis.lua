--- An axis of true time: one scale for all of it, except silences. The axis folds a silence that is too long: it takes
--- no more room than the longest unfolded one.
local axis = {}
axis.__index = axis

local MOST_BREAKS <const> = 60 -- how many silences the axis may fold because they stand out
local STANDS_OUT <const> = 3 -- times as long as the next shorter one

local function sorted_once(times)
  local sorted, points = table.move(times, 1, #times, 1, {}), {}
  table.sort(sorted)
  for _, t in ipairs(sorted) do
    if points[#points] ~= t then points[#points + 1] = t end
  end
  return points
end

-- The silences, the longest first, and the sum of each and all shorter ones.
local function silences_of(points)
  local ascending, silences, sums = {}, {}, {}
  for i = 2, #points do ascending[i - 1] = points[i] - points[i - 1] end
  table.sort(ascending)
  local count, sum = #ascending, 0
  sums[count + 1] = 0
  for i = 1, count do
    sum = sum + ascending[i]
    silences[count + 1 - i], sums[count + 1 - i] = ascending[i], sum
  end
  return silences, sums
end

-- The room of a fold: the axis gets the given length, and folded silences stand out from the others.
local function natural_fold(silences, sums, length)
  local count, best = 0, STANDS_OUT
  for i = 1, math.min(#silences - 1, MOST_BREAKS) do
    local ratio = silences[i] / silences[i + 1]
    if ratio > best then count, best = i, ratio end
  end
  if count == 0 then return math.huge end
  local longest = silences[count + 1]
  return longest * length / (sums[count + 1] + count * longest)
end

-- The length of all silences at a scale, with the longer ones folded.
local function length_at(scale, fold, silences, sums)
  local low, high = 1, #silences + 1 -- the first unfolded one
  while low < high do
    local middle = (low + high) // 2
    if silences[middle] * scale > fold then low = middle + 1 else high = middle end
  end
  return (low > 1 and (low - 1) * fold or 0) + sums[low] * scale
end

-- The greatest scale at which all silences fit.
local function scale_for(length, most, fold, silences, sums)
  if #silences == 0 then return most < math.huge and most or 1 end
  if most < math.huge and length_at(most, fold, silences, sums) <= length then return most end
  local low, high = 0, math.min(most, length / silences[#silences])
  for _ = 1, 100 do
    local middle = (low + high) / 2
    if length_at(middle, fold, silences, sums) <= length then low = middle else high = middle end
  end
  return low
end

local function lay_out(self, room)
  local position = self.start
  for i, t in ipairs(self.points) do
    if i > 1 then
      local silence = (t - self.points[i - 1]) * self.scale
      if silence > self.fold * (1 + 1e-9) then
        self.folds[#self.folds + 1] = { from = self.points[i - 1], to = t, seconds = t - self.points[i - 1],
          start = position, finish = position + self.fold }
        silence = self.fold
      end
      position = position + silence
    end
    position = position + (room[t] or 0)
    self.positions[i] = position
  end
  self.finish = position
end

local function make(points, silences, sums, options)
  local self = setmetatable({ points = points, silences = silences, sums = sums, positions = {}, folds = {},
    start = options.start or 0 }, axis)
  self.fold = options.fold or natural_fold(silences, sums, options.length)
  self.scale = scale_for(options.length, options.scale or math.huge, self.fold, silences, sums)
  lay_out(self, options.room or {})
  return self
end

---@class lunet.axis_options
---@field length number of the axis, at most
---@field start? number of the axis
---@field fold? number the room of a silence, at most; by default so much that the long ones stand out
---@field scale? number the greatest scale, per second
---@field room? table<number, number> room before a time, which must be one of the times

--- Makes an axis for these times.
---@param times number[] s, of all events; in any order
---@param options lunet.axis_options
---@return lunet.axis
function axis.new(times, options)
  local points = sorted_once(times)
  local silences, sums = silences_of(points)
  return make(points, silences, sums, options)
end

--- Makes another one for the same times.
---@param options lunet.axis_options
---@return lunet.axis
function axis:again(options) return make(self.points, self.silences, self.sums, options) end

-- The last point that is not after t. Callers mostly ask for times in order.
local function point_before(self, t)
  local points, near = self.points, self.near or 1
  if points[near] <= t then
    for i = near, math.min(near + 3, #points - 1) do
      if points[i + 1] > t then return i end
    end
  end
  local low, high = 1, #points
  while low < high do
    local middle = (low + high + 1) // 2
    if points[middle] <= t then low = middle else high = middle - 1 end
  end
  return low
end

--- The position of a time. The axis has no room before the first time and after the last one.
---@param t number
---@return number
function axis:position(t)
  local points = self.points
  if #points == 0 then return self.start end
  local i = point_before(self, t)
  self.near = i
  if points[i] >= t or i == #points then return self.positions[i] end
  local share = (t - points[i]) / (points[i + 1] - points[i])
  return self.positions[i] + share * math.min((points[i + 1] - points[i]) * self.scale, self.fold)
end

local function round_step(seconds)
  local power = 10 ^ math.floor(math.log(seconds, 10) + 1e-9)
  for _, factor in ipairs { 1, 2, 5 } do
    if seconds <= factor * power * (1 + 1e-9) then return factor * power end
  end
  return 10 * power
end

-- Round times between two, but not near them.
local function add_round(self, ticks, from, to, step, zero, least)
  local last = self:position(to)
  for n = math.ceil((from - zero) / step), math.floor((to - zero) / step) do
    local t = zero + n * step
    local position = self:position(t)
    if position - ticks[#ticks].position >= least and (last - position >= least or to == self.points[#self.points]) then
      ticks[#ticks + 1] = { t = t, position = position }
    end
  end
end

--- The times to write at the axis: the beginning of each stretch between folds, and round times within.
---@param least number the least distance between them
---@param zero? number a reader's zero time
---@return {t: number, position: number, is_start: boolean?}[]
function axis:ticks(least, zero)
  local ticks, from = {}, self.points[1]
  if not from then return ticks end
  local step = self.scale > 0 and round_step(least / self.scale)
  for i = 1, #self.folds + 1 do
    local to = self.folds[i] and self.folds[i].from or self.points[#self.points]
    local position = self:position(from)
    if #ticks == 0 or position - ticks[#ticks].position >= least then
      ticks[#ticks + 1] = { t = from, position = position, is_start = true }
    end
    if step and (to - from) / step < 1e4 then add_round(self, ticks, from, to, step, zero or 0, least) end
    from = self.folds[i] and self.folds[i].to
  end
  return ticks
end

--- Writes a length of time: "207 ms".
---@param seconds number
---@return string
function axis.duration(seconds)
  for _, unit in ipairs { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "µs" } } do
    if seconds >= unit[1] * 0.9995 then
      local number = seconds / unit[1]
      return (number >= 999.5 and "%.0f %s" or "%.3g %s"):format(number, unit[2])
    end
  end
  return ("%.0f ns"):format(seconds * 1e9)
end

return axis
