--- A directory for the files of a spec.
local scratch = {}
scratch.__index = scratch

--- To be removed by the caller, by `scratch:remove()`.
function scratch.open()
  local pipe = assert(io.popen "mktemp -d")
  local self = setmetatable({ path = pipe:read "l" }, scratch)
  assert(pipe:close())
  return self
end

--- Writes a file of it, and the directories that it is in.
---@param name string
---@param text string
---@return string path
function scratch:write(name, text)
  local path = self.path .. "/" .. name
  assert(os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/")))
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return path
end

--- The text of a file of it.
---@param name string
---@return string
function scratch:read(name)
  local file <close> = assert(io.open(self.path .. "/" .. name))
  return file:read "a"
end

function scratch:remove()
  assert(os.execute(("rm -rf '%s'"):format(self.path)))
end

return scratch
