--- Calls a function. Returns the error that it raises; fails if it raises none.
---@param fn function
---@param ... any arguments for fn
---@return any the error value
return function(fn, ...)
  local results = table.pack(pcall(fn, ...))
  assert(not results[1], "nothing was raised")
  return results[2]
end
