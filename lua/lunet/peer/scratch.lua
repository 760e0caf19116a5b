--- A directory for files that are needed no longer than it is: those of a program that an experiment runs.
---
---     local place <close> = scratch.open()
local core = require "lunet.core"

---@class lunet.scratch
---@field path string
local scratch = {}
scratch.__index = scratch

-- The path of a file in the directory, at any depth.
local function path_of(self, name)
  local is_inside = type(name) == "string" and name ~= "" and name:sub(1, 1) ~= "/"
    and not ("/" .. name .. "/"):find("/../", 1, true)
  if not is_inside then error(("scratch: a name in the directory expected, not '%s'"):format(tostring(name)), 3) end
  return self.path .. "/" .. name
end

--- Makes one, empty, in $TMPDIR, or else in /tmp. It does not outlive lunet, however lunet ends: a process of its own
--- removes it when lunet is killed. Raises if that cannot be done.
---
---     local other <close> = scratch.open()
---     print(other.path ~= place.path) --> true
---@return lunet.scratch a to-be-closed value
function scratch.open()
  local path, why = core.open_scratch()
  if not path then error("scratch: no directory in " .. why, 0) end
  return setmetatable({ path = path }, scratch)
end

--- Writes a file of it, and makes the directories that it is in. Raises if that cannot be done.
---
---     local path = place:write("static/index.html", "hello")
---     print(path == place.path .. "/static/index.html") --> true
---@param name string "static", "html/index.html"
---@param text string
---@return string path
function scratch:write(name, text)
  local path = path_of(self, name)
  if name:find "/" then core.make_directory((path:match "^(.*)/")) end -- else io.open says why
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return path
end

--- The text of a file of it. Raises if there is none.
---
---     place:write("log", "hello")
---     print(place:read "log") --> hello
---@param name string
---@return string text
function scratch:read(name)
  local file <close> = assert(io.open(path_of(self, name)))
  return file:read "a"
end

--- Removes it, with all that is in it. Idempotent. If a program that is ending still writes in it, lunet removes the
--- rest when it ends.
---
---     local path = place:write("log", "hello")
---     print(place:close(), io.open(path)) --> true  nil  ...
---@return true
function scratch:close()
  return core.close_scratch(self.path)
end

scratch.__close = scratch.close

return scratch
