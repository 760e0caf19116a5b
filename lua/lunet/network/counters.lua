--- Snapshots of a host's TCP counters, by the kernel's names (/proc/net/snmp and /proc/net/netstat; net/ipv4/proc.c,
--- net/mptcp/mib.c). The difference of two snapshots has the counters that moved.
local counters = {}

local snapshot = {}

local function parse(text, group, into, prefix)
  local pattern = "%f[^\n\0]" .. group .. ": ([^\n]+)\n" .. group .. ": ([^\n]+)"
  local names, values = ("\n" .. text):match(pattern)
  if not names then return end
  local next_value = values:gmatch "%S+"
  for name in names:gmatch "%S+" do into[prefix .. name] = math.tointeger(tonumber(next_value())) end
end

local function refuse_unknown(name)
  local features = require "lunet.network.features"
  if features.find("counter", name) then error("counters: " .. features.explain("counter", name), 3) end
  error(("no counter of this kernel is called '%s'"):format(tostring(name)), 3)
end

function snapshot.__index(_, name) refuse_unknown(name) end

local function is_snapshot(value) return getmetatable(value) == snapshot end

--- The difference has only the counters that moved. Any other counter of the snapshots reads as 0.
function snapshot.__sub(after, before)
  if not (is_snapshot(after) and is_snapshot(before)) then
    error("counters: two snapshots expected, later - earlier", 2)
  end
  local difference = {}
  for name, value in pairs(after) do
    local moved = value - (rawget(before, name) or 0)
    if moved ~= 0 then difference[name] = moved end
  end
  return setmetatable(difference, {
    __index = function(_, name)
      if rawget(after, name) then return 0 end
      refuse_unknown(name)
    end,
  })
end

--- Makes a snapshot of the kernel's texts.
---@param snmp string /proc/net/snmp
---@param netstat string /proc/net/netstat
---@return table<string, integer>
function counters.new(snmp, netstat)
  local values = setmetatable({}, snapshot)
  parse(snmp, "Tcp", values, "")
  parse(netstat, "TcpExt", values, "")
  parse(netstat, "MPTcpExt", values, "MPTcpExt") -- some names of TcpExt are in there, too
  return values
end

return counters
