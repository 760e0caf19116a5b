--- Where fetched kernels are kept: $XDG_CACHE_HOME/lunet/kernels, else ~/.cache/lunet/kernels (XDG Base Directory
--- Specification). A kernel is there whole or not at all: it is made beside its place and renamed.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local lunet = require "lunet"
local program = require "lunet.kernel.program"
local user_cache = require "lunet.files.user_cache"

local lfs = dependency "lfs"

local cache = {}

local OLD = 24 * 3600 -- s, after which what a fetch has left aside belongs to nobody

--- The directory of the cache, which may not be there yet.
---@return string|nil path
---@return string? message
function cache.path() return user_cache.path "kernels" end

--- Makes a directory of the cache, with those that it is in.
---@param name? string in the cache; without one the cache itself
---@return string|nil path
---@return string? message
function cache.make(name)
  local root, message = cache.path()
  if not root then return nil, message end
  local path = name and root .. "/" .. name or root
  local ok, why = core.make_directory(path)
  return ok and path, why
end

--- Takes the lock of the cache, and waits until other runs of lunet let go of it. It ends with the process at the
--- latest (fcntl(2), F_SETLK).
---@param on_wait fun() called once if it has to wait
---@return file*|nil lock to be closed
---@return string? message
function cache.lock(on_wait)
  local root, message = cache.make()
  if not root then return nil, message end
  local file, why = io.open(root .. "/lock", "w")
  if not file then return nil, why end
  local has_waited = false
  while not lfs.lock(file, "w") do
    if not has_waited then on_wait() end
    has_waited = true
    lunet.sleep(0.1)
  end
  return file
end

--- Asks whether the cache's disk has room. The package client does not end on a full disk.
---@param bytes number
---@return true|nil
---@return string? message
function cache.has_room(bytes)
  local root, message = cache.make()
  if not root then return nil, message end
  local text, why = program.output { "df", "-P", "-k", root }
  local free = text and tonumber(text:match "\n%S+%s+%d+%s+%d+%s+(%d+)")
  if not free then return nil, why or ("%s: df tells no free space"):format(root) end
  if free * 1024 >= bytes then return true end
  return nil, ("%s: No space left on device: %d MB are free, and %d MB are needed"):format(root, free // 1000,
    bytes // 1000000)
end

--- How much the files of a directory are.
---@param path string
---@return integer bytes
function cache.bytes_in(path)
  local bytes = 0
  for name in lfs.dir(path) do
    local attributes = name ~= "." and name ~= ".." and lfs.symlinkattributes(path .. "/" .. name)
    if attributes and attributes.mode == "directory" then
      bytes = bytes + cache.bytes_in(path .. "/" .. name)
    elseif attributes then
      bytes = bytes + attributes.size
    end
  end
  return bytes
end

-- A name that a fetch has not finished.
local function is_aside(name) return name:find "^%.%a" ~= nil end

--- Lists the entries.
---@return {name: string, path: string}[] entries in order of their names
function cache.entries()
  local root, entries = cache.path(), {}
  if not root or lfs.attributes(root, "mode") ~= "directory" then return entries end
  for name in lfs.dir(root) do
    local path = root .. "/" .. name
    if name:find "^%w" and lfs.attributes(path, "mode") == "directory" then
      entries[#entries + 1] = { name = name, path = path }
    end
  end
  table.sort(entries, function(a, b) return a.name < b.name end)
  return entries
end

--- Removes a directory of the cache. Only the holder of the lock may call it.
---@param name string
---@return true|nil ok
---@return string? message
function cache.remove(name)
  local path = assert(cache.path()) .. "/" .. name
  if lfs.symlinkattributes(path, "mode") ~= "directory" then return nil, path .. ": no such directory" end
  local text, message = program.output { "rm", "-rf", "--", path }
  return text and true, message
end

-- Removes the rest of fetches that were killed.
local function remove_old(root)
  for name in lfs.dir(root) do
    local made = is_aside(name) and lfs.attributes(root .. "/" .. name, "modification")
    if made and os.time() - made > OLD then cache.remove(name) end
  end
end

--- Whether an entry has what lunet wants of it now: another lunet may have made it, with less in it.
---@param path string of the entry
---@param contents string as cache.add was told
---@return boolean
function cache.has(path, contents)
  local file <close> = io.open(path .. "/contents")
  return file ~= nil and file:read "a" == contents
end

--- Makes an entry by a function that fills a directory beside its place, and returns the entry's name. If that fails
--- nothing is kept. An entry of that name stays as it is if it has the same contents. Only the holder of the lock may
--- call it.
---@param contents string what is in it, in words
---@param fill fun(aside: string): string|nil, string?
---@return string|nil path
---@return string? message
function cache.add(contents, fill)
  local root, message = cache.make()
  if not root then return nil, message end
  remove_old(root)
  local aside = (".making-%x"):format(math.random(0, 0x7fffffff))
  local path, why = cache.make(aside)
  if not path then return nil, why end
  local _clean <close> = setmetatable({}, { __close = function()
    if lfs.attributes(path, "mode") then cache.remove(aside) end
  end })
  local name, failure = fill(path)
  if not name then return nil, failure end
  local home = root .. "/" .. name
  if cache.has(home, contents) then return home end
  local ok
  ok, failure = core.replace_file(path .. "/contents", contents)
  if ok and lfs.attributes(home, "mode") then ok, failure = cache.remove(name) end
  if ok then ok, failure = os.rename(path, home) end
  return ok and home, failure
end

return cache
