---@meta lunet

--- What the core implements, for readers and for language servers. Conventions:
---
--- * Success returns a value that is neither nil nor false; failure returns nil, message, CODE.
---   CODE is the kernel's name of the error ("ECONNREFUSED", see errno(3)) or one of lunet's own:
---   "TIMEOUT" (the script's own deadline passed), "EOF" (the peer ended its side), "CLOSED" (closed
---   by this side, perhaps while waiting), "CANCELED". Misuse raises.
--- * Time is seconds. A timeout is always the last argument: nil waits without limit, 0 polls.
--- * Calls marked "waits" drive the loop in the main script and yield in a task. Only there other
---   tasks run. They raise, before anything starts, in a plain coroutine, and in a task inside
---   require, a sort or gsub callback, a metamethod called from C, an error handler or a finalizer.
--- * Every listener, connection and task is a to-be-closed value (`local c <close> = ...`).

--- Socket options, by name, in the tables that listen and connect take. Accepted connections
--- inherit those of their listener (socket(7), tcp(7), ipv6(7)).
---@class lunet.options
---@field nodelay? boolean TCP_NODELAY
---@field reuseaddr? boolean SO_REUSEADDR; for listen true by default
---@field reuseport? boolean SO_REUSEPORT
---@field keepalive? boolean SO_KEEPALIVE
---@field keepidle? integer seconds, 1 to 32767: TCP_KEEPIDLE
---@field keepintvl? integer seconds, 1 to 32767: TCP_KEEPINTVL
---@field keepcnt? integer probes, 1 to 127: TCP_KEEPCNT
---@field user_timeout? number seconds (the kernel counts milliseconds): TCP_USER_TIMEOUT
---@field defer_accept? integer seconds: TCP_DEFER_ACCEPT
---@field fastopen? integer how many may wait with data in their SYN: TCP_FASTOPEN, of a listener
---@field fastopen_connect? boolean TCP_FASTOPEN_CONNECT, of a client
---@field syncnt? integer how often a SYN is sent again, 1 to 127: TCP_SYNCNT
---@field congestion? string TCP_CONGESTION
---@field linger? 0|false 0: close sends RST. A longer time would make close(2) wait, and is refused
---@field sndbuf? integer bytes (the kernel doubles them): SO_SNDBUF
---@field rcvbuf? integer bytes (the kernel doubles them): SO_RCVBUF
---@field v6only? boolean IPV6_V6ONLY

---@class lunet.listen_target: lunet.options
---@field backlog integer how many connections the kernel may queue (it admits one more); required
---@field address? string numeric, default "127.0.0.1"; "::1", or "unix:/path", "unix:@abstract"
---@field port? integer 0 to 65535, default 0: the kernel chooses
---@field label? string its name in the timeline

---@class lunet.connect_target: lunet.options
---@field [1]? lunet.listener|string where to; instead of address and port
---@field address? string numeric, default "127.0.0.1"
---@field port? integer 1 to 65535
---@field from? string the source: "127.0.0.2", with a port "127.0.0.2:4000", "[::1]:4000"
---@field label? string its name in the timeline

---@class lunet
local lunet = {}

--- Opens a listener on the home host. It accepts nothing until a script asks it to. The path of a
--- Unix address is removed when the listener is closed.
---@param target lunet.listen_target
---@return lunet.listener|nil listener
---@return string? message names the address
---@return string? code "EADDRINUSE", "EACCES", "EADDRNOTAVAIL", ... (bind(2), listen(2))
function lunet.listen(target) end

--- Connects; waits. nil as timeout leaves it to the kernel (tcp_syn_retries, tcp(7)). A full Unix
--- queue fails at once with "EAGAIN" (unix(7)).
---@param target lunet.listener|string|lunet.connect_target numeric: "127.0.0.1:80", "[::1]:80", "unix:/path"
---@param timeout? number seconds
---@return lunet.connection|nil connection
---@return string? message names the address
---@return string? code "TIMEOUT", "ECONNREFUSED", "ETIMEDOUT", "EADDRNOTAVAIL", ... (connect(2))
function lunet.connect(target, timeout) end

--- Makes a task: a child of the current one, which starts when this one waits. A task does not end
--- before its children have. Its error is raised by whoever joins it, else from its parent's present
--- or next wait.
---@param fn function
---@param ... any arguments for fn
---@return lunet.task task
function lunet.spawn(fn, ...) end

--- Calls fn; then waits for every task spawned in it, then closes every listener and connection
--- opened in it, also by those tasks. The first error (of fn or of a task that nobody joined)
--- cancels the tasks that are left, and is raised when they have ended. Waits.
---@param fn function
---@param ... any arguments for fn
---@return any ... what fn returned
function lunet.scope(fn, ...) end

--- Lets time pass; waits. Never returns early. 0 lets the other tasks have a turn.
---@param seconds number 0 or more
---@return true
function lunet.sleep(seconds) end

--- The monotonic clock (clock_gettime(2), CLOCK_MONOTONIC), of which all times here are.
---@return number seconds
function lunet.now() end

--- Puts the script's own words into the timeline.
---@param text string
---@return true
function lunet.note(text) end

--- What is open: a text for every listener and connection. For leak checks.
---@return string[]
function lunet.open_handles() end

--- An error as a text, with the tracebacks of the tasks that it came through.
---@param error any
---@return string
function lunet.traceback(error) end

---@class lunet.task
local task = {}

--- Waits for the task's end. Raises the task's own error value if it failed.
---@param timeout? number seconds
---@return true|nil ok and what the task's function returned; or nil
---@return any message
---@return string? code "TIMEOUT" (the task goes on), "CANCELED" (the task was canceled)
function task:join(timeout) end

--- Cancels the task: its present wait and every later one raise an error object whose `code` is
--- "CANCELED". A task that has not begun never does. One that catches the error and returns is still
--- canceled: its results do not count. Idempotent; does not wait.
---@return true
function task:cancel() end

---@class lunet.listener
local listener = {}

--- Accepts one connection when the gate has room; waits. Nothing is accepted before it is asked for:
--- one accept4(2) for one call. Concurrent calls are served in order.
---@param timeout? number seconds
---@return lunet.connection|nil connection
---@return string? message
---@return string? code "TIMEOUT", "CLOSED", "EMFILE", ... (accept(2))
function listener:accept(timeout) end

--- Sets how many accepted connections may be open at once: 0 shuts the gate, math.huge (as it is
--- at first) opens it. Those that are open stay. Without an argument it only tells.
---@param limit? number a whole number, 0 or more, or math.huge
---@return number|nil limit the one in force
---@return integer|string open accepted connections that are open
---@return string? code "CLOSED"
function listener:gate(limit) end

--- The accept queue at this moment, by the kernel's own numbers: getsockopt(TCP_INFO) on the
--- listener, whose tcpi_unacked and tcpi_sacked are the queue and its limit there
--- (net/ipv4/tcp.c, tcp_get_info); sock_diag(7) for Unix. The limit is the backlog asked for, but no
--- more than net.core.somaxconn; the kernel admits limit + 1 connections.
---@return {depth: integer, limit: integer}|nil queue
---@return string? message
---@return string? code "CLOSED"
function listener:queue() end

--- Changes the backlog of the live listener: listen(2) again. Who is queued stays.
---@param backlog integer 0 or more
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"
function listener:resize(backlog) end

--- Where it listens, in a form that connect takes.
---@return string|nil address "127.0.0.1:7000", "[::1]:7000", "unix:/path"
---@return integer|string? port none for Unix
---@return string? code "CLOSED"
function listener:address() end

--- Closes it, with RST to every connection in its queue (tcp(7)); those that were accepted stay. Who
--- waits in accept gets "CLOSED". Idempotent; does not wait.
---@return true
function listener:close() end

---@class lunet.connection
local connection = {}

--- Sends all of the data; waits while the kernel's buffer is full. Concurrent sends are done in
--- order, each whole. Success means that the kernel took the bytes, and nothing about the peer.
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
--- An RST does not discard what came before it: that is returned first, then "ECONNRESET" once, then
--- "EOF". After the peer's FIN an RST only shows in `liveness` and in sends ("EPIPE").
---@param what? "l"|"L"|"a"|integer
---@param timeout? number seconds
---@return string|nil data
---@return string? message
---@return string? code "TIMEOUT", "EOF", "ECONNRESET", "CLOSED", "ETIMEDOUT", ... (recv(2))
function connection:receive(what, timeout) end

--- Why reading ended: the code of the last receive if that failed, else false.
---@return string|false code
function connection:ended() end

--- Sends FIN: no more sending; reading goes on (shutdown(2), SHUT_WR).
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED", "ENOTCONN"
function connection:shutdown() end

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
--- or given up by the kernel.
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
