--- Writes a page of the reference as Markdown.
local types = require "spec.reference.types"

local page = {}

---@class lunet.reference_places where a page or a table is, by the name of the class: "listener.md", "lunet.md#..."
---@type table<string, string>

-- GitHub's name of a heading: small letters, without punctuation.
local function anchor(heading)
  return (heading:lower():gsub("[^%w_%- ]", ""):gsub(" ", "-"))
end

page.anchor = anchor

local function link_to(name, places)
  return places[name] and ("[`%s`](%s)"):format(name, places[name]) or ("`%s`"):format(name)
end

-- A type in words, with a link to each of lunet's own.
local function type_text(type, places)
  local words = {}
  for i, alternative in ipairs(types.alternatives(type)) do
    local name, rest = alternative:match "^(lunet[%w_.]*)(.*)$"
    if name and places[name] then
      words[i] = link_to(name, places) .. (rest == "[]" and " list" or rest)
    else
      words[i] = "`" .. alternative .. "`"
    end
  end
  return (table.concat(words, " or "):gsub("|", "\\|"))
end

local function cell(text) return (text:gsub("|", "\\|")) end

-- A table of parameters, results or fields; without a column that would be empty.
local function value_table(head, values, places)
  local lines = { ("| %s | type | meaning |"):format(head), "|---|---|---|" }
  for _, value in ipairs(values) do
    local name = value.name == "" and "" or ("`%s`%s"):format(value.name, value.is_optional and ", optional" or "")
    lines[#lines + 1] = ("| %s | %s | %s |"):format(name, type_text(value.type, places), cell(value.text))
  end
  return table.concat(lines, "\n")
end

--- The example in a comment: the lines that are indented, without the indentation.
---@param text string[]
---@return string[]
function page.example(text)
  local lines, in_item = {}, false
  for _, line in ipairs(text) do
    if line:find "^ ? ?[*-] " then in_item = true elseif line == "" then in_item = false end
    if not in_item and line:find "^    " then lines[#lines + 1] = line:sub(5) end
  end
  return lines
end

--- The text of a comment without its example.
---@param text string[]
---@return string
function page.prose(text)
  local lines, in_item = {}, false
  for _, line in ipairs(text) do
    if line:find "^ ? ?[*-] " then in_item = true elseif line == "" then in_item = false end
    if in_item or not line:find "^    " then lines[#lines + 1] = line end
  end
  return (table.concat(lines, "\n"):gsub("\n\n+", "\n\n"):gsub("%s+$", ""))
end

local function fenced(lines) return "```lua\n" .. table.concat(lines, "\n") .. "\n```" end

-- Everything that a comment says, in one line.
local function all_words(declaration)
  local words = { (page.prose(declaration.text):gsub("\n", " ")) }
  for _, list in ipairs { declaration.parameters, declaration.results } do
    for _, value in ipairs(list) do words[#words + 1] = value.text end
  end
  return table.concat(words, " ")
end

local SOURCES <const> = {
  "%f[%w_][%l_][%w_.]*%(%d%)", -- man pages
  "RFC %d+", "%f[%w]net/[%w_/]+%.c", "%f[%w]include/[%w_/]+%.h", "%f[%w]packet_mmap%.rst",
}

--- The man pages, kernel files and RFCs that a comment names, in their order.
---@param declaration lunet.reference_declaration
---@return string[]
function page.sources(declaration)
  local text, found, seen = all_words(declaration), {}, {}
  for _, pattern in ipairs(SOURCES) do
    for at, source in text:gmatch("()(" .. pattern .. ")") do found[#found + 1] = { at = at, text = source } end
  end
  table.sort(found, function(a, b) return a.at < b.at end)
  local list = {}
  for _, source in ipairs(found) do
    if not seen[source.text] then list[#list + 1] = source.text end
    seen[source.text] = true
  end
  return list
end

--- The result that has the codes of errors, if the function can fail.
---@param declaration lunet.reference_declaration
---@return lunet.reference_value|nil
function page.code(declaration)
  for _, value in ipairs(declaration.results) do
    if value.name == "code" then return value end
  end
  return nil
end

local function call_of(declaration, holder)
  local arguments, optional = {}, {}
  for _, value in ipairs(declaration.parameters) do optional[value.name] = value.is_optional end
  for i, name in ipairs(declaration.arguments or {}) do
    arguments[i] = optional[name] and ("[%s]"):format(name) or name
  end
  return ("%s%s%s(%s)"):format(holder, declaration.separator, declaration.name, table.concat(arguments, ", "))
end

-- The results of a success: without message and code.
local function successes(declaration)
  local list = {}
  for _, value in ipairs(declaration.results) do
    if value.name ~= "message" and value.name ~= "code" then list[#list + 1] = value end
  end
  return list
end

-- How a function fails: with nil, a message, and one of some codes.
local function failure(declaration)
  local code, words = page.code(declaration), "raises at misuse alone"
  if code then
    local message
    for _, value in ipairs(declaration.results) do
      if value.name == "message" and value.text ~= "" then message = value.text end
    end
    words = ("nil, a message%s, and the code %s"):format(message and (" (%s)"):format(message) or "", code.text)
  end
  return ("* Failure: %s."):format((words:gsub("%.$", "")))
end

--- The section of a function.
---@param declaration lunet.reference_declaration
---@param holder string
---@param places table<string, string>
---@return string
function page.section(declaration, holder, places)
  local parts = { ("## %s%s%s"):format(holder, declaration.separator, declaration.name) }
  local function add(text) parts[#parts + 1] = text end
  add("```\n" .. call_of(declaration, holder) .. "\n```")
  if declaration.deprecated then add(("**It will go.** %s"):format(declaration.deprecated)) end
  add(page.prose(declaration.text))
  if #declaration.parameters > 0 then add(value_table("parameter", declaration.parameters, places)) end
  if #successes(declaration) > 0 then add(value_table("result", successes(declaration), places)) end
  for _, overload in ipairs(declaration.overloads) do add("Or: `" .. overload .. "`") end
  local sources = page.sources(declaration)
  local facts = {
    failure(declaration),
    ("* Waits: %s."):format(declaration.is_async and "yes" or "no"),
    ("* Source: %s; `%s`."):format(#sources > 0 and table.concat(sources, ", ") or "lunet's own", declaration.file),
  }
  add(table.concat(facts, "\n"))
  local example = page.example(declaration.text)
  if #example > 0 then add(fenced(example)) end
  return table.concat(parts, "\n\n")
end

--- The fields of a class that are not internal; nil if there is none.
---@param class lunet.reference_class
---@param places table<string, string>
---@return string|nil
function page.fields(class, places)
  local shown = {}
  for _, field in ipairs(class.fields) do
    if not field.is_hidden then shown[#shown + 1] = field end
  end
  return shown[1] and value_table("field", shown, places)
end

--- The section of a table that calls take or return, or of a set of words.
---@param name string
---@param class lunet.reference_class
---@param places table<string, string>
---@return string
function page.data(name, class, places)
  local parts = { "## " .. name }
  local prose = page.prose(class.text)
  if #class.parents > 0 then
    local links = {}
    for i, parent in ipairs(class.parents) do links[i] = link_to(parent, places) end
    prose = prose .. (prose ~= "" and "\n\n" or "") .. "It has the fields of " .. table.concat(links, ", ") .. ", too."
  end
  if prose ~= "" then parts[2] = prose end
  parts[#parts + 1] = page.fields(class, places)
  return table.concat(parts, "\n\n")
end

return page
