--- A directory for files that are needed no longer than it is: those of a program that an experiment runs.
---
---     local place <close> = scratch.open()
---     place:write("nginx.conf", "daemon off;")
---     host:exec { "nginx", "-c", place.path .. "/nginx.conf" }
---@class lunet.scratch
---@field path string
local scratch = {}
scratch.__index = scratch

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- Of what lies in the directory, at whatever depth.
local function path_of(self, name)
  local is_inside = type(name) == "string" and name ~= "" and name:sub(1, 1) ~= "/"
    and not ("/" .. name .. "/"):find("/../", 1, true)
  if not is_inside then error(("scratch: a name in the directory expected, not '%s'"):format(tostring(name)), 3) end
  return self.path .. "/" .. name
end

--- Makes one, empty, where temporary files are (mktemp(1)). Raises if that cannot be done.
---@return lunet.scratch a to-be-closed value
function scratch.open()
  local pipe <close> = assert(io.popen "mktemp -d")
  local path = assert(pipe:read "l", "scratch: mktemp made no directory")
  return setmetatable({ path = path }, scratch)
end

--- Writes a file of it, and makes the directories that it is in. Raises if that cannot be done.
---@param name string "static", "html/index.html"
---@param text string
---@return string path
function scratch:write(name, text)
  local path = path_of(self, name)
  if name:find "/" then os.execute("mkdir -p 2>/dev/null " .. quote(path:match "^(.*)/")) end
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return path
end

--- The text of a file of it. Raises if there is none.
---@param name string
---@return string text
function scratch:read(name)
  local file <close> = assert(io.open(path_of(self, name)))
  return file:read "a"
end

--- Removes it, with all that is in it. Idempotent; by os.execute, since cleanup must not wait for tasks.
---@return true
function scratch:close()
  os.execute("rm -rf " .. quote(self.path))
  return true
end

scratch.__close = scratch.close

return scratch
