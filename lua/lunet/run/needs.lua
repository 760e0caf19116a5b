--- The programs that an experiment needs.
local value = require "lunet.text.value"

local needs = {}

-- The directories of servers and of an administrator's programs. An ordinary user's PATH lacks them.
local MORE = ":/usr/sbin:/sbin"

-- io.open opens a directory, too, but nobody can read it.
local function is_file(path)
  local file <close> = io.open(path)
  if not file then return false end
  local _, trouble = file:read(0)
  return trouble == nil
end

-- The last file, by name, that a path with "*" in one of its parts stands for.
local function last_match(path)
  local lfs = require "lfs" -- which nothing else needs to run an experiment
  local before, part, after = path:match "^(.-/)([^/]*%*[^/]*)(.*)$"
  local names, pattern = {}, "^" .. part:gsub("%p", "%%%0"):gsub("%%%*", ".*") .. "$"
  if lfs.attributes(before, "mode") ~= "directory" then return nil end
  for name in lfs.dir(before) do
    if name:find(pattern) and is_file(before .. name .. after) then names[#names + 1] = before .. name .. after end
  end
  table.sort(names)
  return names[#names]
end

--- Where a program is.
---@param program string a name, to be found in PATH, /usr/sbin and /sbin; or a path, one part of which may have a "*":
--- "/usr/lib/postgresql/*/bin/postgres" is the last of them
---@return string|nil path
function needs.path(program)
  if program:find("*", 1, true) then return last_match(program) end
  if program:find "/" then return is_file(program) and program or nil end
  for directory in ((os.getenv "PATH" or "") .. MORE):gmatch "[^:]+" do
    if is_file(directory .. "/" .. program) then return directory .. "/" .. program end
  end
  return nil
end

--- Looks for programs.
---@param packages table<string, string> by program, as needs.path takes it, the Debian package that has it
---@return true|nil
---@return string? message names the missing programs and their packages
function needs.find(packages)
  local missing = {}
  for _, program in ipairs(value.sorted_keys(packages)) do
    if not needs.path(program) then
      missing[#missing + 1] = ("%s is missing (install the package %s)"):format(program, packages[program])
    end
  end
  if #missing == 0 then return true end
  return nil, table.concat(missing, ", ")
end

return needs
