--- JSON of plain data. What JSON has no form for is written as a string: "nan", "inf", "-inf"; and
--- in strings that are not UTF-8, the bytes from 0x80 on as "\xHH".
local dkjson = require "dkjson"

local json = {}

local function text_of(value)
  if utf8.len(value) then return value end
  return (value:gsub("[\x80-\xff]", function(byte) return ("\\x%02X"):format(byte:byte()) end))
end

local function number_of(value)
  if value ~= value then return "nan" end
  if value == math.huge then return "inf" end
  if value == -math.huge then return "-inf" end
  return value
end

local plain

local function table_of(value)
  local is_list = next(value) == nil or #value > 0
  for key in pairs(value) do is_list = is_list and math.type(key) == "integer" and key >= 1 and key <= #value end
  local copy = {}
  for key, inner in pairs(value) do copy[is_list and key or text_of(tostring(key))] = plain(inner) end
  local given = getmetatable(value)
  return setmetatable(copy, given and given.__jsontype and given or { __jsontype = is_list and "array" or "object" })
end

function plain(value)
  if type(value) == "string" then return text_of(value) end
  if type(value) == "number" then return number_of(value) end
  if type(value) == "table" then return table_of(value) end
  return value
end

local function add_keys(value, keys)
  for key, inner in pairs(value) do
    if type(key) == "string" and not keys[key] then
      keys[key] = true
      keys[#keys + 1] = key
    end
    if type(inner) == "table" then add_keys(inner, keys) end
  end
  return keys
end

--- Marks a table as an object, so that it is `{}` and not `[]` when it is empty.
function json.object(value) return setmetatable(value, { __jsontype = "object" }) end

---@param value any plain data
---@param first? string[] keys of objects that come first, in this order; the others follow sorted
---@return string
function json.encode(value, first)
  local keys = add_keys(value, {})
  table.sort(keys)
  local order = table.move(first or {}, 1, first and #first or 0, 1, {})
  table.move(keys, 1, #keys, #order + 1, order)
  return dkjson.encode(plain(value), { indent = true, keyorder = order })
end

return json
