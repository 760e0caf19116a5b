--- Rules by which a host changes the connections that it forwards: it translates their addresses (nft(8), NAT
--- STATEMENTS), or answers for a server (SYNPROXY STATEMENT).
local address = require "lunet.network.address"
local core = require "lunet.core"
local option_table = require "lunet.text.options"
local surroundings = require "lunet.network.surroundings"

local translation = {}

local FIELDS <const> = { port = option_table.whole(1, 65535), to = option_table.text,
  to_port = option_table.whole(1, 65535), source = option_table.truth }

local PROXY_FIELDS <const> = { port = FIELDS.port }

-- The chains that a rule of lunet's must have are `judge`, which the core empties at its end, and `lose`, whose counter
-- it reads. A connection's first segment alone comes to these chains.
local DESTINATION <const> = [[
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

local SOURCE <const> = [[
chain lose {
  counter packets 0 bytes 0
}
chain judge {
  jump lose
  masquerade
}
chain leave {
  type nat hook postrouting priority srcnat
  jump judge
}
]]

-- The SYN is not tracked, so that it meets the proxy.
local PROXY <const> = [[
chain lose {
  counter packets 0 bytes 0
}
chain take {
  jump lose
  notrack
}
chain judge {
  tcp dport %d tcp flags & (fin | syn | rst | ack) == syn jump take
}
chain arrive {
  type filter hook prerouting priority raw
  jump judge
}
chain pass {
  type filter hook forward priority filter
  tcp dport %d ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
  ct state invalid drop
}
]]

--- The table for host:synproxy.
---@class lunet.synproxy_options
---@field port integer of the servers for which the host answers

--- The table for host:nat: either `source`, or the three others.
---@class lunet.nat_options
---@field port? integer of the host
---@field to? string the server's address, such as "10.0.1.2"
---@field to_port? integer the server's port
---@field source? boolean true: what the host forwards comes from its own address

-- The kernel's errors for an unknown chain or expression.
local MISSING <const> = { EOPNOTSUPP = true, ENOENT = true }

-- The text of the rule, and what it does in words.
local function rule_of(options)
  local port, to, to_port = options.port, options.to, options.to_port
  if options.source and not (port or to or to_port) then return SOURCE, "translates sources" end
  if options.source then core.misuse "nat: source: without port, to and to_port expected" end
  for _, field in ipairs { "port", "to", "to_port" } do
    if options[field] == nil then core.misuse(("nat: %s is missing"):format(field)) end
  end
  if not to:find "^[%d.]+$" or not core.is_address(address.with_prefix(to)) then
    core.misuse(("nat: to: an address like 10.0.0.1 expected, not '%s'"):format(to))
  end
  return DESTINATION:format(port, port, to, to_port), ("translates port %d to %s:%d"):format(port, to, to_port)
end

-- Adds a rule to a host, and makes it forward.
local function add(what, host, content, words, lacks)
  local ok, message, code = host:sysctl("net.ipv4.ip_forward", 1)
  if not ok then return nil, message, code end
  local made
  made, message, code = core.drop(host, content, ("on %s: %s"):format(host:name(), words))
  if MISSING[code] then message = ("%s: this kernel has no %s (%s)"):format(what, lacks, code) end
  local observer = surroundings.current().observer
  if made and observer then observer:rule_opened(false) end -- it loses nothing
  return made, message, code
end

--- See host:nat.
---@param host lunet.host
---@param options lunet.nat_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code
function translation.open(host, options)
  option_table.check("nat", options, FIELDS)
  local content, words = rule_of(options)
  return add("nat", host, content, words, "NAT for nftables: nft_chain_nat, nft_nat, nft_masq")
end

--- See host:synproxy.
---@param host lunet.host
---@param options lunet.synproxy_options
---@return lunet.rule|nil rule
---@return string? message
---@return string? code
function translation.answer(host, options)
  option_table.check("synproxy", options, PROXY_FIELDS)
  local port = options.port
  if not port then core.misuse "synproxy: port is missing" end
  local words = ("answers for servers at port %d"):format(port)
  local made, message, code = add("synproxy", host, PROXY:format(port, port), words,
    "SYNPROXY for nftables: nft_synproxy")
  if not made then return nil, message, code end
  -- Or the client's ACK would begin a connection, and not come to the proxy.
  local ok, why, which = host:sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)
  if ok then return made end
  made:close()
  return nil, why, which
end

return translation
