---@meta

--- What is to be lost, in the table that host:drop takes (lua/lunet/network/rule.lua).
---@class lunet.drop_options
---@field direction? "in"|"out"|"both" as the host sees it; default "in"
---@field from? string the source: "10.0.0.1", "10.0.0.0/24", "fd00::1", "fd00::/64"
---@field to? string the destination likewise
---@field port? integer either port
---@field from_port? integer
---@field to_port? integer
---@field flags? lunet.segment|lunet.segment[] one of these, or any of a list; default "any"
---@field first? integer only so many that match; those after them pass
---@field reject? lunet.reject answers what it loses

--- With RST, or with ICMP: port unreachable, host unreachable, communication administratively prohibited.
---@alias lunet.reject "reset"|"unreachable"|"host-unreachable"|"prohibited"

--- Kinds of segments; one may be of several. "SYN" comes without ACK, and so opens a connection. "data"
--- has at least a byte of payload. "ACK" is a bare one, without payload, SYN, FIN and RST: the end of a
--- handshake, for example.
---@alias lunet.segment "SYN"|"SYN-ACK"|"ACK"|"FIN"|"RST"|"data"|"any"

---@class lunet.rule
local rule = {}

--- What it has lost so far, as the kernel counts it (nft(8), counter); also when it is closed.
---@return integer|nil segments
---@return integer|string bytes with their TCP and IP headers
---@return string? code
function rule:lost() end

--- Closes it: from here on nothing is lost by it. A rule ends with its host and its scope, too. Idempotent; on
--- the home host it takes about 10 ms, until the kernel has let it go.
---@return true|nil ok
---@return string? message
---@return string? code "ENOENT" if somebody else has removed it
function rule:close() end
