--- Where an experiment runs: on a fresh home host of its own, with sysctls that do not depend on the
--- machine, so that runs neither see nor disturb each other or the machine.
local core = require "lunet.core"
local host = require "lunet.network.host"
local options = require "lunet.text.options"
local refusal = require "lunet.network.refusal"
local surroundings = require "lunet.network.surroundings"

local isolation = {}

-- A new namespace takes most settings from the kernel's defaults, but these from the machine
-- (net/ipv4/tcp_ipv4.c, tcp_sk_init); and these are what the experiments are about.
isolation.SYSCTLS = {
  ["net.core.somaxconn"] = 4096,
  ["net.ipv4.tcp_abort_on_overflow"] = 0,
  ["net.ipv4.tcp_congestion_control"] = "reno", -- the one that every kernel has
  ["net.ipv4.tcp_max_syn_backlog"] = 1024,
  ["net.ipv4.tcp_rmem"] = "4096 131072 6291456",
  ["net.ipv4.tcp_syn_retries"] = 6,
  ["net.ipv4.tcp_syncookies"] = 1,
  ["net.ipv4.tcp_wmem"] = "4096 16384 4194304",
}

-- A machine that lets this user make no namespaces (EPERM, EACCES), no more of them (ENOSPC, EUSERS), or has none
-- (ENOSYS, EINVAL). Anything else is an error of the moment, with which the run would be another experiment.
local REFUSALS <const> = { EPERM = true, EACCES = true, ENOSPC = true, EUSERS = true, ENOSYS = true, EINVAL = true }

-- Sets them on the fresh home. Without one of them the run would not be what its record says.
local function set_all(home, sysctls)
  for name, value in pairs(sysctls) do
    local ok, message = home:sysctl(name, value)
    if not ok then error(message, 0) end
  end
end

--- Stays on the machine's own stack: hosts made there have their stacks, but home has none.
local function stay(note)
  return setmetatable({ note = note }, { __close = function() end })
end

-- Without the settings that hosts get here: its own are checked one by one.
local function new_home()
  local _plain <close> = surroundings.enter { sysctls = {} }
  return host.new "home"
end

--- Moves home to a fresh host, on which every host that is made has these sysctls, too; ends with its
--- to-be-closed value. Where the machine refuses hosts, says so in `note`. Raises if a setting can neither be made nor
--- is in force.
---@param sysctls? table<string, string|number> on top of isolation.SYSCTLS
---@return {note: string?}
function isolation.enter(sysctls)
  local wanted = options.merged(isolation.SYSCTLS, sysctls)
  local home, message, code = new_home()
  assert(home or REFUSALS[code], message)
  if not home then return stay(("runs on the machine's own network stack: %s"):format(message)) end
  local ok, failure = pcall(set_all, home, wanted)
  if not ok then
    home:close()
    error(failure, 0)
  end
  local away = assert(core.set_home(home))
  local entered = surroundings.enter { sysctls = wanted }
  return setmetatable({}, { __close = function()
    local _left <close> = entered
    assert(core.set_home(away))
    home:close()
  end })
end

--- Nothing of this process leaves the machine's own stack: an ordinary user is refused hosts.
---@return {note: string?}
function isolation.refuse()
  core.stay_home()
  return stay()
end

-- What would be measured on another stack than it was opened on.
local function is_home_used()
  for _, open in ipairs(core.open_handles()) do
    if open:find "^listener " or open:find "^connection " or open:find "^process " then return true end
  end
  return false
end

local LEFT <const> = "left the machine's own network stack with its first host: an ordinary user's hosts need a user "
  .. "namespace. To keep home there: %s"

--- For --machine: home is the machine itself. An ordinary user can have either that or hosts: the process moves when
--- it makes the first host, if home has nothing open, and `note` says so; else the host is refused.
---@return {note: string?}
function isolation.on_machine()
  core.stay_home()
  local state = {}
  local entered = surroundings.enter { on_refused = function()
    if core.refused() ~= "--machine" or is_home_used() then return false end
    core.stay_home(false)
    state.note = LEFT:format(refusal.as_root())
    return true
  end }
  return setmetatable(state, { __close = function()
    local _left <close> = entered
    core.stay_home(false)
  end })
end

return isolation
