--- lunet: a laboratory for TCP listen queues and timeouts.
---
--- This file is the index of the API. lunet/types declares and documents the part that the core implements; the part
--- in Lua is here.
local core = require "lunet.core"
core.set_library(debug.getinfo(1, "S").source:match "^@(.*/)") -- errors name the script's lines, not these
local host = require "lunet.network.host"
local lan = require "lunet.network.lan"
local link = require "lunet.network.link"
local rule = require "lunet.network.rule"

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

-- lunet/types/lunet.lua documents these. No tail calls: an error names the function that the script called.

function lunet.exec(program)
  local process, message, code = host.exec(nil, program)
  return process, message, code
end

function lunet.listen(target)
  local listener, message, code = core.listen(nil, target)
  return listener, message, code
end

function lunet.connect(target, timeout)
  local connection, message, code = core.connect(nil, target, timeout)
  return connection, message, code
end

function lunet.sockets(filter)
  local sockets, message, code = core.sockets(nil, filter)
  return sockets, message, code
end

function lunet.watch(target, every)
  local watch, message, code = core.watch(nil, target, every)
  return watch, message, code
end

--- The path of a file beside the calling script or experiment. It does not matter whether lunet, a stock lua5.4, busted
--- or another script loaded the caller. (`arg[0]` does not tell: under busted it names busted.) Code without a file has
--- its neighbours in the working directory.
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
---     if not lunet.can "hosts" then return pending(select(2, lunet.can "hosts")) end
---@param what "hosts"|"sysctls"|"links"|"delay"|"ipv6"|"drop"|"capture"|"programs"|string or the name of a sysctl,
--- "net.core.somaxconn": whether hosts let it be set
---@return true|nil
---@return string? why
---@return string? code the kernel's name of the error
---@return string? command that changes this, if there is one
function lunet.can(what)
  return require("lunet.run.can").ask(what)
end

local function seconds(value, name)
  if value ~= nil and (type(value) ~= "number" or value ~= value or value < 0) then
    core.misuse(("%s: a timeout is a number of seconds, 0 or more; not %s"):format(name, tostring(value)))
  end
end

local function callable(value, position, name)
  if type(value) ~= "function" then
    core.misuse(("bad argument #%d to '%s' (function expected, got %s)"):format(position, name, type(value)))
  end
end

--- Calls a function under one deadline for all of its waits. The function runs as a task of its own, which `within`
--- cancels when the time is over.
---@param timeout number seconds, 0 or more
---@param fn function
---@param ... any arguments for fn
---@return true|nil ok and the function's results; or nil
---@return any message
---@return string? code "TIMEOUT"
function lunet.within(timeout, fn, ...)
  if timeout == nil then core.misuse "within: a number of seconds, 0 or more, is expected; not nil" end
  seconds(timeout, "within")
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

-- eventually looks at once, then after pauses that grow from the first to the last.
local FIRST_PAUSE, LAST_PAUSE, GROWTH = 0.0001, 0.005, 1.5

--- Waits for a state: calls the predicate again and again until it returns a true value. The kernel announces few of
--- its states, so `eventually` asks every 0.1 ms at first and every 5 ms later on.
---@param predicate fun(): any
---@param timeout? number seconds; nil waits without limit, 0 asks once
---@return any value of the predicate; or nil
---@return string? message
---@return string? code "TIMEOUT"
function lunet.eventually(predicate, timeout)
  callable(predicate, 1, "eventually")
  seconds(timeout, "eventually")
  local deadline = timeout and lunet.now() + timeout or math.huge
  local pause = FIRST_PAUSE
  while true do
    local is_last = lunet.now() >= deadline -- a last look after the deadline: the state may have come in time
    local value = predicate()
    if value then return value end
    if is_last then return nil, "eventually: the deadline passed (TIMEOUT)", "TIMEOUT" end
    lunet.sleep(math.max(0, math.min(pause, deadline - lunet.now())))
    pause = math.min(pause * GROWTH, LAST_PAUSE)
  end
end

-- Returns meet(i), which waits until every other item has met as often as item i, and done(i): then no other item waits
-- for item i any more.
local function meeting(count)
  local met = {}
  for i = 1, count do met[i] = 0 end
  local function meet(i)
    met[i] = met[i] + 1
    local times = met[i]
    lunet.eventually(function()
      for _, others in ipairs(met) do
        if others < times then return false end
      end
      return true
    end)
  end
  return meet, function(i) met[i] = math.huge end
end

--- Does the same for each item of a list, all at once, each in a task and a scope of its own. Waits for all of them.
--- The first error cancels the others, and `together` raises it.
---
---     local waits = lunet.together(patiences, function(patience)
---       local server, client = assert(lunet.host "server"), assert(lunet.host "client")
---       lunet.link(server, client)
---       return { listener = assert(server:listen { backlog = 5 }), client = client }
---     end, function(prepared, patience)
---       return measure(prepared, patience)
---     end)
---
--- Making a host, a link or a program takes a millisecond or more, in which nothing else runs. One item's preparation
--- would delay the clients of all others. So an experiment that measures times gives two functions: every `prepare`
--- ends before the first `run` begins.
---
--- With one function, `lunet.together(items, run)`, there is nothing to prepare, and `run` gets only the item.
--- `meet()` waits until every item that is not done has called it as often as this one.
---@generic T, P, R
---@param items T[]
---@param prepare fun(item: T, number: integer): P makes hosts, programs and so on for the item
---@param run fun(prepared: P, item: T, number: integer, meet: fun()): R measures
---@return R[] results of each run, in the order of the items
---@overload fun(items: T[], run: fun(item: T, number: integer, meet: fun()): R): R[]
function lunet.together(items, prepare, run)
  if type(items) ~= "table" then core.misuse "bad argument #1 to 'together' (list expected)" end
  callable(prepare, 2, "together")
  if run ~= nil then callable(run, 3, "together") end
  local results = {}
  local meet, done = meeting(#items)
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
  end
  lunet.scope(function()
    for i, item in ipairs(items) do lunet.spawn(lunet.scope, prepare_and_run, item, i) end
  end)
  return results
end

local function handle_connection(connection, handler)
  local closed_at_end <close> = connection
  handler(closed_at_end)
end

--- Accepts in a loop until a script closes the listener, with a task of its own for every connection; waits. Closes a
--- connection when its handler ends. An error in a handler surfaces like any task's.
---
--- If an accept fails for another reason, such as "EMFILE", serve raises an error, so that no server ends in silence.
--- lunet does not try again by itself. The connection stays in the queue, and the timeline shows the failed accept. A
--- server that must go on calls accept itself.
---@param handler fun(connection: lunet.connection)
---@return nil
---@return string message
---@return string code "CLOSED"
function core.listener:serve(handler)
  core.check_self(self, "lunet.listener")
  callable(handler, 1, "serve")
  while true do
    local connection, message, code = self:accept()
    if code == "CLOSED" then return nil, message, code end
    if not connection then error("serve: " .. message, 2) end
    lunet.spawn(handle_connection, connection, handler)
  end
end

--- Iterates over incoming lines, without their newlines, until reading ends; every step waits. Then
--- `connection:ended()` gives the reason. If an error has cut the last line, message and code follow it, as from
--- receive.
---@param timeout? number seconds for each line; nil waits without limit
---@return fun(): string?, string?, string?
function core.connection:lines(timeout)
  core.check_self(self, "lunet.connection")
  seconds(timeout, "lines")
  return function() return self:receive("l", timeout) end
end

return lunet
