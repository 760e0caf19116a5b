--- Types as the doc comments write them: `lunet.listener|nil`, `fun(item: any): any`, `{depth: integer}[]`.
local types = {}

local CLOSING <const> = { ["("] = "%b()", ["{"] = "%b{}", ["<"] = "%b<>", ["["] = "%b[]" }

-- Where one name, literal, table or function of a type ends; nil if none begins here.
local function end_of_atom(text, at)
  local first = text:sub(at, at)
  if first == '"' then return (text:find('"', at + 1, true)) end
  if first == "(" or first == "{" then return select(2, text:find("^" .. CLOSING[first], at)) end
  local last = select(2, text:find("^fun%b()", at))
  if last then
    local result = text:match("^%s*:%s*()", last + 1)
    return result and select(2, types.take(text, result)) or last
  end
  last = select(2, text:find("^%.%.%.", at)) or select(2, text:find("^[%w_.%-]*[%w_]", at))
  return last and (select(2, text:find("^%b<>", last + 1)) or last)
end

--- Reads the type at a place of a text.
---@param text string
---@param at? integer default 1
---@return string|nil type
---@return integer? last its last place
function types.take(text, at)
  local from = at or 1
  local last = end_of_atom(text, from)
  while last do
    last = select(2, text:find("^%[%]", last + 1)) or last
    last = select(2, text:find("^%?", last + 1)) or last
    if text:find("^%[%]", last + 1) then goto again end
    if not text:find("^|", last + 1) then return text:sub(from, last), last end
    last = end_of_atom(text, last + 2)
    ::again::
  end
  return nil
end

--- The alternatives of a type; "nil" among them if it ends with a question mark.
---@param type string
---@return string[]
function types.alternatives(type)
  local list, at = {}, 1
  while at <= #type do
    local rest = type:sub(at)
    local last = assert(end_of_atom(rest, 1), type)
    last = select(2, rest:find("^[%[%]]+", last + 1)) or last
    list[#list + 1] = rest:sub(1, last)
    if rest:sub(last + 1, last + 1) == "?" then
      list[#list + 1] = "nil"
      last = last + 1
    end
    at = at + last + 1
  end
  return list
end

--- The names of lunet's own types in a type.
---@param type string
---@return string[]
function types.names(type)
  local list = {}
  for name in type:gsub('"[^"]*"', ""):gmatch "%f[%w_]lunet[%w_.]*" do list[#list + 1] = name end
  return list
end

return types
