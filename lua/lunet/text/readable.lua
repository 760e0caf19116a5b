--- Any Lua value as a text that a person reads, for the prompt. A short table takes one line; of a long one each entry
--- has a line of its own.
local text = require "lunet.text.width"
local value = require "lunet.text.value"

local readable = {}

local COLUMNS <const> = 80
local MOST_ENTRIES <const> = 100 -- of a table
local MOST_DEPTH <const> = 6
local MOST_BYTES <const> = 200 -- of a text in a table

local KINDS <const> = { number = 1, string = 2, boolean = 3 }

-- The keys in order: numbers, texts, booleans, and the others as they come.
local function sorted_keys(values)
  local keys, places = {}, {}
  for key in next, values do
    keys[#keys + 1] = key
    places[key] = #keys
  end
  table.sort(keys, function(a, b)
    local kind_a, kind_b = KINDS[type(a)] or 4, KINDS[type(b)] or 4
    if kind_a ~= kind_b then return kind_a < kind_b end
    if kind_a <= 2 then return a < b end
    if kind_a == 3 then return a and not b end
    return places[a] < places[b]
  end)
  return keys
end

local function shown_text(words)
  if #words <= MOST_BYTES then return value.show(words) end
  return ("%s... (%d bytes)"):format(value.show(words:sub(1, MOST_BYTES)), #words)
end

-- Whether the table says by itself how it is shown.
local function has_words(any)
  local meta = debug.getmetatable(any)
  return type(meta) == "table" and (rawget(meta, "__tostring") ~= nil or rawget(meta, "__name") ~= nil)
end

local function key_of(key, expected)
  if key == expected then return "" end
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key .. " = " end
  return ("[%s] = "):format(type(key) == "string" and shown_text(key) or tostring(key))
end

local shown_entries

local function shown(any, indent, above)
  if type(any) == "string" then return shown_text(any) end
  if type(any) ~= "table" or has_words(any) then return tostring(any) end
  if above[any] then return "(itself)" end
  if next(any) == nil then return "{}" end
  if indent >= 2 * MOST_DEPTH then return "{ ... }" end
  above[any] = true
  local entries = shown_entries(any, indent, above)
  above[any] = nil
  local line = "{ " .. table.concat(entries, ", ") .. " }"
  if not line:find "\n" and indent + text.width(line) <= COLUMNS then return line end
  local margin = (" "):rep(indent + 2)
  return "{\n" .. margin .. table.concat(entries, ",\n" .. margin) .. "\n" .. (" "):rep(indent) .. "}"
end

function shown_entries(values, indent, above)
  local entries, keys, expected = {}, sorted_keys(values), 1
  for i = 1, math.min(#keys, MOST_ENTRIES) do
    local key = keys[i]
    entries[i] = key_of(key, expected) .. shown(rawget(values, key), indent + 2, above)
    if key == expected then expected = expected + 1 end
  end
  if #keys > MOST_ENTRIES then entries[#entries + 1] = ("... and %d more"):format(#keys - MOST_ENTRIES) end
  return entries
end

--- A plain table as a text; any other value stays as it is. A table with a __tostring or a __name says by itself how it
--- is shown.
---@param any any
---@return any
function readable.table(any)
  if type(any) ~= "table" or has_words(any) then return any end
  return shown(any, 0, {})
end

return readable
