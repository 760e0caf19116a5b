--- Rules, by which a host loses segments. This file checks a rule's options, and rule_text makes nftables text of them.
--- The core adds that to the host's firewall, counts, and removes it.
local core = require "lunet.core"
local filter = require "lunet.network.filter"
local option_table = require "lunet.text.options"
local rule_text = require "lunet.network.rule_text"
local surroundings = require "lunet.network.surroundings"
local value = require "lunet.text.value"

local rule = {}

local sorted = value.sorted_keys

local HOOKS <const> = { ["in"] = { input = true }, out = { output = true }, both = { input = true, output = true },
  forward = { forward = true } }

local FIELDS <const> = option_table.merged(filter.FIELDS, { direction = option_table.one_of(sorted(HOOKS)),
  state = option_table.one_of { "invalid" }, first = option_table.whole(1, rule_text.MOST_FIRST),
  reject = option_table.one_of(sorted(rule_text.REJECTS)) })

local function check(options)
  option_table.check("drop", options, FIELDS)
  local kinds = filter.kinds("drop", options.flags)
  if kinds.RST and options.reject == "reset" then
    core.misuse "drop: flags: RST cannot be rejected by \"reset\": nobody answers a RST by a RST"
  end
  local from, to = filter.addresses("drop", options)
  local hooks = HOOKS[options.direction or "in"]
  if options.state and hooks.output then
    core.misuse "drop: state: direction \"in\" or \"forward\" expected: what leaves has no state yet"
  end
  return option_table.merged(options, { hooks = hooks, kinds = kinds, from = from, to = to })
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
--- script closes it, or until its scope or its host ends (lunet/types/rule.lua says more).
---
--- lunet.drop needs a home host that lunet made: lunet leaves the machine's own firewall alone.
---@param host lunet.host|nil
---@param options lunet.drop_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code "EPERM" for the machine itself, "ENOPKG" without libnftables (Debian: libnftables1),
--- "EOPNOTSUPP" on a kernel that lacks a part of nftables
function rule.drop(host, options)
  local words = check(options)
  local made, message, code = core.drop(host, rule_text.chains(words), describe(host, options),
    rule_text.diverts(words))
  if not made then message = explain(host, message, code) end
  local observer = surroundings.current().observer
  if made and observer then observer:rule_opened(options) end
  return made, message, code
end

--- Like host:drop, of the home host.
---
---     local rule, message, code = lunet.drop { flags = "SYN", port = 7300 }
---     print(rule ~= nil or code == "EPERM") --> true
---@param options lunet.drop_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code as for host:drop; "EPERM" for the machine itself
function rule.drop_at_home(options)
  return rule.drop(nil, options)
end

return rule
