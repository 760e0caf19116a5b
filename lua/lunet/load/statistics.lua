--- Statistics: a few numbers that describe many.
---@class lunet.statistics
local statistics = {}

--- The smallest value that at least this share of the values do not exceed (nearest rank).
---
---     print(statistics.quantile({ 3, 1, 2 }, 0.5), statistics.quantile({ 3, 1, 2 }, 0.99)) --> 2  3
---@param values number[] in any order
---@param share number 0 to 1: 0.5 is the median
---@return number|nil quantile nil if there are no values
function statistics.quantile(values, share)
  if #values == 0 then return nil end
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(#sorted * share))]
end

--- The mean.
---
---     print(statistics.mean { 3, 1, 2 }) --> 2.0
---@param values number[]
---@return number|nil mean nil if there are no values
function statistics.mean(values)
  if #values == 0 then return nil end
  local sum = 0
  for _, value in ipairs(values) do sum = sum + value end
  return sum / #values
end

--- How many items of a list a predicate accepts.
---
---     print(statistics.count({ 3, 1, 2 }, function(number) return number > 1 end)) --> 2
---@param list any[]
---@param predicate fun(item: any): any
---@return integer
function statistics.count(list, predicate)
  local count = 0
  for _, item in ipairs(list) do
    if predicate(item) then count = count + 1 end
  end
  return count
end

--- How many values lie from one to another, that one not included.
---
---     print(statistics.count_between({ 3, 1, 2 }, 1, 3)) --> 2
---@param values number[]
---@param from number
---@param to number
---@return integer
function statistics.count_between(values, from, to)
  return statistics.count(values, function(value) return value >= from and value < to end)
end

--- Rounds a number.
---
---     print(statistics.round(0.12345), statistics.round(0.12345, 3)) --> 0.1  0.123
---@param value number
---@param digits? integer after the decimal point, default 1
---@return number
function statistics.round(value, digits) return tonumber(("%%.%df"):format(digits or 1):format(value)) end

return statistics
