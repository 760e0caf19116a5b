--- The lock that a run of an `exclusive` experiment holds on a machine, whoever started it: `lunet FILE`, a directory,
--- a sweep, a spec. Other such runs wait for it.
---
--- It is flock(2) on two devices, which nobody else locks. Every user may open them, and all namespaces of networks and
--- users share them. No file must be made or removed. The kernel takes the lock back when its process ends. Only a
--- container with a /dev of its own counts as a machine of its own.
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local width = require "lunet.text.width"

local lfs = dependency "lfs"

local exclusive = {}

--- The device that the run holds.
exclusive.RUN = "/dev/null"

--- The device that the next run holds while it waits. So a sweep, which gives the lock back after each run, does not
--- take it again before another lunet that waits.
exclusive.TURN = "/dev/zero"

--- The environment variable that is "held" in the processes that a holder starts. Their runs take no lock: the holder
--- waits for them.
exclusive.VARIABLE, exclusive.HELD = "LUNET_EXCLUSIVE", "held"

local PAUSE <const> = 0.05 -- s; between two tries: a run takes longer
local MOST_WIDE <const> = 120 -- of the holder's command line

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a" or ""
end

-- The process that holds the lock of a device, by proc(5); nil if it has ended, or is in a container.
local function holder_of(path)
  local about = assert(lfs.attributes(path))
  local major, minor = about.dev >> 8 & 0xfff, about.dev & 0xff | about.dev >> 12 & 0xfff00 -- makedev(3)
  local pattern = ("FLOCK +ADVISORY +WRITE +(%%d+) %02x:%02x:%d "):format(major, minor, about.ino)
  for line in io.lines "/proc/locks" do
    local pid = line:match(pattern)
    if pid then return pid end
  end
  return nil
end

-- Whom the caller waits for.
local function words()
  local pid = holder_of(exclusive.RUN)
  local command = pid and read(("/proc/%s/cmdline"):format(pid)):gsub("%z+$", ""):gsub("%z", " ") or ""
  local who = pid and "process " .. pid or "another lunet"
  if #command > MOST_WIDE then command = command:sub(1, MOST_WIDE) .. "..." end
  if command ~= "" then who = ("%s (%s)"):format(who, command) end
  return ("waits for %s: exclusive experiments run one at a time on a machine"):format(who)
end

local function complain(text) io.stderr:write("lunet: ", width.lines_shown(text), "\n") end

local function take(path, say)
  local file, refused = io.open(path, "rb")
  if not file then error("the lock of exclusive experiments: " .. refused, 0) end
  local has_said = false
  while true do
    local ok, message, code = core.lock_file(file)
    if ok then return file end
    if code ~= "EAGAIN" then error(("the lock of exclusive experiments: %s: %s"):format(path, message), 0) end
    if not has_said then say(words()) end
    has_said = true
    core.sleep(PAUSE)
  end
end

--- Waits until no such run goes on, and takes the lock, unless this process or one that started it has it.
---@param say? fun(words: string) called once if it must wait, with whom it waits for; by default a line on standard
--- error
---@return any lock a to-be-closed value
function exclusive.enter(say)
  if os.getenv(exclusive.VARIABLE) == exclusive.HELD then return setmetatable({}, { __close = function() end }) end
  local has_said = false
  local function say_once(text)
    if not has_said then (say or complain)(text) end
    has_said = true
  end
  local _turn <close> = take(exclusive.TURN, say_once)
  local lock = take(exclusive.RUN, say_once)
  core.set_environment(exclusive.VARIABLE, exclusive.HELD)
  return setmetatable({}, { __close = function()
    core.set_environment(exclusive.VARIABLE)
    lock:close()
  end })
end

return exclusive
