--- Why a machine refuses hosts to a process, and the one command that changes it: unshare(2) and setns(2) say hardly
--- more than EPERM, so that the settings which govern them are looked at (user_namespaces(7), namespaces(7)).
local core = require "lunet.core"

local refusal = {}

local function first_line(path)
  local file <close> = io.open(path)
  return file and file:read "l"
end

local function setting(name) return tonumber(first_line("/proc/sys/" .. name:gsub("%.", "/"))) end

-- As a word of a shell command in one line.
local function quote(word)
  if word:find "%c" then return "..." end
  return word:find "[^%w@%%+=:,./_-]" and ("'%s'"):format(word:gsub("'", "'\\''")) or word
end

--- This command line, as root.
---@return string
function refusal.as_root()
  local words, words_of = {}, arg or {}
  local first = 0
  while words_of[first - 1] do first = first - 1 end
  for i = first, #words_of do words[#words + 1] = quote(tostring(words_of[i])) end
  return "sudo " .. table.concat(words, " ")
end

-- Of a limit, its name and value. A process that has moved sees those of its own user namespace, which limit nothing.
local function limit(name)
  local value = setting(name)
  return value and value < 0x7fffffff and ("%s is %d"):format(name, value) or name
end

-- Whether a filter of system calls is in force (proc(5), Seccomp).
local function is_filtered()
  local file <close> = io.open "/proc/self/status"
  return file ~= nil and file:read "a":find "\nSeccomp:%s*2" ~= nil
end

local function is_in_docker()
  local file <close> = io.open "/.dockerenv" -- Docker makes it, empty
  return file ~= nil
end

local function by_setting(name, refused, allowed, whose)
  return function()
    if setting(name) ~= refused then return nil end
    return ("%s is %d%s"):format(name, refused, whose or ""), ("sudo sysctl -w %s=%d"):format(name, allowed)
  end
end

-- Docker's refuses both calls to whoever lacks CAP_SYS_ADMIN; systemd's is RestrictNamespaces= (systemd.exec(5)).
local function by_filter(call)
  if not is_filtered() then return nil end
  local command = is_in_docker() and "docker run --security-opt seccomp=unconfined ..."
    or "systemd-run --property RestrictNamespaces=no ..., or whatever else starts it without the filter"
  return ("a filter of system calls (seccomp) refuses %s"):format(call), command
end

-- Each returns what refuses it, and the command; or nil if it is not that.
local causes = {
  function(call)
    if call ~= "--machine" then return nil end
    return "--machine keeps it on the machine's own network stack, where only root makes hosts", refusal.as_root()
  end,
  function(call) if call == "setns(2)" then return by_filter(call) end end,
  by_setting("user.max_user_namespaces", 0, 15000),
  by_setting("user.max_net_namespaces", 0, 15000),
  function(_, code)
    if code ~= "ENOSPC" then return nil end
    return ("as many namespaces as allowed are in use (%s, %s)"):format(limit "user.max_net_namespaces",
      limit "user.max_user_namespaces"),
      "sudo sysctl -w user.max_net_namespaces=100000 user.max_user_namespaces=100000"
  end,
  by_setting("kernel.unprivileged_userns_clone", 0, 1, ", Debian's own setting"),
  by_setting("kernel.apparmor_restrict_unprivileged_userns", 1, 0, ", as Ubuntu has it since 24.04 (AppArmor)"),
  function(call) if call == "unshare(2)" then return by_filter(call) end end,
  function(call)
    if call ~= "CAP_SETFCAP" then return nil end
    return "this root has neither CAP_SYS_ADMIN nor CAP_SETFCAP, as in some containers",
      "docker run --cap-add SYS_ADMIN ..."
  end,
  function(call, code)
    if call ~= "unshare(2)" or code ~= "EINVAL" then return nil end
    return "the process has threads already, or this kernel has no user namespaces (CONFIG_USER_NS, CONFIG_NET_NS)"
  end,
}

--- Why the last host was refused, as far as this process can tell.
---@param code string the error's name
---@return string|nil why nil if it is not the machine that refuses namespaces
---@return string? command that changes it, if there is one
function refusal.explain(code)
  local call = core.refused()
  if not call then return nil end
  for _, cause in ipairs(causes) do
    local why, command = cause(call, code)
    if why then return why, command end
  end
  return ("%s is refused, as in a chroot(2) or a container"):format(call)
end

--- The whole message of a refused host, or of what needs one: a LAN, a link with a delay.
---@param message string the core's
---@param code string
---@return string
function refusal.tell(message, code)
  local why, command = refusal.explain(code)
  if not why then return message end
  local what = message:match "^[^:]*"
  return ("%s: %s (%s)%s"):format(what, why, code, command and ("; to allow it: %s"):format(command) or "")
end

-- A process namespace, of which the guard of every program makes one (core/guard.c). ENOSPC is a limit's
-- (namespaces(7)), and says nothing of a disk.
local process_causes = {
  by_setting("user.max_pid_namespaces", 0, 15000),
  by_setting("user.max_user_namespaces", 0, 15000),
  function(code)
    if code ~= "ENOSPC" then return nil end
    return "no more are allowed by user.max_pid_namespaces or user.max_user_namespaces, here or outside of this user "
      .. "namespace",
      "sudo sysctl -w user.max_pid_namespaces=100000 user.max_user_namespaces=100000"
  end,
  by_setting("kernel.unprivileged_userns_clone", 0, 1, ", Debian's own setting"),
  by_setting("kernel.apparmor_restrict_unprivileged_userns", 1, 0, ", as Ubuntu has it since 24.04 (AppArmor)"),
  function() return by_filter "unshare(2)" end,
  function() return "it is refused, as in a chroot(2) or a container" end,
}

--- The results of an exec: why the machine refuses what every program needs takes the place of the kernel's words.
---@return lunet.process|nil
---@return string? message
---@return string? code
function refusal.of_program(process, message, code)
  local what = not process and message:match "^(exec .*: a process namespace): [^:]*$"
  if not what then return process, message, code end
  for _, cause in ipairs(process_causes) do
    local why, command = cause(code)
    if why then
      command = command and ("; to allow it: %s"):format(command) or ""
      return nil, ("%s: %s (%s)%s"):format(what, why, code, command), code
    end
  end
end

return refusal
