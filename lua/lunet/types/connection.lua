---@meta

---@class lunet.connection
local connection = {}

--- Sends all of the data; waits while the kernel's buffer is full. Concurrent sends run in order, each as a whole.
--- Success means that the kernel took the bytes, and nothing about the peer.
---
--- "" sends nothing, but asks the kernel whether a send would work: 0, or "EPIPE" and the others. With
--- `fastopen_connect` and a cached cookie connect only stores the address. The first send begins the handshake, and
--- send "" waits for its end.
---@param data string
---@param timeout? number seconds
---@return integer|nil bytes
---@return string? message
---@return string? code "TIMEOUT", "EPIPE", "ECONNRESET", "CLOSED", "ETIMEDOUT", ... (send(2))
---@return integer? sent how many bytes the kernel took before it failed
function connection:send(data, timeout) end

--- Receives; waits. Takes from the kernel only the bytes of its result: for a line it peeks, then takes up to the
--- newline, or everything while there is no newline. The next call gets the bytes that a failed call took. At the end
--- "l" and "L" give the last partial line, and "a" gives "" again and again.
---
--- `what`: nil for the bytes that are there (1 byte to 64 KiB); n for exactly n bytes; "l" for a line; "L" for a line
--- with its newline; "a" for all bytes up to the end.
---
--- An RST does not discard the bytes before it, nor does another error that ends the connection ("ETIMEDOUT",
--- "EHOSTUNREACH"). receive first gives those bytes, even if they are a part of a line, fewer than n, or "all" without
--- an end. Message and code after them say that an error has cut them. The next receive fails with that code, once, and
--- every later one with "EOF", even "a".
---
--- The kernel tells an error once, to the first call that asks. If a send has taken the error, receive gives the bytes,
--- with the code after cut ones, and then "EOF". After the peer's FIN nothing is cut: an RST then only shows in
--- `liveness` and in sends ("EPIPE").
---@param what? "l"|"L"|"a"|integer
---@param timeout? number seconds
---@return string|nil data
---@return string? message also after data that an error has cut
---@return string? code "TIMEOUT", "EOF", "ECONNRESET", "CLOSED", "ETIMEDOUT", ... (recv(2)); after cut data the error
--- that cut it
function connection:receive(what, timeout) end

--- The reason why reading ended: the code of the last receive, if it failed or gave cut bytes; else false.
---@return string|false code
function connection:ended() end

--- Ends one side of the connection, or both (shutdown(2)). Waiting calls on that side end: sends with "EPIPE", receives
--- with "EOF".
---
--- * "wr", the default: sends FIN. No more sending; reading goes on.
--- * "rd": sends nothing. Receives get the bytes that are there, then "EOF". With TCP the kernel goes on acknowledging
---   new bytes, and a later receive gives them (net/ipv4/tcp.c, tcp_recvmsg). With Unix the peer's sends fail with
---   "EPIPE".
--- * "rdwr": both. The kernel answers later bytes with RST (net/ipv4/tcp_input.c, tcp_rcv_state_process).
---@param how? "wr"|"rd"|"rdwr"
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED", "ENOTCONN"
function connection:shutdown(how) end

--- Closes it. With unread bytes in the kernel's buffer that means RST, else FIN (RFC 2525, 2.17). Waiting calls get
--- "CLOSED". Idempotent; does not wait.
---@return true
function connection:close() end

--- Closes it with RST (SO_LINGER with time 0, socket(7)); unsent bytes are lost.
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

--- This side's knowledge of the peer, without consuming anything (poll(2) and TCP_INFO; not SO_ERROR, which clears the
--- error that it reports).
---
--- "fin": the peer has closed or half-closed, and nobody can know which. "reset": an RST has ended the connection, or
--- the kernel gave it up. A Unix socket that this side has shut "rdwr" says "fin" in any case.
---@return "open"|"fin"|"reset"|nil liveness
---@return string? message
---@return string? code "CLOSED"
function connection:liveness() end

--- Counts the bytes that have come and that receive has not returned yet.
---@return integer|nil kernel in the kernel's buffer (SIOCINQ, tcp(7))
---@return integer|string held taken by a failed receive
---@return string? code "CLOSED"
function connection:unread() end

--- Counts the sent bytes that the peer has not acknowledged yet (SIOCOUTQ, tcp(7)); for Unix the memory that the peer
--- has not freed yet.
---@return integer|nil bytes
---@return integer|string never_sent those among them that the kernel has never sent (SIOCOUTQNSD)
---@return string? code "CLOSED"
function connection:unsent() end

--- This end, in a form that connect takes.
---@return string|nil address
---@return integer|string? port none for Unix
---@return string? code "CLOSED"
function connection:address() end

--- The other end, even if it is gone.
---@return string|nil address
---@return integer|string? port none for Unix
---@return string? code "CLOSED"
function connection:peer() end
