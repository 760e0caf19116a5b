--- Elements of HTML and SVG, in which a text from a script is text and nothing else.
local characters = require "lunet.text.characters"

local markup = {}

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- A text as the content of an element or attribute. What cannot be shown is escaped: XML has no form for most control
--- characters, and HTML forbids them.
---@param any any
---@return string
function markup.escape(any) return (characters.shown(tostring(any), "\n\t"):gsub("[&<>\"']", ENTITIES)) end

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
