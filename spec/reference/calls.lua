--- Checks the calls of a chunk against the declarations: whether there is such a function, how many arguments it takes,
--- which fields a table has, and which words a parameter takes. It follows the types of local variables from `require`
--- and from the results of calls. Nothing is known of what comes from elsewhere, and nothing is said of it.
local library = require "spec.reference.library"
local scopes = require "spec.reference.scopes"
local syntax = require "spec.reference.syntax"
local types = require "spec.reference.types"

local calls = {}
calls.__index = calls

-- -- what the declarations say ----------------------------------------------------------------

-- The first class of a type: "lunet.host[]|nil" has none, "lunet.host|nil" has one.
local function class_of(type)
  for _, alternative in ipairs(type and types.alternatives(type) or {}) do
    if alternative:find "^lunet[%w_.]*$" then return alternative end
  end
  return nil
end

-- The class of the elements of a list.
local function element_of(type)
  for _, alternative in ipairs(type and types.alternatives(type) or {}) do
    local element = alternative:match "^(lunet[%w_.]*)%[%]$"
    if element then return element end
  end
  return nil
end

function calls:functions(class)
  self.by_class[class] = self.by_class[class] or self.read:functions(class)
  return self.by_class[class]
end

-- The fields of a class and of those that it goes on from, by name.
local function fields_of(read, name, into)
  local class = read.classes[name]
  for _, field in ipairs(class and class.fields or {}) do into[field.name] = field end
  for _, parent in ipairs(class and class.parents or {}) do fields_of(read, parent, into) end
  return into
end

function calls:complain(node, text, ...)
  self.faults[#self.faults + 1] = ("%s:%d: %s"):format(self.name, self.first + node.line - 1, text:format(...))
end

-- -- the types of expressions -------------------------------------------------------------------

local function is_call(node) return node.tag == "Call" or node.tag == "Invoke" end

-- The class of an object that code calls or indexes, and the function of it that has a name.
function calls:member(object, name)
  local class = class_of(self:type(object))
  if not class or not self.read.classes[class] then return nil end
  return class, self:functions(class)[name], fields_of(self.read, class, {})[name]
end

-- The function that a call calls, if it is declared; and how the code names it.
function calls:callee(node)
  local object, key
  if node.tag == "Invoke" then
    object, key = node[1], node[2]
  elseif node[1].tag == "Index" and node[1][2].tag == "String" then
    object, key = node[1][1], node[1][2]
  else
    return nil
  end
  local class, declared, field = self:member(object, key[1])
  return class, declared, field, key[1]
end

-- The types of the results of a call.
function calls:results(node)
  local callee = node.tag == "Call" and node[1]
  if callee and callee.tag == "Id" and callee[1] == "assert" then
    return node[2] and is_call(node[2]) and self:results(node[2]) or { node[2] and self:type(node[2]) }
  end
  if callee and callee.tag == "Id" and callee[1] == "require" and node[2] and node[2].tag == "String" then
    return { self.modules[node[2][1]] }
  end
  local _, declared = self:callee(node)
  local list = {}
  for i, result in ipairs(declared and declared.results or {}) do list[i] = result.type end
  return list
end

--- The type of an expression, if the declarations tell it.
function calls:type(node)
  if node.tag == "Id" then return self.scope:type(node[1]) end
  if node.tag == "Paren" then return self:type(node[1]) end
  if is_call(node) then return self:results(node)[1] end
  if node.tag == "Index" then
    if node[2].tag ~= "String" then return element_of(self:type(node[1])) end
    local _, _, field = self:member(node[1], node[2][1])
    return field and field.type
  end
  return nil
end

-- -- arguments ----------------------------------------------------------------------------------

-- The class of a type that a table can be made for: one without functions.
function calls:table_class(type)
  for _, alternative in ipairs(types.alternatives(type)) do
    local class = self.read.classes[alternative]
    if class and next(self:functions(alternative)) == nil then return alternative end
  end
  return nil
end

function calls:check_table(node, type, what)
  local class = self:table_class(type)
  local fields = class and fields_of(self.read, class, {}) or {}
  if next(fields) == nil or fields["[string]"] then return end
  for _, item in ipairs(node) do
    local key = item.tag == "Pair" and item[1].tag == "String" and item[1][1]
    if key and not fields[key] then self:complain(item, "%s: %s has no field %s", what, class, key) end
    if key and fields[key] then self:check_argument(item[2], fields[key].type, what .. ": " .. key) end
  end
end

local NO_STRINGS <const> = { integer = true, number = true, boolean = true, ["nil"] = true, ["true"] = true,
  ["false"] = true, ["function"] = true, table = true }

-- Adds the words of a type to a list. False: it takes other strings, too.
function calls:add_words(type, words)
  for _, alternative in ipairs(types.alternatives(type)) do
    local alias = self.read.aliases[alternative]
    if alternative:find '^"' then
      words[#words + 1] = alternative
    elseif alias then
      if not self:add_words(alias.type, words) then return false end
    elseif not (NO_STRINGS[alternative] or alternative:find "%[%]$" or alternative:find "^[{(]"
      or alternative:find "^fun%(" or alternative:find "^table<" or self.read.classes[alternative]) then
      return false
    end
  end
  return true
end

-- Whether a literal is one of the words of a type that takes no other strings.
function calls:check_word(node, type, what)
  local words = {}
  if not self:add_words(type, words) then return end
  for _, word in ipairs(words) do
    if word == ('"%s"'):format(node[1]) then return end
  end
  local wanted = words[1] and table.concat(words, " or ") or type
  self:complain(node, "%s: %s expected, not %q", what, wanted, node[1])
end

function calls:check_argument(node, type, what)
  if node.tag == "Table" then self:check_table(node, type, what) end
  if node.tag == "String" then self:check_word(node, type, what) end
end

-- How many arguments a function needs at least, and takes at most.
local function bounds_of(declared)
  local least, most = 0, #declared.parameters
  for i, parameter in ipairs(declared.parameters) do
    if parameter.name == "..." then most = math.huge end
    local may_lack = parameter.is_optional or parameter.name == "..." or parameter.type:find "nil"
      or parameter.type:find "%?$" or parameter.type == "any"
    if not may_lack then least = i end
  end
  return least, most
end

-- A method of an object of which nothing is known: some type must have it, or this chunk.
function calls:check_unknown(node)
  local name = node.tag == "Invoke" and node[2][1]
  if name and not self.methods[name] then self:complain(node, "nothing has a method %s", name) end
end

function calls:check_call(node)
  local class, declared, field, name = self:callee(node)
  if not class then return self:check_unknown(node) end
  if not declared then
    if not field and not fields_of(self.read, class, {})["[string]"] then
      self:complain(node, "%s has no function %s", class, name)
    end
    return
  end
  local is_by_hand = node.tag == "Call" and declared.separator == ":"
  if is_by_hand and not node[2] then return self:complain(node, "%s: its object is missing", name) end
  local first = (node.tag == "Invoke" or is_by_hand) and 3 or 2
  local count, last = #node - first + 1, node[#node]
  local is_open = count > 0 and (is_call(last) or last.tag == "Dots")
  local least, most = bounds_of(declared)
  if #declared.overloads > 0 then return end
  if count > most then self:complain(node, "%s: %d arguments, but it takes %d", name, count, most) end
  if count < least and not is_open then self:complain(node, "%s: %d arguments, but it needs %d", name, count, least) end
  for i, parameter in ipairs(declared.parameters) do
    local argument = node[first + i - 1]
    if argument then self:check_argument(argument, parameter.type, name .. ": " .. parameter.name) end
  end
end

-- -- the code -------------------------------------------------------------------------------------

-- The types of the parameters of a function that a call passes on: "fun(connection: lunet.connection)".
local function parameters_of(type)
  local list = {}
  local inside = type and type:match "^fun(%b())"
  for at in (inside or ""):gmatch "[%w_]+%??:%s*()" do list[#list + 1] = types.take(inside, at) end
  return list
end

function calls:visit_function(node, type)
  self.scope:enter()
  local known = parameters_of(type)
  for i, parameter in ipairs(node[1]) do
    if parameter.tag == "Id" then self.scope:declare(parameter[1], known[i]) end
  end
  self:visit_block(node[2])
  self.scope:leave()
end

-- The types of a list of expressions, of which a call at the end has all of its results.
function calls:types(nodes)
  local list = {}
  for i, node in ipairs(nodes or {}) do
    if i == #nodes and is_call(node) then
      for k, type in pairs(self:results(node)) do list[i + k - 1] = type end
    else
      list[i] = self:type(node)
    end
  end
  return list
end

function calls:visit_call(node)
  self:check_call(node)
  local _, declared = self:callee(node)
  local first = node.tag == "Invoke" and 3 or 2
  for i = 1, #node do
    local parameter = declared and node[i].tag == "Function" and declared.parameters[i - first + 1]
    if parameter then self:visit_function(node[i], parameter.type) else self:visit(node[i]) end
  end
end

local VISIT <const> = {
  Local = function(self, node)
    self:visit_all(node[2] or {})
    local known = self:types(node[2])
    for i, name in ipairs(node[1]) do self.scope:declare(name[1], known[i]) end
  end,
  Localrec = function(self, node)
    self.scope:declare(node[1][1][1])
    self:visit_all(node[2])
  end,
  Set = function(self, node)
    self:visit_all(node[2])
    local known = self:types(node[2])
    for i, target in ipairs(node[1]) do
      if target.tag == "Id" then self.scope:set(target[1], known[i]) else self:visit(target) end
    end
  end,
  Function = function(self, node) self:visit_function(node) end,
  Forin = function(self, node)
    self:visit_all(node[2])
    self.scope:enter()
    local over = node[2][1]
    local list = over.tag == "Call" and over[1].tag == "Id" and over[1][1] == "ipairs" and over[2]
    for i, name in ipairs(node[1]) do
      self.scope:declare(name[1], i == 2 and list and element_of(self:type(list)) or nil)
    end
    self:visit_block(node[3])
    self.scope:leave()
  end,
  Fornum = function(self, node)
    for i = 2, #node - 1 do self:visit(node[i]) end
    self.scope:enter()
    self.scope:declare(node[1][1])
    self:visit_block(node[#node])
    self.scope:leave()
  end,
  Call = function(self, node) self:visit_call(node) end,
  Invoke = function(self, node) self:visit_call(node) end,
}

function calls:visit_all(nodes)
  for _, node in ipairs(nodes) do self:visit(node) end
end

function calls:visit_block(nodes)
  self.scope:enter()
  self:visit_all(nodes)
  self.scope:leave()
end

function calls:visit(node)
  if type(node) ~= "table" then return end
  local visit = VISIT[node.tag]
  if visit then return visit(self, node) end
  if not node.tag then return self:visit_block(node) end
  self:visit_all(node)
end

-- The names of all methods: of every type, of strings, files and the chunk itself.
local function methods_of(read, text)
  local names = {}
  for _, file in ipairs(read.files) do
    for _, declaration in ipairs(file.declarations) do names[declaration.name or ""] = true end
  end
  for _, holder in ipairs { string, debug.getmetatable(io.stdout).__index } do
    for name in pairs(holder) do names[name] = true end
  end
  for name in text:gmatch "function [%w_.]+[.:]([%w_]+)" do names[name] = true end
  return names
end

--- Checks a chunk.
---@param read lunet.reference_library
---@param name string of the file
---@param text string
---@param first? integer the number of its first line in the file
---@return string[] faults
function calls.check(read, name, text, first)
  local modules = { lunet = "lunet" }
  for _, about in ipairs(library.pages()) do
    if about.module and not about.variable then modules[about.module] = about.class end
  end
  local self = setmetatable({ read = read, name = name, first = first or 1, faults = {}, by_class = {},
    modules = modules, methods = methods_of(read, text), scope = scopes.new() }, calls)
  self.scope:declare("lunet", "lunet")
  local tree, message = syntax.parse(text)
  if not tree then tree = syntax.parse("return { " .. text .. " }") end -- fields of a table, without their table
  if not tree then return { ("%s:%d: %s"):format(name, self.first, message) } end
  self:visit_all(tree)
  return self.faults
end

return calls
