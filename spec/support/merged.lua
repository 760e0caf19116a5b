--- A copy of a table, with the fields of another one over its own.
---@param base table
---@param more? table
---@return table
return function(base, more)
  local copy = {}
  for name, value in pairs(base) do copy[name] = value end
  for name, value in pairs(more or {}) do copy[name] = value end
  return copy
end
