-- core.survey: what waits in each queue of a host, counted by the core.
local core = require "lunet.core"
local eventually = require "spec.support.eventually"
local lunet = require "lunet"

local BOUND <const> = require "spec.support.bound"

local MPTCP_SERVER <const> = [[
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.bind(("127.0.0.1", 7300))
s.listen(5)
print("up", flush=True)
sys.stdin.read()
]]
local MPTCP_CLIENT <const> = [[
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.connect(("127.0.0.1", 7300))
s.send(b"hello")
print("up", flush=True)
sys.stdin.read()
]]

describe("a survey", function()
  local host
  before_each(function() host = assert(lunet.host "server") end)
  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  local function survey() return assert(core.survey(host)) end

  -- The counts of the only queue.
  local function counts()
    local queues = survey().queues
    assert.equal(1, #queues)
    local queue = queues[1]
    local depth = 0
    for _, listener in ipairs(queue.listeners) do depth = depth + listener.depth end
    return { #queue.listeners, depth, queue.listed, queue.left, queue.bytes, queue.half_open }
  end

  local function wait_for(wanted)
    lunet.eventually(function() return pcall(assert.same, wanted, counts()) end, BOUND)
    assert.same(wanted, counts())
  end

  local function connect(target, text)
    local client = assert(host:connect(target, BOUND))
    if text then assert(client:send(text)) end
    return client
  end

  for _, address in ipairs { "127.0.0.1", "0.0.0.0", "::1", "::" } do
    it("counts who is there, who has left, and how, in the queue of " .. address, function()
      local listener = assert(host:listen { address = address, backlog = 10 })
      local clients = {}
      for i, text in ipairs { "hello", "half", "gone", "cut", false } do clients[i] = connect(listener, text) end
      wait_for { 1, 5, 5, 0, 16, 0 }
      clients[2]:shutdown()
      clients[3]:close()
      assert(clients[4]:reset())
      wait_for { 1, 5, 4, 2, 13, 0 }
      local accepted = assert(listener:accept())
      wait_for { 1, 4, 3, 2, 8, 0 }
      accepted:close()
    end)
  end

  it("counts an IPv4 client of a listener for both families, and a handshake", function()
    local listener = assert(host:listen { address = "::", port = 7300, backlog = 10 })
    connect({ address = "127.0.0.1", port = 7300 }, "hello")
    wait_for { 1, 1, 1, 0, 5, 0 }
    local rule = assert(host:drop { port = 7300, flags = "SYN-ACK", direction = "in" })
    local address = "127.0.0.1"
    local task = lunet.spawn(function() return host:connect({ address = address, port = 7300 }, BOUND) end)
    wait_for { 1, 1, 1, 0, 5, 1 }
    assert.same({ 1, 1 }, { survey().clients[1].connecting, survey().clients[1].waiting })
    rule:close()
    listener:close()
    task:cancel()
  end)

  it("takes listeners for one queue if their connections cannot be told apart", function()
    local options = { port = 7300, backlog = 10, reuseport = true }
    local function listen(address)
      options.address = address
      return assert(host:listen(options))
    end
    local certain, other = listen "127.0.0.1", listen "127.0.0.2"
    connect(certain, "hello")
    assert.equal(2, #survey().queues)
    local any = listen "0.0.0.0"
    wait_for { 3, 1, 1, 0, 5, 0 }
    connect({ address = "127.0.0.3", port = 7300 }, "any")
    wait_for { 3, 2, 2, 0, 8, 0 }
    any:close()
    other:close()
    listen "127.0.0.1"
    eventually(function() return #survey().queues == 1 and #survey().queues[1].listeners == 2 end)
  end)

  it("has another digest for another set of connections", function()
    local listener = assert(host:listen { backlog = 10 })
    local first = connect(listener)
    wait_for { 1, 1, 1, 0, 0, 0 }
    local digest = survey().queues[1].digest
    assert.equal(digest, survey().queues[1].digest)
    connect(listener)
    assert(first:reset())
    wait_for { 1, 2, 1, 0, 0, 0 }
    assert.not_equal(digest, survey().queues[1].digest)
  end)

  it("finds clients that wait for an answer, and whether they are in a queue here", function()
    local listener = assert(host:listen { address = "127.0.0.1", backlog = 10 })
    local _silent, _queued = connect(listener), connect(listener, "hello")
    wait_for { 1, 2, 2, 0, 5, 0 }
    local client = survey().clients[1]
    assert.same({ 1, 1, 5, 0 }, { client.waiting, client.queued, client.bytes, client.connecting })
    assert(listener:accept())
    local served = assert(listener:accept())
    eventually(function() return survey().clients[1].queued == 0 end)
    assert.equal(1, survey().clients[1].waiting)
    assert(served:send "answer")
    eventually(function() return #survey().clients == 0 end)
  end)

  it("counts the clients of a Unix queue that send no more", function()
    local listener = assert(host:listen { address = "unix:@lunet", backlog = 10 })
    local clients = {}
    for i = 1, 4 do clients[i] = connect(listener, "hello") end
    clients[1]:close()
    clients[2]:shutdown()
    local path = survey().paths[1]
    assert.same({ "unix:@lunet", 4, 10, 2 }, { path.address, path.depth, path.limit, path.left })
    assert(listener:accept())
    assert.same({ 3, 1 }, { survey().paths[1].depth, survey().paths[1].left })
  end)

  it("does not know who has left a Unix queue of more clients than the kernel can list at once", function()
    local listener = assert(host:listen { address = "unix:@lunet", backlog = 2500 })
    for _ = 1, 2500 do connect(listener):close() end
    local path = survey().paths[1]
    assert.same({ 2500, nil }, { path.depth, path.left })
  end)

  it("sees in a queue by MPTCP who has left, as TCP does", function()
    if not io.open "/proc/sys/net/mptcp/enabled" then return end
    local server = assert(host:exec { "python3", "-c", MPTCP_SERVER, stdin = "pipe" })
    assert.equal("up", server.stdout:receive("l", BOUND))
    local client = assert(host:exec { "python3", "-c", MPTCP_CLIENT, stdin = "pipe" })
    assert.equal("up", client.stdout:receive("l", BOUND))
    wait_for { 1, 1, 1, 0, 5, 0 }
    local queue = survey().queues[1]
    assert.same({ true, 0 }, { queue.listeners[1].mptcp, queue.hidden })
    client.stdin:close()
    wait_for { 1, 1, 1, 1, 5, 0 }
  end)

  it("has nothing of other hosts, and nothing of a host without listeners", function()
    local other <close> = assert(lunet.host "other")
    assert(host:listen { backlog = 3 })
    assert.same({ queues = {}, paths = {}, clients = {} }, core.survey(other))
  end)
end)
