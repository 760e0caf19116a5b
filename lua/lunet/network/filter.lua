--- Filters of TCP segments: the options that describe them, for the rules of hosts and the hands on wires.
local address = require "lunet.network.address"
local core = require "lunet.core"
local option_table = require "lunet.text.options"
local rule_text = require "lunet.network.rule_text"
local value = require "lunet.text.value"

local filter = {}

local ADDRESS <const> = { expected = "an address like 10.0.0.1, 10.0.0.0/24, fd00::1 or fd00::/64",
  accepts = function(any)
    local text = address.unmapped(tostring(any))
    return text:find "^[%x:./]+$" ~= nil and core.is_address(address.with_prefix(text))
  end }
local PORT <const> = option_table.whole(1, 65535)
local KIND <const> = option_table.one_of(value.sorted_keys(rule_text.KINDS))

--- By name: the options that every filter has.
---@type table<string, lunet.option>
filter.FIELDS = { flags = option_table.any, from = ADDRESS, from_port = PORT, port = PORT, to = ADDRESS,
  to_port = PORT }

--- The set of the kinds of segments that an option names. Raises if it names none.
---@param what string the owner of the option: "drop"
---@param flags string|string[]|nil
---@return table<string, true>
function filter.kinds(what, flags)
  local list, kinds = flags, {}
  if list == nil then list = "any" end
  if type(list) ~= "table" then list = { list } end
  for _, name in ipairs(list) do
    option_table.value(what .. ": flags", name, KIND)
    kinds[name] = true
  end
  if next(kinds) == nil then core.misuse(what .. ": flags: a list of at least one expected") end
  return kinds
end

-- The segments of a mapped address are of IPv4.
local function unmapped(any) return any ~= nil and address.unmapped(tostring(any)) or nil end

--- The two addresses of a filter. Raises if their families differ.
---@param what string the owner of the filter
---@param options table
---@return string? from
---@return string? to
function filter.addresses(what, options)
  local from, to = unmapped(options.from), unmapped(options.to)
  if from and to and address.is_ipv6(from) ~= address.is_ipv6(to) then
    core.misuse(("%s: from %s to %s: both IPv4 or both IPv6 expected"):format(what, from, to))
  end
  return from, to
end

return filter
