--- Peer processes of experiments: servers that have started when they listen, and that are frozen whole.
---
---     local host = assert(lunet.host "server")
---     local redis = peer_process.start(host, { "redis-server", "--port", 7300, "--save", "" }, 7300)
local lfs = require "lfs"
local lunet = require "lunet"

---@class lunet.peer_process
local peer_process = {}

local LONG = 60 -- s; bounds waits for states that do come
local END <const> = 300 -- s; initdb in an emulated kernel on a busy machine takes over a minute
local CLOSED = 5 -- s; a server that was closed may listen for some milliseconds more: process:close() does not wait

-- The program's name; that of the one which setpriv(1) runs.
local function name_of(program)
  local at = 1
  while program[1] == "setpriv" and (at == 1 or tostring(program[at]):find "^%-%-") do at = at + 1 end
  return program[at]
end

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
---
---     local client = assert(host:connect("127.0.0.1:7300", 60))
---     client:send "PING\r\n"
---     print(client:receive("l", 60)) --> +PONG...
---@async
---@param host lunet.host
---@param program lunet.program
---@param port integer where it will listen, and nothing does 5 s later at the latest
---@return lunet.process
function peer_process.start(host, program, port)
  local function is_listening() return #assert(host:sockets { state = "LISTEN", local_port = port }) > 0 end
  if not lunet.eventually(function() return not is_listening() end, CLOSED) then
    error(("peer process: port %d is taken"):format(port), 2)
  end
  local process = assert(host:exec(program))
  lunet.eventually(function() return is_listening() or process:wait(0) end, LONG)
  if is_listening() then return process end
  local status = process:wait(0)
  process:kill "SIGKILL" -- its output ends
  local words = obituary(name_of(program), process, status)
  process:close()
  error(words, 0)
end

--- Waits for the end of a program that comes by itself, and closes it. Raises if it could not be started, or does not
--- end within 300 s.
---
---     print(peer_process.finish(host:exec { "sh", "-c", "printf done; exit 3" })) --> 3  done
---@async
---@param process lunet.process|nil its stdout is read
---@param message? string why there is none
---@return integer|string status as lunet.process.wait gives it
---@return string printed
function peer_process.finish(process, message)
  local program <close> = assert(process, message)
  local text = assert(program.stdout:receive("a", END))
  return program:wait(END), text
end

-- Whether a thread of a process runs, or waits for a processor or a disk; not if the process has ended.
local function is_running(pid)
  local path = ("/proc/%d/task/"):format(pid)
  local is_there, next_name, directory = pcall(lfs.dir, path)
  if not is_there then return false end
  for name in next_name, directory do
    local file <close> = name:find "^%d" and io.open(path .. name .. "/stat") or nil
    local text = file and file:read "a" or ""
    if text:find "%) [RD] [^)]*$" then return true end -- proc(5); a name may have parentheses
  end
  return false
end

--- Whether all threads of a program wait for something that comes from outside. The kernel makes a thread runnable as
--- soon as there is something to do, even if the thread gets no processor for a while.
---
---     print(lunet.eventually(function() return peer_process.is_idle(redis) end, 60)) --> true
---@param process lunet.process
---@return boolean
function peer_process.is_idle(process)
  for _, entry in ipairs(process:tree() or {}) do
    if is_running(entry.pid) then return false end
  end
  return true
end

-- T: stopped; Z, X: it has ended.
local function moving(process, only)
  local found = {}
  for _, entry in ipairs(process:tree() or {}) do
    if (not only or entry.pid == only) and not entry.state:find "^[TZX]" then
      found[#found + 1] = ("%s (%d)"):format(entry.name, entry.pid)
    end
  end
  return found
end

--- Stops all of a program, also children with groups and sessions of their own, and waits until every process stands
--- still: process:freeze() returns before that (kill(2)). process:thaw() lets them go on. Raises if the process is
--- closed, and if some of it cannot be stopped, which it names.
---
---     peer_process.freeze(redis)
---     local client = assert(host:connect("127.0.0.1:7300", 60)) -- the kernel accepts for it
---     client:send "PING\r\n"
---     print(select(3, client:receive("l", 0.01)), redis:thaw(), (client:receive("l", 60))) --> TIMEOUT  true  +PONG...
---@async
---@param process lunet.process
---@param only? integer the pid of the one process of it to stop
function peer_process.freeze(process, only)
  assert(process:freeze { only = only })
  local rest
  lunet.eventually(function()
    rest = moving(process, only)
    return #rest == 0
  end, LONG)
  if #rest > 0 then
    error(("peer process: %d processes do not stand still: %s"):format(#rest, table.concat(rest, ", ")), 0)
  end
end

return peer_process
