--- The connections that a host's kernel tracks, for translations and for rules with a state (/proc/net/nf_conntrack;
--- net/netfilter/nf_conntrack_standalone.c, ct_seq_show).
local tracking = {}

local ENDS <const> = "src=(%S+) dst=(%S+) sport=(%d+) dport=(%d+)"

local function join(ip, port) return (ip:find ":" and "[%s]:%s" or "%s:%s"):format(ip, port) end

-- The kernel writes IPv6 addresses in full: "fd00:0001:0000:0000:0000:0000:0000:0001".
local function shorten(ip)
  if not ip:find ":" then return ip end
  local short = ip:gsub("%f[%x]0+(%x)", "%1")
  local longest = ""
  for zeros in (short .. ":"):gmatch "%f[%x]0:[0:]*" do
    if #zeros > #longest then longest = zeros end
  end
  if #longest <= 2 then return short end
  local from, to = (short .. ":"):find(longest, 1, true)
  return short:sub(1, math.max(0, from - 2)) .. "::" .. short:sub(to + 1)
end

local function parse(line)
  local seconds, state = line:match "^%S+%s+%d+%s+tcp%s+%d+%s+(%d+)%s+([%u_%d]+)%s"
  if not seconds then return nil end
  local ends = {}
  for from, to, from_port, to_port in line:gmatch(ENDS) do
    ends[#ends + 1] = { join(shorten(from), from_port), join(shorten(to), to_port) }
  end
  return { state = state, seconds = math.tointeger(tonumber(seconds)), from = ends[1][1], to = ends[1][2],
    reply_from = ends[2][1], reply_to = ends[2][2], replied = not line:find("[UNREPLIED]", 1, true),
    assured = line:find("[ASSURED]", 1, true) ~= nil }
end

--- A TCP connection that a host's kernel tracks (nf_conntrack-sysctl.rst of the kernel).
---@class lunet.tracked
---@field state string in the tracker's view: "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT",
--- "LAST_ACK", "TIME_WAIT", "CLOSE"
---@field seconds integer after which the host forgets it if no segment comes
---@field from string whence its first segment came: "10.0.0.1:40000"
---@field to string where that went, before a translation
---@field reply_from string whence replies come: the server behind a translation
---@field reply_to string where they go: the address that the server sees
---@field replied boolean whether the other end has sent anything
---@field assured boolean whether it has been seen to work; under pressure the kernel forgets the others first

--- The TCP connections of the kernel's text.
---@param text string /proc/net/nf_conntrack
---@return lunet.tracked[]
function tracking.parse(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = parse(line) end
  return list
end

return tracking
