--- lunet: a laboratory for TCP listen queues and timeouts.
---
--- This file is the index of the API. lunet/types declares and documents the part that is written in C, and the part in
--- Lua is here.
local core = require "lunet.core"
core.set_library(debug.getinfo(1, "S").source:match "^@(.*/)") -- errors name the script's lines, not these
local guest = require "lunet.network.guest"
local host = require "lunet.network.host"
local lan = require "lunet.network.lan"
local link = require "lunet.network.link"
local options = require "lunet.text.options"
local rule = require "lunet.network.rule"
local serving = require "lunet.network.serving"
local waiting = require "lunet.network.waiting"

if guest.is_virtual() then core.let_sleep() end -- timers are exact there, and an awake processor is slow

--- The calls with which everything begins: hosts, links, listeners, connections, programs and tasks.
---@class lunet
local lunet = {
  spawn = core.spawn,
  scope = core.scope,
  sleep = core.sleep,
  now = core.now,
  note = core.note,
  open_handles = core.open_handles,
  traceback = core.traceback,
  host = host.new,
  link = link.join,
  lan = lan.join,
  drop = rule.drop_at_home,
}

lunet.version = core.versions()

-- No tail calls: an error names the function that the script called.

--- Runs a program on the home host; waits until it runs, about a millisecond. It cannot outlive lunet, however lunet
--- ends: lunet-guard starts it in a process namespace of its own. The kernel ends that namespace with lunet, and so
--- also stopped processes and daemons. The program runs as the user, in a session of its own, so that Ctrl-C does not
--- reach it. An ordinary user's program needs a user namespace for that, where set-user-ID programs gain nothing.
---
--- The program sees its own process numbers: its getpid(2) is not process:pid(). It has a /proc of these numbers, if
--- the machine allows that. In a container that hides a part of /proc it sees the machine's /proc, in which only
--- /proc/self is its own.
---
--- A stream that is "keep" does not stop the program: lunet keeps its output until the script reads it. When 16 MiB are
--- unread, the program waits for a script that reads, however slowly. If the script takes nothing for a second, the
--- program goes on, the oldest bytes are lost, and the timeline says so. The program sees a pipe (pipe(7)).
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
---
---     local process <close> = assert(lunet.exec { "sh", "-c", "echo hello; exit 3" })
---     print(process.stdout:receive("l", 60)) --> hello
---     print(process:wait(60)) --> 3
---@async
---@param program lunet.program
---@return lunet.process|nil process
---@return string? message names the program
---@return string? code "ENOENT", "EACCES", ... (execve(2)); "EPERM", "ENOSPC" if the machine refuses namespaces
function lunet.exec(program)
  local process, message, code = host.exec(nil, program)
  return process, message, code
end

--- Opens a listener on the home host. It accepts nothing until a script asks it to. Closing it removes the path of a
--- Unix address. Paths belong to the file system, which all hosts share: "unix:/path" is one listener for all of them.
--- Abstract names ("unix:@name") belong to a host (unix(7)).
---
---     local listener <close> = assert(lunet.listen { backlog = 5, label = "server" })
---     local _, port = listener:address()
---     print(listener:queue().limit) --> 5
---     print(select(3, lunet.listen { port = port, backlog = 5 })) --> EADDRINUSE
---@param target lunet.listen_target
---@return lunet.listener|nil listener
---@return string? message names the address
---@return string? code "EADDRINUSE", "EACCES", "EADDRNOTAVAIL", ... (bind(2), listen(2)); "ENODEV" if the host
--- lacks the interface of the address
function lunet.listen(target)
  local listener, message, code = core.listen(nil, target)
  return listener, message, code
end

--- Connects; waits. nil as timeout leaves it to the kernel (tcp_syn_retries, tcp(7)). A full Unix
--- queue fails at once with "EAGAIN" (unix(7)).
---
--- A client that connects to its own address and port reaches itself, even without a listener: it receives its own
--- bytes, and its address is its peer's (RFC 9293, 3.5, simultaneous open). This can happen by chance if nobody listens
--- at a port within net.ipv4.ip_local_port_range. Two clients that connect to each other at once (`from`) need no
--- listener either.
---
--- A link-local address (fe80::/10) needs an interface of the calling host, by name or number: "[fe80::1%eth0]:80"
--- (RFC 4007). Without it the kernel says "EINVAL", with an unknown one "ENODEV".
---
---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     local client <close> = assert(lunet.connect(listener, 60)) -- nobody accepts, and it succeeds
---     print(client:peer() == listener:address()) --> true
---@async
---@param target lunet.listener|string|lunet.connect_target numeric: "127.0.0.1:80", "[::1]:80", "unix:/path"
---@param timeout? number seconds
---@return lunet.connection|nil connection
---@return string? message names the address
---@return string? code "TIMEOUT", "ECONNREFUSED", "ETIMEDOUT", "EADDRNOTAVAIL", ... (connect(2))
function lunet.connect(target, timeout)
  local connection, message, code = core.connect(nil, target, timeout)
  return connection, message, code
end

--- Lists the TCP sockets of the home host, by port, then the Unix listeners of its network namespace. A
--- socket that changes meanwhile may be missing, or be there twice: the kernel goes through its tables piece by piece.
---
--- Address and port alone do not tell the listener of a connection: listeners share a port (`reuseport`), a listener on
--- any address lies beside one on a certain address, or follows a closed one. So lunet marks its listeners. Marks can
--- have a meaning on the machine's own stack: there it marks only listeners on loopback addresses. Without privilege
--- (CAP_NET_ADMIN) the kernel allows no marks there. Then `listener` goes by address and port, and fails with
--- "ENOTUNIQ" if another listener is there, or lunet had one there before.
---
---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     local _, port = listener:address()
---     local found = assert(lunet.sockets { state = "LISTEN", local_port = port })
---     print(#found, found[1].queue.limit) --> 1  5
---@param filter? lunet.socket_filter
---@return lunet.socket[]|nil sockets
---@return string? message
---@return string? code "ENOENT" if the kernel has no tcp_diag; "ENOTUNIQ"
function lunet.sockets(filter)
  local sockets, message, code = core.sockets(nil, filter)
  return sockets, message, code
end

--- Like host:watch, of a listener on the home host.
---
---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     local watch <close> = assert(lunet.watch(listener))
---     local client <close> = assert(lunet.connect(listener, 60))
---     print(lunet.eventually(function() return watch:peak().depth == 1 end, 60)) --> true
---@param target lunet.listener|integer|string a listener, a port (all listeners at it), or "unix:/path"
---@param every? number seconds from 0.001 to 3600, default 0.01
---@return lunet.watch|nil watch a to-be-closed value; its close ends the watch
---@return string? message
---@return string? code as of host:watch
function lunet.watch(target, every)
  local watch, message, code = core.watch(nil, target, every)
  return watch, message, code
end

--- The path of a file beside the calling script or experiment. It does not matter whether lunet, a stock lua5.4, busted
--- or another script loaded the caller. (`arg[0]` does not tell: under busted it names busted.) Code without a file has
--- its neighbours in the working directory.
---
---     print(lunet.beside "/etc/server.conf") --> /etc/server.conf
---@param name string "server.conf"; an absolute path stays the same
---@return string path
function lunet.beside(name)
  if type(name) ~= "string" then core.misuse(("beside: a file's name expected, not %s"):format(type(name))) end
  if debug.getinfo(1, "t").istailcall then
    core.misuse "beside: after return, lunet cannot tell who called it: return (lunet.beside(name))"
  end
  local directory = debug.getinfo(2, "S").source:match "^@(.*/)" or ""
  return name:sub(1, 1) == "/" and name or directory .. name
end

--- Whether lunet can do something here. Tries it once, on hosts that end with the call, so that a spec or a CI step can
--- skip it where the machine refuses. Waits. Like the first host, it may move the process into a user namespace.
---
---     print(lunet.can "hosts") --> true
---@async
---@param what "hosts"|"sysctls"|"links"|"delay"|"ipv6"|"drop"|"capture"|"programs"|string or the name of a sysctl,
--- "net.core.somaxconn": whether hosts let it be set
---@return true|nil
---@return string? why
---@return string? code the kernel's name of the error
---@return string? command that changes this, if there is one
function lunet.can(what)
  return require("lunet.run.can").ask(what)
end

local function callable(value, position, name)
  if type(value) ~= "function" then
    core.misuse(("bad argument #%d to '%s' (function expected, got %s)"):format(position, name, type(value)))
  end
end

--- Calls a function under one deadline for all of its waits. The function runs as a task of its own, which `within`
--- cancels when the time is over.
---
---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     print(lunet.within(0.01, listener.accept, listener)) --> nil  within: the deadline passed (TIMEOUT)  TIMEOUT
---@async
---@param timeout number seconds, 0 or more
---@param fn function
---@param ... any arguments for fn
---@return true|nil ok and the function's results; or nil
---@return any message
---@return string? code "TIMEOUT"
---@return any ... more results of the function
function lunet.within(timeout, fn, ...)
  if timeout == nil then core.misuse "within: a number of seconds, 0 or more, is expected; not nil" end
  waiting.check(timeout, "within")
  callable(fn, 2, "within")
  local task <close> = lunet.spawn(fn, ...)
  local results = table.pack(task:join(timeout))
  local function is_late() return results[1] == nil and results[3] == "TIMEOUT" end
  if is_late() then results = table.pack(task:join(0)) end -- it may have ended in the same turn
  if is_late() then
    task:cancel()
    task:join() -- its cleanup ends before this call does
    return nil, "within: the deadline passed (TIMEOUT)", "TIMEOUT"
  end
  return table.unpack(results, 1, results.n)
end

--- Waits for a state: calls the predicate again and again until it returns a true value. The kernel announces few of
--- its states, so `eventually` asks every 0.1 ms at first and every 5 ms later on.
---
---     local listener <close> = assert(lunet.listen { backlog = 5 })
---     local client <close> = assert(lunet.connect(listener, 60))
---     print(lunet.eventually(function() return listener:queue().depth == 1 end, 60)) --> true
---@async
---@param predicate fun(): any
---@param timeout? number seconds; nil waits without limit, 0 asks once
---@return any value of the predicate; or nil
---@return string? message
---@return string? code "TIMEOUT"
function lunet.eventually(predicate, timeout)
  callable(predicate, 1, "eventually")
  waiting.check(timeout, "eventually")
  local value = waiting.until_true(predicate, timeout)
  if value then return value end
  return nil, "eventually: the deadline passed (TIMEOUT)", "TIMEOUT"
end

-- Returns meet(i), which waits until every other item has met as often as item i, done(i): then no other item waits for
-- item i any more, and wait(), until all are done. An item that waits joins a task of its own, which the last one ends:
-- asking again and again would take a processor for as long as the slowest item.
local function meeting(count)
  local met, least, waiting_for = {}, count > 0 and 0 or math.huge, {}
  local items = { [0] = count, [math.huge] = 0 } -- how many have met so often
  for i = 1, count do met[i] = 0 end
  local function set(i, times)
    items[met[i]] = items[met[i]] - 1
    items[times] = (items[times] or 0) + 1
    met[i] = times
    if items[least] > 0 then return end
    if items[math.huge] == count then least = math.huge end
    while (items[least] or 0) == 0 do least = least + 1 end
    for sleeper, awaited in pairs(waiting_for) do
      if awaited <= least then sleeper:cancel() end
    end
  end
  local function wait_for(times)
    if least >= times then return end
    local sleeper <close> = core.spawn(core.sleep, math.huge)
    waiting_for[sleeper] = times
    sleeper:join()
    waiting_for[sleeper] = nil
  end
  local function meet(i)
    set(i, met[i] + 1)
    wait_for(met[i])
  end
  local function done(i) set(i, math.huge) end
  return meet, done, function() wait_for(math.huge) end
end

--- Does the same for each item of a list, all at once, each in a task and a scope of its own. Waits for all of them.
--- The first error cancels the others, and `together` raises it.
---
--- Making a host, a link or a program takes a millisecond or more, in which nothing else runs, and so does its end. One
--- item's preparation would delay the clients of all others. So an experiment that measures times gives two functions:
--- every `prepare` ends before the first `run` begins, and no scope before the last `run`.
---
--- With one function, `lunet.together(items, run)`, there is nothing to prepare, and `run` gets only the item.
--- `meet()` waits until every item that is not done has called it as often as this one.
---
---     local codes = lunet.together({ 0.01, 0.02 }, function()
---       return assert(lunet.listen { backlog = 5 })
---     end, function(listener, patience) return select(3, listener:accept(patience)) end)
---     print(table.unpack(codes)) --> TIMEOUT  TIMEOUT
---@async
---@generic T, P, R
---@param items T[]
---@param prepare fun(item: T, number: integer): P makes hosts, programs and so on for the item
---@param run fun(prepared: P, item: T, number: integer, meet: fun()): R? measures
---@return R[] results of each run, in the order of the items
---@overload fun(items: T[], run: fun(item: T, number: integer, meet: fun()): R?): R[]
function lunet.together(items, prepare, run)
  if type(items) ~= "table" then core.misuse "bad argument #1 to 'together' (list expected)" end
  callable(prepare, 2, "together")
  if run ~= nil then callable(run, 3, "together") end
  local results = {}
  local meet, done, wait_for_all = meeting(#items)
  local function prepare_and_run(item, i)
    local function meet_others() meet(i) end
    if run then
      local prepared = prepare(item, i)
      meet(i)
      results[i] = run(prepared, item, i, meet_others)
    else
      results[i] = prepare(item, i, meet_others)
    end
    done(i)
    if run then wait_for_all() end
  end
  lunet.scope(function()
    for i, item in ipairs(items) do lunet.spawn(lunet.scope, prepare_and_run, item, i) end
  end)
  return results
end

---@class lunet.listener
local listener = core.listener

---@class lunet.connection
local connection_methods = core.connection

local SERVE <const> = { idle = options.one_of { "task", "light" } }

--- Accepts in a loop until a script closes the listener; waits. Closes a connection when its handler ends. An error in
--- a handler surfaces like any task's.
---
--- By default each connection has a task of its own, in which the handler runs once. With `idle = "light"` a task
--- exists only while a message is handled. The handler is called whenever a connection has something to read: bytes,
--- the peer's FIN or an error. It must receive that, and the connection stays open when it returns. When a receive has
--- told of the end, the connection is closed. A silent connection so takes a third of the memory.
---
--- If an accept fails for another reason, such as "EMFILE", serve raises an error, so that no server ends in silence.
--- lunet does not try again by itself. The connection stays in the queue, and the timeline shows the failed accept. A
--- server that must go on calls accept itself.
---
---     local serving = lunet.spawn(listener.serve, listener, function(connection) connection:send "hello\n" end)
---     print(client:receive("l", 60)) --> hello
---     listener:close()
---     print(serving:join(60)) --> true  nil  ...  CLOSED
---@async
---@param handler fun(connection: lunet.connection)
---@param how? {idle: "task"|"light"|nil} what a silent connection keeps; default "task"
---@return nil
---@return string message
---@return string code "CLOSED"
function listener:serve(handler, how)
  core.check_self(self, "lunet.listener")
  callable(handler, 1, "serve")
  if how ~= nil then options.check("serve", how, SERVE) end
  local serve = how and how.idle == "light" and serving.by_message or serving.by_connection
  local message, code = serve(self, handler)
  if code ~= "CLOSED" then error("serve: " .. message, 2) end
  return nil, message, code
end

--- Iterates over incoming lines, without their newlines, until reading ends; every step waits. Then
--- `connection:ended()` gives the reason. If an error has cut the last line, message and code follow it, as from
--- receive.
---
---     client:send "one\ntwo\n"
---     client:close()
---     for line in server:lines(60) do print(line) end --> one
---     --> two
---@param timeout? number seconds for each line; nil waits without limit
---@return fun(): string|nil next_line nil at the end; message and code follow a line that an error has cut
function connection_methods:lines(timeout)
  core.check_self(self, "lunet.connection")
  waiting.check(timeout, "lines")
  return function() return self:receive("l", timeout) end
end

return lunet
