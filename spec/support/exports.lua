--- The calls that scripts can make: the functions of lunet, and the methods of each of its types by the type's name.
local lunet = require "lunet"
local pair = require "spec.support.pair"

local exports = {}

-- Where fields are looked up besides, the methods are the first upvalue of the function that does it.
local function methods_of(object)
  local index = debug.getmetatable(object).__index
  if type(index) == "function" then index = select(2, debug.getupvalue(index, 1)) end
  return index
end

local function find()
  local near, _, listener = pair.open()
  local a, b = assert(lunet.host "a"), assert(lunet.host "b")
  return { lunet = lunet, listener = methods_of(listener), connection = methods_of(near),
    task = methods_of(lunet.spawn(function() end)), host = methods_of(a), network = methods_of(lunet.link(a, b)),
    rule = methods_of(assert(a:drop { port = 7 })), capture = methods_of(assert(a:capture())),
    watch = methods_of(assert(a:watch(7))), process = methods_of(assert(a:exec { "true" })) }
end

--- The tables in which lunet looks up the functions, of one object of each type.
---@return table<string, table<string, function>>
function exports.tables() return lunet.scope(find) end

-- The assertions that lunet.assert has added to luassert's own.
local function assertions()
  require "lunet.assert"
  local found = {}
  for name, assertion in pairs(require("luassert.namespaces").assertion) do
    local callback = type(assertion) == "table" and assertion.callback
    if callback and debug.getinfo(callback, "S").source:find "lunet/assert%.lua$" then found[name] = callback end
  end
  return found
end

-- The methods of workload.clients, of one object.
local function methods_of_clients()
  return lunet.scope(function()
    local host = assert(lunet.host "clients")
    local listener = assert(host:listen { backlog = 1 })
    local clients = require("lunet.workload").clients { host = host, target = listener, patience = 1 }
    return debug.getmetatable(clients).__index
  end)
end

--- The table in which a page's functions are looked up, whose class is of a module.
---@param about lunet.reference_page
---@return table<string, function>
function exports.of_module(about)
  if about.module == "lunet.assert" then return assertions() end
  if about.class == "lunet.clients" then return methods_of_clients() end
  return require(about.module)
end

--- The names of the functions in a table, sorted.
---@param holder table
---@return string[]
function exports.names(holder)
  local names = {}
  for name, value in pairs(holder) do
    if type(value) == "function" and not name:find "^__" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

return exports
