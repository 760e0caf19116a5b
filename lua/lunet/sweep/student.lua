--- Student's t distribution: its quantiles, as intervals of a mean need them. Press and others, Numerical Recipes, 6.4,
--- has the continued fraction of the incomplete beta function.
local student = {}

local TINY <const>, ENOUGH <const>, STEPS <const> = 1e-300, 1e-15, 500

-- Lanczos' approximation with g = 7, right to 15 digits.
local LANCZOS <const> = { 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7 }

local function log_gamma(x)
  local sum, shifted = 0.99999999999980993, x - 1
  for i, coefficient in ipairs(LANCZOS) do sum = sum + coefficient / (shifted + i) end
  local base = shifted + 7.5
  return 0.5 * math.log(2 * math.pi) + (shifted + 0.5) * math.log(base) - base + math.log(sum)
end

local function away_from_zero(x) return math.abs(x) < TINY and TINY or x end

-- The continued fraction of the incomplete beta function, by Lentz' method.
local function fraction(x, a, b)
  local c, d = 1, 1 / away_from_zero(1 - (a + b) * x / (a + 1))
  local result = d
  for m = 1, STEPS do
    local even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    local odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    local change
    for _, term in ipairs { even, odd } do
      c, d = away_from_zero(1 + term / c), 1 / away_from_zero(1 + term * d)
      change = c * d
      result = result * change
    end
    if math.abs(change - 1) < ENOUGH then break end
  end
  return result
end

-- The regularized incomplete beta function.
local function beta(x, a, b)
  if x <= 0 or x >= 1 then return x <= 0 and 0 or 1 end
  local factor = math.exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * math.log(x) + b * math.log(1 - x))
  if x < (a + 1) / (a + b + 2) then return factor * fraction(x, a, b) / a end
  return 1 - factor * fraction(1 - x, b, a) / b
end

--- The probability of a value of at most t.
---@param t number
---@param freedom number degrees of freedom, above 0
---@return number
function student.cumulative(t, freedom)
  local tail = 0.5 * beta(freedom / (freedom + t * t), freedom / 2, 0.5)
  return t > 0 and 1 - tail or tail
end

local function find_quantile(share, freedom)
  local low, high = 0, 1
  while student.cumulative(high, freedom) < share do low, high = high, 2 * high end
  for _ = 1, 60 do
    local middle = (low + high) / 2
    if student.cumulative(middle, freedom) < share then low = middle else high = middle end
  end
  return (low + high) / 2
end

local known = {} -- quantiles by share and freedom: many points of a sweep have as many runs

--- The value that a share of the distribution does not exceed.
---@param share number from 0.5, below 1
---@param freedom number degrees of freedom, above 0
---@return number t
function student.quantile(share, freedom)
  local of_share = known[share] or {}
  known[share] = of_share
  of_share[freedom] = of_share[freedom] or find_quantile(share, freedom)
  return of_share[freedom]
end

return student
