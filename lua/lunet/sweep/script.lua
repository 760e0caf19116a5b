--- The script of a sweep: the experiment that it returns. A process makes it anew for each run, so that no run finds
--- what an earlier one has left in Lua.
local interrupt = require "lunet.text.interrupt"

local script = {}
script.__index = script

-- The tables that a script may write to.
local LIBRARIES <const> = { _G, string, table, math, io, os, debug, coroutine, utf8, package, package.loaded,
  package.preload }

local function is_own(name) return type(name) == "string" and (name == "lunet" or name:find "^lunet%.") end

local kept -- their fields before any script of this process was loaded

local function keep()
  kept = {}
  for i, library in ipairs(LIBRARIES) do
    kept[i] = {}
    for key, value in pairs(library) do kept[i][key] = value end
  end
end

-- lunet's own modules stay: they keep nothing of a run.
local function restore()
  for i, library in ipairs(LIBRARIES) do
    for key in pairs(library) do
      if kept[i][key] == nil and not (library == package.loaded and is_own(key)) then library[key] = nil end
    end
    for key, value in pairs(kept[i]) do library[key] = value end
  end
end

--- A script that is not loaded yet.
---@param path string
---@return lunet.sweep_script
function script.new(path)
  if not kept then keep() end
  return setmetatable({ path = path }, script)
end

--- Loads it, in a Lua as it was before any script of this process was loaded.
---@return table|nil experiment
---@return string? message why there is none
function script:load()
  restore()
  local chunk, message = loadfile(self.path)
  if not chunk then return nil, message end
  local ok, result = interrupt.pcall(chunk)
  if not ok then return nil, tostring(result) end
  if type(result) == "table" and rawget(result, "kind") == "lunet.experiment" then return result end
  return nil, self.path .. " returns no experiment"
end

--- The files that it consists of, after it was loaded: its own, and those of the modules that it required and that are
--- not lunet's.
---@return table<string, string> paths by "script" or "module NAME"
function script:files()
  local files, before = { script = self.path }, kept[#LIBRARIES - 1]
  for name in pairs(package.loaded) do
    if before[name] == nil and not is_own(name) and type(name) == "string" then
      files["module " .. name] = package.searchpath(name, package.path) or package.searchpath(name, package.cpath)
    end
  end
  return files
end

return script
