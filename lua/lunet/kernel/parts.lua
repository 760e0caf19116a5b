--- Where lunet's own files are: beside the program in a build tree, and one directory up when it is installed.
local dependency = require "lunet.text.dependency"

local lfs = dependency "lfs"

local parts = {}

local FLOORS <const> = 2

--- The program that runs now.
---@return string path
function parts.program() return assert(lfs.symlinkattributes("/proc/self/exe", "target")) end

--- A file or a directory of lunet's.
---@param name string "libexec/lunet"
---@return string|nil path
function parts.find(name)
  local place = parts.program()
  for _ = 1, FLOORS do
    place = place:match "^(.*)/[^/]*$" or ""
    if lfs.attributes(place .. "/" .. name, "mode") then return place .. "/" .. name end
  end
end

return parts
