--- Peer processes of experiments: servers that have started when they listen, and that are frozen whole.
---
---     local redis = peer_process.start(host, { "redis-server", "--port", 7300 }, 7300)
---     peer_process.freeze(redis)
---     ...
---     assert(redis:thaw())
local lunet = require "lunet"

local peer_process = {}

local LONG = 60 -- s; bounds waits for states that do come

-- "sh did not start: it ended with status 1 and printed: no way"
local function obituary(name, process, status)
  local printed = process.stdout and process.stdout:receive("a", LONG) or ""
  local how = not status and ("it does not listen after %d s"):format(LONG)
    or type(status) == "string" and "it was killed by " .. status
    or ("it ended with status %d"):format(status)
  local words = not process.stdout and "its stdout is not read (stdout = \"keep\" reads it)"
    or printed == "" and "it printed nothing on stdout"
    or "it printed: " .. printed:gsub("%s+$", "")
  return ("%s did not start: %s; %s"):format(name, how, words)
end

--- Runs a server on a host and waits until it listens. Raises if the server ends before that, or does not listen within
--- 60 s. The message says how it ended and what it printed on stdout (with `stderr = "stdout"` also its errors).
---@param host lunet.host
---@param program lunet.program
---@param port integer where it will listen, and nothing does yet
---@return lunet.process
function peer_process.start(host, program, port)
  local function is_listening() return #assert(host:sockets { state = "LISTEN", local_port = port }) > 0 end
  if is_listening() then error(("peer process: port %d is taken"):format(port), 2) end
  local process = assert(host:exec(program))
  lunet.eventually(function() return is_listening() or process:wait(0) end, LONG)
  if is_listening() then return process end
  local status = process:wait(0)
  process:kill "SIGKILL" -- its output ends
  local words = obituary(program[1], process, status)
  process:close()
  error(words, 0)
end

-- T: stopped; Z, X: it has ended.
local function moving(process)
  local found = {}
  for _, entry in ipairs(process:tree() or {}) do
    if not entry.state:find "^[TZX]" then found[#found + 1] = ("%s (%d)"):format(entry.name, entry.pid) end
  end
  return found
end

--- Stops all of a program, also children with groups and sessions of their own, and waits until every process stands
--- still: process:freeze() returns before that (kill(2)). process:thaw() lets them go on. Raises if the process is
--- closed, and if some of it cannot be stopped, which it names.
---@param process lunet.process
function peer_process.freeze(process)
  assert(process:freeze())
  local rest
  lunet.eventually(function()
    rest = moving(process)
    return #rest == 0
  end, LONG)
  if #rest > 0 then
    error(("peer process: %d processes do not stand still: %s"):format(#rest, table.concat(rest, ", ")), 0)
  end
end

return peer_process
