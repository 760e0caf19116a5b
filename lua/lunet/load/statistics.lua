--- Statistics: a few numbers that describe many.
local statistics = {}

--- The smallest value that at least this share of the values do not exceed (nearest rank).
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
---@param values number[]
---@return number|nil mean nil if there are no values
function statistics.mean(values)
  if #values == 0 then return nil end
  local sum = 0
  for _, value in ipairs(values) do sum = sum + value end
  return sum / #values
end

--- How many items of a list a predicate accepts.
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
---@param values number[]
---@param from number
---@param to number
---@return integer
function statistics.count_between(values, from, to)
  return statistics.count(values, function(value) return value >= from and value < to end)
end

--- Rounds a number.
---@param value number
---@param digits? integer after the decimal point, default 1
---@return number
function statistics.round(value, digits) return tonumber(("%%.%df"):format(digits or 1):format(value)) end

return statistics
