--- Finds faults of doc comments: each is a line "FILE:LINE: what is wrong".
local library = require "spec.reference.library"
local page = require "spec.reference.page"
local types = require "spec.reference.types"

local faults = {}

local MOST_LINES <const> = 4 -- of an example

local function names_of(values)
  local names = {}
  for i, value in ipairs(values) do names[i] = value.name end
  return table.concat(names, ", ")
end

local function faults_of_example(example)
  if #example == 0 then return "it has no example" end
  if #example > MOST_LINES then return ("its example has %d lines, not %d at most"):format(#example, MOST_LINES) end
  if not table.concat(example, "\n"):find "%-%->" then return "its example shows no result (-->)" end
  return nil
end

-- The faults of the comment of a public function, in words.
local function faults_of(declaration, about)
  local list = {}
  local function add(text) list[#list + 1] = text end
  if #declaration.text == 0 then return { "it has no comment" } end
  if not declaration.text[1]:find "^%u" then add "its comment does not begin with a sentence" end
  local arguments = table.concat(declaration.arguments or {}, ", ")
  if names_of(declaration.parameters) ~= arguments then
    add(("its comment has the parameters (%s), not (%s)"):format(names_of(declaration.parameters), arguments))
  end
  if #declaration.results == 0 and not about.module then add "its comment has no @return" end
  local code = page.code(declaration)
  if code and code.text == "" then add "its comment names no codes of its errors" end
  for _, result in ipairs(declaration.results) do
    if result.name == "message" and not code then add "it fails, but its comment has no code" end
  end
  add(faults_of_example(page.example(declaration.text)))
  for _, fault in ipairs(declaration.faults) do add(fault) end
  return list
end

local function in_functions(read, list)
  for _, about in ipairs(library.pages()) do
    for name, declaration in pairs(read:functions(about.class)) do
      for _, fault in ipairs(faults_of(declaration, about)) do
        list[#list + 1] = ("%s:%d: %s%s%s: %s"):format(declaration.file, declaration.line, about.holder,
          declaration.separator or ".", name, fault)
      end
    end
  end
end

local function in_types(read, list)
  for _, file in ipairs(read.files) do
    for _, declaration in ipairs(file.declarations) do
      for _, values in ipairs { declaration.parameters, declaration.results, declaration.fields } do
        for _, value in ipairs(values) do
          for _, name in ipairs(types.names(value.type)) do
            if not read.classes[name] and not read.aliases[name] then
              list[#list + 1] = ("%s:%d: no type is called %s"):format(file.file, declaration.line, name)
            end
          end
        end
      end
    end
  end
end

local function in_classes(read, list)
  for _, class in pairs(read.classes) do
    local before
    for _, place in ipairs(class.places) do
      if place.fields > 0 then
        if before then
          list[#list + 1] = ("%s:%d: %s has fields in %s, too"):format(place.file, place.line, class.name, before.file)
        end
        before = place
      end
    end
  end
end

-- A language server takes lunet/anywhere/lunet.lua for the module lunet, too, and then knows neither.
local function in_names(read, list)
  for _, file in ipairs(read.files) do
    if file.file:find("/lunet.lua", 1, true) or select(2, file.file:gsub("/lunet/", "/")) > 1 then
      list[#list + 1] = file.file .. ":1: a language server finds it for require \"lunet\": give it another name"
    end
  end
end

-- The methods that C gives a type, by the type's name.
local function methods_in_c(read_file, paths)
  local names, methods = {}, {}
  for _, path in ipairs(paths) do
    for macro, name in read_file(path):gmatch 'char ([%u_]+_TYPE)%[%] = "(lunet%.[%w_]+)"' do names[macro] = name end
  end
  for _, path in ipairs(paths) do
    local text = read_file(path)
    local list = text:match "static const luaL_Reg methods%[%] = (%b{})"
    local macro = text:match "open_type%(L, ([%u_]+_TYPE), methods"
    if list and macro then
      methods[names[macro]] = { path = path }
      for method in list:gmatch '{"([%l_]+)",' do table.insert(methods[names[macro]], method) end
    end
  end
  return methods
end

local function in_c(read, list, read_file, paths)
  local methods = methods_in_c(read_file, paths)
  for _, about in ipairs(library.pages()) do
    local documented = read:functions(about.class)
    for _, name in ipairs(methods[about.class] or {}) do
      if not documented[name] then
        list[#list + 1] = ("%s: %s:%s: it has no comment in lua/lunet/types/"):format(methods[about.class].path,
          about.holder, name)
      end
    end
  end
end

--- All faults, sorted.
---@param read lunet.reference_library
---@param read_file fun(path: string): string
---@param c_files string[]
---@return string[]
function faults.find(read, read_file, c_files)
  local list = {}
  in_functions(read, list)
  in_types(read, list)
  in_classes(read, list)
  in_names(read, list)
  in_c(read, list, read_file, c_files)
  table.sort(list)
  return list
end

return faults
