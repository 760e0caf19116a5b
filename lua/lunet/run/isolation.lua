--- The isolation of an experiment: it runs on a fresh home host of its own, with sysctls that do not depend on the
--- machine. So runs neither see nor disturb each other or the machine.
local core = require "lunet.core"
local host = require "lunet.network.host"
local options = require "lunet.text.options"
local refusal = require "lunet.network.refusal"
local surroundings = require "lunet.network.surroundings"
local sysctl = require "lunet.network.sysctl"

local isolation = {}

-- A new namespace takes most settings from the kernel's defaults, but these from the machine (net/ipv4/tcp_ipv4.c,
-- tcp_sk_init). The experiments are about these.
isolation.SYSCTLS = {
  ["net.core.somaxconn"] = 4096,
  ["net.ipv4.tcp_abort_on_overflow"] = 0,
  ["net.ipv4.tcp_congestion_control"] = "reno", -- every kernel has this one
  ["net.ipv4.tcp_max_syn_backlog"] = 1024,
  ["net.ipv4.tcp_rmem"] = "4096 131072 6291456",
  ["net.ipv4.tcp_syn_retries"] = 6,
  ["net.ipv4.tcp_syncookies"] = 1,
  ["net.ipv4.tcp_wmem"] = "4096 16384 4194304",
}

-- The machine lets this user make no namespaces (EPERM, EACCES), no more of them (ENOSPC, EUSERS), or has none (ENOSYS,
-- EINVAL). Any other error may pass, so a run on the machine's own stack would be another experiment.
local REFUSALS <const> = { EPERM = true, EACCES = true, ENOSPC = true, EUSERS = true, ENOSYS = true, EINVAL = true }

-- Sets them on the fresh home. Without one of them the record of the run would be wrong.
local function set_all(home, sysctls)
  local ok, message = sysctl.set_all(home, sysctls)
  if not ok then error(message, 0) end
end

--- Stays on the machine's own stack: new hosts have stacks of their own, but home has none.
local function stay(note)
  return setmetatable({ note = note }, { __close = function() end })
end

-- Without the settings of other hosts: set_all checks home's own ones.
local function new_home()
  local _plain <close> = surroundings.enter { sysctls = {} }
  return host.new "home"
end

--- Moves home to a fresh host, until the to-be-closed value ends. Every new host has these sysctls, too. If the machine
--- refuses hosts, `note` says so. Raises if lunet cannot write a setting whose value is not in force.
---@param sysctls? table<string, string|number> on top of isolation.SYSCTLS
---@return {note: string?}
function isolation.enter(sysctls)
  local wanted = options.merged(isolation.SYSCTLS, sysctls)
  local home, message, code = new_home()
  assert(home or REFUSALS[code], message)
  if not home then return stay(("runs on the machine's own network stack: %s"):format(message)) end
  local ok, failure = pcall(set_all, home, wanted)
  if not ok then home:close() end
  assert(ok, failure) -- whose message needs no traceback
  local away = assert(core.set_home(home))
  local entered = surroundings.enter { sysctls = wanted }
  return setmetatable({}, { __close = function()
    local _left <close> = entered
    assert(core.set_home(away))
    home:close()
  end })
end

--- Keeps the whole process on the machine's own stack: lunet refuses hosts to an ordinary user.
---@return {note: string?}
function isolation.refuse()
  core.stay_home()
  return stay()
end

-- A script would go on with these on another stack than the one on which it opened them.
local function is_home_used()
  for _, open in ipairs(core.open_handles()) do
    if open:find "^listener " or open:find "^connection " or open:find "^process " then return true end
  end
  return false
end

local LEFT <const> = "left the machine's own network stack with its first host: an ordinary user's hosts need a user "
  .. "namespace. To keep home there: %s"

--- For --machine: home is the machine itself. An ordinary user can have either that or hosts. If home has nothing open,
--- the process moves with its first host, and `note` says so; otherwise lunet refuses the host.
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
