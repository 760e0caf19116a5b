---@meta

--- A listening socket. It accepts nothing until a script asks it to.
---
---     local listener <close> = assert(lunet.listen { backlog = 1 })
---     local client <close> = assert(lunet.connect(listener, 60))
---@class lunet.listener
local listener = {}

--- Accepts one connection when the gate has room; waits. Each call makes one accept4(2), and lunet accepts nothing
--- without a call. Concurrent calls get their connections in order.
---
---     local connection <close> = assert(listener:accept(60))
---     print(connection:peer() == client:address()) --> true
---@async
---@param timeout? number seconds
---@return lunet.connection|nil connection
---@return string? message
---@return string? code "TIMEOUT", "CLOSED", "EMFILE", ... (accept(2))
function listener:accept(timeout) end

--- Sets how many accepted connections may be open at once: 0 shuts the gate, math.huge, the default, opens it. Open
--- connections stay. Without an argument it only tells.
---
---     print(listener:gate(0)) --> 0  0
---     print(listener:accept(0)) --> nil  accept: ...  TIMEOUT
---     print(listener:gate(math.huge)) --> inf  0
---@param limit? number a whole number, 0 or more, or math.huge
---@return number|nil limit the one in force
---@return integer|string open the number of open accepted connections
---@return string? code "CLOSED"
function listener:gate(limit) end

--- The accept queue at this moment, in the kernel's own numbers: getsockopt(TCP_INFO) on the listener, whose
--- tcpi_unacked and tcpi_sacked are the queue and its limit (net/ipv4/tcp.c, tcp_get_info); sock_diag(7) for Unix. The
--- limit is the given backlog, but no more than net.core.somaxconn.
---
--- Every kernel that lunet runs on admits limit + 1 connections: it compares by "more than" (include/net/sock.h,
--- sk_acceptq_is_full; net/unix/af_unix.c, unix_recvq_full). One exception: with net.ipv4.tcp_syncookies = 0 a backlog
--- of 0 admits nobody on Linux 4.4 to 6.12 without the fix of January 2025 (3479c7549fb1; in 6.13, 6.12.10, 6.6.72 and
--- 6.1.125).
---
--- `drops` counts the SYNs, and last ACKs of handshakes, that the kernel has dropped for this listener, mostly because
--- the queue was full (net/ipv4/tcp_ipv4.c, tcp_listendrop; getsockopt(SO_MEMINFO), whose last word is
--- INET_DIAG_SKMEMINFO's). The counters ListenDrops and ListenOverflows are of the whole host. A client that sends its
--- SYN again counts again. A Unix listener drops nothing: its clients wait.
---
---     lunet.eventually(function() return listener:queue().depth == 1 end, 60)
---     local queue = listener:queue()
---     print(queue.depth, queue.limit, queue.drops) --> 1  1  0
---@return {depth: integer, limit: integer, drops: integer?}|nil queue drops: nil for Unix, for MPTCP
--- (host:sockets tells them), and before Linux 4.12
---@return string? message
---@return string? code "CLOSED"
function listener:queue() end

--- Changes the backlog of the live listener: listen(2) again. Queued connections stay.
---
---     print(listener:resize(7)) --> true
---     print(listener:queue().limit) --> 7
---@param backlog integer 0 or more
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"
function listener:resize(backlog) end

--- Ends one side of the listener, or both (shutdown(2); net/ipv4/af_inet.c, inet_shutdown).
---
--- * "rd", "rdwr": it stops listening. Queued connections get RST, as by close; newcomers get ECONNREFUSED. Waiting
---   accepts get "EINVAL". resize listens again, with an empty queue: on the same port if the script had chosen it,
---   else on another one (net/ipv4/tcp.c, tcp_set_state).
--- * "wr": changes nothing; it goes on listening.
---
--- A Unix listener keeps its queued connections, and accept still gives them. After them accept waits forever, since a
--- non-blocking socket hears nothing of the shutdown (net/unix/af_unix.c, unix_accept). It never listens again.
---
---     print(listener:shutdown "rd") --> true
---     print(select(3, listener:accept(60))) --> EINVAL
---@param how "rd"|"wr"|"rdwr"
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"; "ENOTCONN" if it has stopped listening
function listener:shutdown(how) end

--- Sets socket options of the live listener (setsockopt(2)), in the order of lunet.options. If the kernel refuses
--- one, those before it are set.
---
--- Later connections inherit the options from the listener. A connection inherits them when its handshake ends; its
--- window scale comes from the rcvbuf at its SYN. Queued and accepted ones keep theirs. `defer_accept` and `fastopen`
--- matter from the next SYN on. The kernel refuses `v6only` with "EINVAL", since the listener has its port already.
---
---     print(listener:set { keepalive = true, keepidle = 5 }) --> true
---     print(select(3, listener:set { congestion = "none" })) --> ENOENT
---@param options lunet.options at least one
---@return true|nil ok
---@return string? message which option and value the kernel refused
---@return string? code "CLOSED", "EINVAL", "ENOENT" (congestion), "ENOPROTOOPT", "EOPNOTSUPP" (TCP's options on Unix)
function listener:set(options) end

--- The values of socket options that are in force (getsockopt(2)), as connection:get.
---
---     listener:set { rcvbuf = 10000 }
---     print(listener:get("rcvbuf").rcvbuf) --> 20000
---@param ... string names, such as "rcvbuf"; without any: all options that this socket has
---@return lunet.options|nil options
---@return string? message
---@return string? code "CLOSED"; of a named option "ENOPROTOOPT" (the kernel is too old), "EOPNOTSUPP"
function listener:get(...) end

--- Its address (getsockname(2)), in a form that connect takes. "0.0.0.0:80" and "[::]:80" mean the host that uses them:
--- from another host they reach that host itself. host:connect(listener) goes to the listener's host.
---
---     local address, port = listener:address()
---     print(address == "127.0.0.1:" .. port) --> true
---@return string|nil address "127.0.0.1:7300", "[::1]:7300", "unix:/path"
---@return integer|string? port none for Unix
---@return string? code "CLOSED"
function listener:address() end

--- Closes it, with RST to every connection in its queue (tcp(7)); accepted ones stay. Waiting accepts get "CLOSED".
--- Idempotent; does not wait.
---
---     print(listener:close()) --> true
---     print(select(3, listener:accept())) --> CLOSED
---     print(select(3, client:receive("l", 60))) --> ECONNRESET
---@return true
function listener:close() end
