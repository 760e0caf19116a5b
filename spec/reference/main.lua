-- lua5.4 spec/reference/main.lua make|check: what script/reference does, in the directory of the tree.
local faults = require "spec.reference.faults"
local lfs = require "lfs"
local library = require "spec.reference.library"
local writer = require "spec.reference.writer"

local FOLDER <const> = "doc/reference/"

local function read_file(path)
  local file <close> = io.open(path)
  return file and file:read "a" or ""
end

local function c_files(directory, list)
  for name in lfs.dir(directory) do
    local path = directory .. "/" .. name
    if name:find "%.[ch]$" then list[#list + 1] = path end
    if not name:find "^%." and lfs.attributes(path, "mode") == "directory" then c_files(path, list) end
  end
  return list
end

local read = library.read "."
local found = faults.find(read, read_file, c_files("core/binding", {}))
local made = writer.pages(read)

-- Compares the pages with those that are there, or replaces them.
local function check_pages()
  for name, text in pairs(made) do
    if read_file(FOLDER .. name) ~= text then
      found[#found + 1] = ("%s%s: the comments of lua/lunet have changed: call script/reference"):format(FOLDER, name)
    end
  end
  for name in lfs.dir(FOLDER) do
    if name:find "%.md$" and not made[name] then
      found[#found + 1] = FOLDER .. name .. ": script/reference does not make it"
    end
  end
end

local function write_pages()
  for name in lfs.dir(FOLDER) do
    if name:find "%.md$" and not made[name] then os.remove(FOLDER .. name) end
  end
  for name, text in pairs(made) do
    local file <close> = assert(io.open(FOLDER .. name, "w"))
    assert(file:write(text))
  end
end

lfs.mkdir(FOLDER)
if arg[1] == "check" then check_pages() else write_pages() end
for _, fault in ipairs(found) do print(fault) end
os.exit(#found == 0 and 0 or 1)
