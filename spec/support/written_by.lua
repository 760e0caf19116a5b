--- Calls a function. Returns what it writes on standard error; raises its error.
---@param fn function
---@return string
return function(fn)
  local parts, stderr = {}, io.stderr
  io.stderr = { write = function(_, text) parts[#parts + 1] = text end } -- luacheck: ignore 122
  local ok, message = pcall(fn)
  io.stderr = stderr -- luacheck: ignore 122
  if not ok then error(message, 0) end
  return table.concat(parts)
end
