---@meta

---@class lunet.capture
local capture = {}

--- A TCP segment that a host's tap saw. What the interface cuts into several later (TSO), or put together before
--- (GRO), is one.
---@class lunet.segment_seen
---@field at number when, on the clock of lunet.now(); see the error in statistics
---@field direction "in"|"out" as the host sees it; on its loopback a segment is seen both ways
---@field from string "10.0.0.1:4000", "[fd00::1]:4000"
---@field to string
---@field flags string "SYN", "SYN,ACK", "FIN,ACK", "RST", "PSH,ACK", ...
---@field sequence integer as in the header
---@field acknowledgement integer
---@field bytes integer of data
---@field window integer as in the header: unscaled
---@field length integer bytes of the IP packet
---@field packet string its first bytes, 160 at most

--- The segments that it keeps, oldest first, up to this moment; also when it is closed. Does not wait.
---@param first? integer only from this number on; they are numbered from 0
---@return lunet.segment_seen[]|nil segments
---@return string? message
---@return string? code
function capture:segments(first) end

--- How many segments it saw, how many of those it has forgotten for later ones, how many the kernel dropped since
--- they came faster than they were read, and by how many seconds a time may be wrong (the kernel stamps by the wall
--- clock; the two clocks are compared whenever it reads).
---@return {seen: integer, forgotten: integer, dropped: integer, error: number}
function capture:statistics() end

--- Stops. Does not wait: the kernel ends its ring within about 25 ms, and the host's namespace not before. Idempotent.
---@return true
function capture:close() end
