---@meta

--- A network stack of its own, with its own addresses, settings and counters (network_namespaces(7)).
---
---     local server, client = assert(lunet.host "server"), assert(lunet.host "client")
---     local link = lunet.link(server, client)
---     local listener = assert(server:listen { port = 7300, backlog = 5 })
---@class lunet.host
local host = {}

--- Its name, also after close.
---
---     print(server:name()) --> server
---@return string name
function host:name() end

--- Closes it: its listeners, and with RST its connections. The kernel then ends its namespace within about 0.05 s (0.04
--- to 0.08 measured), even with unsent data. Only a connection that a script closed before, and that still has a byte
--- or a FIN to send, keeps the namespace: until the peer has acknowledged all; if nothing answers any more, for 110 s
--- (net.ipv4.tcp_orphan_retries); if the peer answers but does not read, without limit (more than 300 s measured).
--- connection:reset() in place of close avoids that. Every other method of a closed host raises. Idempotent; does not
--- wait.
---
---     print(server:close()) --> true
---     print(select(3, listener:accept())) --> CLOSED
---@return true
function host:close() end
