--- The points of a sweep: combinations of knob values, each one checked by the experiment's own rules.
local knob = require "lunet.run.knob"
local values = require "lunet.sweep.values"

local points = {}

--- The knob that each replicate has its own value of.
points.SEED = "seed"

---@class lunet.axis
---@field name string of the knob
---@field list? any[] its values; or
---@field expression? string Lua over the other knobs' names

-- -- expressions ----------------------------------------------------------------------------

-- An expression has no functions, and so no loops: it ends. `what` stands before it in an error.
local function evaluate(what, text, environment)
  local has_function = (" " .. text .. " "):find "[^%w_]function[^%w_]"
  if has_function then error(("%s%s: an expression has no functions"):format(what, text), 0) end
  local chunk, message = load("return " .. text, "=expression", "t", environment)
  local ok, result = false, message
  if chunk then ok, result = pcall(chunk) end
  if ok and result ~= nil then return result end
  local why = ok and "it gives no value" or tostring(result):gsub("^expression:1: ", "")
  error(("%s%s: %s"):format(what, text, why), 0)
end

-- An expression sees only the knobs' names. A knob that is an expression itself is worked out when it is asked for.
local function environment_of(known, expressions)
  local asked, environment = {}, {}
  return setmetatable(environment, { __index = function(_, name)
    if known[name] ~= nil then return known[name] end
    local text = expressions[name]
    if not text then error(("'%s' is no knob"):format(tostring(name)), 0) end
    if asked[name] then error(("knob %s depends on itself"):format(name), 0) end
    asked[name] = true
    known[name] = evaluate("=", text, environment)
    return known[name]
  end })
end

-- -- combinations ---------------------------------------------------------------------------

-- Axes that go together are one group, which stands where the first of them does.
local function group(axes, zipped)
  local groups, of = {}, {}
  for _, names in ipairs(zipped) do
    local together = {}
    for _, name in ipairs(names) do
      if of[name] then error(("--zip: knob %s is named twice"):format(name), 0) end
      of[name] = together
    end
  end
  for _, axis in ipairs(axes) do
    if axis.list then
      local own = of[axis.name] or {}
      if #own == 0 then groups[#groups + 1] = own end
      own[#own + 1] = axis
      of[axis.name] = nil
      if #axis.list ~= #own[1].list then
        error(("--zip: knob %s has %d values, and knob %s %d"):format(own[1].name, #own[1].list, axis.name,
          #axis.list), 0)
      end
    end
  end
  local lost = next(of)
  if lost then error(("--zip: knob %s has no list of values here"):format(lost), 0) end
  return groups
end

local function count(groups)
  local product = 1
  for _, axes in ipairs(groups) do product = product * #axes[1].list end
  if product > values.MOST then
    error(("these are %d points, more than %d"):format(product, values.MOST), 0)
  end
  return product
end

-- The values of the nth combination; the last group changes first.
local function combination(groups, number)
  local given, rest = {}, number - 1
  for i = #groups, 1, -1 do
    local length = #groups[i][1].list
    for _, axis in ipairs(groups[i]) do given[axis.name] = axis.list[rest % length + 1] end
    rest = rest // length
  end
  return given
end

local function place_of(number, total, given)
  local words = {}
  for name, value in pairs(given) do words[#words + 1] = name .. "=" .. knob.text(value) end
  table.sort(words)
  return ("point %d of %d (%s)"):format(number, total, table.concat(words, ", "))
end

-- The values of a point; nil if `where` leaves it out.
local function settle(experiment, given, rules)
  local known = {}
  for _, k in ipairs(experiment.knobs) do
    if k.name ~= points.SEED and not rules.expressions[k.name] then known[k.name] = k.default end
  end
  for name, value in pairs(given) do known[name] = value end
  local environment, settings = environment_of(known, rules.expressions), {}
  for name, value in pairs(given) do settings[name] = value end
  for name in pairs(rules.expressions) do settings[name] = environment[name] end
  settings = experiment:settings(settings)
  settings[points.SEED] = nil
  if rules.where and not evaluate("--where ", rules.where, environment) then return nil end
  return settings
end

--- Makes the points. Raises an error that names the first point, knob or expression that is wrong.
---@param experiment table
---@param axes lunet.axis[] the last one's values change first
---@param rules? {zip: string[][]?, where: string?} knobs whose values go together; an expression that is false of the
--- points to leave out
---@return table<string, any>[] points the values of all knobs but the seed, each point once
function points.make(experiment, axes, rules)
  local expressions, made = {}, {}
  for _, axis in ipairs(axes) do expressions[axis.name] = axis.expression end
  local groups = group(axes, rules and rules.zip or {})
  local settling = { expressions = expressions, where = rules and rules.where }
  local total = count(groups)
  for number = 1, total do
    local given = combination(groups, number)
    local ok, settings = pcall(settle, experiment, given, settling)
    if not ok then error(("%s: %s"):format(place_of(number, total, given), settings), 0) end
    made[#made + 1] = settings
  end
  if #made == 0 then error("--where leaves no point", 0) end
  return made
end

return points
