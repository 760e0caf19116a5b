--- Peer processes of experiments: servers that are there when they listen, and that stand still as a whole.
---
---     local redis = peer_process.start(host, { "redis-server", "--port", 7300 }, 7300)
---     peer_process.freeze(redis)
---     ...
---     assert(redis:thaw())
local lunet = require "lunet"

local peer_process = {}

local LONG = 20 -- s; bounds waits for states that do come

--- Runs a server on a host and waits until it listens. Raises what it has printed if it ends before that.
---@param host lunet.host
---@param program lunet.program
---@param port integer where it will listen, and nothing does yet
---@return lunet.process
function peer_process.start(host, program, port)
  local function is_listening() return #host:sockets { state = "LISTEN", local_port = port } > 0 end
  if is_listening() then error(("peer process: port %d is taken"):format(port), 2) end
  local process = assert(host:exec(program))
  lunet.eventually(function() return is_listening() or process:wait(0) end, LONG)
  if is_listening() then return process end
  process:kill "SIGKILL" -- its output ends
  local printed = process.stdout and process.stdout:receive("a", LONG) or ""
  process:close()
  error(("%s did not start: %s"):format(program[1], printed), 0)
end

-- As proc(5) has it, /proc/PID/stat: its state, and its process group; nil if it is gone.
local function look(number)
  local file <close> = io.open(("/proc/%d/stat"):format(number))
  local state, group = (file and file:read "a" or ""):match "^.*%) (%a) %-?%d+ (%d+)"
  return state, math.tointeger(tonumber(group))
end

-- T: stopped; Z, X: it has ended.
local function is_still(number)
  local state = look(number)
  return not state or state:find "^[TZX]" ~= nil
end

-- A process that stands still starts no more, so that these are all.
local function children_of(number)
  local file <close> = io.open(("/proc/%d/task/%d/children"):format(number, number))
  return (file and file:read "a" or ""):gmatch "%d+"
end

local function await_still(number, group)
  if select(2, look(number)) ~= group then return end
  if not lunet.eventually(function() return is_still(number) end, LONG) then
    error(("peer process: %d does not stand still"):format(number), 0)
  end
  for child in children_of(number) do await_still(math.tointeger(tonumber(child)), group) end
end

--- Stops a process with all of its group that it has started, and waits until they stand still: process:freeze()
--- returns before that (kill(2)). Not waited for are those whose parent has ended, and those that a thread has started
--- (proc(5), /proc/PID/task/TID/children). process:thaw() lets them go on. Raises if it is closed.
---@param process lunet.process
function peer_process.freeze(process)
  assert(process:freeze())
  local number = process:pid()
  await_still(number, number)
end

return peer_process
