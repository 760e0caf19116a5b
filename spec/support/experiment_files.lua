--- The files of experiments/, whose names are unique although they lie in folders by subject.
local tree = require "spec.support.tree"

local files = {}

--- Paths from the root of the tree, in order.
---@return string[]
function files.all() return tree.files("experiments", "%.lua$") end

--- The path of an experiment from the root of the tree. Raises an error if there is none of that name.
---@param name string
---@return string
function files.path(name)
  for _, path in ipairs(files.all()) do
    if path:match "([^/]+)%.lua$" == name then return path end
  end
  error("there is no experiment " .. name)
end

return files
