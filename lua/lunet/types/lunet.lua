---@meta lunet

--- What the core implements, for readers and for language servers: here the functions of lunet, in files of their own
--- the other types. Conventions:
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
