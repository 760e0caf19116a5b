--- Fields of an outcome that nothing was measured for: literals of the script, and copies of its knobs.
local value = require "lunet.value"

local sources = {}

-- -- by the script's text ---------------------------------------------------------------------------

-- What is assigned to a field: up to the comma, the bracket or the end of the line that ends it.
local function assigned(text, name)
  local expressions = {}
  for start, expression in ("\n" .. text):gmatch("([^%w_\"'])" .. name .. "%s*=%s*([^=\n][^\n]*)") do
    if start ~= ":" then
      local alone = expression:match '^("[^"\\]*")' or expression:match "^[^,})\n]*"
      expressions[#expressions + 1] = alone:gsub("%-%-.*$", ""):gsub("%s+$", "")
    end
  end
  return expressions
end

local function is_constant(expression)
  return expression == "true" or expression == "false" or tonumber(expression) ~= nil
    or expression:match '^"[^"]*"$' ~= nil or expression:match "^knobs%.[%w_]+$" ~= nil
end

--- Whether a field gets the same literal, or the same knob, wherever the script assigns it.
---@param text string the script
---@param name string the last part of the field's path
---@return string|nil expression that literal or knob
function sources.constant(text, name)
  local only
  for _, expression in ipairs(assigned(text, name)) do
    if expression ~= name then
      if not is_constant(expression) or only and only ~= expression then return nil end
      only = expression
    end
  end
  return only
end

-- -- by the digits of the knobs ---------------------------------------------------------------------

-- A number that no measurement has by chance, and that changes a knob by less than any clock can tell.
local DIGITS <const> = 1.0000000123456

--- Changes the knobs that are fractions so little that it makes no difference, so that a copy can be told.
---@param experiment table
---@param values table<string, any>
---@return table<string, any> values
function sources.marked(experiment, values)
  local same = {}
  for name, any in pairs(values) do same[name] = any end
  for _, k in ipairs(experiment.knobs) do
    local number = values[k.name]
    if math.type(number) == "float" and not k.choices then
      local ok, marked = pcall(k.check, k, number * DIGITS)
      if ok then same[k.name] = marked end
    end
  end
  return same
end

local SCALES <const> = { 1, 1000, 0.001 }

--- The knob that a number of an outcome is a copy of, perhaps in other units.
---@param number any
---@param values table<string, any> from sources.marked
---@return string|nil name
function sources.knob_of(number, values)
  if math.type(number) ~= "float" or number == 0 then return nil end
  for _, name in ipairs(value.sorted_keys(values)) do
    local knob = values[name]
    for _, scale in ipairs(SCALES) do
      if math.type(knob) == "float" and knob ~= 0 and math.abs(number / (knob * scale) - 1) < 1e-13 then return name end
    end
  end
end

return sources
