--- Values of plain data as a reader sees them.
local characters = require "lunet.text.characters"

local value = {}

--- The keys of a table: numbers first, then names, each in order.
---@param values table
---@return any[]
function value.sorted_keys(values)
  local keys, names = {}, {}
  for key in pairs(values) do
    local list = type(key) == "number" and keys or names
    list[#list + 1] = key
  end
  table.sort(keys)
  table.sort(names)
  return table.move(names, 1, #names, #keys + 1, keys)
end

--- Whether a table is a list: it has a value at every index from 1 on, and no other key. An empty table is a list.
---@param any table
---@return boolean
function value.is_list(any)
  local count = 0
  for key in pairs(any) do
    if math.type(key) ~= "integer" or key < 1 then return false end
    count = count + 1
  end
  return count == #any
end

local function quote(words) return '"' .. characters.shown((words:gsub('["\\]', "\\%0"))) .. '"' end

--- Any value in one line; floats with six digits.
---@param any any plain data
---@return string
function value.show(any)
  if type(any) == "string" then return quote(any) end
  if math.type(any) == "float" then return ("%.6g"):format(any) end
  if type(any) ~= "table" then return tostring(any) end
  local parts = {}
  for _, key in ipairs(value.sorted_keys(any)) do
    local name = math.type(key) and ("[%d] = "):format(key) or characters.shown(key) .. " = "
    parts[#parts + 1] = (key == #parts + 1 and "" or name) .. value.show(any[key])
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

--- A number with four significant digits; an integer, or a long number before its point, keeps all of them.
---@param number number
---@return string
function value.round(number)
  if math.type(number) == "integer" then return tostring(number) end
  local is_long = math.abs(number) >= 9999.5 and math.abs(number) < 1e15
  return (is_long and "%.0f" or "%.4g"):format(number)
end

--- A number, string or boolean as a table shows it: numbers rounded, strings quoted only if a reader could not see
--- where they end.
---@param any string|number|boolean
---@return string
function value.cell(any)
  if math.type(any) then return value.round(any) end
  if type(any) ~= "string" then return tostring(any) end
  local is_plain = any:match "^%S" and any:match "%S$" and not any:find '["\\]' and characters.shown(any) == any
  return is_plain and any or quote(any)
end

return value
