--- The specs that every real server with several workers passes (lua/lunet/peer/pools): one describe block a server.
---
---     pool(_ENV, "nginx", { says = "Active connections: %d+" })
local assert = require "luassert"
local lunet = require "lunet"
local pool = require "lunet.peer.pool"
local started = require "spec.support.started"

local BOUND <const> = require "spec.support.bound"
local WORKERS = 3

---@class lunet.expected_pool
---@field says? string a pattern of what it says of itself while a worker is stopped; default "-"
---@field logged? string what the log says of a client that was served; default "200"

-- Why there is no such server, if there is none.
local function reason(name)
  local is_here, missing = pool.find_all { name }
  return not is_here and ("the group peers is not here (script/packages peers): %s"):format(missing) or nil
end

local function start(name)
  local host, clients = assert(lunet.host(name)), assert(lunet.host "clients")
  local link = lunet.link(host, clients)
  return pool.start(name, host, WORKERS, { address = link:address(host) }), clients
end

local function key(worker) return ("%d %s"):format(worker.pid, worker.thread or "") end

local function keys_of(workers)
  local keys = {}
  for _, worker in ipairs(workers) do keys[key(worker)] = true end
  return keys
end

-- Asks as often as it takes until an answer comes.
local function be_served(running, clients, word)
  assert.is_true(lunet.eventually(function()
    local client <close> = running:ask(clients, word)
    return (running:await_answer(client, 1))
  end, BOUND))
end

-- Whether none of these workers is left, and there are as many others.
local function is_replaced(running, workers)
  local now, before = pool.workers(running), keys_of(workers)
  for _, worker in ipairs(now) do
    if before[key(worker)] then return false end
  end
  return #now == #workers
end

---@param busted table the environment of the spec, whose `describe`, `it` and `pending` it takes
---@param name string
---@param expected lunet.expected_pool
return function(busted, name, expected)
  local graceful = pool.describe(name).graceful

  local with_pool = started(busted, name, reason, start)

  busted.describe(name, function()
    with_pool("has workers, one of which stops, and a log", function(running, clients)
      local workers = pool.workers(running)
      assert.equal(running.description.is_alone and 1 or WORKERS, #workers)
      be_served(running, clients, "word")
      local logged = expected.logged or "200"
      local function said() return running:logged(running:log(), "word") end
      assert.is_true(lunet.eventually(function() return said() == logged end, BOUND), said())
      pool.stop(running, workers[#workers])
      if running.description.handed == "taken" and #workers > 1 then
        be_served(running, clients, "one")
        be_served(running, clients, "two")
      end
      local is_said = lunet.eventually(function()
        return pool.status(running, clients, 1):match("^" .. (expected.says or "-") .. "$")
      end, BOUND)
      assert.is_truthy(is_said, pool.status(running, clients, 1))
      pool.go_on(running, workers[#workers])
      be_served(running, clients, "three")
    end)

    with_pool("ends when it is told to stop", function(running)
      assert.is_true(pool.order(running, "stop"))
      assert.is_truthy(running.process:wait(BOUND))
    end)

    if not graceful.reload then return end
    with_pool("gets other workers when it is told to reload, and serves", function(running, clients)
      local before = pool.workers(running)
      assert.is_true(pool.order(running, "reload"))
      assert.is_true(lunet.eventually(function() return is_replaced(running, before) end, BOUND))
      be_served(running, clients, "later")
    end)
  end)
end
