--- Writes all pages of the reference: a page a type, and README.md, which lists all calls.
local example = require "spec.reference.example"
local library = require "spec.reference.library"
local page = require "spec.reference.page"
local types = require "spec.reference.types"

local writer = {}

local MADE <const> = "<!-- Made by script/reference from the comments of lua/lunet: change those. -->"

local EDITOR <const> = [[
An editor with lua-language-server (3.19.1 was tried) completes and checks calls if the directory above `lunet/`, such
as `/usr/share/lua/5.4`, is a library of your project, in its `.luarc.json`:

```json
{
  "runtime.version": "Lua 5.4",
  "workspace.library": ["/usr/share/lua/5.4"],
  "type.weakNilCheck": true,
  "type.weakUnionCheck": true,
  "diagnostics.disable": ["need-check-nil"]
}
```]]

--- The functions of a page: by name, in the order of their names.
---@param read lunet.reference_library
---@param about lunet.reference_page
---@return lunet.reference_declaration[]
function writer.functions(read, about)
  local list = {}
  for _, declaration in pairs(read:functions(about.class)) do list[#list + 1] = declaration end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

-- The names of the types that functions take and return, in the order of their appearance.
local function named_types(functions)
  local list = {}
  for _, declaration in ipairs(functions) do
    for _, values in ipairs { declaration.parameters, declaration.results } do
      for _, value in ipairs(values) do
        for _, name in ipairs(types.names(value.type)) do list[#list + 1] = name end
      end
    end
  end
  return list
end

-- Adds a table, those before it that it contains, and those that its fields contain; unless a page has them.
local function add_table(read, name, places, on_page, path)
  if places[name] or not (read.classes[name] or read.aliases[name]) then return end
  places[name] = path .. "#" .. page.anchor(name)
  on_page[#on_page + 1] = name
  local class = read.classes[name]
  for _, parent in ipairs(class and class.parents or {}) do add_table(read, parent, places, on_page, path) end
  for _, field in ipairs(class and class.fields or {}) do
    for _, inner in ipairs(field.is_hidden and {} or types.names(field.type)) do
      add_table(read, inner, places, on_page, path)
    end
  end
end

local function alias_section(name, alias, places)
  local words = {}
  for i, word in ipairs(types.alternatives(alias.type)) do words[i] = "`" .. word .. "`" end
  local class = { text = alias.text, parents = {}, fields = {} }
  return page.data(name, class, places) .. "\n\nOne of " .. table.concat(words, ", ") .. "."
end

local function begin_of(read, about, places)
  local parts = { MADE, "# " .. about.title, page.prose(read:text(about.class)) }
  parts[#parts + 1] = page.fields(read:class(about.class), places)
  for _, overload in ipairs(read:class(about.class).overloads) do parts[#parts + 1] = "Call: `" .. overload .. "`." end
  parts[#parts + 1] = "Each example below begins with\n\n```lua\n"
    .. table.concat(example.whole(read, about, {}), "\n") .. "\n```"
  return parts
end

-- Where each page and each table is; and by page the names of its tables.
local function placed(read)
  local places, tables = {}, {}
  for _, about in ipairs(library.pages()) do places[about.class] = about.name .. ".md" end
  for _, about in ipairs(library.pages()) do
    tables[about.name] = {}
    local names = named_types(writer.functions(read, about))
    for _, field in ipairs(read:class(about.class).fields) do
      for _, name in ipairs(field.is_hidden and {} or types.names(field.type)) do names[#names + 1] = name end
    end
    for _, overload in ipairs(read:class(about.class).overloads) do
      table.move(types.names(overload), 1, #types.names(overload), #names + 1, names)
    end
    for _, name in ipairs(names) do
      add_table(read, name, places, tables[about.name], about.name .. ".md")
    end
  end
  return places, tables
end

local function linked(text, links)
  local lines, in_code = {}, false
  for line in (text .. "\n"):gmatch "(.-)\n" do
    if line:find "^```" then in_code = not in_code end
    if not in_code and not line:find "^#" then
      line = line:gsub("()(`?)([%l_]+[.:][%l_]+)(`?)()", function(from, opening, name, closing, to)
        local is_word = not line:sub(from - 1, from - 1):find "[%w/%[._]" and not line:sub(to, to):find "[%w/_]"
        if not links[name] or not is_word or opening ~= closing then return nil end
        return ("[`%s`](%s)"):format(name, links[name])
      end)
    end
    lines[#lines + 1] = line
  end
  return (table.concat(lines, "\n"):gsub("\n$", ""))
end

local function page_text(read, about, places, tables, links)
  local parts = begin_of(read, about, places)
  for _, declaration in ipairs(writer.functions(read, about)) do
    parts[#parts + 1] = page.section(declaration, about.holder, places)
  end
  for _, name in ipairs(tables) do
    local alias = read.aliases[name]
    parts[#parts + 1] = alias and alias_section(name, alias, places) or page.data(name, read.classes[name], places)
  end
  return linked(table.concat(parts, "\n\n"):gsub("\n\n\n+", "\n\n"), links) .. "\n"
end

-- The first sentence of a comment.
local function summary(declaration)
  local paragraph = page.prose(declaration.text):match "^(.-)\n\n" or page.prose(declaration.text)
  paragraph = paragraph:gsub("\n", " ")
  paragraph = paragraph:gsub("|", "\\|")
  return paragraph:match "^(.-%.)%s" or paragraph:match "^(.-): " or paragraph
end

local function index_text(read, links)
  local conventions = table.concat(read:header "lua/lunet/types/functions.lua", "\n"):match "\n(%* .*)$"
  local parts = { MADE, "# Reference", "All calls have this in common:\n\n" .. conventions, EDITOR }
  for _, about in ipairs(library.pages()) do
    local lines = { ("## [%s](%s.md)"):format(about.title, about.name), "", "| call | what it does | waits |",
      "|---|---|---|" }
    for _, declaration in ipairs(writer.functions(read, about)) do
      local name = about.holder .. declaration.separator .. declaration.name
      lines[#lines + 1] = ("| [`%s`](%s) | %s | %s |"):format(name, links[name], summary(declaration),
        declaration.is_async and "yes" or "")
    end
    parts[#parts + 1] = table.concat(lines, "\n")
  end
  return table.concat(parts, "\n\n") .. "\n"
end

--- The pages that the comments of a library make.
---@param read lunet.reference_library
---@return table<string, string> texts by the file's name
function writer.pages(read)
  local places, tables = placed(read)
  local links, made = {}, {}
  for _, about in ipairs(library.pages()) do
    for _, declaration in ipairs(writer.functions(read, about)) do
      local name = about.holder .. declaration.separator .. declaration.name
      links[name] = about.name .. ".md#" .. page.anchor(name)
    end
  end
  for _, about in ipairs(library.pages()) do
    made[about.name .. ".md"] = page_text(read, about, places, tables[about.name], links)
  end
  made["README.md"] = index_text(read, links)
  return made
end

return writer
