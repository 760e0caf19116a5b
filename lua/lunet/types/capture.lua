---@meta

--- The TCP segments that pass a host (host:capture).
---
---     local server, client = assert(lunet.host "server"), assert(lunet.host "client")
---     lunet.link(server, client)
---     local listener = assert(server:listen { port = 7300, backlog = 5 })
---     local capture = assert(server:capture())
---     assert(client:connect(listener, 60))
---@class lunet.capture
local capture = {}

--- A TCP segment that a host's tap saw. A piece that the interface cuts into several segments later (TSO), or has put
--- together before (GRO), is one segment.
---@class lunet.segment_seen
---@field at number its time on the clock of lunet.now(); see the error in statistics
---@field direction "in"|"out" as the host sees it; on its loopback a segment is seen both ways
---@field at_loopback? boolean whether it passes the loopback; what a rule loses on the way out leaves by it, and does
--- not arrive there
---@field from string "10.0.0.1:4000", "[fd00::1]:4000"
---@field to string
---@field flags string "SYN", "SYN,ACK", "FIN,ACK", "RST", "PSH,ACK", ...
---@field sequence integer as in the header
---@field acknowledgement integer
---@field bytes integer of data
---@field window integer as in the header: unscaled
---@field length integer bytes of the IP packet
---@field mss? integer the option of a SYN: bytes of data that its sender takes in a segment
---@field window_scale? integer the option of a SYN: its sender's windows count 2^window_scale bytes each
---@field sack_permitted? boolean the option of a SYN (RFC 2018)
---@field timestamp? integer the option of RFC 7323: the sender's clock
---@field echo? integer with it: the last timestamp that the sender got
---@field cookie? string the option of TCP fast open (RFC 7413); "" asks for a cookie
---@field packet string its first bytes, 160 at most
---@field number? integer its number in its capture, which counts from 0; segments made by hand have none

--- The kept segments up to this moment, oldest first; also after close. Does not wait.
---
---     print(lunet.eventually(function() return #capture:segments() >= 3 end, 60)) --> true
---     local syn = capture:segments()[1]
---     print(syn.flags, syn.direction, syn.bytes) --> SYN  in  0
---@param first? integer only from this number on (the field `number`); numbers begin at 0
---@return lunet.segment_seen[] segments
function capture:segments(first) end

--- The number of segments that it saw; of those that it forgot for later ones; of those that the kernel dropped, since
--- they came faster than lunet read them; and by how many seconds a time may be wrong. (The kernel stamps by the wall
--- clock, and lunet compares the two clocks whenever it reads.)
---
---     print(lunet.eventually(function() return capture:statistics().seen >= 3 end, 60)) --> true
---     print(capture:statistics().dropped) --> 0
---@return {seen: integer, forgotten: integer, dropped: integer, error: number}
function capture:statistics() end

--- Stops the capture. Does not wait: the kernel ends its ring within about 25 ms, and the host's namespace ends after
--- that. Idempotent.
---
---     print(capture:close()) --> true
---     print(#capture:segments() >= 3) --> true
---@return true
function capture:close() end
