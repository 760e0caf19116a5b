--- Intervals of 95 % confidence: of a mean, a median, a ratio, a share. Each comes with the name of its method, or nil
--- and why there is none.
local random = require "lunet.load.random"
local statistics = require "lunet.load.statistics"
local student = require "lunet.sweep.student"

local interval = {}

local CONFIDENCE <const> = 0.95
local TAIL <const> = (1 - CONFIDENCE) / 2
local NORMAL <const> = 1.959963984540054 -- the normal distribution's quantile of 1 - TAIL
local RESAMPLES <const> = 2000

---@class lunet.interval
---@field value number what it is of
---@field low number
---@field high number
---@field method string

local function sorted(values)
  local list = table.move(values, 1, #values, 1, {})
  table.sort(list)
  return list
end

--- The middle value, or the mean of the two in the middle.
---@param values number[] one or more
---@return number
function interval.middle(values)
  local list, n = sorted(values), #values
  return (list[(n + 1) // 2] + list[n // 2 + 1]) / 2
end

--- The interval of the mean, by Student's t. It supposes that the values come from a distribution near to normal. If a
--- run takes one of two states by chance, it tells nothing.
---@param values number[]
---@return lunet.interval|nil
---@return string? why there is none
function interval.mean(values)
  if #values < 2 then return nil, "fewer than 2 runs" end
  local mean, squares = statistics.mean(values), 0
  for _, value in ipairs(values) do squares = squares + (value - mean) ^ 2 end
  local half = student.quantile(1 - TAIL, #values - 1) * math.sqrt(squares / (#values - 1) / #values)
  return { value = mean, low = mean - half, high = mean + half, method = "mean, Student's t" }
end

-- The greatest rank r for which the median lies below the rth of n values with a probability of at most TAIL; 0 if
-- there is none. That is the binomial distribution of n tosses; its logarithms do not underflow.
local function rank_of(n)
  local rank, below, log_term = 0, 0, -n * math.log(2)
  while true do
    below = below + math.exp(log_term)
    if below > TAIL then return rank end
    log_term = log_term + math.log((n - rank) / (rank + 1))
    rank = rank + 1
  end
end

--- The interval of the median, by order statistics. It covers the median with at least 95 %, for any distribution.
---@param values number[]
---@return lunet.interval|nil
---@return string? why there is none
function interval.median(values)
  if #values == 0 then return nil, "no run has it" end
  local rank = rank_of(#values)
  if rank == 0 then return nil, "fewer than 6 runs" end
  local list = sorted(values)
  return { value = interval.middle(values), low = list[rank], high = list[#list + 1 - rank],
    method = "median, order statistics" }
end

--- The interval of the ratio of two sums over the same runs, or over runs of the same seeds, by a bootstrap of the
--- pairs. The same seed gives the same interval.
---@param above number[]
---@param below number[] as many; their sum is not 0
---@param seed integer
---@return lunet.interval|nil
---@return string? why there is none
function interval.ratio(above, below, seed)
  if #above ~= #below then error("interval.ratio: lists of the same length expected", 2) end
  if #above < 2 then return nil, "fewer than 2 runs" end
  local stream, ratios = random.new(seed, "bootstrap"), {}
  local function ratio_of(pick)
    local numerator, denominator = 0, 0
    for i = 1, #above do
      local at = pick(i)
      numerator, denominator = numerator + above[at], denominator + below[at]
    end
    return numerator / denominator
  end
  for i = 1, RESAMPLES do
    ratios[i] = ratio_of(function() return 1 + math.floor(stream:uniform() * #above) end)
  end
  return { value = ratio_of(function(i) return i end), low = statistics.quantile(ratios, TAIL),
    high = statistics.quantile(ratios, 1 - TAIL), method = "ratio, bootstrap" }
end

--- Wilson's interval of a share. It stays within 0 and 1 and does not shrink to nothing at 0 of n.
---@param count integer how many have it
---@param total integer of so many
---@return lunet.interval|nil
---@return string? why there is none
function interval.share(count, total)
  if total == 0 then return nil, "no run" end
  local z2, share = NORMAL ^ 2, count / total
  local centre, scale = (share + z2 / (2 * total)), 1 + z2 / total
  local half = NORMAL * math.sqrt(share * (1 - share) / total + z2 / (4 * total ^ 2))
  return { value = share, low = math.max(0, (centre - half) / scale), high = math.min(1, (centre + half) / scale),
    method = "share, Wilson" }
end

--- A share in words: "19 of 20 (0.76 to 0.99)".
---@param count integer
---@param total integer
---@return string
function interval.share_text(count, total)
  local range = interval.share(count, total)
  if not range then return "0 of 0" end
  return ("%d of %d (%.2f to %.2f)"):format(count, total, range.low, range.high)
end

--- The interval of the mean difference between runs of the same seeds at two points, by Student's t.
---@param values number[]
---@param others number[] of the same seeds, in the same order
---@return lunet.interval|nil
---@return string? why there is none
function interval.difference(values, others)
  if #values ~= #others then error("interval.difference: lists of the same length expected", 2) end
  local differences = {}
  for i, value in ipairs(values) do differences[i] = value - others[i] end
  local range, why = interval.mean(differences)
  if range then range.method = "mean of paired differences, Student's t" end
  return range, why
end

return interval
