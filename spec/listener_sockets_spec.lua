-- Whose a connection is: sockets { listener = l } lists those that came to l. By address and port it listed others'
-- too, and the count of those that had left by RST (depth less listed) was negative.
local lunet = require "lunet"
local eventually = require "spec.support.eventually"
local merged = require "spec.support.merged"
local program = require "spec.support.program"

local BOUND <const> = require "spec.support.bound"
local QUEUED <const> = { "ESTABLISHED", "CLOSE_WAIT" }

describe("the sockets of a listener", function()
  local server, client, link

  before_each(function()
    server, client = assert(lunet.host "server"), assert(lunet.host "client")
    link = lunet.link(server, client)
  end)

  after_each(function()
    server:close()
    client:close()
    assert.same({}, lunet.open_handles())
  end)

  local function listen(options) return assert(server:listen(merged({ port = 7000, backlog = 200 }, options))) end

  local function connect(address, options)
    return assert(client:connect(merged({ address .. ":7000" }, options), BOUND))
  end

  local function queued(listener)
    return #assert(server:sockets { listener = listener, state = QUEUED, owned = false })
  end

  local function reset_ghosts(listener) return listener:queue().depth - queued(listener) end

  -- Waits until that many are in the queues together.
  local function wait_for(count, ...)
    local listeners = { ... }
    eventually(function()
      local depth = 0
      for _, listener in ipairs(listeners) do depth = depth + listener:queue().depth end
      return depth == count
    end)
  end

  -- The kernel chooses a listener for each client by a hash: connects until the predicate is true.
  local function connect_until(predicate)
    local clients = {}
    repeat
      clients[#clients + 1] = connect(link:address(server))
      eventually(function() return #server:sockets { state = "ESTABLISHED" } == #clients end)
    until predicate() and #clients > 2
    return clients
  end

  for name, address in pairs { IPv4 = "0.0.0.0", IPv6 = "::" } do
    it("are its own where two share a port, on " .. name, function()
      local a, b = listen { address = address, reuseport = true }, listen { address = address, reuseport = true }
      local clients = connect_until(function() return a:queue().depth > 0 and b:queue().depth > 0 end)
      wait_for(#clients, a, b)
      assert.same({ a:queue().depth, b:queue().depth }, { queued(a), queued(b) })
      for i = 1, 2 do clients[i]:reset() end
      eventually(function() return reset_ghosts(a) + reset_ghosts(b) == 2 end)
      assert.is_true(reset_ghosts(a) >= 0 and reset_ghosts(b) >= 0)
      for _ = 1, a:queue().depth do assert(a:accept(BOUND)) end
      assert.equal(0, queued(a))
      for _, socket in ipairs(server:sockets { listener = a }) do assert.is_true(socket.owned) end
    end)
  end

  it("are its own where one on any address lies beside one on a certain address", function()
    local any = listen { address = "0.0.0.0", reuseport = true }
    local certain = listen { address = link:address(server), reuseport = true }
    connect(link:address(server))
    assert(server:connect("127.0.0.1:7000", BOUND))
    assert(server:connect("127.0.0.1:7000", BOUND))
    wait_for(3, any, certain)
    assert.same({ 2, 1 }, { queued(any), queued(certain) })
    assert.same({ 0, 0 }, { reset_ghosts(any), reset_ghosts(certain) })
  end)

  it("are its own where one of IPv6 that takes IPv4 lies beside one of IPv4", function()
    local both = listen { address = "::", reuseport = true }
    local certain = listen { address = link:address(server), reuseport = true }
    connect(link:address(server))
    connect("[" .. link:address(server, "ipv6") .. "]")
    assert(server:connect("127.0.0.1:7000", BOUND))
    wait_for(3, both, certain)
    assert.same({ 2, 1 }, { queued(both), queued(certain) })
  end)

  it("are its own after another at the same port, and stay the other's when that is closed", function()
    local old = listen()
    local kept = connect(link:address(server))
    local accepted = assert(old:accept(BOUND))
    connect(link:address(server)) -- is reset with the listener
    old:close()
    local new = listen()
    assert.same({}, server:sockets { listener = new })
    for _ = 1, 2 do connect(link:address(server)) end
    wait_for(2, new)
    assert.same({ 2, 0 }, { queued(new), queued(old) })
    assert.equal((kept:address()), server:sockets({ listener = old })[1].peer_address)
    assert.equal(1, #server:sockets { listener = old })
    accepted:close()
    kept:close()
    eventually(function() return #server:sockets { owned = true, state = QUEUED } == 0 end)
    for _, socket in ipairs(server:sockets { listener = old }) do -- not every kernel shows the mark of these
      assert.is_truthy(socket.state:find "WAIT")
    end
    assert.equal(2, #server:sockets { listener = new })
  end)

  it("are its own beside a real program's", function()
    local l = listen { reuseport = true }
    local _program <close> = assert(server:exec { "python3", "-c", [[
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("0.0.0.0", 7000))
s.listen(200)
input()
]], stdin = "pipe", stderr = "null" })
    eventually(function() return #server:sockets { state = "LISTEN" } == 2 end)
    local function came_to_both()
      local count = #server:sockets { state = "ESTABLISHED" }
      return l:queue().depth > 0 and l:queue().depth < count
    end
    local clients = connect_until(came_to_both)
    eventually(function() return #server:sockets { state = "ESTABLISHED" } == #clients end)
    assert.equal(l:queue().depth, queued(l))
  end)

  it("are also handshakes, and those that began with a cookie or with data", function()
    server:sysctl("net.ipv4.tcp_syncookies", 2) -- for every SYN
    for _, host in ipairs { server, client } do host:sysctl("net.ipv4.tcp_fastopen", 3) end
    local other = listen { reuseport = true, address = "0.0.0.0" }
    local l = listen { reuseport = true, address = link:address(server), defer_accept = 60, fastopen = 5 }
    for _ = 1, 2 do
      assert(connect(link:address(server), { fastopen_connect = true }):send "data")
    end
    wait_for(2, l)
    server:sysctl("net.ipv4.tcp_syncookies", 1)
    connect(link:address(server))
    eventually(function() return #server:sockets { listener = l, state = "SYN_RECV" } == 1 end)
    assert.same({ 3, 0 }, { #server:sockets { listener = l }, #server:sockets { listener = other } })
  end)

  it("keep their listener's mark when that listens again", function()
    local l = listen()
    connect(link:address(server))
    wait_for(1, l)
    assert(l:resize(5))
    connect(link:address(server))
    wait_for(2, l)
    assert.equal(2, queued(l))
  end)
end)

describe("the sockets of a listener on the home host", function()
  it("are its own on the loopback", function()
    local a <close> = assert(lunet.listen { backlog = 20, reuseport = true })
    local _, port = a:address()
    local b <close> = assert(lunet.listen { port = port, backlog = 20, reuseport = true })
    if not lunet.sockets { listener = a } then return end -- without privilege: below
    local clients = {}
    for i = 1, 12 do clients[i] = assert(lunet.connect(a, BOUND)) end
    eventually(function() return a:queue().depth + b:queue().depth == 12 end)
    assert.equal(a:queue().depth, #lunet.sockets { listener = a })
    assert.equal(b:queue().depth, #lunet.sockets { listener = b })
    for _, connection in ipairs(clients) do connection:close() end
  end)

  -- In a user namespace of its own the program has no privilege over the machine's network.
  it("are listed by address and port without privilege, unless that can be another's", function()
    local script = os.tmpname()
    local file = assert(io.open(script, "w"))
    assert(file:write [[
local lunet = require "lunet"
local function listed(l)
  local sockets, message, code = lunet.sockets { listener = l }
  return sockets and #sockets or code .. " " .. message
end
local a = assert(lunet.listen { backlog = 5, reuseport = true })
local address, port = a:address()
assert(lunet.connect(a, 5))
assert(lunet.eventually(function() return a:queue().depth == 1 end, 5))
print(listed(a))
local other = assert(lunet.listen { address = "127.0.0.2", port = port, backlog = 5, reuseport = true })
print(listed(a))
local b = assert(lunet.listen { port = port, backlog = 5, reuseport = true })
local found = listed(a):gsub(address:gsub("%p", "%%%0"), "ADDRESS")
print(found)
b:close()
print(listed(a), (listed(b):match "%S+"), (listed(other):match "%S+"))
a:close()
print(listed(a))
]])
    file:close()
    local result = program.shell(("unshare --user '%s' '%s'"):format(os.getenv "LUNET", script))
    os.remove(script)
    assert.equal("", result.errors)
    assert.equal([[
1
1
ENOTUNIQ sockets: another listener is or was at ADDRESS, and on the machine's own stack lunet ]]
      .. [[cannot tell their connections apart (ENOTUNIQ)
1	ENOTUNIQ	ENOTUNIQ
0
]], result.output)
  end)
end)
