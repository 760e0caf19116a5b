--- An archive of this machine's files for a guest that does not see them, each at its own path: a cpio file, as the
--- kernel unpacks it (Documentation/driver-api/early-userspace/buffer-format.rst).
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local program = require "lunet.kernel.program"

local lfs = dependency "lfs"

---@class lunet.archive
local archive = {}
archive.__index = archive

local MOST_LINKS = 40 -- in one path, as the kernel has it (path_resolution(7))

--- Makes an empty one.
---@return lunet.archive
function archive.new() return setmetatable({ paths = {}, is_in = {} }, archive) end

local function put(self, path)
  if not self.is_in[path] then table.insert(self.paths, path) end
  self.is_in[path] = true
end

local function parent_of(path) return path:match "^(.*)/[^/]*$" or "" end

-- Adds a path part by part. A link is added as a link, and then what it names.
local function walk(self, rest, links)
  local at = ""
  for name, further in rest:gmatch "([^/]+)()" do
    if name == ".." then
      at = parent_of(at)
    elseif name ~= "." then
      local path = at .. "/" .. name
      local mode = lfs.symlinkattributes(path, "mode")
      if not mode then return nil end
      put(self, path)
      if mode == "link" and links < MOST_LINKS then
        local target = lfs.symlinkattributes(path, "target")
        local from = target:sub(1, 1) == "/" and target or at .. "/" .. target
        return walk(self, from .. rest:sub(further), links + 1)
      end
      at = path
    end
  end
  return at
end

--- Adds a file or an empty directory, with the directories and links on the way to it.
---@param path string absolute
---@return string|nil path without links; nil if there is no such file
function archive:add(path) return walk(self, path, 0) end

--- Adds the files of a directory, and those of its directories. Leaves out names that begin with a dot.
---@param path string absolute
---@param is_flat? boolean whether to leave out its directories
function archive:add_directory(path, is_flat)
  local directory = self:add(path)
  if not directory or lfs.attributes(directory, "mode") ~= "directory" then return end
  local ok, next_name, listing = pcall(lfs.dir, directory)
  if not ok then return end -- it cannot be read; neither can the guest's user
  for name in next_name, listing do
    local child = directory .. "/" .. name
    local is_directory = lfs.attributes(child, "mode") == "directory"
    local is_left_out = name:sub(1, 1) == "." or is_flat and is_directory
    if not is_left_out and is_directory and lfs.symlinkattributes(child, "mode") ~= "link" then
      self:add_directory(child)
    elseif not is_left_out then
      self:add(child)
    end
  end
end

--- Adds programs or shared objects, with the libraries that they are linked with (ldd(1)).
---@param paths string[]
function archive:add_programs(paths)
  local words = { "sh", "-c", [[ldd "$@" 2>&1 || true]], "sh" }
  for _, path in ipairs(paths) do
    self:add(path)
    words[#words + 1] = path
  end
  for library in (program.output(words) or ""):gmatch "%s(/[^%s:]+) %(0x" do self:add(library) end
end

--- How much its files are.
---@return integer bytes
function archive:bytes()
  local bytes = 0
  for _, path in ipairs(self.paths) do
    local attributes = lfs.symlinkattributes(path)
    if attributes and attributes.mode == "file" then bytes = bytes + attributes.size end
  end
  return bytes
end

--- Names its contents: another text if a file of it has changed.
---@return string
function archive:signature()
  table.sort(self.paths)
  local lines = {}
  for i, path in ipairs(self.paths) do
    local attributes = lfs.symlinkattributes(path)
    lines[i] = attributes and ("%s %s %d %d"):format(path, attributes.permissions,
      attributes.mode == "file" and attributes.size or 0, attributes.mode == "file" and attributes.modification or 0)
  end
  return table.concat(lines, "\n")
end

-- In the directory $1, for the files of the list $2: a directory comes before what is in it.
local PACK = [[cd "$1" && exec cpio --create --format=newc --null --quiet --reproducible --file="$3" <"$2"]]

--- Packs the files of a directory, by their names in it.
---@param directory string
---@param names string[] in the order in which they are unpacked
---@param path string of the archive to make
---@return string|nil path
---@return string? message
function archive.pack(directory, names, path)
  local list = path .. ".list"
  local ok, message = core.replace_file(list, table.concat(names, "\0") .. "\0")
  if ok then ok, message = program.output { "sh", "-c", PACK, "sh", directory, list, path } end
  os.remove(list)
  return ok and path, message
end

--- Writes it as a file.
---@param path string
---@return string|nil path
---@return string? message
function archive:write(path)
  table.sort(self.paths)
  local names = {}
  for i, name in ipairs(self.paths) do names[i] = name:sub(2) end
  return archive.pack("/", names, path)
end

return archive
