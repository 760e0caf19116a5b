--- What an outcome may depend on besides the knobs: versions, and the sysctls that govern queues and
--- handshakes (Documentation/networking/ip-sysctl.rst, Documentation/admin-guide/sysctl/net.rst).
local core = require "lunet.core"

local SYSCTLS = {
  "net.core.somaxconn",
  "net.ipv4.tcp_abort_on_overflow",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_syn_retries",
  "net.ipv4.tcp_syn_linear_timeouts",
  "net.ipv4.tcp_congestion_control",
}

local environment = {}

local function first_line(path)
  local file <close> = io.open(path)
  return file and file:read "l"
end

--- A sysctl of the host that the process runs in.
---@param name string "net.core.somaxconn"
---@return number|string|nil value nil where this kernel has none of that name
function environment.sysctl(name)
  local text = first_line("/proc/sys/" .. name:gsub("%.", "/"))
  return text and (math.tointeger(tonumber(text)) or text)
end

---@return {kernel: string, lunet: string, lua: string, libuv: string, sysctl: table<string, number|string>}
function environment.read()
  local lunet_version, libuv_version = core.versions()
  local sysctl = {}
  for _, name in ipairs(SYSCTLS) do sysctl[name] = environment.sysctl(name) end
  return {
    kernel = first_line "/proc/sys/kernel/ostype" .. " " .. first_line "/proc/sys/kernel/osrelease",
    lunet = lunet_version,
    lua = _VERSION:match "[%d.]+$",
    libuv = libuv_version,
    sysctl = sysctl,
  }
end

return environment
