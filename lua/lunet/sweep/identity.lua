--- The identity of runs that belong together: the script, the modules and files that it needs, lunet, the kernel.
local dependency = require "lunet.text.dependency"
local core = require "lunet.core"
local environment = require "lunet.run.environment"
local value = require "lunet.text.value"

local lfs = dependency "lfs"

local identity = {}

local START <const>, FACTOR <const> = 0x2545f4914f6cdd1d, 0x100000001b3

--- A hash of a text in 16 hexadecimal digits: it tells texts apart, and stands up to no attack. It takes eight bytes at
--- a time.
---@param text string
---@return string
function identity.hash(text)
  local hash, padded = START ~ #text, text .. ("\0"):rep(-#text % 8)
  for i = 1, #padded, 8 do
    hash = (hash ~ string.unpack("<i8", padded, i)) * FACTOR
    hash = hash ~ (hash >> 29)
  end
  return ("%016x"):format(hash * FACTOR ~ (hash >> 32))
end

local function hash_of(path)
  local file <close> = assert(io.open(path, "rb"))
  return identity.hash(file:read "a")
end

-- The hashes of all Lua files of a directory and its folders, as one.
local function hash_of_all(directory)
  local texts = {}
  local function add(folder)
    for name in lfs.dir(folder) do
      local path = folder .. "/" .. name
      if name:find "^[^.].*%.lua$" then
        texts[#texts + 1] = path:sub(#directory + 1) .. hash_of(path)
      elseif name:find "^[^.]" and lfs.attributes(path, "mode") == "directory" then
        add(path)
      end
    end
  end
  add(directory)
  table.sort(texts)
  return identity.hash(table.concat(texts))
end

-- lunet's Lua library, of which this file is one of a folder.
local LIBRARY <const> = debug.getinfo(1, "S").source:match "^@(.*)/[^/]+/[^/]+$"

--- Which lunet this is: its version, its program and its library.
---@return string
function identity.lunet()
  local version = core.versions()
  return ("%s (%s)"):format(version, identity.hash(hash_of "/proc/self/exe" .. hash_of_all(LIBRARY)))
end

--- The files and versions that the runs of a script depend on.
---@param files table<string, string> paths by what they are of
---@return table<string, string> identity by what it is of
function identity.of(files)
  local self = {
    lunet = identity.lunet(),
    kernel = ("%s %s"):format(environment.sysctl "kernel.ostype", environment.sysctl "kernel.osrelease"),
  }
  for of, path in pairs(files) do self[of] = hash_of(path) end
  return self
end

--- The differences between two, in words: "lunet was 0.1 (...), and is 0.2 (...)".
---@param before table<string, string>
---@param now table<string, string>
---@return string|nil difference nil if they are the same
function identity.difference(before, now)
  local both, words = {}, {}
  for _, one in ipairs { before, now } do
    for of in pairs(one) do both[of] = true end
  end
  for _, of in ipairs(value.sorted_keys(both)) do
    if before[of] ~= now[of] then
      words[#words + 1] = ("%s was %s, and is %s"):format(of, before[of] or "not there", now[of] or "not there")
    end
  end
  return words[1] and table.concat(words, "; ")
end

return identity
