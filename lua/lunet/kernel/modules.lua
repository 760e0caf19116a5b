--- Modules of a kernel, and those that they need (modules.dep(5), modules.builtin(5)).
local modules = {}

-- "net_raw" of "kernel/net/net-raw.ko.xz": a module's name has no dash (modprobe(8)).
local function name_of(file) return (file:match "([^/]+)%.ko[%.%l]*$" or ""):gsub("-", "_") end

-- The lines of a file; none if it is not there.
local function lines_of(path)
  local file <close> = io.open(path)
  return (file and file:read "a" or ""):gmatch "[^\n]+"
end

--- The files of modules and of those that they need, in the order in which they load. A module that is built into the
--- kernel has no file.
---@param directory string that has modules.dep
---@param wanted string[] names of modules
---@return string[]
function modules.files(directory, wanted)
  local needed, found, seen = {}, {}, {}
  for line in lines_of(directory .. "/modules.dep") do
    local file, rest = line:match "^(.-):%s*(.*)$"
    needed[file] = rest
  end
  local function add(file)
    if seen[file] then return end
    seen[file] = true
    local before = {}
    for other in needed[file]:gmatch "%S+" do table.insert(before, 1, other) end -- the last one loads first
    for _, other in ipairs(before) do add(other) end
    found[#found + 1] = file
  end
  for _, name in ipairs(wanted) do
    for file in pairs(needed) do
      if name_of(file) == name then add(file) end
    end
  end
  return found
end

--- The first of several modules that a kernel has neither as a file nor built in.
---@param directory string that has modules.dep and modules.builtin
---@param wanted string[] names of modules
---@return string|nil name
function modules.missing(directory, wanted)
  local here = {}
  for _, list in ipairs { "modules.dep", "modules.builtin" } do
    for line in lines_of(directory .. "/" .. list) do here[name_of(line:match "^[^:]*")] = true end
  end
  for _, name in ipairs(wanted) do
    if not here[name] then return name end
  end
end

return modules
