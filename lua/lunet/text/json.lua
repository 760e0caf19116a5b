--- JSON of plain data. What JSON has no form for is written as a string: "nan", "inf", "-inf"; and a byte that belongs
--- to no character of UTF-8 as "\xHH".
local characters = require "lunet.text.characters"
local dependency = require "lunet.text.dependency"

local dkjson = dependency "dkjson"

local json = {}

local function number_of(value)
  if value ~= value then return "nan" end
  if value == math.huge then return "inf" end
  if value == -math.huge then return "-inf" end
  return value
end

-- dkjson takes { n = 3 } for a list of three, unless n is something that knows its own JSON.
local function count_of(value)
  return math.type(value) and setmetatable({}, { __tojson = function() return dkjson.encode(value) end }) or value
end

local plain

-- A list has a value at every index from 1 on, and no other key; an empty table is one.
local function is_list(value)
  local count = 0
  for key in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 then return false end
    count = count + 1
  end
  return count == #value
end

local function list_of(value)
  local list = {}
  for i, inner in ipairs(value) do list[i] = plain(inner) end
  return setmetatable(list, { __jsontype = "array" })
end

local function object_of(value)
  local object = {}
  for key, inner in pairs(value) do object[characters.valid(tostring(key))] = plain(inner) end
  object.n = count_of(object.n)
  return setmetatable(object, { __jsontype = "object" })
end

function plain(value)
  if type(value) == "string" then return characters.valid(value) end
  if type(value) == "number" then return number_of(value) end
  if type(value) ~= "table" then return value end
  local marked = getmetatable(value)
  local is_object = marked and marked.__jsontype == "object" or not is_list(value)
  return is_object and object_of(value) or list_of(value)
end

local function add_keys(value, keys)
  if type(value) ~= "table" then return keys end
  for key, inner in pairs(value) do
    if type(key) == "string" then keys[key] = true end
    add_keys(inner, keys)
  end
  return keys
end

--- The order of all objects' keys: dkjson writes a key that is named twice twice.
local function order_of(value, first)
  local keys = add_keys(value, {})
  for _, key in ipairs(first) do keys[key] = nil end
  local others = {}
  for key in pairs(keys) do others[#others + 1] = key end
  table.sort(others)
  return table.move(others, 1, #others, #first + 1, table.move(first, 1, #first, 1, {}))
end

--- Marks a table as an object, so that it is `{}` and not `[]` when it is empty.
function json.object(value) return setmetatable(value, { __jsontype = "object" }) end

---@param value any plain data
---@param first? string[] keys of objects that come first, in this order; the others follow sorted
---@return string
function json.encode(value, first)
  local data = plain(value)
  return dkjson.encode(data, { indent = true, keyorder = order_of(data, first or {}) })
end

return json
