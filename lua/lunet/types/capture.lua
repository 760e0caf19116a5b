---@meta

---@class lunet.capture
local capture = {}

--- A TCP segment that a host's tap saw. A piece that the interface cuts into several segments later (TSO), or has put
--- together before (GRO), is one segment.
---@class lunet.segment_seen
---@field at number its time on the clock of lunet.now(); see the error in statistics
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

--- The kept segments up to this moment, oldest first; also after close. Does not wait.
---@param first? integer only from this number on; numbers begin at 0
---@return lunet.segment_seen[]|nil segments
---@return string? message
---@return string? code
function capture:segments(first) end

--- The number of segments that it saw; of those that it forgot for later ones; of those that the kernel dropped, since
--- they came faster than lunet read them; and by how many seconds a time may be wrong. (The kernel stamps by the wall
--- clock, and lunet compares the two clocks whenever it reads.)
---@return {seen: integer, forgotten: integer, dropped: integer, error: number}
function capture:statistics() end

--- Stops the capture. Does not wait: the kernel ends its ring within about 25 ms, and the host's namespace ends after
--- that. Idempotent.
---@return true
function capture:close() end
