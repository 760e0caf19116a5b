---@meta

---@class lunet.connection
local connection = {}

--- Sends all of the data; waits while the kernel's buffer is full. Concurrent sends are done in
--- order, each whole. Success means that the kernel took the bytes, and nothing about the peer.
---
--- "" sends nothing, but asks the kernel whether more can be sent: 0, or "EPIPE" and the others. With
--- `fastopen_connect` and a cached cookie connect only notes where to. The first send begins the handshake, and
--- send "" waits until it is over.
---@param data string
---@param timeout? number seconds
---@return integer|nil bytes
---@return string? message
---@return string? code "TIMEOUT", "EPIPE", "ECONNRESET", "CLOSED", "ETIMEDOUT", ... (send(2))
---@return integer? sent how many bytes the kernel took before it failed
function connection:send(data, timeout) end

--- Receives; waits. Takes from the kernel only what belongs to its result: for a line it peeks, then
--- takes up to the newline, or everything while there is none. What a failed call took is held for
--- the next one. At the end "l" and "L" give the last partial line, "a" gives "" again and again.
---
--- `what`: nothing for what is there (1 byte to 64 KiB), n for exactly n bytes, "l" for a line, "L" for
--- a line with its newline, "a" for all up to the end.
---
--- An RST does not discard what came before it, nor does another error that ends the connection ("ETIMEDOUT",
--- "EHOSTUNREACH"). The bytes come first, whatever was asked for: a part of a line, fewer than n, or "all" without
--- an end. Message and code behind them say that they were cut, and by what. The next receive fails with that
--- code, once, and every later one with "EOF", "a" included.
---
--- The kernel tells an error once, to whichever call asks first. If a send was told, receive gives the bytes, with
--- the code behind those that were cut, and then "EOF". After the peer's FIN all is whole: an RST then only shows
--- in `liveness` and in sends ("EPIPE").
---@param what? "l"|"L"|"a"|integer
---@param timeout? number seconds
---@return string|nil data
---@return string? message also behind data that an error has cut
---@return string? code "TIMEOUT", "EOF", "ECONNRESET", "CLOSED", "ETIMEDOUT", ... (recv(2)); behind data that was cut
--- the error that cut it
function connection:receive(what, timeout) end

--- Why reading ended: the code of the last receive, if it failed or gave bytes that an error had cut; else false.
---@return string|false code
function connection:ended() end

--- Ends one side of the connection, or both (shutdown(2)). Calls that wait on that side end: sends with "EPIPE",
--- receives with "EOF".
---
--- * "wr", the default: sends FIN. No more sending; reading goes on.
--- * "rd": sends nothing. Receives get what is there, then "EOF". TCP's kernel goes on acknowledging what comes,
---   and a later receive gives it (net/ipv4/tcp.c, tcp_recvmsg); a Unix peer's sends fail with "EPIPE".
--- * "rdwr": both. The kernel answers bytes that come then with RST (net/ipv4/tcp_input.c, tcp_rcv_state_process).
---@param how? "wr"|"rd"|"rdwr"
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED", "ENOTCONN"
function connection:shutdown(how) end

--- Closes it. With unread bytes in the kernel's buffer that means RST, else FIN (RFC 2525, 2.17).
--- Who waits gets "CLOSED". Idempotent; does not wait.
---@return true
function connection:close() end

--- Closes it with RST (SO_LINGER with time 0, socket(7)); what was not sent is lost.
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED", "EOPNOTSUPP" for Unix
function connection:reset() end

--- The state of the TCP connection, as the kernel names it (include/net/tcp_states.h).
---@return string|nil state "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT2", "CLOSE", ...
---@return string? message
---@return string? code "CLOSED", "EOPNOTSUPP" for Unix
function connection:state() end

--- TCP_INFO (tcp(7)): the fields that this kernel fills in, by their own names and in their own
--- units, such as tcpi_rtt in microseconds and tcpi_last_data_recv in milliseconds. "No limit" in
--- tcpi_max_pacing_rate is all bits set, which reads as -1.
---@return table<string, integer>|nil info
---@return string? message
---@return string? code "CLOSED", "EOPNOTSUPP" for Unix
function connection:info() end

--- What this side knows of the peer, without consuming anything (poll(2) and TCP_INFO; not SO_ERROR,
--- which clears the error that it reports).
---
--- "fin": the peer has closed or half-closed, and nobody can know which. "reset": it was ended by RST,
--- or given up by the kernel. A Unix socket that this side has shut "rdwr" says "fin" in any case.
---@return "open"|"fin"|"reset"|nil liveness
---@return string? message
---@return string? code "CLOSED"
function connection:liveness() end

--- Bytes that have come and were not returned yet.
---@return integer|nil kernel in the kernel's buffer (SIOCINQ, tcp(7))
---@return integer|string held taken by a receive that failed
---@return string? code "CLOSED"
function connection:unread() end

--- Bytes that were sent and not acknowledged yet (SIOCOUTQ, tcp(7)); for Unix the memory that the
--- peer has not freed yet.
---@return integer|nil bytes
---@return integer|string never_sent those among them that were never sent (SIOCOUTQNSD)
---@return string? code "CLOSED"
function connection:unsent() end

--- This end, in a form that connect takes.
---@return string|nil address
---@return integer|string? port none for Unix
---@return string? code "CLOSED"
function connection:address() end

--- The other end, also when it is gone.
---@return string|nil address
---@return integer|string? port none for Unix
---@return string? code "CLOSED"
function connection:peer() end
