--- The programs that an experiment needs: whether they are here.
local value = require "lunet.text.value"

local needs = {}

-- Where the programs of an administrator are, servers among them; an ordinary user's PATH lacks them.
local MORE = ":/usr/sbin:/sbin"

-- A directory can be opened, too, but not read.
local function is_file(path)
  local file <close> = io.open(path)
  if not file then return false end
  local _, trouble = file:read(0)
  return trouble == nil
end

local function is_here(program)
  if program:find "/" then return is_file(program) end
  for directory in ((os.getenv "PATH" or "") .. MORE):gmatch "[^:]+" do
    if is_file(directory .. "/" .. program) then return true end
  end
  return false
end

--- Looks for programs in PATH, /usr/sbin and /sbin.
---@param packages table<string, string> by program, the Debian package that has it
---@return true|nil
---@return string? message the programs that are missing, and what to install
function needs.find(packages)
  local missing = {}
  for _, program in ipairs(value.sorted_keys(packages)) do
    if not is_here(program) then
      missing[#missing + 1] = ("%s is missing (install the package %s)"):format(program, packages[program])
    end
  end
  if #missing == 0 then return true end
  return nil, table.concat(missing, ", ")
end

return needs
