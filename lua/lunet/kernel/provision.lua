--- Finds a kernel by its version: in the cache, or else among Debian's packages, which it fetches.
local cache = require "lunet.kernel.cache"
local core = require "lunet.core"
local debian = require "lunet.kernel.debian"
local image = require "lunet.kernel.image"
local needs = require "lunet.run.needs"
local qemu = require "lunet.kernel.qemu"
local release = require "lunet.text.release"
local uml = require "lunet.kernel.uml"

local provision = {}

--- Where kernels come from, the quickest engine first.
provision.SOURCES = { uml, image }

--- A wish for a kernel.
---@class lunet.kernel_wish
---@field emulated boolean? whether it runs in an emulated machine
---@field tell fun(text: string) says what takes long
---@field place lunet.scratch for what belongs to a kernel that is not in the cache

local function sources_of(wish) return wish.emulated and { image } or provision.SOURCES end

-- The newest kernel of the cache that has the name, and has what this lunet wants of it.
local function cached_of(source, version)
  local found
  for _, kernel in ipairs(source.cached()) do
    local is_plain = not kernel.package or not kernel.release:find "%l"
    local is_named = kernel.package == version or is_plain and release.is_named(kernel.release, version)
    if is_named and not kernel.is_outdated then found = kernel end
  end
  return found
end

-- "5.10, 6.1, 6.12"
local function lines_of(kernels)
  local lines = {}
  for i, kernel in ipairs(kernels) do lines[i] = kernel.line end
  return table.concat(lines, ", ")
end

-- The lists of Debian's packages.
local function lists(tell)
  local are_here, missing = needs.find { ["apt-get"] = "apt", ["dpkg-deb"] = "dpkg" }
  if not are_here then return nil, missing end
  local place, why = debian.update(function() tell "fetching Debian's lists of kernels" end)
  if not place then return nil, "Debian's lists of kernels: " .. why end
  return place, why
end

local function fetch(source, place, kernel, tell)
  tell(("fetching Linux %s (%s %s of %s)"):format(kernel.line, kernel.package, kernel.version, kernel.suite))
  local path, message = source.fetch(place, kernel)
  if not path then return nil, ("Linux %s: %s"):format(kernel.line, message) end
  for _, here in ipairs(source.cached()) do
    if here.path == path then return here end
  end
end

-- A longer version, "6.1.176", is known only when its package is unpacked.
local function find_among(kernels, version)
  for _, kernel in ipairs(kernels) do
    if release.is_named(kernel.line, version) or release.is_named(version, kernel.line) then return kernel end
  end
end

local function fetch_named(version, wish)
  local place, why = lists(wish.tell)
  if not place then return nil, why end
  local known = {}
  for i, source in ipairs(sources_of(wish)) do
    local kernels, message = source.available(place)
    local kernel = find_among(kernels, version)
    local here = cached_of(source, version)
    if here then return here end
    if kernel then
      local fetched, failure = fetch(source, place, kernel, wish.tell)
      if not fetched or release.is_named(fetched.release, version) then return fetched, failure end
    end
    known[i] = #kernels > 0 and ("%s as %s"):format(lines_of(kernels), source.PACKAGE) or message
  end
  return nil, ("there is no Linux %s: Debian has %s"):format(version, table.concat(known, "; "))
end

local function fetch_package(package, wish)
  local place, why = lists(wish.tell)
  if not place then return nil, why end
  local kernel, message = image.named(place, package)
  if not kernel then return nil, message end
  return fetch(image, place, kernel, wish.tell)
end

local function lock(tell)
  return cache.lock(function() tell "waiting for another lunet that fetches kernels" end)
end

-- Whether this machine has the emulator. Nothing is fetched before that is known.
local function can_emulate(wish)
  if not wish.emulated then return true end
  return needs.find(qemu.NEEDS)
end

local function find_cached(version, wish)
  local source = sources_of(wish)[1] -- another engine only if Debian has no such kernel for this one
  return cached_of(source, version)
end

local function find(version, wish)
  local is_package = version:find "^linux%-image%-"
  if is_package then wish = { emulated = true, tell = wish.tell } end
  local ok, missing = can_emulate(wish)
  if not ok then return nil, missing end
  local kernel = find_cached(version, wish)
  if kernel then return kernel end
  if not is_package and not version:find "^%d+[%d.]*$" then
    return nil, ("%s is no version of Linux, such as 6.1"):format(version)
  end
  local held <close>, why = lock(wish.tell)
  if not held then return nil, why end
  kernel = find_cached(version, wish) -- another lunet may have fetched it meanwhile
  if kernel then return kernel end
  return (is_package and fetch_package or fetch_named)(version, wish)
end

--- Finds a kernel, and fetches it unless it is in the cache. Waits while another run of lunet fetches one.
---@param version string its release, or the beginning of that: "6.1"; a package; or the path of a kernel, with a "/"
---@param wish lunet.kernel_wish
---@return lunet.kernel|nil
---@return string? message
function provision.find(version, wish)
  local kernel, message
  if version:find("/", 1, true) then
    kernel, message = image.of_file(version, wish.place)
  else
    kernel, message = find(version, wish)
  end
  if not kernel then return nil, message end
  local are_here, missing = needs.find(kernel.engine.NEEDS)
  return are_here and kernel, missing
end

-- The kernel that is most like a release: of its line, else the newest before it, else the oldest.
local function nearest(kernels, own)
  local found = kernels[1]
  for _, kernel in ipairs(kernels) do
    local line = kernel.line or kernel.release
    if release.is_named(line, own) or release.is_older(line, own) then found = kernel end
  end
  return found
end

--- Finds a kernel like this machine's own for an emulated machine.
---@param wish lunet.kernel_wish
---@return lunet.kernel|nil
---@return string? message
function provision.find_own(wish)
  local own = release.line(core.read_file(nil, "/proc/sys/kernel/osrelease"))
  local are_here, missing = needs.find(qemu.NEEDS)
  if not are_here then return nil, missing end
  local here = cached_of(image, own)
  if here then return here end
  local held <close>, why = lock(wish.tell)
  if not held then return nil, why end
  local place, message = lists(wish.tell)
  local kernel = nearest(place and image.available(place) or image.cached(), own)
  if not kernel then return nil, message or "Debian's lists name no kernel for an emulated machine" end
  if not release.is_named(kernel.line or kernel.release, own) then
    wish.tell(("there is no Linux %s like this machine's own; the nearest is %s"):format(own, kernel.line
      or kernel.release))
  end
  here = kernel.path and kernel or cached_of(image, kernel.line)
  if here then return here end
  return fetch(image, place, kernel, wish.tell)
end

--- Finds a kernel of each line that Debian has, and fetches those that are not in the cache. Without a network these
--- are the ones in the cache. Without a wish for an emulated machine they are those of user-mode Linux.
---@param wish lunet.kernel_wish
---@return lunet.kernel[]|nil
---@return string? message
function provision.find_all(wish)
  local are_here, missing = can_emulate(wish)
  if not are_here then return nil, missing end
  local source = sources_of(wish)[1]
  local held <close>, why = lock(wish.tell)
  if not held then return nil, why end
  local place, message = lists(wish.tell)
  if not place then
    local here = source.cached()
    return #here > 0 and here or nil, message
  end
  local kernels
  kernels, message = source.available(place)
  if #kernels == 0 then return nil, message end
  local found = {}
  for i, kernel in ipairs(kernels) do
    found[i], message = cached_of(source, kernel.line), nil
    if not found[i] then found[i], message = fetch(source, place, kernel, wish.tell) end
    if not found[i] then return nil, message end
  end
  return found
end

--- The kernels that Debian has, for a list.
---@param tell fun(text: string) says what takes long
---@return {line: string, version: string, suite: string, package: string, source: table}[]|nil
---@return string? message why there are none, or why they may be old
function provision.list(tell)
  local held <close>, why = lock(tell)
  if not held then return nil, why end
  local place, message = lists(tell)
  if not place then return nil, message end
  local all = {}
  for _, source in ipairs(provision.SOURCES) do
    local kernels, failure = source.available(place)
    for _, kernel in ipairs(kernels) do
      kernel.source = source
      all[#all + 1] = kernel
    end
    message = message or #kernels == 0 and failure or nil
  end
  return #all > 0 and all or nil, message
end

-- Whether an entry of the cache belongs to a version: a kernel, or a guest of it that was saved.
local function is_of(name, version)
  local number = name:match "^uml%-(.+)$" or name:match "^qemu%-(.+)$" or name:match "^saved%-(.+)$"
  return version == "all" or number and release.is_named(number, version)
end

--- Removes kernels from the cache.
---@param version string its release, or the beginning of that; "all": all, and the lists of packages
---@param tell fun(text: string) says what takes long
---@return string[]|nil removed their names in the cache
---@return string? message
function provision.remove(version, tell)
  local held <close>, why = lock(tell)
  if not held then return nil, why end
  local removed = {}
  for _, entry in ipairs(cache.entries()) do
    if is_of(entry.name, version) then
      local ok, message = cache.remove(entry.name)
      if not ok then return nil, message end
      removed[#removed + 1] = entry.name
    end
  end
  if #removed == 0 then return nil, ("there is no Linux %s in the cache"):format(version) end
  return removed
end

return provision
