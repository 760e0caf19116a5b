--- The environment of a run, on which its outcome may depend: versions, the level of recording, and the sysctls for
--- queues, handshakes, buffers, retransmission and ports (Documentation/networking/ip-sysctl.rst,
--- Documentation/admin-guide/sysctl/net.rst). doc/settings.md says which sysctl moves which figure.
local core = require "lunet.core"
local features = require "lunet.network.features"
local guest = require "lunet.network.guest"
local host_sysctl = require "lunet.network.sysctl"
local value = require "lunet.text.value"

local environment = {}

--- The sysctls of a record. A kernel may lack some of them.
---@type string[]
environment.SYSCTLS = {}
for _, name in ipairs(value.sorted_keys(features.TABLE.sysctl)) do
  if not features.TABLE.sysctl[name].unrecorded then table.insert(environment.SYSCTLS, name) end
end

local function value_of(text) return math.tointeger(tonumber(text)) or (text:gsub("\t", " ")) end

--- A sysctl of the host that the process runs in.
---@param name string "net.core.somaxconn"
---@return number|string|nil value nil if this kernel has no such sysctl; several numbers have a space between them
function environment.sysctl(name)
  local text = host_sysctl.here(name)
  return text and value_of(text)
end

--- Reads the environment.
---@param record lunet.record_level the level of recording, since recording costs the run time
---@return {kernel: string, lunet: string, lua: string, libuv: string, record: lunet.record_level,
---  sysctl: table<string, number|string>, guest: {engine: string, clock: string, uid: integer}?} guest: how it came to
--- run under another kernel than this machine's own
function environment.read(record)
  local lunet_version, libuv_version = core.versions()
  local sysctl = {}
  for name, text in pairs(host_sysctl.all_here(environment.SYSCTLS)) do sysctl[name] = value_of(text) end
  return {
    kernel = ("%s %s"):format(host_sysctl.here "kernel.ostype", host_sysctl.here "kernel.osrelease"),
    lunet = lunet_version,
    lua = _VERSION:match "[%d.]+$",
    libuv = libuv_version,
    record = record,
    guest = guest.here(),
    sysctl = sysctl,
  }
end

--- How many processors this process may use (proc(5), /proc/PID/status): "0-3,8" are five. A job of Slurm's may use as
--- many as it was given, also where nothing binds it to them (sbatch(1)).
---@return integer
function environment.processors()
  local count = 0
  for line in io.lines "/proc/self/status" do
    for first, last in (line:match "^Cpus_allowed_list:%s*(.*)" or ""):gmatch "(%d+)%-?(%d*)" do
      count = count + 1 + (tonumber(last) or tonumber(first)) - tonumber(first)
    end
  end
  local given = tonumber(os.getenv "SLURM_CPUS_ON_NODE") or math.huge
  return math.max(math.min(count, given), 1)
end

return environment
