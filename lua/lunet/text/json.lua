--- JSON of plain data. JSON has no form for some values: they become the strings "nan", "inf" and "-inf". A byte
--- outside of UTF-8 becomes "\xHH".
local characters = require "lunet.text.characters"
local dependency = require "lunet.text.dependency"
local value = require "lunet.text.value"

local dkjson = dependency "dkjson"

local json = {}

--- Stands for null, which Lua's tables cannot hold.
json.null = dkjson.null

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

local function list_of(any, first)
  local list = {}
  for i, inner in ipairs(any) do list[i] = plain(inner, first) end
  return setmetatable(list, { __jsontype = "array" })
end

-- The keys of an object: the first ones in their order, then the others sorted.
local function order_of(object, first)
  local rest, order = {}, {}
  for key in pairs(object) do rest[key] = true end
  for _, key in ipairs(first) do
    if rest[key] then order[#order + 1] = key end
    rest[key] = nil
  end
  local others = value.sorted_keys(rest)
  return table.move(others, 1, #others, #order + 1, order)
end

local function object_of(any, first)
  local object = {}
  for key, inner in pairs(any) do object[characters.valid(tostring(key))] = plain(inner, first) end
  object.n = count_of(object.n)
  return setmetatable(object, { __jsontype = "object", __jsonorder = order_of(object, first) })
end

function plain(any, first)
  if type(any) == "string" then return characters.valid(any) end
  if type(any) == "number" then return number_of(any) end
  if type(any) ~= "table" or any == json.null then return any end
  local marked = getmetatable(any)
  local is_object = marked and marked.__jsontype == "object" or not value.is_list(any)
  return is_object and object_of(any, first) or list_of(any, first)
end

local reader -- dkjson with LPeg, which halves the time; made only when something is read

--- The data of a text.
---@param text string
---@return any data nil if the text is no JSON
function json.decode(text)
  if not reader then
    local has_lpeg, with_lpeg = pcall(dkjson.use_lpeg)
    reader = has_lpeg and with_lpeg or dkjson
  end
  local data = reader.decode(text)
  if data ~= nil then return data end
  return (dkjson.decode(text)) -- with LPeg dkjson 2.6 takes no empty object or list that has a space in it: "{ }"
end

--- Marks a table as an object: an empty one becomes `{}`, not `[]`.
function json.object(any) return setmetatable(any, { __jsontype = "object" }) end

---@param any any plain data
---@param first? string[] the first keys of objects, in this order; the others follow sorted
---@return string
function json.encode(any, first)
  return dkjson.encode(plain(any, first or {}), { indent = true })
end

--- The same in one line.
---@param any any plain data
---@param first? string[]
---@return string
function json.line(any, first) return dkjson.encode(plain(any, first or {})) end

return json
