--- Elements of HTML and SVG. A text from a script stays text: it cannot become markup.
local characters = require "lunet.text.characters"
local value = require "lunet.text.value"

local markup = {}

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- A text as the content of an element or attribute. Control characters become escapes: XML has no form for most of
--- them, and HTML forbids them.
---@param any any
---@return string
function markup.escape(any) return (characters.shown(tostring(any), "\n\t"):gsub("[&<>\"']", ENTITIES)) end

local function number_text(number)
  local rounded = math.floor(number * 10 + 0.5) / 10
  return tostring(math.tointeger(rounded) or rounded)
end

local function attributes_of(given)
  local parts = {}
  for i, name in ipairs(value.sorted_keys(given)) do
    local any = given[name]
    parts[i] = (' %s="%s"'):format(name, math.type(any) and number_text(any) or markup.escape(any))
  end
  return table.concat(parts)
end

--- Makes an element. Numbers among its attributes are lengths, in tenths of a pixel.
---@param name string
---@param attributes table<string, string|number>
---@param content? string markup, not text; none makes an empty element
---@return string
function markup.element(name, attributes, content)
  if not content then return ("<%s%s/>"):format(name, attributes_of(attributes)) end
  return ("<%s%s>%s</%s>"):format(name, attributes_of(attributes), content, name)
end

--- Makes a path.
---@param class string?
---@param format string its commands, with %s for each number: "M%s %sH%s"
---@param ... number
---@return string
function markup.path(class, format, ...)
  local numbers = table.pack(...)
  for i = 1, numbers.n do numbers[i] = number_text(numbers[i]) end
  return markup.element("path", { class = class, d = format:format(table.unpack(numbers)) })
end

--- Makes a text.
---@param x number
---@param y number
---@param words string
---@param class? string
---@param anchor? "start"|"middle"|"end"
---@return string
function markup.label(x, y, words, class, anchor)
  return markup.element("text", { x = x, y = y, class = class, ["text-anchor"] = anchor }, markup.escape(words))
end

--- Writes a number as a part of a path.
markup.number = number_text

return markup
