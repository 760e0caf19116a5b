--- Elements of HTML and SVG, in which a text from a script is text and nothing else.
local markup = {}

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function hex(bytes) return (bytes:gsub(".", function(c) return ("\\x%02X"):format(c:byte()) end)) end

-- What XML has no form for, even escaped: control characters, and two that are no characters.
local function shown(words)
  words = words:gsub("[\0-\8\11\12\14-\31\127]", hex)
  if not words:find "[\x80-\xff]" then return words end
  if not utf8.len(words) then return (words:gsub("[\x80-\xff]", hex)) end
  return (words:gsub("\xEF\xBF[\xBE\xBF]", hex))
end

--- A text as the content of an element or attribute; bytes that are no characters are shown as "\xHH".
---@param any any
---@return string
function markup.escape(any) return (shown(tostring(any)):gsub("[&<>\"']", ENTITIES)) end

local function number_text(number)
  local rounded = math.floor(number * 10 + 0.5) / 10
  return tostring(math.tointeger(rounded) or rounded)
end

local function attributes_of(given)
  local names, parts = {}, {}
  for name in pairs(given) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local any = given[name]
    parts[i] = (' %s="%s"'):format(name, math.type(any) and number_text(any) or markup.escape(any))
  end
  return table.concat(parts)
end

--- An element. Numbers among its attributes are lengths: a tenth of a pixel is enough.
---@param name string
---@param attributes table<string, string|number>
---@param content? string markup, not text; none makes an empty element
---@return string
function markup.element(name, attributes, content)
  if not content then return ("<%s%s/>"):format(name, attributes_of(attributes)) end
  return ("<%s%s>%s</%s>"):format(name, attributes_of(attributes), content, name)
end

--- A number as it stands in a path.
markup.number = number_text

return markup
