--- The files of this machine that a guest in an emulator has: lunet and the programs that an experiment needs, with
--- the files of their packages; and the script with the files beside it.
local archive = require "lunet.kernel.archive"
local dependency = require "lunet.text.dependency"
local needs = require "lunet.run.needs"
local parts = require "lunet.kernel.parts"
local program = require "lunet.kernel.program"

local lfs = dependency "lfs"

local cargo = {}

local MOST = 1000e6 -- bytes; the guest keeps its files in memory

-- Parts of packages that no program reads.
local UNREAD = { "doc", "man", "info", "locale", "lintian", "bash-completion", "i18n" }

local PARTS = { "share/lua/5.4/lunet", "lib/lua/5.4/lunet", "libexec/lunet" }

local function add_lunet(packed)
  packed:add_programs { parts.program() }
  for _, part in ipairs(PARTS) do
    local path = parts.find(part)
    if path then packed:add_directory(path) end
  end
end

local function is_read(path)
  for _, part in ipairs(UNREAD) do
    if path:find("/usr/share/" .. part .. "/", 1, true) == 1 then return false end
  end
  return path ~= "/."
end

-- The packages that some need, with those; only what is installed.
local function closure_of(packages)
  local words = { "apt-cache", "depends", "--recurse", "--installed", "--no-recommends", "--no-suggests",
    "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", table.unpack(packages) }
  local all = {}
  for name in ("\n" .. (program.output(words) or "")):gmatch "\n(%l[%w.+:-]*)" do all[#all + 1] = name end
  return all
end

local INSTALLED = "/var/lib/dpkg/status" -- in which dpkg-query(1) looks for the version of a program that tells none

local function add_packages(packed, packages)
  local all = closure_of(packages)
  if #all == 0 then return end
  local words = { "sh", "-c", [[dpkg-query --listfiles "$@" 2>/dev/null || true]], "sh", table.unpack(all) }
  for path in (program.output(words) or ""):gmatch "[^\n]+" do
    if path:sub(1, 1) == "/" and is_read(path) then packed:add(path) end
  end
  packed:add(INSTALLED)
end

local function add_needs(packed, wanted)
  local paths, packages, seen = {}, {}, {}
  for name, package in pairs(wanted) do
    paths[#paths + 1] = needs.path(name) -- lunet in the guest says if it is missing
    if not seen[package] then packages[#packages + 1] = package end
    seen[package] = true
  end
  if #paths == 0 then return end
  packed:add_programs(paths)
  add_packages(packed, packages)
end

--- Adds lunet and the programs that an experiment needs to an archive.
---@param packed lunet.archive
---@param wanted table<string, string> programs, and the package of each
---@return true|nil
---@return string? message
function cargo.add_programs(packed, wanted)
  add_lunet(packed)
  add_needs(packed, wanted)
  local bytes = packed:bytes()
  if bytes <= MOST then return true end
  return nil, ("the experiment's programs are %d MB, and a guest has room for %d MB"):format(bytes // 1000000,
    MOST // 1000000)
end

--- The files of a run: the script and the files beside it, or a directory.
---@param words string[] lunet's words, those that are files among them
---@return lunet.archive
function cargo.files(words)
  local packed = archive.new()
  packed:add(lfs.currentdir())
  for i, word in ipairs(words) do
    local full = word:sub(1, 1) == "/" and word or lfs.currentdir() .. "/" .. word
    local mode = i > 1 and lfs.attributes(full, "mode")
    if mode == "directory" then packed:add_directory(full) end
    if mode == "file" and word:find "%.lua$" then packed:add_directory(full:match "^(.*)/", true) end
    if mode == "file" then packed:add(full) end
  end
  return packed
end

--- Programs that this needs here, and their packages.
cargo.NEEDS = { cpio = "cpio", ldd = "libc-bin", gzip = "gzip" }

return cargo
