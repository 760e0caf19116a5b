local lunet = require "lunet"
local options = require "lunet.text.options"
local pool = require "lunet.peer.pool"

local BOUND <const> = require "spec.support.bound"
local is_here, missing = pool.find_all { "nginx", "redis" }
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

local function start(host, name, count) return pool.start(name, host, count, { port = 7301 }) end

describe("a pool", function()
  local host

  before_each(function() host = assert(lunet.host "server") end)
  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  it("has as many workers as it was started with, at its port", function()
    if reason then return pending(reason) end
    for count = 1, 3 do
      local running <close> = start(host, "nginx", count)
      assert.equal(count, #pool.workers(running))
      assert.equal(7301, running:listener().local_port)
    end
  end)

  it("has one worker if it is alone, whatever number is asked for", function()
    if reason then return pending(reason) end
    local running <close> = start(host, "redis", 3)
    assert.same({ { pid = running.process:pid() } }, pool.workers(running))
  end)

  it("stops one worker and no other", function()
    if reason then return pending(reason) end
    local running <close> = start(host, "nginx", 2)
    local workers = pool.workers(running)
    pool.stop(running, workers[1])
    local states = {}
    for _, entry in ipairs(running.process:tree()) do states[entry.pid] = entry.state end
    assert.same({ "T", "S" }, { states[workers[1].pid], states[workers[2].pid] })
    assert.is_true(pool.is_there(running, workers[1]))
  end)

  it("says of a worker that has ended that it is not there; to stop it is a mistake", function()
    if reason then return pending(reason) end
    local running <close> = start(host, "nginx", 2)
    local worker = pool.workers(running)[1]
    running.process:kill("SIGKILL", { only = worker.pid })
    assert.is_true(lunet.eventually(function() return not pool.is_there(running, worker) end, BOUND))
    assert.is_true(lunet.eventually(function() return not pcall(pool.stop, running, worker) end, BOUND))
    pool.go_on(running, worker)
  end)

  it("gives the order that there is, and tells that there is none", function()
    if reason then return pending(reason) end
    local running <close> = start(host, "redis", 1)
    assert.is_false(pool.order(running, "reload"))
    assert.is_true(pool.order(running, "stop"))
    assert.equal(0, running.process:wait(BOUND))
  end)

  it("is asked how it is: by clients' port or by a socket, within a time", function()
    if reason then return pending(reason) end
    local running <close> = start(host, "nginx", 1)
    assert.equal("Active connections: 1", pool.status(running, host, BOUND))
    running.description = options.merged(running.description, { status = { unix = "nowhere", says = "." } })
    assert.equal("no answer", pool.status(running, host, BOUND))
    running.description.status = nil
    assert.equal("-", pool.status(running, host, BOUND))
  end)

  it("that nobody describes is not started, nor is anything left of it", function()
    assert.error_matches(function() start(host, "nonsense", 2) end, "there is no pool 'nonsense': apache_event, ")
    assert.error_matches(function() pool.needs { "nonsense" } end, "there is no pool 'nonsense'")
  end)
end)
