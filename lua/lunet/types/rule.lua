---@meta

--- The table for host:drop, which describes the segments to lose (lua/lunet/network/rule.lua).
---@class lunet.drop_options
---@field direction? "in"|"out"|"both" as the host sees it; default "in"
---@field from? string the source: "10.0.0.1", "10.0.0.0/24", "fd00::1", "fd00::/64"
---@field to? string the destination likewise
---@field port? integer either port
---@field from_port? integer
---@field to_port? integer
---@field flags? lunet.segment|lunet.segment[] one of these, or any of a list; default "any"
---@field first? integer only the first so many that match; later ones pass
---@field reject? lunet.reject the answer to each lost segment

--- With RST, or with ICMP: port unreachable, host unreachable, communication administratively prohibited.
---@alias lunet.reject "reset"|"unreachable"|"host-unreachable"|"prohibited"

--- Kinds of segments; one segment may be of several kinds. "SYN" has no ACK, and so opens a connection. "data" has at
--- least a byte of payload. "ACK" is bare, without payload, SYN, FIN and RST: the end of a handshake, for example.
---@alias lunet.segment "SYN"|"SYN-ACK"|"ACK"|"FIN"|"RST"|"data"|"any"

---@class lunet.rule
local rule = {}

--- Its losses so far, as the kernel counts them (nft(8), counter); also after close.
---@return integer|nil segments
---@return integer|string bytes with their TCP and IP headers
---@return string? code
function rule:lost() end

--- Closes it: it loses nothing from here on. A rule also ends with its host and its scope. Idempotent; on the home host
--- it takes about 10 ms, until the kernel has freed the rule.
---@return true|nil ok
---@return string? message
---@return string? code "ENOENT" if somebody else has removed it
function rule:close() end
