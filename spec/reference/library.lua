--- The doc comments of lua/lunet by class: the text and the functions of each.
local comments = require "spec.reference.comments"
local lfs = require "lfs"
local pages = require "spec.reference.pages"

---@class lunet.reference_class
---@field name string
---@field parents string[]
---@field text string[]
---@field fields lunet.reference_value[]
---@field functions lunet.reference_declaration[] in the order of the files
---@field overloads string[] the ways to call it, if it can be called
---@field places string[] where it is declared with fields or as data

---@class lunet.reference_library
---@field files lunet.reference_file[]
---@field classes table<string, lunet.reference_class>
---@field aliases table<string, {type: string, text: string[]}>
local library = {}
library.__index = library

local function read_all(root, directory, list)
  local names = {}
  for name in lfs.dir(root .. "/" .. directory) do
    if not name:find "^%." then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local path = directory .. "/" .. name
    if lfs.attributes(root .. "/" .. path, "mode") == "directory" then
      read_all(root, path, list)
    elseif name:find "%.lua$" then
      local file <close> = assert(io.open(root .. "/" .. path))
      list[#list + 1] = comments.read(path, file:read "a")
    end
  end
  return list
end

function library:class(name)
  self.classes[name] = self.classes[name]
    or { name = name, parents = {}, text = {}, fields = {}, functions = {}, overloads = {}, places = {} }
  return self.classes[name]
end

function library:add_class(declaration)
  local class = self:class(declaration.classes[1].name)
  class.parents = #declaration.classes[1].parents > 0 and declaration.classes[1].parents or class.parents
  if #declaration.text > 0 then class.text = declaration.text end
  for _, overload in ipairs(declaration.overloads) do table.insert(class.overloads, overload) end
  for _, field in ipairs(declaration.fields) do class.fields[#class.fields + 1] = field end
  class.places[#class.places + 1] = { file = declaration.file, line = declaration.line, fields = #declaration.fields }
end

function library:add_file(file)
  for _, declaration in ipairs(file.declarations) do
    local class = file.classes[declaration.holder]
    if declaration.kind == "class" then
      self:add_class(declaration)
    elseif declaration.kind == "alias" then
      self.aliases[declaration.aliases[1].name] = { type = declaration.aliases[1].type, text = declaration.text }
    elseif class and (declaration.kind == "function" or declaration.kind == "export") then
      declaration.requires = file.required
      table.insert(self:class(class).functions, declaration)
    end
  end
end

-- The function of another file that an export names: `host = host.new`.
function library:exported(export)
  local variable, name = export.value:match "^([%w_]+)%.([%w_]+)$"
  local module = export.requires[variable]
  for _, file in ipairs(self.files) do
    if module and file.file:gsub("/init%.lua$", ".lua"):find(module:gsub("%.", "/") .. ".lua", 1, true) then
      for _, declaration in ipairs(file.declarations) do
        if declaration.kind == "function" and declaration.name == name and declaration.separator == "." then
          return declaration
        end
      end
    end
  end
  return nil
end

local function with_name(declaration, name)
  local copy = {}
  for field, value in pairs(declaration) do copy[field] = value end
  copy.name, copy.separator = name, "."
  return copy
end

--- The functions of a class by name; for each the declaration that has a comment, if there is one.
---@param name string
---@return table<string, lunet.reference_declaration>
function library:functions(name)
  local found = {}
  for _, declaration in ipairs(self:class(name).functions) do
    local known = declaration
    if declaration.kind == "export" then
      local exported = self:exported(declaration)
      if exported then known = with_name(exported, declaration.name) end
    end
    local before = found[declaration.name]
    if not declaration.name:find "^__" and (not before or #before.text == 0) then found[declaration.name] = known end
  end
  return found
end

--- Reads the library of a tree.
---@param root string
---@return lunet.reference_library
function library.read(root)
  local self = setmetatable({ files = {}, classes = {}, aliases = {} }, library)
  self.files = read_all(root, "lua/lunet", {})
  for _, file in ipairs(self.files) do self:add_file(file) end
  return self
end

--- The text about a class: of its own comment, or else of the comment that its file begins with.
---@param name string
---@return string[]
function library:text(name)
  local class = self:class(name)
  if #class.text > 0 or not class.places[1] then return class.text end
  return self:header(class.places[1].file)
end

--- The text of the comment that a file begins with.
---@param path string
---@return string[]
function library:header(path)
  for _, file in ipairs(self.files) do
    if file.file == path then return file.header end
  end
  return {}
end

--- The pages of the reference whose class is there.
---@return lunet.reference_page[]
function library.pages() return pages end

return library
