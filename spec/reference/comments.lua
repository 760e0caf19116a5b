--- Reads the doc comments of a Lua file, and what each of them is of.
local types = require "spec.reference.types"

local comments = {}

---@class lunet.reference_value a parameter, a result or a field
---@field name string
---@field type string
---@field text string
---@field is_optional? boolean
---@field is_hidden? boolean a field that only lunet itself uses

---@class lunet.reference_block a comment
---@field text string[] its lines, without the tags
---@field classes {name: string, parents: string[]}[]
---@field fields lunet.reference_value[]
---@field aliases {name: string, type: string}[]
---@field parameters lunet.reference_value[]
---@field results lunet.reference_value[]
---@field overloads string[]
---@field is_async boolean
---@field deprecated? string what to use instead
---@field faults string[]

---@class lunet.reference_declaration: lunet.reference_block
---@field kind "function"|"class"|"alias"|"header"|"export"
---@field holder? string the variable before the function's name
---@field name? string
---@field separator? "."|":"
---@field arguments? string[] of the function
---@field value? string what an export is: "host.new"
---@field line integer
---@field file string

local function new_block()
  return { text = {}, classes = {}, fields = {}, aliases = {}, parameters = {}, results = {}, overloads = {},
    is_async = false, faults = {} }
end

local function value_of(block, tag, rest, pattern)
  local name, optional, at = rest:match(pattern)
  local type, last = types.take(rest, at)
  if not type then
    block.faults[#block.faults + 1] = ("@%s %s: no type"):format(tag, rest)
    type, last = "any", #rest
  end
  return { name = name, is_optional = optional == "?", type = type, text = rest:sub(last + 1):match "^%s*(.*)$" }
end

local function add(list, value)
  list[#list + 1] = value
  return value
end

-- By tag: reads the rest of its line, and returns the value that the next lines go on with.
local TAGS <const> = {
  param = function(block, rest)
    return add(block.parameters, value_of(block, "param", rest, "^([%w_.]+)(%??)%s+()"))
  end,
  field = function(block, rest)
    local value = value_of(block, "field", rest, "^(%S-)(%??)%s+()")
    value.is_hidden = value.text:find "^internal" ~= nil
    return add(block.fields, value)
  end,
  ["return"] = function(block, rest)
    local value = value_of(block, "return", rest, "^()()()")
    local name, text = value.text:match "^([%a_][%w_]*)%f[%s\0]%s*(.*)$"
    if not name then name, text = value.text:match "^(%.%.%.)%s*(.*)$" end
    if value.text:find "^[%w_.]*," then
      add(block.faults, ("@return %s: the comma begins another result"):format(rest))
    end
    value.name, value.text = name or "", text or value.text
    return add(block.results, value)
  end,
  class = function(block, rest)
    local name, parents, text = rest:match "^([%w_.]+):?%s*([%w_., ]*)(.*)$"
    local class = { name = name, parents = {} }
    if rest:find "^[%w_.]+:" then
      for parent in parents:gmatch "[%w_.]+" do class.parents[#class.parents + 1] = parent end
    else
      text = rest:sub(#name + 2)
    end
    if text ~= "" then add(block.text, text) end
    add(block.classes, class)
  end,
  alias = function(block, rest)
    local name, type = rest:match "^([%w_.]+)%s+(.+)$"
    add(block.aliases, { name = name or rest, type = type or "any" })
  end,
  async = function(block) block.is_async = true end,
  deprecated = function(block, rest) block.deprecated = rest end,
  overload = function(block, rest) add(block.overloads, rest) end,
}

--- Makes a block of the lines of a comment.
---@param lines string[] each with its three hyphens
---@return lunet.reference_block
function comments.block(lines)
  local block, open = new_block(), nil
  for _, line in ipairs(lines) do
    local tag, rest = line:match "^%s*%-%-%-@(%a+)%s*(.*)$"
    local text = line:match "^%s*%-%-%-?%s?(.*)$"
    if tag then
      local read = TAGS[tag]
      open = read and read(block, rest) or nil
    elseif open and text ~= "" then
      open.text = open.text .. " " .. text:match "^%s*(.*)$"
    else
      open = nil
      add(block.text, text)
    end
  end
  while block.text[#block.text] == "" do table.remove(block.text) end
  while block.text[1] == "" do table.remove(block.text, 1) end
  return block
end

local function arguments_of(text)
  local list = {}
  for name in text:gmatch "[%w_.]+" do list[#list + 1] = name end
  return list
end

-- Reads what a line of code declares, if anything: fields of the declaration.
local function declared_by(line)
  local holder, separator, name, arguments = line:match "^function ([%w_.]+)([.:])([%w_]+)(%b())"
  if name then
    return { kind = "function", holder = holder, separator = separator, name = name,
      arguments = arguments_of(arguments) }
  end
  local variable = line:match "^local ([%w_]+)%s*=" or line:match "^local ([%w_]+) <const> ="
  return variable and { kind = "variable", holder = variable } or nil
end

local function merged(into, from)
  for field, value in pairs(from) do into[field] = value end
  return into
end

-- The entries of the table that begins on a line, if it is one of plain names: `spawn = core.spawn,`.
local function exports_of(lines, at, holder, file)
  local list = {}
  if not lines[at]:find "=%s*{%s*$" then return list end
  for i = at + 1, #lines do
    local name, value = lines[i]:match "^  ([%w_]+) = ([%w_]+%.[%w_]+),$"
    if not name then break end
    add(list, merged(new_block(), { kind = "export", holder = holder, separator = ".", name = name, value = value,
      line = i, file = file }))
  end
  return list
end

---@class lunet.reference_file
---@field file string
---@field header string[] the text of the comment that it begins with
---@field declarations lunet.reference_declaration[]
---@field classes table<string, string> by variable
---@field required table<string, string> the module, by variable

-- Files a comment with the line of code below it: that line is empty if the comment stands alone.
local function file_comment(file, comment, line, number)
  local declared = declared_by(line)
  if #comment == 0 and not (declared and declared.kind == "function") then return declared end
  local block = comments.block(comment)
  local entry = merged(block, { line = number, file = file.file })
  if declared and declared.kind == "function" then
    add(file.declarations, merged(entry, declared))
  elseif block.classes[1] then
    if declared then file.classes[declared.holder] = block.classes[1].name end
    add(file.declarations, merged(entry, { kind = "class" }))
  elseif block.aliases[1] then
    add(file.declarations, merged(entry, { kind = "alias" }))
  elseif #file.declarations == 0 and #file.header == 0 then
    file.header = block.text
  end
  return declared
end

--- Reads a file.
---@param path string
---@param text string
---@return lunet.reference_file
function comments.read(path, text)
  local lines, comment = {}, {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  local file = { file = path, header = {}, declarations = {}, classes = {}, required = {} }
  for i, line in ipairs(lines) do
    if line:find "^%-%-%-" then
      comment[#comment + 1] = line
    else
      local variable, module = line:match '^local ([%w_]+) = require "([%w_.]+)"'
      if variable then file.required[variable] = module end
      local declared = file_comment(file, comment, line, i)
      if declared and declared.kind == "variable" then
        for _, export in ipairs(exports_of(lines, i, declared.holder, path)) do add(file.declarations, export) end
      end
      comment = {}
    end
  end
  return file
end

return comments
