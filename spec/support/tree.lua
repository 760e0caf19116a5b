--- The files of the source tree: that of LUNET_SOURCE, else the one whose root is the current directory.
local lfs = require "lfs"

local ROOT = os.getenv "LUNET_SOURCE" or "."

local tree = {}

local function collect(folder, ending, found)
  for name in lfs.dir(ROOT .. "/" .. folder) do
    local path = folder .. "/" .. name
    if name:sub(1, 1) ~= "." then
      if lfs.attributes(ROOT .. "/" .. path, "mode") == "directory" then
        collect(path, ending, found)
      elseif path:find(ending) then
        found[#found + 1] = path
      end
    end
  end
end

--- The paths below a folder that match, from the root of the tree, in order. Hidden ones are left out.
---@param folder string
---@param ending string a Lua pattern: "%.lua$"
---@return string[]
function tree.files(folder, ending)
  local found = {}
  collect(folder, ending, found)
  table.sort(found)
  return found
end

return tree
