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
--- * Every listener, connection, process, host, rule, capture and task is a to-be-closed value
---   (`local c <close> = ...`). It is open until it is closed, or until its scope or its host ends, whether or not
---   the script holds it. The garbage collector closes nothing.

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
---@field address? string numeric, default "127.0.0.1"; "::1", "fe80::1%eth0", or "unix:/path", "unix:@abstract"
---@field port? integer 0 to 65535, default 0: the kernel chooses
---@field label? string its name in the timeline

---@class lunet.connect_target: lunet.options
---@field [1]? lunet.listener|string where to; instead of address and port
---@field address? string numeric, default "127.0.0.1"
---@field port? integer 1 to 65535
---@field from? string the source: "127.0.0.2", with a port "127.0.0.2:4000", "[::1]:4000", "[fe80::2%eth0]:4000"
---@field label? string its name in the timeline

--- What is to be lost, in the table that host:drop takes (lua/lunet/network/rule.lua).
---@class lunet.drop_options
---@field direction? "in"|"out"|"both" as the host sees it; default "in"
---@field from? string the source: "10.0.0.1", "10.0.0.0/24", "fd00::1", "fd00::/64"
---@field to? string the destination likewise
---@field port? integer either port
---@field from_port? integer
---@field to_port? integer
---@field flags? lunet.segment|lunet.segment[] one of these, or any of a list; default "any"
---@field first? integer only so many that match; those after them pass
---@field reject? lunet.reject answers what it loses

--- With RST, or with ICMP: port unreachable, host unreachable, communication administratively prohibited.
---@alias lunet.reject "reset"|"unreachable"|"host-unreachable"|"prohibited"

--- Kinds of segments; one may be of several. "SYN" comes without ACK, and so opens a connection. "data"
--- has at least a byte of payload. "ACK" is a bare one, without payload, SYN, FIN and RST: the end of a
--- handshake, for example.
---@alias lunet.segment "SYN"|"SYN-ACK"|"ACK"|"FIN"|"RST"|"data"|"any"

---@class lunet
local lunet = {}

--- Opens a listener on the home host. It accepts nothing until a script asks it to. The path of a
--- Unix address is removed when the listener is closed. Paths belong to the file system, which all hosts share:
--- "unix:/path" is one listener for all of them. Abstract names ("unix:@name") belong to a host (unix(7)).
---@param target lunet.listen_target
---@return lunet.listener|nil listener
---@return string? message names the address
---@return string? code "EADDRINUSE", "EACCES", "EADDRNOTAVAIL", ... (bind(2), listen(2)); "ENODEV" if the host has
--- no such interface as an address names
function lunet.listen(target) end

--- Connects; waits. nil as timeout leaves it to the kernel (tcp_syn_retries, tcp(7)). A full Unix
--- queue fails at once with "EAGAIN" (unix(7)).
---
--- A client whose own address and port are those that it connects to reaches itself, though nobody listens: it
--- receives what it sends (RFC 9293, 3.5, simultaneous open). That can happen by chance where the port that nobody
--- listens at lies in net.ipv4.ip_local_port_range. Two clients that connect to each other at once (`from`) likewise
--- need no listener.
---
--- A link-local address (fe80::/10) needs its interface, by name or number, as the host of the call has it:
--- "[fe80::1%eth0]:80" (RFC 4007). Without it the kernel says "EINVAL", with one that the host has not "ENODEV".
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

--- How to run a program. Its words are the list part: the program and its arguments.
---@class lunet.program
---@field [integer] string|number the first is a path, or a name to be found in PATH
---@field env? table<string, string|number|false> variables on top of lunet's own; false removes one
---@field cwd? string its directory; lunet's own by default
---@field stdin? "null"|"pipe"|"inherit" default "null"
---@field stdout? "keep"|"pipe"|"null"|"inherit" default "keep"
---@field stderr? "inherit"|"keep"|"pipe"|"null"|"stdout" default "inherit"; "stdout": where stdout goes
---@field label? string its name in the timeline; the program's by default

--- Runs a program on the home host; waits until it runs, about a millisecond. It cannot outlive lunet,
--- however lunet ends: lunet-guard starts it in a process namespace of its own, which the kernel ends
--- with lunet, and with that also what is stopped or has made itself a daemon. It runs as the user, in
--- a session of its own, so that Ctrl-C does not reach it. Without privilege that takes a user
--- namespace, where set-user-ID programs gain nothing.
---
--- The program sees its own process numbers: its getpid(2) is not process:pid(). It has a /proc of these numbers,
--- where the machine allows that; in a container that hides a part of /proc it sees that one, the machine's, of
--- which only /proc/self is its own.
---
--- A stream that is "keep" never stops the program: what it writes is kept until the script reads it. When more than
--- 1 MiB is unread, the oldest bytes are lost, and the timeline says so. The program sees a pipe (pipe(7)).
---
--- A "pipe" is a pair of Unix sockets with nothing in between: the program cannot open it again as /dev/stdout. When
--- nobody reads it, the program stops as soon as the kernel's buffer is full, after a few hundred lines; the timeline
--- says so. Choose it to study just that.
---
--- The program has the limits that the user had when lunet began (setrlimit(2)): lunet raises its own soft limit of
--- descriptors to the hard one, and gives programs the former.
---@param program lunet.program
---@return lunet.process|nil process
---@return string? message names the program
---@return string? code "ENOENT", "EACCES", ... (execve(2)); "EPERM", "ENOSPC" where the machine refuses namespaces
function lunet.exec(program) end

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

--- What is open: a text for every listener, connection, process and host. For leak checks.
---@return string[]
function lunet.open_handles() end

--- An error as a text, with the tracebacks of the tasks that it came through.
---@param error any
---@return string
function lunet.traceback(error) end

--- A TCP socket as the kernel lists it (sock_diag(7)). What can be known of a connection that waits in a
--- listener's queue, and what cannot:
---
--- * Its client is there, and so far silent: ESTABLISHED, receive_queue 0.
--- * Its client has sent bytes: they are in receive_queue. What they say is not known before accept.
--- * Its client has sent FIN: CLOSE_WAIT, fin, and receive_queue counts the FIN as one byte. Whether it
---   has closed, or only ended its side and still reads, nobody can know; nor does a client that was
---   cut off without FIN or RST differ from one that is there.
--- * Its client has sent RST: it is in none of the kernel's tables, and so in no list, but keeps its
---   place in the queue. The listener's depth counts it: what the depth has more than the list has
---   queued are such ghosts. The list of that listener, by `listener`: others may use its port.
---
--- Queued are those in ESTABLISHED or CLOSE_WAIT that are not owned: nobody has accepted them. Not owned
--- are also those that a program has closed and the kernel brings to their end (FIN_WAIT1, FIN_WAIT2,
--- CLOSING, LAST_ACK, TIME_WAIT), and handshakes (SYN_RECV). Never listed are sockets in CLOSE (reset, or
--- given up by the kernel, though a program may still hold one), and those that are only bound.
---@class lunet.socket
---@field state string as connection:state() names it; SYN_RECV: its handshake is not over, or found the queue full
---@field family "ipv4"|"ipv6"
---@field local_address string "10.0.0.1:80", "[fd00::1]:80"
---@field local_port integer
---@field peer_address? string none if it is a listener's
---@field peer_port? integer
---@field queue? {depth: integer, limit: integer} a listener's accept queue
---@field receive_queue? integer bytes that came and were not received yet, FIN counted as one; not a listener's
---@field send_queue? integer bytes not acknowledged yet, SYN and FIN counted as one; not a listener's
---@field fin boolean whether the peer's FIN has come
---@field owned boolean whether a descriptor refers to it
---@field inode? integer of that descriptor, as /proc/PID/fd shows it
---@field uid integer whose it is; 0 in TIME_WAIT
---@field timer? "retransmit"|"keepalive"|"time-wait"|"probe" the timer that runs; "keepalive" also in FIN_WAIT2
---@field timer_expires? number seconds until it does
---@field retransmits integer times that the same was sent again; with "probe" and "keepalive", unanswered probes
---@field mptcp? true it belongs to an MPTCP connection (RFC 8684); then see below
---@field info? table<string, integer> as connection:info(), if asked for; never in SYN_RECV and TIME_WAIT
---
--- A program may listen by MPTCP (Go does by default since 1.24), and a client connect by it. Of the first TCP socket
--- of such a connection, state, fin, owned and queues are the MPTCP socket's: what a program reads, and the end of
--- the stream, are there, while its TCP socket stays ESTABLISHED and empty. In an accepted connection receive_queue is
--- memory, several times the bytes, since the kernel does not tell those; before Linux 6.5 in queued ones too. Further
--- TCP sockets of the connection, and all without CAP_NET_ADMIN, have TCP's state and queues.

--- Which sockets to list; each field leaves out those that do not fit.
---@class lunet.socket_filter
---@field state? string|string[] one of these
---@field port? integer either port
---@field local_port? integer
---@field peer_port? integer
---@field peer_address? string with its port, as a socket's is; where several hosts connect, they may use the same
--- ports. "10.0.0.2:4000" and "[::ffff:10.0.0.2]:4000", by which a socket of IPv6 knows an IPv4 client, are the same
---@field owned? boolean
---@field listener? lunet.listener only connections that came to it, queued and accepted ones; it may be closed. Told
--- by a mark (SO_MARK, socket(7)) that lunet puts on each listener, and that its connections inherit
---@field info? boolean true: with TCP_INFO

--- Lists the TCP sockets of the home host, by port. What changes meanwhile may be missing, or be there
--- twice: the kernel goes through its tables piece by piece.
---
--- By address and port alone nobody can tell whose a connection is: listeners share a port (`reuseport`), one on
--- any address lies beside one on a certain address, or follows one that is closed. So lunet marks its listeners. It
--- leaves the machine's own stack alone, where marks can have a meaning, but for its loopback addresses; and without
--- privilege (CAP_NET_ADMIN) the kernel allows no marks there. Then `listener` goes by address and port, and fails
--- with "ENOTUNIQ" if another listener is there, or lunet had one there before.
---@param filter? lunet.socket_filter
---@return lunet.socket[]|nil sockets
---@return string? message
---@return string? code "ENOENT" where the kernel has no tcp_diag; "ENOTUNIQ"
function lunet.sockets(filter) end

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

---@class lunet.rule
local rule = {}

--- What it has lost so far, as the kernel counts it (nft(8), counter); also when it is closed.
---@return integer|nil segments
---@return integer|string bytes with their TCP and IP headers
---@return string? code
function rule:lost() end

--- Closes it: from here on nothing is lost by it. A rule ends with its host and its scope, too. Idempotent; on
--- the home host it takes about 10 ms, until the kernel has let it go.
---@return true|nil ok
---@return string? message
---@return string? code "ENOENT" if somebody else has removed it
function rule:close() end

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
--- more than net.core.somaxconn.
---
--- Every kernel that lunet runs on admits limit + 1 connections: it compares by "more than" (include/net/sock.h,
--- sk_acceptq_is_full; net/unix/af_unix.c, unix_recvq_full). One exception: with net.ipv4.tcp_syncookies = 0 a backlog
--- of 0 admits nobody on Linux 4.4 to 6.12 without the fix of January 2025 (3479c7549fb1; in 6.13, 6.12.10, 6.6.72 and
--- 6.1.125).
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

--- Ends one side of the listener, or both (shutdown(2); net/ipv4/af_inet.c, inet_shutdown).
---
--- * "rd", "rdwr": it listens no more. Queued connections get RST, as by close; newcomers get ECONNREFUSED. Calls that
---   wait in accept get "EINVAL". resize listens again, with an empty queue: on the same port if the script had chosen
---   it, else on another one (net/ipv4/tcp.c, tcp_set_state).
--- * "wr": changes nothing; it goes on listening.
---
--- A Unix listener keeps its queued connections, which can still be accepted; then accept waits in vain, since a
--- non-blocking one hears nothing of the shutdown (net/unix/af_unix.c, unix_accept). It never listens again.
---@param how "rd"|"wr"|"rdwr"
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"; "ENOTCONN" if it listens no more
function listener:shutdown(how) end

--- Where it listens, in a form that connect takes. "0.0.0.0:80" and "[::]:80" mean the host that uses them: from
--- another host they reach that host itself. host:connect(listener) goes to the listener's host.
---@return string|nil address "127.0.0.1:7300", "[::1]:7300", "unix:/path"
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

--- A program that runs on a host, with all that it has started.
---@class lunet.process
---@field stdin? lunet.connection if it is a "pipe": what is sent is its input; close() ends that
---@field stdout? lunet.connection if it is "keep" or a "pipe": its output is received
---@field stderr? lunet.connection if it is "keep" or a "pipe"
local process = {}

--- Its process number, which is its process group's too, as lunet sees it.
---@return integer|nil pid
---@return string? message
---@return string? code "CLOSED"
function process:pid() end

--- Stops all that runs of it: SIGSTOP to every process that it has started, at once, whatever group or session that is
--- in (PostgreSQL's backends and daemons make their own). Returns before they stand still (kill(2)): process:tree()
--- tells when they do, and lunet.peer.process.freeze waits for it.
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"; "ESRCH" when its guard has been killed, and with that all of it
function process:freeze() end

--- Lets all of it go on: SIGCONT to every process that it has started.
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"; "ESRCH" when its guard has been killed, and with that all of it
function process:thaw() end

--- What runs of it: the program first, then what it has started, also in sessions of its own and as orphans.
---@return {pid: integer, parent: integer, name: string, state: string}[]|nil processes numbers as lunet sees them; the
--- state as in proc(5): "R" running, "S" or "D" waiting, "T" stopped, "Z" ended
---@return string? message
---@return string? code "CLOSED"; "ESRCH" as of freeze
function process:tree() end

--- Sends a signal to its process group: to the program and to all that it has started, except what has made a group or
--- a session of its own. That works also when the program has ended and what it started has not.
---@param signal? string|integer default "SIGTERM"; "SIGRTMIN+1" (signal(7))
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"
function process:kill(signal) end

--- Waits for the program's end. Afterwards it tells that end again, also when it is closed. What the
--- program has started may go on, until it is closed.
---@param timeout? number seconds
---@return integer|string|nil status its exit status, or the signal that killed it: "SIGKILL"
---@return string? message
---@return string? code "TIMEOUT", "CLOSED"
function process:wait(timeout) end

--- Kills it and all that it has started, and closes its connections. The kernel takes about a
--- millisecond for it: to see the end, kill("SIGKILL") and wait first. Idempotent; does not wait.
---@return true
function process:close() end
