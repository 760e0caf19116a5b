--- Rules, by which a host loses segments. This file checks a rule's options, and rule_text makes nftables text of them.
--- The core adds that to the host's firewall, counts, and removes it.
local address = require "lunet.network.address"
local core = require "lunet.core"
local option_table = require "lunet.text.options"
local rule_text = require "lunet.network.rule_text"
local surroundings = require "lunet.network.surroundings"
local value = require "lunet.text.value"

local rule = {}

local sorted = value.sorted_keys

local HOOKS <const> = { ["in"] = { input = true }, out = { output = true }, both = { input = true, output = true } }

local ADDRESS <const> = { expected = "an address like 10.0.0.1, 10.0.0.0/24, fd00::1 or fd00::/64",
  accepts = function(any)
    local text = address.unmapped(tostring(any))
    return text:find "^[%x:./]+$" ~= nil and core.is_address(address.with_prefix(text))
  end }
local PORT <const> = option_table.whole(1, 65535)
local KIND <const> = option_table.one_of(sorted(rule_text.KINDS))

local FIELDS <const> = { direction = option_table.one_of(sorted(HOOKS)),
  first = option_table.whole(1, rule_text.MOST_FIRST), flags = option_table.any, from = ADDRESS, from_port = PORT,
  port = PORT, reject = option_table.one_of(sorted(rule_text.REJECTS)), to = ADDRESS, to_port = PORT }

-- The set of the kinds of segments.
local function kinds_of(options)
  local list, kinds = options.flags, {}
  if list == nil then list = "any" end
  if type(list) ~= "table" then list = { list } end
  for _, name in ipairs(list) do
    option_table.value("drop: flags", name, KIND)
    kinds[name] = true
  end
  if next(kinds) == nil then core.misuse "drop: flags: a list of at least one expected" end
  if kinds.RST and options.reject == "reset" then
    core.misuse "drop: flags: RST cannot be rejected by \"reset\": nobody answers a RST by a RST"
  end
  return kinds
end

-- The segments of a mapped address are of IPv4.
local function unmapped(any) return any ~= nil and address.unmapped(tostring(any)) or nil end

local function check(options)
  option_table.check("drop", options, FIELDS)
  local words = option_table.merged(options, { hooks = HOOKS[options.direction or "in"], kinds = kinds_of(options),
    from = unmapped(options.from), to = unmapped(options.to) })
  if words.from and words.to and address.is_ipv6(words.from) ~= address.is_ipv6(words.to) then
    core.misuse(("drop: from %s to %s: both IPv4 or both IPv6 expected"):format(words.from, words.to))
  end
  return words
end

local function describe(host, options)
  local words = {}
  for _, field in ipairs(sorted(options)) do
    local any = options[field]
    words[#words + 1] = ("%s=%s"):format(field, type(any) == "table" and table.concat(any, ",") or any)
  end
  return ("on %s: %s"):format(host and host:name() or "home", table.concat(words, " "))
end

-- Explains the words of rules that the host's kernel does not take.
local function missing_on(host)
  local features = require "lunet.network.features" -- loaded only when it is needed
  local rows, missing = features.TABLE.expression, {}
  for _, name in ipairs(sorted(rows)) do
    local try = rows[name].try
    local content = try and (name == "inet" and "" or rule_text.probe(try))
    if content and not core.takes_rules(host, content) then
      if name == "inet" then return features.explain("expression", name) end -- and so no other word
      missing[#missing + 1] = features.explain("expression", name)
    end
  end
  return missing[1] and table.concat(missing, ", ")
end

-- The kernel's errors for an unknown table, expression or hook.
local KERNELS = { EAFNOSUPPORT = true, EINVAL = true, ENOENT = true, EOPNOTSUPP = true, EPROTONOSUPPORT = true }

-- nftables gives the kernel's error, which does not name the wrong word of the rule.
local function explain(host, message, code)
  local missing = host and KERNELS[code] and missing_on(host)
  return missing and ("drop: %s (%s)"):format(missing, code) or message
end

--- Loses TCP segments of a host (nil: the home host) while the rule is open. A segment is lost if all options are true
--- of it. Without options the rule loses every one. Other hosts and other protocols go on. The rule is open until a
--- script closes it, or until its scope or its host ends.
---
--- * The sender does not notice the loss, even of a segment on its way out of the host: TCP takes it as sent. (The rule
---   sends the segment to the host's loopback instead, and loses it there.)
--- * The rule counts segments as the kernel hands them on. TCP may pass down one piece for the device to cut up
---   (segmentation offload, up to 64 KiB): the rule counts it as one segment, and loses it as one.
--- * A rule judges only segments that come to the host itself, or that the host sends. It does not see segments that
---   the host forwards (net.ipv4.ip_forward); a rule on either end does.
--- * The newest rule judges first. The host's other rules never see a segment that one rule has lost.
--- * A rejected segment is lost too, and counted. "reset" answers at once. The other answers are ICMP, and TCP heeds
---   those only while it connects. An ICMP answer may come while connect(2) still runs, as over a link without delay:
---   the kernel keeps it for a program that polls, as lunet does. A blocking connect(2) waits for the next SYN, after
---   1 s. The kernel sends only a few ICMP answers a second (sysctls net.ipv4.icmp_ratelimit and
---   net.ipv6.icmp.ratelimit; 0 means no limit).
--- * "reset" lets segments with RST pass, since nobody answers those by RST.
---
--- lunet.drop needs a home host that lunet made: lunet leaves the machine's own firewall alone.
---@param host lunet.host|nil
---@param options lunet.drop_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code "EPERM" for the machine itself, "ENOPKG" without libnftables (Debian: libnftables1),
--- "EOPNOTSUPP" on a kernel that lacks a part of nftables
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
