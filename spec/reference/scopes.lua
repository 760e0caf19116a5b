--- The types of the variables that code sees at a place, as far as the declarations tell them.
local scopes = {}
scopes.__index = scopes

--- Makes the outermost scope.
function scopes.new() return setmetatable({ levels = { {} } }, scopes) end

function scopes:enter() self.levels[#self.levels + 1] = {} end
function scopes:leave() self.levels[#self.levels] = nil end

--- Declares a variable; without a type nothing is known of it.
---@param name string
---@param type? string
function scopes:declare(name, type) self.levels[#self.levels][name] = { type = type } end

-- The innermost variable of a name.
local function find(self, name)
  for i = #self.levels, 1, -1 do
    if self.levels[i][name] then return self.levels[i][name] end
  end
  return nil
end

--- Sets a variable: another type makes it unknown.
---@param name string
---@param type? string
function scopes:set(name, type)
  local variable = find(self, name)
  if variable and variable.type ~= type then variable.type = nil end
end

--- The type of a variable.
---@param name string
---@return string|nil
function scopes:type(name)
  local variable = find(self, name)
  return variable and variable.type
end

--- Whether a variable of this name is in scope.
---@param name string
---@return boolean
function scopes:has(name) return find(self, name) ~= nil end

return scopes
