--- JSON of plain data. JSON has no form for some values: they become the strings "nan", "inf" and "-inf". A byte
--- outside of UTF-8 becomes "\xHH".
local characters = require "lunet.text.characters"
local dependency = require "lunet.text.dependency"
local value = require "lunet.text.value"

local dkjson = dependency "dkjson"

local json = {}

local function number_of(number)
  if number ~= number then return "nan" end
  if number == math.huge then return "inf" end
  if number == -math.huge then return "-inf" end
  return number
end

-- dkjson takes { n = 3 } for a list of three, unless n has a metatable with its own JSON.
local function count_of(any)
  return math.type(any) and setmetatable({}, { __tojson = function() return dkjson.encode(any) end }) or any
end

local plain

local function list_of(any)
  local list = {}
  for i, inner in ipairs(any) do list[i] = plain(inner) end
  return setmetatable(list, { __jsontype = "array" })
end

local function object_of(any)
  local object = {}
  for key, inner in pairs(any) do object[characters.valid(tostring(key))] = plain(inner) end
  object.n = count_of(object.n)
  return setmetatable(object, { __jsontype = "object" })
end

function plain(any)
  if type(any) == "string" then return characters.valid(any) end
  if type(any) == "number" then return number_of(any) end
  if type(any) ~= "table" then return any end
  local marked = getmetatable(any)
  local is_object = marked and marked.__jsontype == "object" or not value.is_list(any)
  return is_object and object_of(any) or list_of(any)
end

local function add_keys(any, keys)
  if type(any) ~= "table" then return keys end
  for key, inner in pairs(any) do
    if type(key) == "string" then keys[key] = true end
    add_keys(inner, keys)
  end
  return keys
end

--- The order of the keys of all objects, each key once: dkjson writes a key twice if the order has it twice.
local function order_of(any, first)
  local keys = add_keys(any, {})
  for _, key in ipairs(first) do keys[key] = nil end
  local others = value.sorted_keys(keys)
  return table.move(others, 1, #others, #first + 1, table.move(first, 1, #first, 1, {}))
end

--- Marks a table as an object: an empty one becomes `{}`, not `[]`.
function json.object(any) return setmetatable(any, { __jsontype = "object" }) end

---@param any any plain data
---@param first? string[] the first keys of objects, in this order; the others follow sorted
---@return string
function json.encode(any, first)
  local data = plain(any)
  return dkjson.encode(data, { indent = true, keyorder = order_of(data, first or {}) })
end

return json
