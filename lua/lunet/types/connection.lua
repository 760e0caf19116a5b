---@meta

--- One end of a TCP connection, or of a Unix stream.
---
---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     local client <close> = assert(lunet.connect(listener, 60))
---     local server <close> = assert(listener:accept(60))
---@class lunet.connection
local connection = {}

--- Sends all of the data; waits while the kernel's buffer is full. Concurrent sends run in order, each as a whole.
--- Success means that the kernel took the bytes, and nothing about the peer.
---
--- "" sends nothing, but asks the kernel whether a send would work: 0, or "EPIPE" and the others. With
--- `fastopen_connect` and a cached cookie connect only stores the address. The first send begins the handshake, and
--- send "" waits for its end.
---
---     print(client:send "hello\n") --> 6
---     print(server:receive("l", 60)) --> hello
---@async
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
---
---     client:send "one\ntworest"
---     client:close()
---     print(server:receive("l", 60), server:receive(3, 60), server:receive("a", 60)) --> one  two  rest
---     print(server:receive("l", 60)) --> nil  receive: ...  EOF
---@async
---@param what? "l"|"L"|"a"|integer
---@param timeout? number seconds
---@return string|nil data
---@return string? message also after data that an error has cut
---@return string? code "TIMEOUT", "EOF", "ECONNRESET", "CLOSED", "ETIMEDOUT", ... (recv(2)); after cut data the error
--- that cut it
function connection:receive(what, timeout) end

--- Takes bytes and keeps none; waits. A TCP connection does not even copy them from the kernel (MSG_TRUNC, tcp(7)). It
--- takes first what a failed receive left. Bytes that a discard took before it failed are gone: it tells how many.
---
---     client:send "a line\nand more"
---     client:close()
---     print(server:discard(2, 60), server:receive("l", 60), server:discard("a", 60)) --> 2  line  8
---     print(server:discard(1, 60)) --> nil  discard: ...  EOF  0
---@async
---@param what "a"|integer n for exactly n bytes; "a" for all bytes up to the end
---@param timeout? number seconds
---@return integer|nil bytes
---@return string? message
---@return string? code "TIMEOUT", "EOF", "ECONNRESET", "CLOSED", "ETIMEDOUT", ... (recv(2))
---@return integer? discarded how many bytes it took before it failed
function connection:discard(what, timeout) end

--- The reason why reading ended: the code of the last receive, if it failed or gave cut bytes; else false.
---
---     client:close()
---     print(server:ended()) --> false
---     print(server:receive("l", 60)) --> nil  receive: ...  EOF
---     print(server:ended()) --> EOF
---@return string|false reason
function connection:ended() end

--- Ends one side of the connection, or both (shutdown(2)). Waiting calls on that side end: sends with "EPIPE", receives
--- with "EOF".
---
--- * "wr", the default: sends FIN. No more sending; reading goes on.
--- * "rd": sends nothing. Receives get the bytes that are there, then "EOF". With TCP the kernel goes on acknowledging
---   new bytes, and a later receive gives them (net/ipv4/tcp.c, tcp_recvmsg). With Unix the peer's sends fail with
---   "EPIPE".
--- * "rdwr": both. The kernel answers later bytes with RST (net/ipv4/tcp_input.c, tcp_rcv_state_process).
---
---     print(client:shutdown()) --> true
---     print(select(3, server:receive("l", 60))) --> EOF
---     print(server:send "it still reads") --> 14
---@param how? "wr"|"rd"|"rdwr"
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED", "ENOTCONN"
function connection:shutdown(how) end

--- Ends the association at once and keeps the socket: connect(2) to AF_UNSPEC (net/ipv4/tcp.c, tcp_disconnect).
---
--- The kernel drops the unread and the unsent bytes, and sends RST, unless both ends have sent their FIN: so the peer
--- learns what it learns from `reset`. This socket is in CLOSE, and its port is free, unless the script had chosen it
--- (`from`). The next call, or the waiting one, gets "ECONNRESET". Later receives get "ENOTCONN", and sends "EPIPE".
--- `liveness` says "reset"; `address` and `peer` tell what they told before.
---
--- It still has its descriptor, and still counts at its listener's gate, until it is closed.
---
---     print(client:dissolve(), client:state()) --> true  CLOSE
---     print(select(3, server:receive("l", 60))) --> ECONNRESET
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED", "EOPNOTSUPP" for Unix
function connection:dissolve() end

--- Sets socket options of the live connection (setsockopt(2)), in the order of lunet.options. If the kernel refuses
--- one, those before it are set.
---
--- * `user_timeout` also ends a connection whose bytes are on their way: at the next retransmission or probe.
--- * `rcvbuf`: the window's scale was agreed in the handshake, and no set changes it (RFC 7323, 2.2).
--- * `linger = 0` makes a later close send RST.
--- * The kernel refuses `fastopen_connect` after the connect, and `v6only` on a bound socket: "EINVAL".
---
---     print(client:set { nodelay = true, user_timeout = 1.5 }) --> true
---     print(client:set { congestion = "none" }) --> nil  option congestion = none: ...  ENOENT
---@param options lunet.options at least one
---@return true|nil ok
---@return string? message which option and value the kernel refused
---@return string? code "CLOSED", "EINVAL", "ENOENT" (congestion), "ENOPROTOOPT", "EOPNOTSUPP" (TCP's options on Unix)
function connection:set(options) end

--- The values of socket options that are in force (getsockopt(2)), in the units of lunet.options: seconds, bytes, true
--- and false. sndbuf and rcvbuf are twice what was asked for (socket(7)). `linger` is false when off.
---
---     client:set { keepcnt = 3 }
---     print(client:get("keepcnt").keepcnt, client:get().keepcnt) --> 3  3
---@param ... string names, such as "rcvbuf"; without any: all options that this socket has
---@return lunet.options|nil options
---@return string? message
---@return string? code "CLOSED"; of a named option "ENOPROTOOPT" (the kernel is too old), "EOPNOTSUPP"
function connection:get(...) end

--- Closes it. With unread bytes in the kernel's buffer that means RST, else FIN (RFC 2525, 2.17). Waiting calls get
--- "CLOSED". Idempotent; does not wait.
---
---     print(client:close()) --> true
---     print(client:send "more") --> nil  send: ...  CLOSED  0
---     print(select(3, server:receive("l", 60))) --> EOF
---@return true
function connection:close() end

--- Closes it with RST (SO_LINGER with time 0, socket(7)); unsent bytes are lost.
---
---     print(client:reset()) --> true
---     print(select(3, server:receive("l", 60))) --> ECONNRESET
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED", "EOPNOTSUPP" for Unix
function connection:reset() end

--- The state of the TCP connection, as the kernel names it (include/net/tcp_states.h).
---
---     print(server:state()) --> ESTABLISHED
---     client:close()
---     print(lunet.eventually(function() return server:state() == "CLOSE_WAIT" end, 60)) --> true
---@return string|nil state "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT2", "CLOSE", ...
---@return string? message
---@return string? code "CLOSED", "EOPNOTSUPP" for Unix
function connection:state() end

--- TCP_INFO (tcp(7)): the fields that this kernel fills in, by their own names and in their own
--- units, such as tcpi_rtt in microseconds and tcpi_last_data_recv in milliseconds. "No limit" in
--- tcpi_max_pacing_rate is all bits set, which reads as -1.
---
---     local info = client:info()
---     print(info.tcpi_state, info.tcpi_rto > 0) --> 1  true
---@return table<string, integer>|nil info
---@return string? message
---@return string? code "CLOSED", "EOPNOTSUPP" for Unix
function connection:info() end

--- This side's knowledge of the peer, without consuming anything (poll(2) and TCP_INFO; not SO_ERROR, which clears the
--- error that it reports).
---
--- "fin": the peer has closed or half-closed, and nobody can know which. "reset": an RST has ended the connection, or
--- the kernel gave it up. A Unix socket that this side has shut "rdwr" says "fin" in any case.
---
---     print(server:liveness()) --> open
---     client:close()
---     print(lunet.eventually(function() return server:liveness() == "fin" end, 60)) --> true
---@return "open"|"fin"|"reset"|nil liveness
---@return string? message
---@return string? code "CLOSED"
function connection:liveness() end

--- Counts the bytes that have come and that receive has not returned yet.
---
---     client:send "hello"
---     print(lunet.eventually(function() return server:unread() == 5 end, 60)) --> true
---@return integer|nil kernel in the kernel's buffer (SIOCINQ, tcp(7)); by MPTCP the peer's end counts as one byte
---@return integer|string held taken by a failed receive
---@return string? code "CLOSED"
function connection:unread() end

--- Counts the sent bytes that the peer has not acknowledged yet (SIOCOUTQ, tcp(7)); for Unix the memory that the peer
--- has not freed yet.
---
---     client:send "hello"
---     print(lunet.eventually(function() return client:unsent() == 0 end, 60)) --> true
---@return integer|nil bytes
---@return integer|string never_sent those among them that the kernel has never sent (SIOCOUTQNSD)
---@return string? code "CLOSED"
function connection:unsent() end

--- This end (getsockname(2)), in a form that connect takes.
---
---     local address, port = client:address()
---     print(address == "127.0.0.1:" .. port) --> true
---@return string|nil address
---@return integer|string? port none for Unix
---@return string? code "CLOSED"
function connection:address() end

--- The other end (getpeername(2)), even if it is gone.
---
---     print(client:peer() == listener:address(), server:peer() == client:address()) --> true  true
---@return string|nil address
---@return integer|string? port none for Unix
---@return string? code "CLOSED"
function connection:peer() end
