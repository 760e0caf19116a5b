--- Fields of an outcome without a measurement: literals of the script, and values that it computes from its knobs
--- alone.
local value = require "lunet.text.value"

local sources = {}

-- -- by the script's text ---------------------------------------------------------------------------

-- An expression at the beginning of a line: up to the comma or the bracket that ends it.
local function expression_of(line)
  local text = line:match '^"[^"\\]*"'
  if text then return text end
  local depth = 0
  for at, sign in line:gmatch "()([(){},])" do
    if depth == 0 and sign:find "[,)}]" then return line:sub(1, at - 1) end
    if sign:find "[({]" then depth = depth + 1 elseif sign:find "[)}]" then depth = depth - 1 end
  end
  return line
end

-- The expressions that the script assigns to a field.
local function assigned(text, name)
  local expressions = {}
  for start, line in ("\n" .. text):gmatch("([^%w_\"'])" .. name .. "%s*=%s*([^=\n][^\n]*)") do
    if start ~= ":" then
      expressions[#expressions + 1] = expression_of(line):gsub("%-%-.*$", ""):gsub("%s+$", "")
    end
  end
  return expressions
end

-- Whether an expression has only operators besides knobs, calls with all knobs, a case's own settings, numbers and
-- roundings.
local function is_made_of_knobs(expression)
  local rest, knobs = expression:gsub("knobs%.[%w_]+", "")
  local calls
  rest, calls = rest:gsub("[%w_.]+%(knobs", "")
  if knobs + calls == 0 then return false end
  for _, word in ipairs { "case%.[%w_]+", "math%.%w+", "[%w_]*%.?round", "%f[%w]and%f[%W]", "%f[%w]or%f[%W]", "%d+" } do
    rest = rest:gsub(word, "")
  end
  return not rest:find "[%w_]"
end

local function is_constant(expression)
  return expression == "true" or expression == "false" or tonumber(expression) ~= nil
    or expression:match '^"[^"]*"$' ~= nil or is_made_of_knobs(expression)
end

--- Whether a field gets the same literal, or the same of the knobs, wherever the script assigns it.
---@param text string the script
---@param name string the last part of the field's path
---@return string|nil expression that literal, or the expression of knobs
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

--- Changes the knobs that are fractions by so little that it makes no difference, to recognize copies of them.
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
