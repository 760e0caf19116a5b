--- The meaning of a rule: it tells whether the rule loses a segment that a tap saw.
local address = require "lunet.network.address"

local rule_meaning = {}

local function has(s, flag) return s.flags:find(flag, 1, true) ~= nil end

-- The kinds of rule_text, for a segment that a tap saw.
local shown = {
  any = function() return true end,
  SYN = function(s) return has(s, "SYN") and not has(s, "ACK") end,
  ["SYN-ACK"] = function(s) return has(s, "SYN") and has(s, "ACK") end,
  FIN = function(s) return has(s, "FIN") end,
  RST = function(s) return has(s, "RST") end,
  data = function(s) return s.bytes > 0 end,
  ACK = function(s) return (s.flags == "ACK" or s.flags == "PSH,ACK") and s.bytes == 0 end,
}

local function is_shown(list, s)
  if type(list) ~= "table" then list = { list or "any" } end
  for _, name in ipairs(list) do
    if shown[name](s) then return true end
  end
  return false
end

local function is_at(range, end_point) return not range or address.is_within(end_point, tostring(range)) end

--- Whether a rule with these options loses a segment that arrives. Leaves `first` to the caller. A segment that a rule
--- about what the host passes on loses has arrived there.
---@param options lunet.drop_options
---@param s lunet.segment_event
---@return boolean
function rule_meaning.loses(options, s)
  local from_port, to_port = address.port(s.from), address.port(s.to)
  if options.direction == "out" or options.direction == "forward" or options.state then return false end
  return is_shown(options.flags, s) and is_at(options.from, s.from) and is_at(options.to, s.to)
    and (not options.from_port or options.from_port == from_port)
    and (not options.to_port or options.to_port == to_port)
    and (not options.port or options.port == from_port or options.port == to_port)
    and not (options.reject == "reset" and has(s, "RST"))
end

return rule_meaning
