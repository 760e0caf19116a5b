--- Kernels for machines, in an emulated one: qemu-system-x86_64. Its clock counts instructions, so that the guest's
--- time does not depend on this machine, and waiting costs nothing (docs/devel/tcg-icount.rst of qemu). With KVM the
--- clock is this machine's.
---
--- A guest is booted once and saved. Each run goes on from there, with its job as firmware, and begins with the same
--- memory at the same time.
local cache = require "lunet.kernel.cache"
local cargo = require "lunet.kernel.cargo"
local dependency = require "lunet.text.dependency"
local initramfs = require "lunet.kernel.initramfs"
local lunet = require "lunet"
local program = require "lunet.kernel.program"
local shell = require "lunet.text.shell"
local scratch = require "lunet.peer.scratch"

local lfs = dependency "lfs"

local qemu = {}

local PROGRAM = "qemu-system-x86_64"
local BOOT = 300 -- s of this machine's clock, for a boot; on an idle machine a few
local BYTES = 1500e6 -- that a saved guest takes at most
local KEPT = 4 -- saved guests of a kernel: those of other experiments' programs, or of another lunet

--- The name of the engine in records.
qemu.ENGINE = PROGRAM

--- Programs that a guest needs here, and their packages.
qemu.NEEDS = { [PROGRAM] = "qemu-system-x86", busybox = "busybox-static", tar = "tar" }
for name, package in pairs(cargo.NEEDS) do qemu.NEEDS[name] = package end

local MACHINE = { "-M", "q35", "-m", "3072", "-smp", "1", "-nographic", "-no-reboot", "-nodefaults",
  "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=out,name=out" }

-- An instruction takes 2^2 ns. Processors with less tell the guest less to look at, and its random numbers come from
-- the seed. A disk or a terminal would bring this machine's time in.
local VIRTUAL = { "-accel", "tcg,thread=single,tb-size=1024", "-icount", "shift=2,sleep=off", "-cpu", "qemu64,+rdrand",
  "-rtc", "base=2026-01-01,clock=vm", "-seed", "1" }
local KVM = { "-accel", "kvm", "-cpu", "host" }

-- The guest's own clock is its processor's. Addresses that are not random let two runs be the same.
local KERNEL = "console=ttyS0 panic=-1 softlockup_panic=1 quiet nokaslr mitigations=off clocksource=tsc tsc=reliable "
  .. "random.trust_cpu=on rdinit=/init"

--- Whether /dev/kvm can be used.
---@return true|nil
---@return string? message
function qemu.has_kvm()
  local file <close>, message = io.open("/dev/kvm", "r+")
  if not file then return nil, message end
  return true
end

--- The guest's clock.
---@param options lunet.guest_options
---@return "virtual"|"real"
function qemu.clock(options) return options.is_kvm and "real" or "virtual" end

-- The words of an emulator whose guest writes into a directory. `more` is for the kernel's command line.
local function words_of(kernel, root, place, options, more)
  local command = KERNEL .. (options.ipv6 == "off" and " ipv6.disable=1" or "") .. (more or "")
  return shell.join({ PROGRAM }, MACHINE, options.is_kvm and KVM or VIRTUAL, {
    "-chardev", "file,id=out,path=" .. place.path .. "/out.tar", "-serial", "file:" .. place.path .. "/console",
    "-kernel", kernel.file or kernel.path .. "/vmlinuz", "-initrd", root, "-append", command })
end

local function job_words(place)
  return { "-fw_cfg", "name=opt/lunet/job,file=" .. place.path .. "/job",
    "-fw_cfg", "name=opt/lunet/files,file=" .. place.path .. "/cargo.gz" }
end

local function console_of(place)
  local file <close> = io.open(place.path .. "/console")
  return file and file:read "a" or ""
end

-- The last words of a guest's job, of a guest, or else of the emulator.
local function last_words(place, errors)
  local log <close> = io.open(place.path .. "/log")
  local complaint = log and log:read "a":match "([^\n]*%S)%s*$"
  if complaint then return complaint end
  local console = console_of(place):gsub("\27%[[%d;?]*%a", ""):gsub("[\r%z]", "")
  return console:match "lunet: (the kernel has no [^\n]*)" or console:match "Kernel panic[^\n]*"
    or errors:match "([^\n]*%S)%s*$" or console:match "([^\n]*%S)%s*$" or "it said nothing"
end

-- -- saved guests -------------------------------------------------------------------------------

-- Commands for the emulator's monitor.
local SAVE = 'stop\nmigrate_set_parameter max-bandwidth 100G\nmigrate "exec:cat >state"\nquit\n'

-- Boots a guest until it waits for its job, and saves it in a directory.
local function save(kernel, root, place, directory)
  local words = words_of(kernel, root, place, {})
  -- A guest that was saved while it stood still would stand still again.
  words = shell.join(words, { "-monitor", "stdio", "-global", "migration.store-global-state=off" })
  words.stdin, words.stderr, words.cwd = "pipe", "stdout", directory
  local process <close> = assert(lunet.exec(words))
  local is_ready = lunet.eventually(function()
    return process:wait(0) or console_of(place):find(initramfs.READY, 1, true)
  end, BOOT)
  if not is_ready then return nil, "the guest did not boot: " .. last_words(place, "") end
  process.stdin:send(SAVE)
  process.stdin:close()
  local errors = process.stdout:receive "a" or ""
  local status = process:wait()
  if status == 0 and lfs.attributes(directory .. "/state", "mode") then return true end
  return nil, "the guest did not boot: " .. last_words(place, errors)
end

local function modules_of(kernel) return kernel.path .. "/modules.cpio" end

-- The name of a saved guest: another one if anything changes that it depends on.
local function name_of(kernel, packed, place)
  local version = program.output { PROGRAM, "--version" } or ""
  local made = tostring(lfs.attributes(modules_of(kernel), "modification"))
  local machine = table.concat(shell.join({ version:match "[^\n]*", kernel.path, made, KERNEL }, MACHINE, VIRTUAL), " ")
  local path = place:write("signature", machine .. "\n" .. initramfs.signature(packed))
  local sum, message = program.output { "sha256sum", path }
  return sum and ("saved-%s-%s"):format(kernel.release, sum:sub(1, 12)), message
end

local function fill(kernel, packed, name, aside)
  local has_room, message = cache.has_room(BYTES)
  if not has_room then return nil, message end
  local place <close> = scratch.open()
  local ok
  ok, message = initramfs.write(packed, modules_of(kernel), aside .. "/root")
  if ok then ok, message = save(kernel, aside .. "/root", place, aside) end
  return ok and name, message
end

-- Removes the saved guests of a kernel that were made first, so that a few stay.
local function prune(kernel)
  local found = {}
  for _, entry in ipairs(cache.entries()) do
    if entry.name:find("saved-" .. kernel.release .. "-", 1, true) == 1 then found[#found + 1] = entry end
  end
  table.sort(found, function(a, b)
    return lfs.attributes(a.path, "modification") < lfs.attributes(b.path, "modification")
  end)
  for i = 1, #found - KEPT do cache.remove(found[i].name) end
end

-- The saved guest of a kernel, which is made unless the cache has it.
local function saved(kernel, packed, place, complain)
  local name, message = name_of(kernel, packed, place)
  if not name then return nil, message end
  local path = assert(cache.path()) .. "/" .. name
  if lfs.attributes(path, "mode") then return path end
  local lock <close>, why = cache.lock(function() complain "waiting for another lunet's cache" end)
  if not lock then return nil, why end
  if lfs.attributes(path, "mode") then return path end
  complain "booting once, and saving the guest for later runs"
  path, message = cache.add(name, function(aside) return fill(kernel, packed, name, aside) end)
  prune(kernel)
  return path, message
end

-- -- a run --------------------------------------------------------------------------------------

local function is_saved(kernel, options)
  return not options.is_kvm and options.ipv6 == "on" and not kernel.is_passing
end

-- The words that begin a run: a saved guest goes on, another one boots.
local function prepare(kernel, place, packed, options)
  if not is_saved(kernel, options) then
    local root = place.path .. "/root"
    local ok, why = initramfs.write(packed, modules_of(kernel), root)
    return ok and words_of(kernel, root, place, options, " lunet_now=1"), why
  end
  local path, why = saved(kernel, packed, place, options.complain)
  if not path then return nil, why end
  local words = shell.join(words_of(kernel, path .. "/root", place, options), { "-incoming", "exec:cat state" })
  words.cwd = path
  return words
end

-- Hands the files of a run over. The guest reads firmware byte by byte, and each of its reads from the first byte: so
-- only what is small can go that way.
local function pack_files(lunet_words, place)
  local ok, message = cargo.files(lunet_words):write(place.path .. "/cargo")
  if ok then ok, message = program.output { "gzip", "-9", place.path .. "/cargo" } end
  return ok, message
end

-- Unpacks what the guest has sent, unless it is not whole.
local function unpack(place)
  local text = program.output { "tar", "-xf", place.path .. "/out.tar", "-C", place.path }
  return text and lfs.attributes(place.path .. "/ended", "mode")
end

--- Runs a job in a guest, and waits until that has halted. Raises if the emulator cannot be started.
---@param kernel lunet.kernel
---@param place lunet.scratch its file "job" is a script of sh(1); what that leaves in its directory comes here
---@param lunet_words string[]
---@param options lunet.guest_options
---@return true|nil ok
---@return string? message the last words of the guest
function qemu.boot(kernel, place, lunet_words, options)
  if options.ipv6 == "absent" then return nil, "Debian's kernels for machines have IPv6 built in" end
  local packed, message = initramfs.collect(options.needs)
  if not packed then return nil, message end
  local words
  words, message = prepare(kernel, place, packed, options)
  if not words then return nil, message end
  local ok
  ok, message = pack_files(lunet_words, place)
  if not ok then return nil, message end
  local program_words = shell.join(words, job_words(place), { "-monitor", "none" })
  program_words.cwd, program_words.stderr, program_words.label = words.cwd, "stdout", "guest"
  local process <close> = assert(lunet.exec(program_words))
  local errors = process.stdout:receive "a" or ""
  process:wait()
  if unpack(place) then return true end
  return nil, last_words(place, errors)
end

return qemu
