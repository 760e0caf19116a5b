--- Why a machine refuses hosts to a process, and the one command that changes it. unshare(2) and setns(2) say little
--- more than EPERM, so lunet looks at the settings that govern them (user_namespaces(7), namespaces(7)).
local container = require "lunet.network.container"
local core = require "lunet.core"
local sysctl = require "lunet.network.sysctl"

local refusal = {}

local function setting(name) return tonumber(sysctl.here(name)) end

-- Quotes a word for a shell command in one line.
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

-- A limit's name and value. A process in its own user namespace sees that one's limits, which limit nothing.
local function limit(name)
  local value = setting(name)
  return value and value < 0x7fffffff and ("%s is %d"):format(name, value) or name
end

-- Whether a filter of system calls is in force (proc(5), Seccomp).
local function is_filtered()
  local file <close> = io.open "/proc/self/status"
  return file ~= nil and file:read "a":find "\nSeccomp:%s*2" ~= nil
end

local function by_setting(name, refused, allowed, whose)
  return function()
    if setting(name) ~= refused then return nil end
    return ("%s is %d%s"):format(name, refused, whose or ""), ("sudo sysctl -w %s=%d"):format(name, allowed)
  end
end

-- Docker's filter refuses both calls without CAP_SYS_ADMIN; systemd's is RestrictNamespaces= (systemd.exec(5)).
local function by_filter(call)
  if not is_filtered() then return nil end
  return ("a filter of system calls (seccomp) refuses %s"):format(call), container.command "filter"
end

-- Each function returns the cause and the command that changes it, or nil if the cause is another one.
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
    return "this root has neither CAP_SYS_ADMIN nor CAP_SETFCAP, as in some containers", container.command "power"
  end,
  function(call)
    if call ~= "the loopback" then return nil end
    return "this root has CAP_SYS_ADMIN but not CAP_NET_ADMIN", container.command "networks"
  end,
  function(call, code)
    if call ~= "unshare(2)" or code ~= "EINVAL" then return nil end
    return "the process has threads already, or this kernel has no user namespaces (CONFIG_USER_NS, CONFIG_NET_NS)"
  end,
}

--- Why the machine refused the last host, as far as this process can see.
---@param code string the error's name
---@return string|nil why nil if the machine does not refuse namespaces
---@return string? command that changes it, if there is one
function refusal.explain(code)
  if code == "EROFS" then return container.read_only() end
  local call = core.refused()
  if not call then return nil end
  for _, cause in ipairs(causes) do
    local why, command = cause(call, code)
    if why then return why, command end
  end
  return ("%s is refused, as in a chroot(2) or a container"):format(call)
end

local function whole_message(what, why, code, command)
  return ("%s: %s (%s)%s"):format(what, why, code, command and ("; to allow it: %s"):format(command) or "")
end

--- The whole message for a refused host. A LAN and a link with a delay need one, too.
---@param message string from the core
---@param code string
---@return string
function refusal.tell(message, code)
  local why, command = refusal.explain(code)
  if not why then return message end
  return whole_message(message:match "^[^:]*", why, code, command)
end

-- The guard of every program makes a process namespace (core/guard.c). Here ENOSPC means a limit (namespaces(7)), not a
-- full disk.
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

--- The results of an exec. If the machine refuses a process namespace, the reason replaces the kernel's words.
---@return lunet.process|nil
---@return string? message
---@return string? code
function refusal.of_program(process, message, code)
  local what = not process and message:match "^(exec .*: a process namespace): [^:]*$"
  if not what then return process, message, code end
  for _, cause in ipairs(process_causes) do
    local why, command = cause(code)
    if why then return nil, whole_message(what, why, code, command), code end
  end
end

return refusal
