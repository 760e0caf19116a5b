--- Debian's kernels for machines, for an emulated one: the packages linux-image-*-cloud-amd64, which have what a
--- machine without devices needs. Or a file that somebody has built.
local archive = require "lunet.kernel.archive"
local cache = require "lunet.kernel.cache"
local core = require "lunet.core"
local debian = require "lunet.kernel.debian"
local dependency = require "lunet.text.dependency"
local modules = require "lunet.kernel.modules"
local needs = require "lunet.run.needs"
local program = require "lunet.kernel.program"
local qemu = require "lunet.kernel.qemu"
local release = require "lunet.text.release"

local lfs = dependency "lfs"

local image = {}

local BYTES = 600e6 -- that a kernel takes while it is unpacked
local NAME = "^linux%-image%-%d.*%-cloud%-amd64$"

--- The engine that runs them.
image.ENGINE = qemu.ENGINE

--- The name of the packages.
image.PACKAGE = "linux-image-cloud-amd64"

--- Programs that unpack a kernel.
image.NEEDS = { depmod = "kmod", xz = "xz-utils", cpio = "cpio" }

-- Modules that a guest loads at its start, before its job, and after it, each with those that it depends on. Modules
-- that come after the job cannot disturb it.
local STAGES = {
  { directory = "modules", "bridge", "veth", "nf_tables", "nft_reject_inet", "nft_numgen", "nft_limit", "nft_ct",
    "nft_chain_nat", "nft_nat", "nft_masq", "nf_conntrack_netlink", "nft_synproxy", "unix_diag", "inet_diag",
    "tcp_diag", "tls" },
  { directory = "firmware", "qemu_fw_cfg" },
  { directory = "late", "virtio_pci", "virtio_console" },
}

local contents = {}
for i, stage in ipairs(STAGES) do contents[i] = table.concat(stage, " ") .. "\n" end
local CONTENTS <const> = table.concat(contents)

-- Without these a guest can do nothing.
local NEEDED = { "veth", "bridge", "nf_tables", "qemu_fw_cfg", "virtio_pci", "virtio_console" }

local function read(path)
  local file <close> = io.open(path)
  return file and file:read "a"
end

--- The kernels in the cache, oldest first.
---@return lunet.kernel[] each with its package
function image.cached()
  local kernels = {}
  for _, entry in ipairs(cache.entries()) do
    local number = entry.name:match "^qemu%-(.+)$"
    local package = number and read(entry.path .. "/package")
    if package then
      kernels[#kernels + 1] = { release = number, path = entry.path, engine = qemu, package = package,
        is_outdated = not cache.has(entry.path, CONTENTS) }
    end
  end
  table.sort(kernels, function(a, b) return release.is_older(a.release, b.release) end)
  return kernels
end

--- The saved guests of a kernel.
---@param kernel lunet.kernel
---@return string[] paths their directories
function image.saved(kernel)
  local paths = {}
  for _, entry in ipairs(cache.entries()) do
    if entry.name:find("saved-" .. kernel.release .. "-", 1, true) == 1 then paths[#paths + 1] = entry.path end
  end
  return paths
end

--- The kernels that Debian has, the newest of each line.
---@param place string as debian.update gives it
---@return {line: string, version: string, suite: string, package: string}[] kernels line: "6.1"
---@return string? message
function image.available(place)
  local names = {}
  for _, name in ipairs(debian.names(place, "linux-image-")) do
    if name:find(NAME) then names[#names + 1] = name end
  end
  if #names == 0 then return {}, "Debian's lists name no linux-image for clouds" end
  local versions, message = debian.versions(place, table.unpack(names))
  for _, kernel in ipairs(versions) do kernel.line = release.line(kernel.version) end
  return release.newest_of_lines(versions), message
end

--- A package by its name.
---@param place string as debian.update gives it
---@param package string "linux-image-6.1.0-50-amd64"
---@return {line: string, version: string, suite: string, package: string}|nil
---@return string? message
function image.named(place, package)
  local versions, message = debian.versions(place, package)
  local kernel = versions[1] -- the newest
  if not kernel then return nil, message or ("Debian has no package %s"):format(package) end
  kernel.line = release.line(kernel.version)
  return kernel
end

-- The only directory of modules in an unpacked package, or of a machine.
local function module_directory(from)
  for _, directory in ipairs { from .. "/usr/lib/modules", from .. "/lib/modules" } do
    if lfs.attributes(directory, "mode") == "directory" then
      for name in lfs.dir(directory) do
        if name:find "^%d" then return directory .. "/" .. name, name end
      end
    end
  end
end

-- Copies a module, unpacked.
local function copy_module(from, to)
  local unpack = from:find "%.xz$" and "xz -dc" or "cat"
  return program.output { "sh", "-c", unpack .. [[ <"$1" >"$2"]], "sh", from, to }
end

-- Copies the modules of each stage, by the order in which they load. Returns their names in the directory.
local function copy_modules(directory, into)
  local names, seen = {}, {}
  for _, stage in ipairs(STAGES) do
    names[#names + 1] = stage.directory
    local ok, message = core.make_directory(into .. "/" .. stage.directory)
    for i, file in ipairs(modules.files(directory, stage)) do
      local name = ("%s/%02d-%s"):format(stage.directory, i, file:match "([^/]+%.ko)")
      if ok and not seen[file] then
        ok, message = copy_module(directory .. "/" .. file, into .. "/" .. name)
        names[#names + 1] = name
      end
      seen[file] = true
    end
    if not ok then return nil, message end
  end
  return names
end

-- Packs the modules of a kernel for a guest, as `into`/modules.cpio.
local function pack_modules(directory, into)
  local lacks = modules.missing(directory, NEEDED)
  if lacks then return nil, ("the kernel has no %s, neither as a module nor built in"):format(lacks) end
  local names, message = copy_modules(directory, into .. "/staged")
  if not names then return nil, message end
  return archive.pack(into .. "/staged", names, into .. "/modules.cpio")
end

-- Where an unpacked package has its kernel.
local function kernel_file(from, name)
  for _, path in ipairs { from .. "/boot/vmlinuz-" .. name, from .. "/usr/lib/modules/" .. name .. "/vmlinuz" } do
    if lfs.attributes(path, "mode") then return path end
  end
  return nil, "the packages have no vmlinuz"
end

-- From 7.0 on the package is empty: the kernel, its modules and their lists have packages of their own.
local function unpack_all(place, kernel, from)
  local ok, message = debian.unpack(place, kernel.package, kernel.version, from)
  local rest = kernel.package:match "^linux%-image%-(.*)$"
  if not ok or lfs.attributes(from .. "/boot", "mode") then return ok, message end
  for _, part in ipairs { "linux-base-", "linux-binary-", "linux-modules-" } do
    if ok then
      ok, message = debian.unpack(place, part .. rest, kernel.version, from)
    end
  end
  return ok, message
end

-- "qemu-6.1.176" for the kernels of image.available, "qemu-6.1.176-amd64" for another one of that version.
local function name_of(kernel)
  local other = not kernel.package:find(NAME) and kernel.package:match "%-(%l[%w-]*)$"
  return "qemu-" .. kernel.version:match "^[%d.]+" .. (other and "-" .. other or "")
end

-- Fills an entry of the cache. Returns its name.
local function fill(place, kernel, aside)
  local from = aside .. "/unpacked"
  local ok, message = core.make_directory(from)
  if ok then ok, message = unpack_all(place, kernel, from) end
  if not ok then return nil, message end
  local directory, name = module_directory(from)
  if not directory then return nil, "the packages have no modules" end
  local file, why = kernel_file(from, name)
  if not file then return nil, why end
  ok, message = os.rename(file, aside .. "/vmlinuz")
  local base = directory:match "^(.*)/lib/modules/"
  if ok then ok, message = program.output { needs.path "depmod", "-b", base, name } end
  if ok then ok, message = pack_modules(directory, aside) end
  if ok then ok, message = program.output { "rm", "-rf", "--", from, aside .. "/staged" } end
  if ok then ok, message = core.replace_file(aside .. "/package", kernel.package) end
  return ok and name_of(kernel), message
end

--- Fetches a kernel into the cache, unless it is there. Only the holder of the cache's lock may call it.
---@param place string as debian.update gives it
---@param kernel {package: string, version: string} one of image.available
---@return string|nil path
---@return string? message
function image.fetch(place, kernel)
  local are_here, missing = needs.find(image.NEEDS)
  if not are_here then return nil, missing end
  local has_room, message = cache.has_room(BYTES)
  if not has_room then return nil, message end
  return cache.add(CONTENTS, function(aside) return fill(place, kernel, aside) end)
end

-- The release in the header of a kernel (Documentation/arch/x86/boot.rst, kernel_version).
local function release_of(path)
  local file <close>, message = io.open(path, "rb")
  if not file then return nil, message end
  local header = file:read(0x210)
  if not header or #header < 0x210 or header:sub(0x203, 0x206) ~= "HdrS" then
    return nil, path .. ": this is no kernel of x86 (bzImage)"
  end
  file:seek("set", ("<I2"):unpack(header, 0x20F) + 0x200)
  return (file:read(100) or ""):match "^[%w.+~-]+"
end

--- A kernel that somebody has built. Its modules are those of this machine's /lib/modules/RELEASE, unless they are
--- built in.
---@param path string of a bzImage
---@param place lunet.scratch for its modules; has to outlive the kernel's use
---@return lunet.kernel|nil
---@return string? message
function image.of_file(path, place)
  local number, message = release_of(path)
  if not number then return nil, message end
  local directory = "/lib/modules/" .. number
  if lfs.attributes(directory .. "/modules.dep", "mode") then
    local packed, why = pack_modules(directory, place.path)
    if not packed then return nil, ("%s: %s"):format(path, why) end
  end
  return { release = number, path = place.path, file = path, engine = qemu, is_passing = true }
end

return image
