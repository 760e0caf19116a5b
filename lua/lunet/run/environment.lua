--- The environment of a run, on which its outcome may depend: versions, the level of recording, and the sysctls for
--- queues, handshakes, buffers, retransmission and ports (Documentation/networking/ip-sysctl.rst,
--- Documentation/admin-guide/sysctl/net.rst). doc/settings.md says which sysctl moves which figure.
local core = require "lunet.core"
local features = require "lunet.network.features"
local host_sysctl = require "lunet.network.sysctl"
local value = require "lunet.text.value"

local environment = {}

--- The sysctls of a record. A kernel may lack some of them.
---@type string[]
environment.SYSCTLS = {}
for _, name in ipairs(value.sorted_keys(features.TABLE.sysctl)) do
  if not features.TABLE.sysctl[name].unrecorded then table.insert(environment.SYSCTLS, name) end
end

--- A sysctl of the host that the process runs in.
---@param name string "net.core.somaxconn"
---@return number|string|nil value nil if this kernel has no such sysctl; several numbers have a space between them
function environment.sysctl(name)
  local text = host_sysctl.here(name)
  return text and (math.tointeger(tonumber(text)) or (text:gsub("\t", " ")))
end

--- Reads the environment.
---@param record lunet.record_level the level of recording, since recording costs the run time
---@return {kernel: string, lunet: string, lua: string, libuv: string, record: lunet.record_level,
---  sysctl: table<string, number|string>}
function environment.read(record)
  local lunet_version, libuv_version = core.versions()
  local sysctl = {}
  for _, name in ipairs(environment.SYSCTLS) do sysctl[name] = environment.sysctl(name) end
  return {
    kernel = ("%s %s"):format(host_sysctl.here "kernel.ostype", host_sysctl.here "kernel.osrelease"),
    lunet = lunet_version,
    lua = _VERSION:match "[%d.]+$",
    libuv = libuv_version,
    record = record,
    sysctl = sysctl,
  }
end

return environment
