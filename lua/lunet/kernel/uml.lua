--- User-mode Linux: Debian's kernels as programs, which need neither root nor an emulator. Such a kernel runs in real
--- time, on one processor. It sees this machine's files by hostfs
--- (Documentation/virt/uml/user_mode_linux_howto_v2.rst).
local cache = require "lunet.kernel.cache"
local core = require "lunet.core"
local debian = require "lunet.kernel.debian"
local dependency = require "lunet.text.dependency"
local lunet = require "lunet"
local modules = require "lunet.kernel.modules"
local parts = require "lunet.kernel.parts"
local program = require "lunet.kernel.program"
local release = require "lunet.text.release"

local lfs = dependency "lfs"

local uml = {}

--- The name of the engine in records.
uml.ENGINE = "user-mode Linux"

--- The name of its packages.
uml.PACKAGE = "user-mode-linux"

local BYTES = 400e6 -- that a kernel takes while it is unpacked
local BOOTS = 3 -- this machine may refuse a guest a process or memory, and then its kernel panics
local TOOLS = "bookworm" -- the suite of what runs on this machine, which has a C library of that age or newer
local LOADER = "ld-linux-x86-64.so.2"

--- The modules that a guest loads, with those that they depend on: links, rules, connection tracking, sock_diag
--- of Unix sockets, TLS, and a /tmp to write to.
uml.MODULES = { "bridge", "veth", "nf_tables", "nft_reject", "nft_numgen", "nft_ct", "nf_conntrack_netlink",
  "unix_diag", "tls", "overlay" }

--- The contents of an entry of the cache, in words.
uml.CONTENTS = table.concat(uml.MODULES, " ") .. "\n"

--- The programs that it needs here, and their packages: none.
uml.NEEDS = {}

--- A kernel, and what runs it.
---@class lunet.kernel
---@field release string "6.1.176"
---@field path string its directory in the cache
---@field engine table lunet.kernel.uml or lunet.kernel.qemu
---@field file string? the kernel's file, if it is not in that directory
---@field is_passing boolean? whether it is not in the cache
---@field is_outdated boolean? whether another lunet has fetched it, with other modules; before a run it is fetched anew

--- The kernels in the cache, oldest first.
---@return lunet.kernel[]
function uml.cached()
  local kernels = {}
  for _, entry in ipairs(cache.entries()) do
    local number = entry.name:match "^uml%-(.+)$"
    if number then
      kernels[#kernels + 1] = { release = number, path = entry.path, engine = uml,
        is_outdated = not cache.has(entry.path, uml.CONTENTS) }
    end
  end
  table.sort(kernels, function(a, b) return release.is_older(a.release, b.release) end)
  return kernels
end

--- The kernels that Debian has: the package's version begins with the kernel's.
---@param place string as debian.update gives it
---@return {line: string, version: string, suite: string}[] kernels line: "6.1"
---@return string? message
function uml.available(place)
  local versions, message = debian.versions(place, uml.PACKAGE)
  for _, kernel in ipairs(versions) do kernel.line = release.line(kernel.version) end
  return release.newest_of_lines(versions), message
end

-- Moves the first of several paths that is there.
local function move(to, ...)
  for _, path in ipairs { ... } do
    if lfs.attributes(path, "mode") then return os.rename(path, to) end
  end
  return nil, ("the packages have no %s"):format(select(-1, ...))
end

-- Moves modules, and the file that says which need which others.
local function move_modules(from, into)
  local ok, message = core.make_directory(into)
  for _, file in ipairs(modules.files(from, uml.MODULES)) do
    if ok then ok, message = core.make_directory((into .. "/" .. file):match "^(.*)/") end
    if ok then ok, message = os.rename(from .. "/" .. file, into .. "/" .. file) end
  end
  if not ok then return nil, message end
  return move(into .. "/modules.dep", from .. "/modules.dep")
end

-- The release of an unpacked kernel.
local function release_in(unpacked)
  local directory = unpacked .. "/usr/lib/uml/modules"
  if lfs.attributes(directory, "mode") then
    for name in lfs.dir(directory) do
      if name:find "^%d" then return name end
    end
  end
  return nil, uml.PACKAGE .. " has no modules"
end

-- The version of a package in one suite.
local function version_in(place, package, suite)
  local versions, message = debian.versions(place, package)
  for _, found in ipairs(versions) do
    if found.suite == suite then return found.version end
  end
  return nil, message or ("%s has no %s"):format(suite, package)
end

local function unpack(place, package, suite, into)
  local version, message = version_in(place, package, suite)
  if not version then return nil, message end
  return debian.unpack(place, package, version, into)
end

-- Gives a kernel that needs a newer C library than this machine's the library of its own suite. `home` is the place of
-- both once the entry is whole.
local function bring_library(place, suite, aside, home)
  local from, lib = aside .. "/unpacked", "/lib/x86_64-linux-gnu"
  local ok, message = unpack(place, "libc6", suite, from)
  if ok then ok, message = unpack(place, "patchelf", TOOLS, from) end
  if ok then ok, message = move(aside .. "/lib", from .. lib, from .. "/usr" .. lib) end
  if not ok then return nil, message end
  return program.output { from .. "/usr/bin/patchelf", "--set-interpreter", home .. "/lib/" .. LOADER, "--set-rpath",
    home .. "/lib", aside .. "/linux" }
end

-- Fills an entry of the cache with what a guest needs, out of unpacked packages. Returns the entry's name.
local function fill(place, kernel, aside)
  local from, number = aside .. "/unpacked", nil
  local ok, message = core.make_directory(from)
  if ok then ok, message = debian.unpack(place, uml.PACKAGE, kernel.version, from) end
  if ok then ok, message = unpack(place, "busybox-static", TOOLS, from) end
  if ok then number, message = release_in(from) end
  if not number then return nil, message end
  local name = "uml-" .. number
  ok, message = move(aside .. "/linux", from .. "/usr/bin/linux.uml")
  if ok then ok, message = move(aside .. "/busybox", from .. "/bin/busybox", from .. "/usr/bin/busybox") end
  if ok then ok, message = move_modules(("%s/usr/lib/uml/modules/%s"):format(from, number), aside .. "/modules") end
  if ok and not program.output { aside .. "/linux", "--version" } then
    ok, message = bring_library(place, kernel.suite, aside, cache.path() .. "/" .. name)
  end
  if ok then ok, message = program.output { "rm", "-rf", "--", from } end
  return ok and name, message
end

--- Fetches a kernel into the cache, unless it is there. Only the holder of the cache's lock may call it.
---@param place string as debian.update gives it
---@param kernel {suite: string, version: string} one of uml.available
---@return string|nil path
---@return string? message
function uml.fetch(place, kernel)
  local has_room, message = cache.has_room(BYTES)
  if not has_room then return nil, message end
  return cache.add(uml.CONTENTS, function(aside) return fill(place, kernel, aside) end)
end

-- -- a guest ------------------------------------------------------------------------------------

-- The guest's init. It can read everything of this machine, but write only to its own memory and to the directory of
-- the guest. Files that it writes to /tmp lie over this machine's.
-- busybox mounts, not mount(8): that is set-user-ID, and in a user namespace without this machine's root it belongs to
-- the overflow user, which it would become. An init that ends makes its kernel panic, and so tells at once what failed.
local INIT = [[
#!/bin/sh
busybox=KERNEL/busybox
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sys /sys
$busybox mount -t tmpfs run /run
mkdir /run/out /run/tmp /run/upper /run/work
chmod 1777 /run/tmp /run/upper
$busybox mount -t hostfs -o GUEST none /run/out
exec >/run/out/log 2>&1
$busybox ip link set lo up
while read -r module; do $busybox insmod KERNEL/modules/$module; done </run/out/modules
OVERLAY
. /run/out/job
$busybox sync
echo o >/proc/sysrq-trigger && sleep 60
]]

-- The modules to load, a line each, with their options (insmod(8)). bridge brings ipv6, which has to come first to be
-- told that it is off.
local MODULES_OF = {
  on = function(directory) return modules.files(directory, uml.MODULES) end,
  off = function(directory)
    local lines = modules.files(directory, { "ipv6" })
    lines[#lines] = lines[#lines] .. " disable=1"
    for _, file in ipairs(modules.files(directory, uml.MODULES)) do
      if not file:find "/ipv6%.ko$" then lines[#lines + 1] = file end
    end
    return lines
  end,
  absent = function(directory)
    local wanted = {}
    for _, name in ipairs(uml.MODULES) do
      if name ~= "bridge" then wanted[#wanted + 1] = name end
    end
    return modules.files(directory, wanted)
  end,
}

--- The ways of IPv6 in a guest: off is ipv6.disable=1; absent: the module is not loaded.
uml.IPV6 = { "on", "off", "absent" }

-- hostfs of 5.10.46 lists the files below an overlay, but opens none. There /tmp can only be read.
local OVERLAY = "$busybox mount -t overlay -o lowerdir=/tmp,upperdir=/run/upper,workdir=/run/work overlay /tmp"
local FIRST_WITH_OVERLAY = "6.1"

local function init_of(kernel, guest)
  local words = { KERNEL = kernel.path, GUEST = guest.path,
    OVERLAY = release.is_older(kernel.release, FIRST_WITH_OVERLAY) and "" or OVERLAY }
  return (INIT:gsub("%u+", words))
end

local function last_words(guest)
  local console = guest:read "console"
  return console:match "Kernel panic[^\n]*" or console:match "[^\n]*%S%s*$" or "it said nothing"
end

local function boot_once(kernel, guest)
  local words = { kernel.path .. "/linux", "rootfstype=hostfs", "rootflags=/", "ro", "init=" .. guest.path .. "/init",
    "mem=1G", "quiet", "con0=null,fd:1", "con=null", "uml_dir=" .. guest.path .. "/", label = "guest",
    env = { TMPDIR = guest.path, LD_PRELOAD = parts.find "libexec/lunet/uml-registers.so" }, stderr = "stdout" }
  local process <close> = assert(lunet.exec(words))
  guest:write("console", assert(process.stdout:receive "a"))
  process:wait()
end

--- The guest's clock.
---@return "real"
function uml.clock() return "real" end

--- Boots a kernel with a job for its init, and waits until it has halted. Raises if it cannot be started.
---@param kernel lunet.kernel
---@param guest lunet.scratch a directory that the guest sees as /run/out. Its file "job" is a script of sh(1), which
--- makes the file "ended" last
---@param _ string[] lunet's words; the guest sees all files
---@param options lunet.guest_options its `complain` is called each time that the guest ended early, and is booted again
---@return true|nil ok
---@return string? message the last words of the guest
function uml.boot(kernel, guest, _, options)
  guest:write("modules", table.concat(MODULES_OF[options.ipv6](kernel.path .. "/modules"), "\n") .. "\n")
  guest:write("init", init_of(kernel, guest))
  assert(program.output { "chmod", "+x", guest.path .. "/init" })
  for boot = 1, BOOTS do
    boot_once(kernel, guest)
    if lfs.attributes(guest.path .. "/ended", "mode") then return true end
    options.complain(("the guest ended early, boot %d of %d: %s"):format(boot, BOOTS, last_words(guest)))
    if boot < BOOTS then lunet.sleep(boot) end -- for this machine to have room again
  end
  return nil, last_words(guest)
end

return uml
