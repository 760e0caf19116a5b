--- Runs lunet under another kernel. The guest sees this machine's files, or has those that it needs at the same paths:
--- so the same program runs with the same words, in the same directory and environment. The files that it leaves in one
--- directory come back.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local environment = require "lunet.run.environment"
local here = require "lunet.network.guest"
local scratch = require "lunet.peer.scratch"
local shell = require "lunet.text.shell"

local lfs = dependency "lfs"

local guest = {}

local MOST_DESCRIPTORS <const> = 1024 * 1024 -- fs.nr_open, which no limit can exceed (proc(5))
local ORDINARY = { uid = 1000, gid = 1000 } -- what root becomes with --as-user

-- This process's user: its numbers in /proc/self/status (proc(5)).
local function caller()
  local text = assert(core.read_file(nil, "/proc/self/status"))
  local function number(field) return math.tointeger(tonumber(text:match("\n" .. field .. ":%s+%d+%s+(%d+)"))) end
  return { uid = number "Uid", gid = number "Gid", groups = text:match "\nGroups:%s*([%d ]-)%s*\n" }
end

-- The words by which the guest's init becomes a user; see setpriv(1).
local function become(user)
  if user.uid == 0 then return {} end
  local groups = (user.groups or ""):gsub("%s+", ",")
  return { "setpriv", ("--reuid=%d"):format(user.uid), ("--regid=%d"):format(user.gid),
    groups == "" and "--clear-groups" or "--groups=" .. groups }
end

-- This process's environment, as words for env(1). The guest has a directory for temporary files of its own.
local function variables(user, engine, clock)
  local words = { "env", "-i" }
  for entry in assert(core.read_file(nil, "/proc/self/environ")):gmatch "[^%z]+" do words[#words + 1] = entry end
  words[#words + 1] = "TMPDIR=/run/tmp"
  words[#words + 1] = ("%s=%s %s %d"):format(here.VARIABLE, engine, clock, user.uid)
  return words
end

--- Where a file that lunet writes in a guest comes to be there; guest.run returns it.
---@param number integer
---@return string path
function guest.file(number) return "/run/tmp/files/" .. number end

-- How many descriptors this process may have: a guest's kernel gives its first process few.
local function descriptors()
  local soft, hard = assert(core.read_file(nil, "/proc/self/limits")):match "\nMax open files%s+(%w+)%s+(%w+)"
  return math.min(tonumber(soft) or MOST_DESCRIPTORS, MOST_DESCRIPTORS),
    math.min(tonumber(hard) or MOST_DESCRIPTORS, MOST_DESCRIPTORS)
end

local function job(words, user, engine, clock)
  local soft, hard = descriptors()
  return ([[
cd %s
for name in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
  [ -e /dev/${name%%:*} ] || $busybox ln -s ${name#*:} /dev/${name%%:*}
done
echo %s >/proc/sys/kernel/hostname
ulimit -H -n %d && ulimit -S -n %d
mkdir -m 1777 /run/tmp/files /run/out/files
%s </dev/null >/run/out/stdout 2>/run/out/stderr
status=$?
for file in /run/tmp/files/*; do [ ! -f "$file" ] || $busybox cp "$file" /run/out/files/; done
$busybox sync
echo $status >/run/out/ended
]]):format(shell.line { lfs.currentdir() }, shell.line { environment.sysctl "kernel.hostname" }, hard, soft,
    shell.line(shell.join(variables(user, engine, clock), become(user), words)))
end

--- The result of a run in a guest.
---@class lunet.guest_result
---@field status integer lunet's exit status
---@field stdout string
---@field stderr string
---@field files table<integer, string> the texts of its files, by the numbers of guest.file

---@class lunet.guest_options
---@field as_user boolean? root becomes user 1000
---@field ipv6 "on"|"off"|"absent" as of uml.IPV6
---@field is_kvm boolean? run an emulated machine by KVM, in real time
---@field needs table<string, string> programs that the experiment needs, and their packages
---@field complain fun(why: string)

--- Boots a kernel, runs lunet in it and waits until both have ended. Raises if the kernel cannot be started.
---@param kernel lunet.kernel
---@param words string[] lunet's words
---@param options lunet.guest_options
---@return lunet.guest_result|nil
---@return string? message the last words of the guest
function guest.run(kernel, words, options)
  local user, engine = caller(), kernel.engine
  if user.uid == 0 and options.as_user then user = ORDINARY end
  local place <close> = scratch.open()
  place:write("job", job(words, user, engine.ENGINE, engine.clock(options)))
  local ok, message = engine.boot(kernel, place, words, options)
  if not ok then return nil, message end
  local result = { stdout = place:read "stdout", stderr = place:read "stderr", files = {},
    status = math.tointeger(tonumber(place:read "ended")) }
  for name in lfs.dir(place.path .. "/files") do
    if name:find "^%d+$" then result.files[math.tointeger(tonumber(name))] = place:read("files/" .. name) end
  end
  return result
end

return guest
