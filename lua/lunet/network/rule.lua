--- Rules: which segments a host loses. Here the options of one are checked; rule_text makes nftables text of them, and
--- the core adds that to the host's firewall, counts, and removes it.
local address = require "lunet.network.address"
local core = require "lunet.core"
local option_table = require "lunet.text.options"
local rule_text = require "lunet.network.rule_text"
local surroundings = require "lunet.network.surroundings"

local rule = {}

local fields = { "direction", "first", "flags", "from", "from_port", "port", "reject", "to", "to_port" }

local directions = {
  ["in"] = { input = true },
  out = { output = true },
  both = { input = true, output = true },
}

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
    if not rule_text.KINDS[name] then
      core.misuse(("drop: flags: one of %s, or a list of them, expected, not %s"):format(names_of(rule_text.KINDS),
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

local function check(options)
  check_fields(options)
  check_choice(options, "reject", rule_text.REJECTS)
  local words = { hooks = check_choice(options, "direction", directions, "in"), reject = options.reject,
    first = check_number(options, "first", rule_text.MOST_FIRST), port = check_number(options, "port", 65535),
    from_port = check_number(options, "from_port", 65535), to_port = check_number(options, "to_port", 65535),
    from = check_address(options, "from"), to = check_address(options, "to"), kinds = check_flags(options) }
  if words.from and words.to and address.is_ipv6(words.from) ~= address.is_ipv6(words.to) then
    core.misuse(("drop: from %s to %s: both IPv4 or both IPv6 expected"):format(words.from, words.to))
  end
  return words
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
  local features = require "lunet.network.features" -- loaded by those who need it alone
  local rows, missing = features.TABLE.expression, {}
  for _, name in ipairs(require("lunet.text.value").sorted_keys(rows)) do
    local try = rows[name].try
    local content = try and (name == "inet" and "" or rule_text.probe(try))
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
  local content = rule_text.chains(check(options))
  local made, message, code = core.drop(host, content, describe(host, options))
  if not made then message = explain(host, message, code) end
  local observer = surroundings.current().observer
  if made and observer then observer:rule_opened(options) end
  return made, message, code
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
