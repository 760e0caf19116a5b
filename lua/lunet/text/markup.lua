--- Elements of HTML and SVG, and cells of Markdown. A text from a script stays text: it cannot become markup.
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

local function whole(number) return math.floor(number + 0.5) end

--- Makes a text, at whole pixels. The style sheet has classes "middle" and "end".
---@param x? number none for 0
---@param y number
---@param words string
---@param class? string
---@param anchor? "middle"|"end" which part of the words is at x; their beginning by default
---@return string
function markup.label(x, y, words, class, anchor)
  local classes = class and anchor and class .. " " .. anchor or class or anchor
  return markup.element("text", { x = x and whole(x), y = whole(y), class = classes }, markup.escape(words))
end

--- A text as a cell of a table in GitHub's Markdown.
---@param words string
---@return string
function markup.cell(words) return (characters.shown((words:gsub("%s+", " "))):gsub("[|<%[`*]", "\\%0")) end

--- Writes a number as a part of a path.
markup.number = number_text

return markup
