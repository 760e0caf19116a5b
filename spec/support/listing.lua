local lfs = require "lfs"

--- Lists the names in a directory, in order.
---@param directory string
---@return string[]
return function(directory)
  local names = {}
  for name in lfs.dir(directory) do
    if name ~= "." and name ~= ".." then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end
