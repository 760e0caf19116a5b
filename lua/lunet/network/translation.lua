--- Rules by which a host sends connections on to another host: the kernel's own forwarding (nft(8), NAT STATEMENTS).
local address = require "lunet.network.address"
local core = require "lunet.core"
local option_table = require "lunet.text.options"

local translation = {}

local FIELDS <const> = { port = option_table.whole(1, 65535), to = option_table.text,
  to_port = option_table.whole(1, 65535) }

-- The chains that a rule of lunet's must have are `judge`, which the core empties at its end, and `lose`, whose counter
-- it reads.
local RULE <const> = [[
chain lose {
  counter packets 0 bytes 0
}
chain judge {
  tcp dport %d jump lose
  tcp dport %d dnat ip to %s:%d
}
chain arrive {
  type nat hook prerouting priority dstnat
  jump judge
}
chain leave {
  type nat hook postrouting priority srcnat
  masquerade
}
]]

--- Sends the connections to a port of a host on to a server: the host replaces the addresses in their segments, and has
--- no connection itself. Switches on the host's net.ipv4.ip_forward. IPv4 only.
---@param host lunet.host not the home host
---@param options {port: integer, to: string, to_port: integer} the host's port; the server's address and port
---@return lunet.rule|nil rule; its `lost` counts the connections, by their first segments
---@return string? message
---@return string? code "ENOPKG" without libnftables, "EOPNOTSUPP" or "ENOENT" on a kernel without NAT
function translation.open(host, options)
  option_table.check("translation", options, FIELDS)
  for field in pairs(FIELDS) do
    if options[field] == nil then core.misuse("translation: " .. field .. " is missing") end
  end
  if not options.to:find "^[%d.]+$" or not core.is_address(address.with_prefix(options.to)) then
    core.misuse(("translation: to: an address like 10.0.0.1 expected, not '%s'"):format(options.to))
  end
  local ok, message, code = host:sysctl("net.ipv4.ip_forward", 1)
  if not ok then return nil, message, code end
  local content = RULE:format(options.port, options.port, options.to, options.to_port)
  return core.drop(host, content, ("on %s: translates port %d to %s:%d"):format(host:name(), options.port, options.to,
    options.to_port))
end

return translation
