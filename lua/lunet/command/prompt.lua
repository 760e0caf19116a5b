--- The part of the program's prompt that is in Lua: readable tables, and the completion of names.
local prompt = {}

--- The values of a line as the prompt gives them to print: plain tables as texts.
---@param ... any
---@return any ...
function prompt.shown(...)
  local readable = require "lunet.text.readable"
  local values = table.pack(...)
  for i = 1, values.n do values[i] = readable.table(values[i]) end
  return table.unpack(values, 1, values.n)
end

local KEYWORDS <const> = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if",
  "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while" }

-- The tables in which Lua looks for a field of a value, the value first. It calls nothing: of a function that looks up
-- fields only the table that it goes through is known, such as that of lunet's processes.
local function tables_of(any)
  local list, seen = {}, {}
  while any ~= nil and not seen[any] and #list < 100 do
    seen[any] = true
    if type(any) == "table" then list[#list + 1] = any end
    local meta = debug.getmetatable(any)
    any = type(meta) == "table" and rawget(meta, "__index") or nil
    if type(any) == "function" then any = select(2, debug.getupvalue(any, 1)) end
    if type(any) ~= "table" then any = nil end
  end
  return list
end

local function field(any, name)
  for _, holder in ipairs(tables_of(any)) do
    local value = rawget(holder, name)
    if value ~= nil then return value end
  end
  return nil
end

-- Adds the names that begin so, with what is written before them.
local function add_names(list, before, beginning, any, is_method)
  for _, holder in ipairs(tables_of(any)) do
    for name, value in next, holder do
      local fits = type(name) == "string" and name:find "^[%a_][%w_]*$" and name:sub(1, #beginning) == beginning
      if fits and (not is_method or type(value) == "function") then list[before .. name] = true end
    end
  end
end

--- The words that the end of a line may become: globals and keywords, fields after a point, methods after a colon.
---@param word string "lun", "lunet.li", "listener:"
---@return string[] words in order
function prompt.completions(word)
  local path, separator, beginning = word:match "^(.-)([.:]?)([%w_]*)$"
  local found = {}
  if separator == "" then
    if path ~= "" then return {} end
    add_names(found, "", beginning, _G)
    for _, keyword in ipairs(KEYWORDS) do
      if keyword:sub(1, #beginning) == beginning then found[keyword] = true end
    end
  else
    local any = _G
    for name in (path .. "."):gmatch "([^.]*)%." do any = field(any, name) end
    add_names(found, path .. separator, beginning, any, separator == ":")
  end
  local words = {}
  for name in pairs(found) do words[#words + 1] = name end
  table.sort(words)
  return words
end

return prompt
