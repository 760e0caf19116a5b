--- Rules: which segments a host loses. Here the options of one become nftables text (nft(8)); the core
--- adds that to the host's firewall, counts, and removes it.
local address = require "lunet.network.address"
local core = require "lunet.core"
local option_table = require "lunet.text.options"

-- on_open(options) is called with each rule that is made, while somebody records.
local rule = {}

local fields = { "direction", "first", "flags", "from", "from_port", "port", "reject", "to", "to_port" }

local directions = {
  ["in"] = { input = true },
  out = { output = true },
  both = { input = true, output = true },
}

-- What follows the TCP header can be read only if there is something. Where it begins depends on the header's length,
-- in words; nftables' own name for the place, @ih, would need Linux 5.16.
local SHORTEST, LONGEST = 5, 15

local function if_data(verdict)
  local lines = {}
  for words = SHORTEST, LONGEST do
    lines[#lines + 1] = ("tcp doff %d @th,%d,8 >= 0 %s"):format(words, 32 * words, verdict)
  end
  return table.concat(lines, "\n")
end

-- By name: what is done with a segment.
local kinds = {
  any = "goto lose",
  SYN = "tcp flags & (syn | ack) == syn goto lose",
  ["SYN-ACK"] = "tcp flags & (syn | ack) == (syn | ack) goto lose",
  FIN = "tcp flags & fin == fin goto lose",
  RST = "tcp flags & rst == rst goto lose",
  data = if_data "goto lose",
  ACK = "tcp flags & (syn | ack | fin | rst) == ack goto bare", -- the last: it may end the search
}
local order = { "any", "SYN", "SYN-ACK", "FIN", "RST", "data", "ACK" }

local rejects = {
  reset = "reject with tcp reset",
  unreachable = "reject with icmpx type port-unreachable",
  ["host-unreachable"] = "reject with icmpx type host-unreachable",
  prohibited = "reject with icmpx type admin-prohibited",
}

local MOST = 0xfffffffe -- for `first`: the kernel counts modulo 2^32 - 1

-- -- checks ------------------------------------------------------------------------------------
-- Level 3 is the script's line: rule.drop itself calls each of them.

local function names_of(choices)
  local names = {}
  for name in pairs(choices) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

local function check_fields(options)
  if type(options) ~= "table" then
    core.misuse(("drop: a table of options expected, not %s"):format(type(options)))
  end
  local unknown = option_table.unknown("option", options, fields)
  if unknown then core.misuse("drop: " .. unknown) end
end

local function check_choice(options, field, choices, default)
  local name = options[field]
  if name == nil then name = default end
  if name ~= nil and not choices[name] then
    core.misuse(("drop: %s: one of %s expected, not %s"):format(field, names_of(choices), tostring(name)))
  end
  return choices[name]
end

local function check_number(options, field, most)
  local number = options[field]
  if number ~= nil and (math.type(number) ~= "integer" or number < 1 or number > most) then
    core.misuse(("drop: %s: a whole number from 1 to %d expected, not %s"):format(field, most, tostring(number)))
  end
  return number
end

-- "ip" or "ip6", as nft(8) calls its family.
local function family_of(text) return address.is_ipv6(text) and "ip6" or "ip" end

local function check_address(options, field)
  if options[field] == nil then return nil end
  local text = address.unmapped(tostring(options[field])) -- the segments of a mapped address are of IPv4
  if not text:find "^[%x:./]+$" or not core.is_address(address.with_prefix(text)) then
    core.misuse(("drop: %s: an address like 10.0.0.1, 10.0.0.0/24, fd00::1 or fd00::/64 expected, not %s"):format(field,
      text))
  end
  return text
end

-- A set of kinds.
local function check_flags(options)
  local list = options.flags
  if list == nil then list = "any" end
  if type(list) ~= "table" then list = { list } end
  local wanted = {}
  for _, name in ipairs(list) do
    if not kinds[name] then
      core.misuse(("drop: flags: one of %s, or a list of them, expected, not %s"):format(names_of(kinds),
        tostring(name)))
    end
    wanted[name] = true
  end
  if next(wanted) == nil then core.misuse "drop: flags: a list of at least one expected" end
  if wanted.RST and options.reject == "reset" then
    core.misuse "drop: flags: RST cannot be rejected by \"reset\": nobody answers a RST by a RST"
  end
  return wanted
end

-- -- the text ----------------------------------------------------------------------------------

local MARK = "0x6c6f7374" -- "lost", in ASCII

local function chain(name, ...)
  return ("chain %s {\n%s\n}\n"):format(name, table.concat({ ... }, "\n"))
end

-- What is to be lost is marked here, and lost in the chains of the hooks. A rule that answers by RST would
-- otherwise meet its own answers on the loopback.
local function lose_chain(first, is_reset)
  local condition = is_reset and "tcp flags & rst == 0 " or ""
  if first then condition = condition .. ("numgen inc mod %d < %d "):format(MOST + 1, first) end
  return chain("lose", condition .. "counter meta mark set " .. MARK)
end

local function kinds_chain(wanted)
  local lines = {}
  for _, name in ipairs(order) do
    if wanted[name] then lines[#lines + 1] = kinds[name] end
  end
  return chain("bare", if_data "return", "goto lose") .. chain("kinds", table.unpack(lines))
end

local function ends_of(from, to, from_port, to_port)
  local words = { "meta l4proto tcp" }
  local function add(format, ...) words[#words + 1] = format:format(...) end
  if from then add("%s saddr %s", family_of(from), from) end
  if to then add("%s daddr %s", family_of(to), to) end
  if from_port then add("tcp sport %d", from_port) end
  if to_port then add("tcp dport %d", to_port) end
  return table.concat(words, " ")
end

local function judge_chain(ends, port)
  if not port then return chain("judge", ends .. " goto kinds") end
  return chain("judge", ends .. (" tcp sport %d goto kinds"):format(port),
    ends .. (" tcp dport %d goto kinds"):format(port))
end

local HOOK = "type %s hook %s priority raw"

-- To lose a segment that is on its way in is to drop it.
local function input_chain(is_judged, answer)
  local drop = ("meta mark %s drop"):format(MARK)
  local hook = HOOK:format("filter", "input")
  if not is_judged then return chain("input", hook, drop) end
  return chain("input", hook, drop, "jump judge", answer and ("meta mark %s %s"):format(MARK, answer) or drop)
end

-- TCP is told of one that is dropped on its way out, and takes it as never sent. So it is sent to the
-- loopback instead, and dropped where it comes in. Another rule may have done that already.
local function output_chain(answer)
  local if_marked = ("meta mark %s "):format(MARK)
  local hook = HOOK:format(answer and "filter" or "route", "output")
  if answer then return chain("output", hook, if_marked .. "accept", "jump judge", if_marked .. answer) end
  return chain("output", hook, if_marked .. "accept", "jump judge",
    if_marked .. "ip daddr set 127.0.0.1", if_marked .. "ip6 daddr set ::1")
end

local function describe(host, options)
  local words = {}
  for _, field in ipairs(fields) do
    local value = options[field]
    if type(value) == "table" then value = table.concat(value, ",") end
    if value ~= nil then words[#words + 1] = ("%s=%s"):format(field, value) end
  end
  return ("on %s: %s"):format(host and host:name() or "home", table.concat(words, " "))
end

-- Those of the words of rules that the host's kernel does not take, explained.
local function missing_on(host)
  local features = require "lunet.network.features"
  local rows, missing = features.TABLE.expression, {}
  for _, name in ipairs(require("lunet.text.value").sorted_keys(rows)) do
    local try = rows[name].try
    local content = try and (name == "inet" and "" or chain("probe", try))
    if content and not core.takes_rules(host, content) then
      if name == "inet" then return features.explain("expression", name) end -- and so none of them
      missing[#missing + 1] = features.explain("expression", name)
    end
  end
  return missing[1] and table.concat(missing, ", ")
end

-- The errors by which the kernel says that it does not know a table, an expression or a hook.
local KERNELS = { EAFNOSUPPORT = true, EINVAL = true, ENOENT = true, EOPNOTSUPP = true, EPROTONOSUPPORT = true }

-- What nftables has against a rule is in the kernel's words, which do not say which word of the rule it is.
local function explain(host, message, code)
  local missing = host and KERNELS[code] and missing_on(host)
  return missing and ("drop: %s (%s)"):format(missing, code) or message
end

--- Loses TCP segments of a host (nil: of the home host) as long as the rule is open. All that the options
--- say must be true of a segment; without options, every one is lost. Other hosts and other protocols go on.
--- The rule is open until it is closed, or until its scope or its host ends.
---
--- * Nobody is told of the loss, on the way out of the host too: the sender takes it as sent. (It goes to the
---   host's loopback instead, and is lost there.)
--- * Segments are counted as the kernel hands them on. What TCP passes down in one piece, for the device
---   to cut up (segmentation offload, up to 64 KiB), is one, and is lost as one.
--- * What the host forwards for others (net.ipv4.ip_forward) passes unseen: only what comes to the host itself, and
---   what it sends, is judged. A rule on either end loses it.
--- * What one rule has lost, the host's others never see. The newest judges first.
--- * A rejected segment is lost too, and counted. "reset" answers at once. The others are ICMP: TCP heeds that only
---   while it connects. What comes while connect(2) itself still runs, as it does over a link without delay, the
---   kernel keeps for whoever polls, as lunet does; a connect(2) that blocks goes on to the next SYN, after 1 s. And
---   the kernel sends few a second (sysctls net.ipv4.icmp_ratelimit and net.ipv6.icmp.ratelimit; 0 lifts that).
--- * "reset" leaves segments with RST alone, since nobody answers them so: they pass.
---
--- lunet.drop needs a home host that lunet made: the machine's own firewall is not touched.
---@param host lunet.host|nil
---@param options lunet.drop_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code "EPERM" for the machine itself, "ENOPKG" without libnftables (Debian: libnftables1),
--- "EOPNOTSUPP" on a kernel without something that rules need
function rule.drop(host, options)
  check_fields(options)
  local hooks = check_choice(options, "direction", directions, "in")
  local answer = check_choice(options, "reject", rejects)
  local first = check_number(options, "first", MOST)
  local port = check_number(options, "port", 65535)
  local from_port = check_number(options, "from_port", 65535)
  local to_port = check_number(options, "to_port", 65535)
  local from, to = check_address(options, "from"), check_address(options, "to")
  if from and to and family_of(from) ~= family_of(to) then
    core.misuse(("drop: from %s to %s: both IPv4 or both IPv6 expected"):format(from, to))
  end
  local wanted = check_flags(options)
  local content = lose_chain(first, options.reject == "reset") .. kinds_chain(wanted)
    .. judge_chain(ends_of(from, to, from_port, to_port), port) .. input_chain(hooks.input, answer)
    .. (hooks.output and output_chain(answer) or "")
  local made, message, code = core.drop(host, content, describe(host, options))
  if not made then message = explain(host, message, code) end
  if made and rule.on_open then rule.on_open(options) end
  return made, message, code
end

-- -- what a rule means ---------------------------------------------------------------------------

local function has(s, flag) return s.flags:find(flag, 1, true) ~= nil end

-- As `kinds`, of a segment that a tap saw.
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

--- Whether a segment that arrives is one of those that a rule with these options loses, `first` apart.
---@param options lunet.drop_options
---@param s lunet.segment_event
---@return boolean
function rule.means(options, s)
  local from_port, to_port = address.port(s.from), address.port(s.to)
  return options.direction ~= "out" and is_shown(options.flags, s) and is_at(options.from, s.from)
    and is_at(options.to, s.to) and (not options.from_port or options.from_port == from_port)
    and (not options.to_port or options.to_port == to_port)
    and (not options.port or options.port == from_port or options.port == to_port)
    and not (options.reject == "reset" and has(s, "RST"))
end

--- Like host:drop, of the home host.
---@param options lunet.drop_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code
function rule.drop_at_home(options)
  return rule.drop(nil, options)
end

return rule
