---@meta

--- The table for host:drop, which describes the segments to lose (lua/lunet/network/rule.lua).
---@class lunet.drop_options
---@field direction? "in"|"out"|"both"|"forward" as the host sees it; "forward": what it passes on; default "in"
---@field from? string the source: "10.0.0.1", "10.0.0.0/24", "fd00::1", "fd00::/64"
---@field to? string the destination likewise
---@field port? integer either port
---@field from_port? integer
---@field to_port? integer
---@field flags? lunet.segment|lunet.segment[] one of these, or any of a list; default "any"
---@field state? "invalid" only what the host's connection tracking takes for no part of a connection that it knows
--- (nft(8), CONNTRACK EXPRESSIONS); the first rule with it, or with a translation, makes the host track connections
---@field first? integer only the first so many that match; later ones pass
---@field reject? lunet.reject the answer to each lost segment

--- With RST, or with ICMP: port unreachable, host unreachable, communication administratively prohibited.
---@alias lunet.reject "reset"|"unreachable"|"host-unreachable"|"prohibited"

--- Kinds of segments; one segment may be of several kinds. "SYN" has no ACK, and so opens a connection. "data" has at
--- least a byte of payload. "ACK" is bare, without payload, SYN, FIN and RST: the end of a handshake, for example.
---@alias lunet.segment "SYN"|"SYN-ACK"|"ACK"|"FIN"|"RST"|"data"|"any"

--- A rule by which a host loses segments (host:drop). A segment is lost if all options are true of it; without options
--- the rule loses every one. Other hosts and other protocols go on.
---
--- * The sender does not notice the loss, even of a segment on its way out of the host: TCP takes it as sent. (The rule
---   sends the segment to the host's loopback instead, and loses it there.) TCP notices what it sends to a link-local
---   address: no route leads from there to the loopback.
--- * The rule counts segments as the kernel hands them on. TCP may pass down one piece for the device to cut up
---   (segmentation offload, up to 64 KiB): the rule counts it as one segment, and loses it as one.
--- * A rule judges segments that come to the host itself and that it sends. With the direction "forward" it judges
---   those that the host passes on (net.ipv4.ip_forward).
--- * The newest rule judges first. The host's other rules never see a segment that one rule has lost.
--- * A rejected segment is lost too, and counted. "reset" answers at once. The other answers are ICMP, and TCP heeds
---   those only while it connects. An ICMP answer may come while connect(2) still runs, as over a link without delay:
---   the kernel keeps it for a program that polls, as lunet does. A blocking connect(2) waits for the next SYN, after
---   1 s. The kernel sends only a few ICMP answers a second (sysctls net.ipv4.icmp_ratelimit and
---   net.ipv6.icmp.ratelimit; 0 means no limit).
--- * "reset" lets segments with RST pass, since nobody answers those by RST.
---
---     local server, client = assert(lunet.host "server"), assert(lunet.host "client")
---     local link = lunet.link(server, client)
---     local listener = assert(server:listen { port = 7300, backlog = 5 })
---     local rule = assert(server:drop { flags = "SYN", port = 7300 })
---@class lunet.rule
local rule = {}

--- Its losses so far, as the kernel counts them (nft(8), counter); also after close.
---
---     print(select(3, client:connect(listener, 0.01))) --> TIMEOUT
---     print(lunet.eventually(function() return rule:lost() > 0 end, 60)) --> true
---@return integer|nil segments
---@return integer|string bytes with their TCP and IP headers
---@return string? code "ENOENT" if somebody else has removed the rule
function rule:lost() end

--- Closes it: it loses nothing from here on (nft(8)). A rule also ends with its host and its scope. Idempotent; on the
--- home host it takes about 10 ms, until the kernel has freed the rule.
---
---     print(rule:close()) --> true
---     print((client:connect(listener, 60))) --> connection ...
---@return true|nil ok
---@return string? message
---@return string? code "ENOENT" if somebody else has removed it
function rule:close() end
