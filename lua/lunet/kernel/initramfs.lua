--- The root of an emulated guest: a shell, lunet, the programs of an experiment, and an init. It lasts for many runs:
--- what belongs to one run is handed to the guest later, as firmware
--- (Documentation/ABI/testing/sysfs-firmware-qemu_fw_cfg).
local archive = require "lunet.kernel.archive"
local cargo = require "lunet.kernel.cargo"
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local needs = require "lunet.run.needs"
local program = require "lunet.kernel.program"

local lfs = dependency "lfs"

local initramfs = {}

--- The line on the guest's console when it waits for its job.
initramfs.READY = "lunet: ready"

-- Programs that experiments run without saying so.
local PROGRAMS = { "sh", "bash", "env", "setpriv", "cat", "sleep", "rm", "mkdir", "chmod", "cp", "ls", "id", "true",
  "false" }

local NFTABLES = "/lib/x86_64-linux-gnu/libnftables.so.1" -- lunet opens it when it makes a rule
local FILES = { "/bin/sh", "/sbin", "/lib", "/usr/bin/env", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
  "/etc/hosts", "/etc/services", "/etc/protocols", "/etc/ld.so.cache", "/lib64/ld-linux-x86-64.so.2" }

-- The job runs in this machine's shell: that of busybox would take its own programs for those of the same name.
-- The guest looks for its job again and again, since it may have been saved meanwhile, and go on years later. Modules
-- that bring the result out come after the job: they could disturb it. A guest that is not saved has its job from the
-- start: the kernel's word lunet_now, which becomes a variable of init's. An init that ends makes its kernel panic.
-- Nothing is mounted on /tmp and /run, where this lunet may be; they are in memory anyway.
local INIT = [[
#!/busybox sh
busybox=/busybox
$busybox mkdir -p /proc /sys /dev /run /tmp
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sys /sys
$busybox mount -t devtmpfs dev /dev
$busybox mkdir -p /dev/pts /dev/shm
$busybox mount -t devpts devpts /dev/pts
$busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
$busybox mkdir -p /run/out /run/tmp
$busybox chmod 1777 /run/tmp /tmp
$busybox ip link set lo up
load() { for module in $1/*.ko; do [ ! -e $module ] || $busybox insmod $module; done; }
load /modules
echo READY
give_up() { echo "lunet: the kernel has no $1, neither built in nor in /lib/modules" && echo o >/proc/sysrq-trigger; }
firmware=/sys/firmware/qemu_fw_cfg/by_name/opt/lunet
while :; do
  [ -e $firmware/job/raw ] || load /firmware
  [ ! -e $firmware/job/raw ] || break
  [ -z "$lunet_now" ] || give_up qemu_fw_cfg
  $busybox rmmod qemu_fw_cfg 2>/dev/null
  $busybox usleep 100000
done
cd / && $busybox zcat <$firmware/files/raw | $busybox cpio -idu 2>/dev/null
$busybox cp $firmware/job/raw /run/out/job
busybox=$busybox PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh /run/out/job 2>/run/out/log
load /late
tries=0
until [ -e /dev/vport0p1 ]; do
  $busybox usleep 10000
  [ $((tries += 1)) -lt 1000 ] || give_up virtio_console
done
cd /run/out && $busybox tar c . >/dev/vport0p1
echo o >/proc/sysrq-trigger
$busybox sleep 60
]]

local function add_lua(packed)
  local shared = {}
  for template in (package.path .. ";" .. package.cpath):gmatch "[^;]+" do
    local directory = template:match "^(/.*/lua/5%.4)/%?%.%l+$"
    if directory then packed:add_directory(directory) end
    if directory and template:find "%.so$" and lfs.attributes(directory, "mode") then
      for name in lfs.dir(directory) do
        if name:find "%.so$" then shared[#shared + 1] = directory .. "/" .. name end
      end
    end
  end
  packed:add_programs(shared)
end

--- Collects its files.
---@param wanted table<string, string> programs that the experiment needs, and their packages
---@return lunet.archive|nil
---@return string? message
function initramfs.collect(wanted)
  local packed, paths = archive.new(), {}
  for _, name in ipairs(PROGRAMS) do paths[#paths + 1] = needs.path(name) end
  paths[#paths + 1] = NFTABLES
  packed:add_programs(paths)
  for _, path in ipairs(FILES) do packed:add(path) end
  add_lua(packed)
  local ok, message = cargo.add_programs(packed, wanted)
  return ok and packed, message
end

--- A text for all its files: another one if a file has changed.
---@param packed lunet.archive from initramfs.collect
---@return string
function initramfs.signature(packed) return INIT .. packed:signature() end

-- The file $1 becomes the archives of the directory $2, and the kernel's modules $3 if there are any: the kernel
-- unpacks one archive behind the other.
local JOIN = [[cat "$2/system.cpio" "$2/own.cpio" >"$1" && rm -r "$2" && if [ -e "$3" ]; then cat "$3" >>"$1"; fi]]

--- Writes it as a file, with the modules of a kernel.
---@param packed lunet.archive from initramfs.collect
---@param modules string an archive, which may not be there
---@param path string
---@return string|nil ok
---@return string? message
function initramfs.write(packed, modules, path)
  local staged = path .. ".staged"
  local ok, message = core.make_directory(staged)
  if ok then ok, message = packed:write(staged .. "/system.cpio") end
  if ok then ok, message = core.replace_file(staged .. "/init", (INIT:gsub("READY", initramfs.READY))) end
  if ok then
    ok, message = program.output { "sh", "-c", [[cp "$1" "$2/busybox" && chmod 755 "$2/init" "$2/busybox"]], "sh",
      needs.path "busybox", staged }
  end
  if ok then ok, message = archive.pack(staged, { "busybox", "init" }, staged .. "/own.cpio") end
  if ok then ok, message = program.output { "sh", "-c", JOIN, "sh", path, staged, modules } end
  return ok, message
end

return initramfs
