---@meta

---@class lunet.host
local host = {}

--- Like lunet.exec, on this host.
---@param program lunet.program
---@return lunet.process|nil process
---@return string? message names the program
---@return string? code as for lunet.exec, and "CLOSED" if the host is closed meanwhile
function host:exec(program) end

--- Like lunet.sockets, of this host. It takes about 0.1 ms, and lunet.sockets several times as long: a host
--- has a small table of sockets of its own.
---@param filter? lunet.socket_filter
---@return lunet.socket[]|nil sockets
---@return string? message
---@return string? code
function host:sockets(filter) end

--- Its name, also when it is closed.
---@return string name
function host:name() end

--- Closes it: its listeners, and with RST its connections. Its namespace then ends within some 0.05 s, which
--- the kernel takes (0.04 to 0.08 measured), whether or not there was unsent data. Only a connection that was
--- closed before, and has still something to send, be it a FIN, keeps it: until all is acknowledged; if nothing
--- answers any more, 110 s (net.ipv4.tcp_orphan_retries); while the peer answers but does not read, without
--- limit (more than 300 s measured). connection:reset() instead of close avoids that.
--- Every other method of a closed host raises. Idempotent; does not wait.
---@return true
function host:close() end
