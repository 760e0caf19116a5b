--- Loads a Lua library that lunet needs and somebody else wrote.
---
--- require() passes over a file that cannot be opened, for want of descriptors or memory, and then says that there is
--- none. So the second search decides, and if it fails, too, its error says which file cannot be opened and why.

local ENOENT <const> = 2

-- A line for each file that is there but cannot be opened.
local function unopened(words)
  local lines = {}
  for path in words:gmatch "no file '([^'\n]+)'" do
    local file, why, number = io.open(path)
    if file then file:close()
    elseif number ~= ENOENT then lines[#lines + 1] = "\n\t" .. why end
  end
  return table.concat(lines)
end

---@param name string as require takes it
---@return any library
return function(name)
  local ok, library = pcall(require, name)
  if not ok then ok, library = pcall(require, name) end
  if ok then return library end
  error(tostring(library) .. unopened(tostring(library)), 0)
end
