local lfs = require "lfs"
local lunet = require "lunet"
local pool = require "lunet.peer.pool"
local threads = require "lunet.peer.threads"

local BOUND <const> = require "spec.support.bound"
local is_here, missing = pool.find_all { "memcached", "nginx" }
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

-- The state of a thread in proc(5): "t" is stopped by a tracer.
local function state_of(pid, thread)
  local path = ("/proc/%d/task/"):format(pid)
  for name in lfs.dir(path) do
    local file <close> = name:find "^%d" and io.open(path .. name .. "/status") or nil
    local text = file and file:read "a" or ""
    if text:match "\nNSpid:[^\n]-(%d+)\n" == tostring(thread) then return text:match "State:\t(%a)" end
  end
end

describe("threads", function()
  local host, running

  before_each(function()
    if reason then return end
    host = assert(lunet.host "server")
    running = pool.start("memcached", host, 3)
  end)
  after_each(function()
    if reason then return end
    running:close()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  it("are listed by their names, with the numbers of their own process namespace", function()
    if reason then return pending(reason) end
    local pid = threads.leader(running)
    assert.not_equal(running.process:pid(), pid)
    local ids = threads.list(pid, "^mc%-worker")
    assert.equal(3, #ids)
    assert.is_true(ids[1] < ids[2] and ids[2] < ids[3] and ids[3] < 100)
    assert.equal(1, #threads.list(pid, "^memcached$"))
    assert.same({}, threads.list(pid, "^nothing"))
    assert.same({}, threads.list(2 ^ 22 | 0, ""))
  end)

  it("stop one by one, and go on", function()
    if reason then return pending(reason) end
    local pid = threads.leader(running)
    local id = threads.list(pid, "^mc%-worker")[2]
    threads.order(running, "stop", id)
    assert.is_true(lunet.eventually(function() return state_of(pid, id) == "t" end, BOUND))
    local function stop_again() threads.order(running, "stop", id) end
    assert.error_matches(stop_again, "stop thread %d+ of memcached: Operation not permitted")
    threads.order(running, "go", id)
    assert.is_true(lunet.eventually(function() return state_of(pid, id) == "S" end, BOUND))
  end)

  it("that do not exist, or not stopped, are the kernel's to refuse", function()
    if reason then return pending(reason) end
    assert.error_matches(function() threads.order(running, "stop", 32000) end,
      "stop thread 32000 of memcached: No such process")
    local id = threads.list(threads.leader(running), "^mc%-worker")[1]
    assert.error_matches(function() threads.order(running, "go", id) end, "go thread %d+ of memcached: No such process")
  end)

  it("end the program that runs them with their own status", function()
    if reason then return pending(reason) end
    running.process:kill("SIGKILL", { only = threads.leader(running) })
    assert.equal("SIGKILL", running.process:wait(BOUND))
  end)
end)
