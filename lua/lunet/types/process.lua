---@meta

--- The table for exec. Its list part has the program's words: its name and its arguments.
---@class lunet.program
---@field [integer] string|number the first is a path, or a name in PATH
---@field env? table<string, string|number|false> variables on top of lunet's own; false removes one
---@field cwd? string its directory; lunet's own by default
---@field stdin? "null"|"pipe"|"inherit" default "null"
---@field stdout? "keep"|"pipe"|"null"|"inherit" default "keep"
---@field stderr? "inherit"|"keep"|"pipe"|"null"|"stdout" default "inherit"; "stdout": the same as stdout
---@field limits? table<string, number> resource limits, soft and hard, by setrlimit(2)'s names in lower case, like
--- { nofile = 64 }; math.huge means no limit. All others stay as the user had them when lunet began. A limit above the
--- hard one needs CAP_SYS_RESOURCE: "EPERM"
---@field fds? table<integer, lunet.listener|lunet.connection> sockets that the program gets as descriptors 3, 4, ...
--- without a gap, at most 64, like { [3] = listener }. LISTEN_FDS is how many, LISTEN_PID the program's own number as
--- it sees it (sd_listen_fds(3)). See lunet.exec
---@field nonblocking? boolean whether the calls of the program on `fds` return EAGAIN instead of waiting; default false
---@field label? string its name in the timeline; the program's by default
---@field grace? number seconds (0 to 60, default 0): close(), or the end of lunet, first kills the program, and kills
--- its children when nothing else runs or so much later. It is for programs, such as lunet, whose children clean up
--- after them.

--- A program that runs on a host, with all processes that it has started.
---
---     local process <close> = assert(lunet.exec { "sh", "-c", "read line; exit 3", stdin = "pipe" })
---@class lunet.process
---@field stdin? lunet.connection if it is a "pipe": sends go to its input; close() ends that
---@field stdout? lunet.connection if it is "keep" or a "pipe": receives give its output
---@field stderr? lunet.connection if it is "keep" or a "pipe"
local process = {}

--- Its process number (pid_namespaces(7)), which is also that of its process group, as lunet sees it.
---
---     print(process:pid() > 0) --> true
---@return integer|nil pid
---@return string? message
---@return string? code "CLOSED"
function process:pid() end

--- Stops every process of the program's process namespace at once with SIGSTOP, whatever its group or session:
--- PostgreSQL's backends and daemons make their own. No process escapes by a fork, since init sends all signals by one
--- kill(2). Returns before the processes stand still (kill(2)): process:tree() tells when they do, and
--- lunet.peer.process.freeze waits for it.
---
---     print(process:freeze()) --> true
---     print(lunet.eventually(function() return process:tree()[1].state == "T" end, 60)) --> true
---@param options? {only: integer|"leader"} only: the program itself, or one process by its number in process:tree()
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"; "ESRCH" if somebody killed its guard, and so all of it, or `only` is no process of the
--- program
function process:freeze(options) end

--- Continues every process of the program with SIGCONT (signal(7)).
---
---     print(process:freeze(), process:thaw()) --> true  true
---     process.stdin:close()
---     print(process:wait(60)) --> 3
---@param options? {only: integer|"leader"} as of freeze
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"; "ESRCH" as of freeze
function process:thaw(options) end

--- Lists the program's processes: the program first, then what it has started, also in sessions of its own and as
--- orphans. It reads the stat of every process of the machine, which takes milliseconds where there are many.
---
---     print(process:tree()[1].name, #process:tree()) --> sh  1
---@return {pid: integer, parent: integer, name: string, state: string}[]|nil processes numbers as lunet sees them; the
--- state as in proc(5): "R" running, "S" or "D" waiting, "T" stopped, "Z" ended
---@return string? message
---@return string? code "CLOSED"; "ESRCH" as of freeze
function process:tree() end

--- Sums up what the program and all that it has started use (proc(5), /proc/PID/stat). A server that spins is seen by
--- two calls: its processor time grows as fast as the clock.
---
--- The processor time is that of all threads, also of processes that have ended, orphans among them. The kernel drops
--- the time of a process whose parent ignores SIGCHLD. A process that ends during the call may be missed or counted
--- twice; the figures of a frozen program are exact.
---
---     local usage = process:usage()
---     print(usage.processes, usage.user >= 0) --> 1  true
---@return {user: number, system: number, resident: integer, processes: integer}|nil usage seconds of processor time
--- in user mode and in the kernel, in steps of 0.01 s; bytes of memory, those that processes share counted for each;
--- how many processes
---@return string? message
---@return string? code "CLOSED"; "ESRCH" as of freeze
function process:usage() end

--- Sends a signal to its process group: to the program and its children, except those that have made a group or a
--- session of their own. This works even after the program's end, if a child still runs.
---
---     print(process:kill "SIGKILL") --> true
---     print(process:wait(60)) --> SIGKILL
---@param signal? string|integer default "SIGTERM"; "SIGRTMIN+1" (signal(7))
---@param options? {only: integer|"leader"} as of freeze
---@return true|nil ok
---@return string? message
---@return string? code "CLOSED"; "ESRCH" as of freeze
function process:kill(signal, options) end

--- Waits for the program's end (waitpid(2)). Later calls return the same status, also after close. The program's
--- children may go on until close.
---
---     print(select(3, process:wait(0))) --> TIMEOUT
---     process.stdin:close() -- what it reads ends
---     print(process:wait(60)) --> 3
---@async
---@param timeout? number seconds
---@return integer|string|nil status its exit status, or the signal that killed it: "SIGKILL"
---@return string? message
---@return string? code "TIMEOUT", "CLOSED"
function process:wait(timeout) end

--- Kills the program and its children, and closes its connections. The kernel takes about a millisecond for it: to see
--- the end, call kill("SIGKILL") and wait first. Idempotent; does not wait.
---
---     print(process:close()) --> true
---     print(select(3, process:pid())) --> CLOSED
---@return true
function process:close() end
