--- Whether a run's outcome agrees with those of other runs that differ from it in one thing: in what was recorded, or
--- in a setting.
---
--- A field is a leaf of the outcome, or the length of a list in it. Its path has every index ("late.1.seconds"), its
--- name has none ("late[].seconds"). A field of the run agrees with the others if
--- * a string or a boolean is one that they have;
--- * a count is equal; where theirs differ, it lies among them;
--- * a size in bytes is within 0.5 % of theirs;
--- * a time, and any number that is not whole, lies in their spread, widened at both ends by half of it and 2 ms. Each
---   time of a run may be wrong by that run's lateness.
---
--- `lateness` is not compared: it says by how many seconds lunet was late at worst, since the machine or its own looks
--- at the kernel kept it busy. A script that was late reads a time that much later than it came.
---
--- A field that has a bound of its own may differ by that part of it; a string that has one may be any.
local agreement = {}

local SIZE_PART <const> = 0.005
local SPREAD_PART <const> = 0.5
local LONGER_S <const> = 0.002
local OF_THE_MACHINE <const> = "lateness"

local function walk(any, path, fields)
  if type(any) ~= "table" then
    fields[path] = any
    return
  end
  if #any > 0 then fields[path .. ".#"] = #any end
  for key, inner in pairs(any) do walk(inner, path == "" and tostring(key) or path .. "." .. tostring(key), fields) end
end

--- The fields of an outcome by their paths.
---@param outcome table
---@return table<string, string|number|boolean>
function agreement.fields(outcome)
  local fields = {}
  walk(outcome, "", fields)
  fields[OF_THE_MACHINE] = nil
  return fields
end

--- The name that a path has: "late[].seconds" of "late.1.seconds".
---@param path string
---@return string
function agreement.name(path) return (path:gsub("%.%d+", "[]"):gsub("%.#$", "[]")) end

local function is_size(name, sizes) return sizes[name] or name:find "bytes$" ~= nil end

-- A field named "after" may be a count, too: it is a time if it is no whole number.
local function is_time(name, value)
  return name:find "seconds$" ~= nil or name:find "ms$" ~= nil or name:find "_s$" ~= nil
    or name:find "after$" ~= nil and math.type(value) == "float"
end

local function unit_of(name) return name:find "ms$" and 1000 or 1 end

local function bound_of(name, path, options)
  local bounds = options.bounds or {}
  return bounds[path] or bounds[name]
end

--- How far beyond the least and the most a number may lie.
local function slack_of(name, path, least, most, options)
  local bound = bound_of(name, path, options)
  if bound then return bound.part * most end
  if is_size(name, options.sizes or {}) then return SIZE_PART * most end
  if math.type(least) == "integer" and math.type(most) == "integer" and not is_time(name, most) then return 0 end
  return SPREAD_PART * (most - least) + (options.longer or LONGER_S) * unit_of(name)
    + (options.part or 0) * math.abs(most)
end

-- By how much a run's lateness may make one of its fields wrong.
local function error_of(name, late, value) return is_time(name, value) and late * unit_of(name) or 0 end

-- Why the value does not agree with the others', in words; nil if it does. A value and each of the others come with
-- the lateness of their runs.
local function complaint(path, value, late, others, options)
  local name = agreement.name(path)
  local least, most, earliest, latest, words = math.huge, -math.huge, math.huge, -math.huge, {}
  for i, other in ipairs(others) do
    if other.value == value then return nil end
    words[i] = tostring(other.value)
    if math.type(other.value) then
      local wrong = error_of(name, other.late, other.value)
      least, most = math.min(least, other.value), math.max(most, other.value)
      earliest, latest = math.min(earliest, other.value - wrong), math.max(latest, other.value + wrong)
    end
  end
  if type(value) == "string" and bound_of(name, path, options) then return nil end
  if not math.type(value) or least > most then
    return ("%s, not %s"):format(tostring(value), table.concat(words, ", "))
  end
  local slack = slack_of(name, path, least, most, options) + error_of(name, late, value)
  if value >= earliest - slack and value <= latest + slack then return nil end
  return ("%s, not from %s to %s"):format(value, least, most)
end

--- The fields of an outcome that do not agree with those of others.
---@param others table[] outcomes
---@param outcome table
---@param options? {sizes: table<string, boolean>?, bounds: table<string, {part: number, why: string}>?,
--- longer: number?, part: number?} sizes: by name, which whole numbers are sizes; bounds: by name or path, by what part
--- of it a field may differ, and why; for times, by how many seconds more than their spread they may differ, 0.002 by
--- default, and by what part of them, 0 by default
---@return table<string, string> differences by path, what is different
function agreement.differences(others, outcome, options)
  options = options or {}
  local values, fields, differences, late = {}, agreement.fields(outcome), {}, outcome[OF_THE_MACHINE] or 0
  for _, other in ipairs(others) do
    for path, value in pairs(agreement.fields(other)) do
      values[path] = values[path] or {}
      table.insert(values[path], { value = value, late = other[OF_THE_MACHINE] or 0 })
    end
  end
  for path, value in pairs(fields) do
    differences[path] = values[path] and complaint(path, value, late, values[path], options)
    if not values[path] then differences[path] = ("%s, where others have none"):format(value) end
  end
  for path, seen in pairs(values) do
    if fields[path] == nil and #seen == #others then
      differences[path] = ("none, where others have %s"):format(seen[1].value)
    end
  end
  return differences
end

--- Those that are in both.
---@param a table<string, string>
---@param b table<string, string>
---@return table<string, string>
function agreement.common(a, b)
  local both = {}
  for path, words in pairs(a) do both[path] = b[path] and words end
  return both
end

return agreement
