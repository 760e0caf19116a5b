---@meta lunet

--- Declarations of the core, for readers and for language servers: the functions of lunet here, the other types in
--- files of their own. Conventions:
---
--- * Success returns a value that is neither nil nor false; failure returns nil, message, CODE.
---   CODE is the kernel's name of the error ("ECONNREFUSED", see errno(3)) or one of lunet's own:
---   "TIMEOUT" (the script's own deadline passed), "EOF" (the peer ended its side), "CLOSED" (this side closed it,
---   perhaps during the wait), "CANCELED". Misuse raises.
--- * Time is seconds. A timeout is always the last argument: nil waits without limit, 0 polls.
--- * Calls marked "waits" drive the loop in the main script and yield in a task. Other tasks run only during such
---   calls. In a plain coroutine they raise before anything starts. They also do so in a task inside require, a sort or
---   gsub callback, a metamethod called from C, an error handler or a finalizer.
--- * Every listener, connection, process, host, rule, capture and task is a to-be-closed value
---   (`local c <close> = ...`). It is open until a script closes it, or until its scope or its host ends, even if no
---   variable refers to it. The garbage collector closes nothing.

---@class lunet
local lunet = {}

--- Opens a listener on the home host. It accepts nothing until a script asks it to. Closing it removes the path of a
--- Unix address. Paths belong to the file system, which all hosts share: "unix:/path" is one listener for all of them.
--- Abstract names ("unix:@name") belong to a host (unix(7)).
---@param target lunet.listen_target
---@return lunet.listener|nil listener
---@return string? message names the address
---@return string? code "EADDRINUSE", "EACCES", "EADDRNOTAVAIL", ... (bind(2), listen(2)); "ENODEV" if the host
--- lacks the interface of the address
function lunet.listen(target) end

--- Connects; waits. nil as timeout leaves it to the kernel (tcp_syn_retries, tcp(7)). A full Unix
--- queue fails at once with "EAGAIN" (unix(7)).
---
--- A client that connects to its own address and port reaches itself, even without a listener: it receives its own
--- bytes (RFC 9293, 3.5, simultaneous open). This can happen by chance if nobody listens at a port within
--- net.ipv4.ip_local_port_range. Two clients that connect to each other at once (`from`) need no listener either.
---
--- A link-local address (fe80::/10) needs an interface of the calling host, by name or number: "[fe80::1%eth0]:80"
--- (RFC 4007). Without it the kernel says "EINVAL", with an unknown one "ENODEV".
---@param target lunet.listener|string|lunet.connect_target numeric: "127.0.0.1:80", "[::1]:80", "unix:/path"
---@param timeout? number seconds
---@return lunet.connection|nil connection
---@return string? message names the address
---@return string? code "TIMEOUT", "ECONNREFUSED", "ETIMEDOUT", "EADDRNOTAVAIL", ... (connect(2))
function lunet.connect(target, timeout) end

--- Makes a task: a child of the current one, which starts when this one waits. A task ends after its children. join
--- raises its error; without a join, its parent's present or next wait does.
---@param fn function
---@param ... any arguments for fn
---@return lunet.task task
function lunet.spawn(fn, ...) end

--- Calls fn, then waits for every task that fn spawned, then closes every listener and connection that fn or those
--- tasks opened. The first error (of fn or of a task that nobody joined) cancels the other tasks, and scope raises it
--- when they have ended. Waits.
---@param fn function
---@param ... any arguments for fn
---@return any ... results of fn
function lunet.scope(fn, ...) end

--- Runs a program on the home host; waits until it runs, about a millisecond. It cannot outlive lunet, however lunet
--- ends: lunet-guard starts it in a process namespace of its own. The kernel ends that namespace with lunet, and so
--- also stopped processes and daemons. The program runs as the user, in a session of its own, so that Ctrl-C does not
--- reach it. An ordinary user's program needs a user namespace for that, where set-user-ID programs gain nothing.
---
--- The program sees its own process numbers: its getpid(2) is not process:pid(). It has a /proc of these numbers, if
--- the machine allows that. In a container that hides a part of /proc it sees the machine's /proc, in which only
--- /proc/self is its own.
---
--- A stream that is "keep" never stops the program: lunet keeps its output until the script reads it. If more than 1
--- MiB is unread, the oldest bytes are lost, and the timeline says so. The program sees a pipe (pipe(7)).
---
--- A "pipe" is a pair of Unix sockets with nothing in between: the program cannot open it again as /dev/stdout. If
--- nobody reads it, the program stops as soon as the kernel's buffer is full, after a few hundred lines; the timeline
--- says so. Choose it to study that case.
---
--- With `fds` a program and lunet share a socket: one accept queue with two acceptors, or one stream with two readers.
--- Each connection and each byte goes to one of them, by the kernel's choice. The socket lives until both have closed
--- it: lunet's close sends neither RST nor FIN before that, though it does remove a Unix listener's path. The gate
--- counts what lunet has accepted. Bytes that lunet has already taken from the kernel do not reach the program.
---
--- O_NONBLOCK belongs to what both share (open(2)): exec sets it by `nonblocking`, and the program may change it.
--- lunet's own calls do not depend on it. They send and receive with MSG_DONTWAIT, which a program cannot notice.
--- accept(2) has no such flag, so lunet asks poll(2) first. If the program takes the connection between the two calls,
--- and the listener blocks, a timer's signal (SIGRTMAX) ends accept4(2) after 1 ms: until then no other task runs.
---
--- The program has the limits that the user had when lunet began (setrlimit(2)): lunet raises its own soft limit of
--- descriptors to the hard one, but gives programs the former.
---@param program lunet.program
---@return lunet.process|nil process
---@return string? message names the program
---@return string? code "ENOENT", "EACCES", ... (execve(2)); "EPERM", "ENOSPC" if the machine refuses namespaces
function lunet.exec(program) end

--- Lets time pass; waits. Never returns early. 0 lets the other tasks have a turn.
---@param seconds number 0 or more
---@return true
function lunet.sleep(seconds) end

--- The monotonic clock (clock_gettime(2), CLOCK_MONOTONIC). All times of the API are on it.
---@return number seconds
function lunet.now() end

--- Puts the script's own words into the timeline.
---@param text string
---@return true
function lunet.note(text) end

--- Lists the open listeners, connections, processes and hosts, as a text for each. For leak checks.
---@return string[]
function lunet.open_handles() end

--- Makes a text of an error, with the tracebacks of the tasks that it passed.
---@param error any
---@return string
function lunet.traceback(error) end

--- Lists the TCP sockets of the home host, by port, then the Unix listeners of its network namespace. A
--- socket that changes meanwhile may be missing, or be there twice: the kernel goes through its tables piece by piece.
---
--- Address and port alone do not tell the listener of a connection: listeners share a port (`reuseport`), a listener on
--- any address lies beside one on a certain address, or follows a closed one. So lunet marks its listeners. Marks can
--- have a meaning on the machine's own stack: there it marks only listeners on loopback addresses. Without privilege
--- (CAP_NET_ADMIN) the kernel allows no marks there. Then `listener` goes by address and port, and fails with
--- "ENOTUNIQ" if another listener is there, or lunet had one there before.
---@param filter? lunet.socket_filter
---@return lunet.socket[]|nil sockets
---@return string? message
---@return string? code "ENOENT" if the kernel has no tcp_diag; "ENOTUNIQ"
function lunet.sockets(filter) end

--- Like host:watch, of a listener on the home host.
---@param target lunet.listener|integer|string a listener, a port (all listeners at it), or "unix:/path"
---@param every? number seconds from 0.001 to 3600, default 0.01
---@return lunet.watch|nil watch a to-be-closed value; its close ends the watch
---@return string? message
---@return string? code as of host:watch
function lunet.watch(target, every) end
