--- Real servers with several workers. A file lua/lunet/peer/pools/NAME.lua describes one as a server is described. It
--- says in addition how its workers are found, how clients come to them, and how it is stopped and reloaded.
---
---     local running = pool.start("gunicorn", host, 2, { address = link:address(host) })
---     local workers = pool.workers(running)
---     pool.stop(running, workers[2])                    -- stuck
---     ...
---     pool.go_on(running, workers[2])
---     pool.order(running, "reload")
---     running:close()
local library = require "lunet.peer.library"
local lunet = require "lunet"
local options = require "lunet.text.options"
local peer_process = require "lunet.peer.process"
local server = require "lunet.peer.server"
local threads = require "lunet.peer.threads"

---@class lunet.pool_library: lunet.peer_library
---@field describe fun(name: string): lunet.pool, string
local pool = library.open "pool"

local LONG = 60 -- s; bounds waits for states that do come
local DIRECTORY = debug.getinfo(1, "S").source:match "^@(.*)pool%.lua$"

--- How clients come to the workers of a pool. taken: free workers take them from one listening queue. by hash: the
--- kernel puts them into the queue of one worker (SO_REUSEPORT). The others are ways of a thread or process that
--- accepts for all. in turn: it hands each worker as many clients as the others. least loaded: it prefers the worker
--- that has the fewest. when ready: it hands a client to a worker that has taken the one before.
---@alias lunet.handed "taken"|"by hash"|"in turn"|"least loaded"|"when ready"

--- A description: what lua/lunet/peer/pools/NAME.lua returns. Its `limit` is a function of the number of workers.
---@class lunet.pool: lunet.server
---@field handed lunet.handed
---@field thread? string a pattern of the names of threads, if those are its workers and not processes
---@field is_alone? boolean whether it has one worker, which is the server itself
---@field hands_over? number seconds that its workers may be busy at a reload, if they must hand over the socket
---@field status? lunet.pool_status how it is asked how it is
---@field graceful table<"stop"|"reload", string|fun(running: lunet.running_server)> a signal, or what does it; nil: it
--- has none

--- A question to a server about itself.
---@class lunet.pool_status
---@field unix? string the name of a socket in its place; without one it is asked as clients ask
---@field path? string of HTTP
---@field request? string|fun(running: lunet.running_server): string what is sent, if that is not HTTP
---@field ends? string a pattern of the end of the answer, if the server does not close the connection after it
---@field says string a pattern of the part of the answer that speaks of workers; each match counts

---@class lunet.worker
---@field pid integer its process, as lunet sees it
---@field thread? integer as threads.list has it

local function leader(running)
  return running.description.through and threads.leader(running) or running.process:pid()
end

-- The worker processes are the children of the server's first process, whatever they have started themselves.
local function children(running)
  local found, parent = {}, leader(running)
  for _, entry in ipairs(assert(running.process:tree())) do
    if entry.parent == parent and not entry.state:find "^[ZX]" then found[#found + 1] = { pid = entry.pid } end
  end
  return found
end

--- The workers of a server, in the order of their numbers.
---@param running lunet.running_server
---@return lunet.worker[]
function pool.workers(running)
  local description = running.description
  if description.is_alone then return { { pid = leader(running) } } end
  local found = children(running)
  table.sort(found, function(a, b) return a.pid < b.pid end)
  if not description.thread then return found end
  local process, workers = found[#found] and found[#found].pid or leader(running), {}
  for i, id in ipairs(threads.list(process, description.thread)) do workers[i] = { pid = process, thread = id } end
  return workers
end

--- Starts one with so many workers, and waits until it has them and rests. Raises as server.start does.
---@param name string as pool.describe takes it
---@param host lunet.host
---@param count integer workers; a server that is alone has one
---@param settings? {address: string?, port: integer?} as of server.start
---@return lunet.running_server
function pool.start(name, host, count, settings)
  local path = name:find "/" and name or ("%spools/%s.lua"):format(DIRECTORY, name)
  local description = pool.describe(name)
  local running = server.start(path, host, options.merged(settings, { clients = count }))
  local wanted = description.is_alone and 1 or count
  if not lunet.eventually(function() return #pool.workers(running) == wanted end, LONG) then
    local found = #pool.workers(running)
    running:close()
    error(("%s has %d workers, not %d"):format(running.name, found, wanted), 0)
  end
  running:await_rest(LONG)
  return running
end

local function state_of(running, pid)
  for _, entry in ipairs(assert(running.process:tree())) do
    if entry.pid == pid then return entry.state end
  end
  return "X"
end

--- Whether a worker has not ended.
---@param running lunet.running_server
---@param worker lunet.worker
---@return boolean
function pool.is_there(running, worker) return not state_of(running, worker.pid):find "^[ZX]" end

--- Stops a worker, and waits until it stands still. Raises if there is no such worker.
---@param running lunet.running_server
---@param worker lunet.worker
function pool.stop(running, worker)
  if worker.thread then return threads.order(running, "stop", worker.thread) end
  peer_process.freeze(running.process, worker.pid)
end

--- Lets a stopped worker go on; one that has ended meanwhile is left alone.
---@param running lunet.running_server
---@param worker lunet.worker
function pool.go_on(running, worker)
  if worker.thread then return threads.order(running, "go", worker.thread) end
  running.process:thaw { only = worker.pid }
end

--- Gives the order to stop or to reload gracefully. Does not wait.
---@param running lunet.running_server
---@param what "stop"|"reload"
---@return boolean whether the server knows such an order
function pool.order(running, what)
  local how = running.description.graceful[what]
  if type(how) == "function" then
    how(running)
  elseif how then
    assert(running.process:kill(how, { only = leader(running) }))
  end
  return how ~= nil
end

local function question_of(running, status)
  if type(status.request) == "function" then return status.request(running) end
  return status.request or status.path
    and ("GET %s HTTP/1.0\r\nHost: server\r\n\r\n"):format(status.path) or ""
end

--- Asks a server about itself.
---@param running lunet.running_server
---@param from lunet.host of the client that asks
---@param timeout number seconds
---@return string says "-": it cannot be asked; "no answer"; or the matches: "BusyWorkers: 1 IdleWorkers: 9"
function pool.status(running, from, timeout)
  local status = running.description.status
  if not status then return "-" end
  local target = status.unix and { address = "unix:" .. running.place.path .. "/" .. status.unix }
    or { address = running.address, port = running.port, label = "status" }
  local client <close> = (status.unix and running.host or from):connect(target, timeout)
  if not client then return "no answer" end
  client:send(question_of(running, status), timeout)
  local _, text = running.read_until(client, status.ends, timeout)
  local said = {}
  for part in text:gmatch(status.says) do said[#said + 1] = (part:gsub("%s+", " ")) end
  return #said > 0 and table.concat(said, " ") or "no answer"
end

return pool
