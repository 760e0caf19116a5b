---@meta

---@class lunet.host
local host = {}

--- Like lunet.exec, on this host.
---@param program lunet.program
---@return lunet.process|nil process
---@return string? message names the program
---@return string? code as for lunet.exec, and "CLOSED" if a script closes the host meanwhile
function host:exec(program) end

--- Like lunet.sockets, of this host. It takes about 0.1 ms, and lunet.sockets several times as long: a host
--- has a small table of sockets of its own.
---@param filter? lunet.socket_filter
---@return lunet.socket[]|nil sockets
---@return string? message
---@return string? code
function host:sockets(filter) end

--- Watches the accept queue of a listener that lunet may not have opened, such as a real server's. A recording gets the
--- queue's depth, limit and drops whenever they have changed, as it does for lunet's own listeners. lunet looks each
--- `every` seconds and at events that may have changed the queue. It cannot see a peak between two looks. A look takes
--- about 0.07 ms, and looks take at most a twentieth of the time. Nothing needs to listen there yet.
---@param target lunet.listener|integer|string a listener of this host, a port (all listeners at it), or "unix:/path"
---@param every? number seconds from 0.001 to 3600, default 0.01
---@return lunet.watch|nil watch a to-be-closed value; its close ends the watch
---@return string? message
---@return string? code "EMFILE", "ENOMEM", ...; "ENOENT" if the kernel has no tcp_diag
function host:watch(target, every) end

--- Its name, also after close.
---@return string name
function host:name() end

--- Closes it: its listeners, and with RST its connections. The kernel then ends its namespace within about 0.05 s (0.04
--- to 0.08 measured), even with unsent data. Only a connection that a script closed before, and that still has a byte
--- or a FIN to send, keeps the namespace: until the peer has acknowledged all; if nothing answers any more, for 110 s
--- (net.ipv4.tcp_orphan_retries); if the peer answers but does not read, without limit (more than 300 s measured).
--- connection:reset() in place of close avoids that. Every other method of a closed host raises. Idempotent; does not
--- wait.
---@return true
function host:close() end
