--- The script of a sweep: the experiment that it returns. A process makes it anew for each run, so that no run finds
--- what an earlier one has left in Lua.
local dependency = require "lunet.text.dependency"
local interrupt = require "lunet.text.interrupt"

local lfs = dependency "lfs"

---@class lunet.sweep_script
---@field path string
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

-- -- its files -------------------------------------------------------------------------------

-- Calls with a name in quotes.
local REQUIRE <const> = "%f[%w_]require%s*%(?%s*([\"'])([%w_.-]+)%1"
local BESIDE <const> = "%f[%w_]beside%s*%(?%s*([\"'])([^\"'\n]+)%1"

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a" or ""
end

local function find_module(name)
  local is_there = kept[#LIBRARIES - 1][name] ~= nil or is_own(name) -- package.loaded, before the script
  if is_there then return nil end
  return package.searchpath(name, package.path) or package.searchpath(name, package.cpath)
end

-- Adds a file, and what the text of a Lua file names: modules that it may require later, and files beside it.
local function add(files, what, path)
  if not path or files[what] then return end
  files[what] = path
  if not path:find "%.lua$" then return end
  local text, folder = read(path), path:match "^(.*/)" or ""
  for _, name in text:gmatch(REQUIRE) do add(files, "module " .. name, find_module(name)) end
  for _, name in text:gmatch(BESIDE) do
    if lfs.attributes(folder .. name, "mode") == "file" then add(files, "file " .. name, folder .. name) end
  end
end

--- The files that it consists of, after it was loaded: its own, and those of the modules that it required and that are
--- not lunet's. A run may need more of them later: those that these files name in quotes, in `require "NAME"` and
--- `lunet.beside "NAME"`. A name that a script puts together is not found.
---@return table<string, string> paths by "script", "module NAME" or "file NAME"
function script:files()
  local files = {}
  add(files, "script", self.path)
  for name in pairs(package.loaded) do
    if type(name) == "string" then add(files, "module " .. name, find_module(name)) end
  end
  return files
end

return script
