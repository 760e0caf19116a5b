--- Loads a foreign Lua library.
---
--- require() skips a file that it cannot open, for example without free descriptors, and then says that no file exists.
--- So the loader searches twice. The error of the second search names each file that exists but cannot be opened.

local ENOENT <const> = 2

-- A line for each file that exists but cannot be opened.
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
