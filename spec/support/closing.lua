--- A value for a <close> variable, whose closing runs a function.
---@param fn fun(value: table, failure: any)
return function(fn)
  return setmetatable({}, { __close = fn })
end
