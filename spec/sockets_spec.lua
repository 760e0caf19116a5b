local lunet = require "lunet"
local eventually = require "spec.support.eventually"
local merged = require "spec.support.merged"
local raised = require "spec.support.raised"

-- The only socket that fits; fails if there are none or more.
local function only(host, filter)
  local sockets = assert(host:sockets(filter))
  assert.equal(1, #sockets)
  return sockets[1]
end

-- The socket at one end of a connection, by its two ports.
local function socket_of(host, connection, more)
  local _, local_port = connection:address()
  local _, peer_port = connection:peer()
  return host:sockets(merged({ local_port = local_port, peer_port = peer_port }, more))[1]
end

describe("the sockets of a host", function()
  local host, listener, port

  before_each(function()
    host = assert(lunet.host "server")
    listener = assert(host:listen { backlog = 8 })
    port = select(2, listener:address())
  end)

  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  it("are none when there are none", function()
    local empty <close> = assert(lunet.host())
    assert.same({}, empty:sockets())
    assert.same({}, empty:sockets {})
  end)

  it("have its listeners, with their queues", function()
    local _near <close> = assert(host:connect(listener, 10))
    eventually(function() return listener:queue().depth == 1 end)
    local socket = only(host, { state = "LISTEN" })
    assert.same(listener:queue(), socket.queue)
    assert.same({ depth = 1, limit = 8, drops = 0 }, socket.queue)
    assert.equal("integer", math.type(socket.inode))
    socket.inode, socket.uid = nil, nil
    assert.same({
      state = "LISTEN", family = "ipv4", local_address = "0.0.0.0:" .. port, local_port = port, queue = socket.queue,
      retransmits = 0, fin = false, owned = true,
    }, socket)
  end)

  it("have both ends of a connection, as the connections describe themselves", function()
    local near = assert(host:connect(listener, 10))
    local far = assert(listener:accept(10))
    assert(near:send "hello")
    eventually(function() return far:unread() == 5 and near:unsent() == 0 end)
    for _, connection in ipairs { near, far } do
      local socket = socket_of(host, connection)
      assert.equal(connection:state(), socket.state)
      assert.equal(connection:address(), socket.local_address)
      assert.equal(connection:peer(), socket.peer_address)
      assert.equal(connection:unread(), socket.receive_queue)
      assert.equal(connection:unsent(), socket.send_queue)
      assert.is_true(socket.owned)
      assert.is_false(socket.fin)
      assert.is_nil(socket.queue)
    end
    assert.equal(5, socket_of(host, far).receive_queue)
  end)

  it("have those of IPv6, in brackets", function()
    local listener6 = assert(host:listen { address = "::", backlog = 1 })
    local near = assert(host:connect(listener6, 10))
    local far = assert(listener6:accept(10))
    local socket = socket_of(host, far)
    assert.equal("ipv6", socket.family)
    assert.equal(far:address(), socket.local_address)
    assert.matches("^%[::1%]:%d+$", socket.local_address)
    assert.equal((near:address()), socket.peer_address)
  end)

  it("have IPv4 connections of an IPv6 listener as IPv6 ones", function()
    local listener6 = assert(host:listen { address = "::", backlog = 1 })
    local _, port6 = listener6:address()
    local _near <close> = assert(host:connect("127.0.0.1:" .. port6, 10))
    assert.equal("[::ffff:127.0.0.1]:" .. port6, only(host, { listener = listener6 }).local_address)
    assert.equal("127.0.0.1:" .. port6, only(host, { peer_port = port6, owned = true }).peer_address)
  end)

  it("come in the order of their ports", function()
    local held = {}
    for i = 1, 8 do held[i] = assert(host:connect(listener, 10)) end
    assert.equal(17, #host:sockets())
    assert.equal(8, #held)
    local last = 0
    for _, socket in ipairs(host:sockets()) do
      assert.is_true(socket.local_port >= last)
      last = socket.local_port
    end
  end)

  it("are all there, however many", function()
    local many = assert(host:listen { backlog = 1000 })
    local held = {}
    for i = 1, 400 do held[i] = assert(host:connect(many, 10)) end
    eventually(function() return many:queue().depth == #held end)
    assert.equal(400, #host:sockets { listener = many, info = true })
    assert.equal(400, #host:sockets { listener = many, owned = false })
    assert.equal(802, #host:sockets())
  end)
end)

describe("the queued sockets of a host", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("have no owner until they are accepted", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8 })
    local near = assert(host:connect(listener, 10))
    assert(near:send "hello")
    eventually(function() return listener:queue().depth == 1 end)
    local socket = only(host, { listener = listener })
    assert.equal("ESTABLISHED", socket.state)
    assert.is_false(socket.owned)
    assert.is_nil(socket.inode)
    assert.equal((near:address()), socket.peer_address)
    eventually(function() return only(host, { listener = listener }).receive_queue == 5 end)
    local _far <close> = assert(listener:accept(10))
    assert.is_true(only(host, { listener = listener }).owned)
  end)

  it("tell of three ghosts what the kernel knows", function()
    local server <close> = assert(lunet.host "server")
    local client <close> = assert(lunet.host "client")
    lunet.link(server, client)
    local listener = assert(server:listen { backlog = 8 })
    listener:gate(0)
    local by_fin = assert(client:connect(listener, 10))
    local by_reset = assert(client:connect(listener, 10))
    local alive = assert(client:connect(listener, 10))
    for _, connection in ipairs { by_fin, by_reset, alive } do assert(connection:send "login\n") end
    local fin_address, reset_address, alive_address = by_fin:address(), by_reset:address(), alive:address()
    eventually(function()
      local arrived = 0
      for _, socket in ipairs(server:sockets { listener = listener }) do arrived = arrived + socket.receive_queue end
      return arrived == 18
    end)
    by_fin:close()
    by_reset:reset()

    local queued
    eventually(function()
      queued = {}
      for _, socket in ipairs(server:sockets { listener = listener, owned = false }) do
        queued[socket.peer_address] = socket
      end
      return not queued[reset_address] and queued[fin_address].fin
    end)
    assert.equal(3, listener:queue().depth) -- all three keep their places
    assert.equal("CLOSE_WAIT", queued[fin_address].state)
    assert.equal(7, queued[fin_address].receive_queue) -- the request, and FIN
    assert.equal("ESTABLISHED", queued[alive_address].state)
    assert.equal(6, queued[alive_address].receive_queue)
    assert.is_false(queued[alive_address].fin)
    assert.is_nil(queued[reset_address]) -- only the depth knows of it
    assert.equal(2, #server:sockets { listener = listener })
    assert.equal(3, server:sockets({ state = "LISTEN" })[1].queue.depth)
  end)

  it("look the same whether the client closed or only ended its side", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8 })
    local closed, half_closed = assert(host:connect(listener, 10)), assert(host:connect(listener, 10))
    closed:close()
    assert(half_closed:shutdown())
    eventually(function() return #host:sockets { listener = listener, state = "CLOSE_WAIT" } == 2 end)
    local one, other = table.unpack(host:sockets { listener = listener })
    one.peer_address, one.peer_port = other.peer_address, other.peer_port
    assert.same(other, one)
  end)

  it("may be handshakes that are not over", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8, defer_accept = 60 }) -- until there is data
    local near = assert(host:connect(listener, 10))
    local socket = only(host, { listener = listener })
    assert.equal("SYN_RECV", socket.state)
    assert.equal("retransmit", socket.timer)
    assert.is_false(socket.owned)
    assert.equal(0, listener:queue().depth)
    assert.equal((near:address()), only(host, { state = "SYN_RECV", info = true }).peer_address)
    assert(near:send "x")
    eventually(function() return listener:queue().depth == 1 end)
    assert.equal("ESTABLISHED", only(host, { listener = listener }).state)
  end)
end)

describe("the sockets that a program has closed", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("are listed without an owner as long as the kernel keeps them", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8 })
    local near = assert(host:connect(listener, 10))
    local far = assert(listener:accept(10))
    local _, near_port = near:address()
    near:close()
    eventually(function() return #host:sockets { local_port = near_port, state = "FIN_WAIT2" } == 1 end)
    assert.is_false(only(host, { local_port = near_port }).owned)
    assert.is_false(only(host, { local_port = near_port }).fin)
    assert.is_true(socket_of(host, far).fin)
    assert.is_true(socket_of(host, far).owned)
    far:close()
    eventually(function() return #host:sockets { local_port = near_port, state = "TIME_WAIT" } == 1 end)
    local socket = only(host, { local_port = near_port, info = true })
    assert.equal("time-wait", socket.timer)
    assert.is_true(socket.timer_expires > 0 and socket.timer_expires <= 60)
    assert.is_false(socket.owned)
    assert.is_true(socket.fin)
    assert.is_nil(socket.info)
  end)

  it("are not listed after a reset, nor is the other end that a program still holds", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8 })
    local near = assert(host:connect(listener, 10))
    local far = assert(listener:accept(10))
    near:reset()
    eventually(function() return far:state() == "CLOSE" end)
    assert.equal("LISTEN", only(host).state)
  end)
end)

describe("lunet.sockets", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("lists those of the home host", function()
    local listener <close> = assert(lunet.listen { backlog = 8 })
    local near <close> = assert(lunet.connect(listener, 10))
    local _, port = listener:address()
    local sockets = lunet.sockets { listener = listener }
    assert.equal(1, #sockets)
    assert.equal(near:address(), sockets[1].peer_address)
    assert.is_false(sockets[1].owned)
    local listening = {}
    for _, socket in ipairs(lunet.sockets { local_port = port, state = "LISTEN" }) do
      listening[socket.local_address] = socket.queue
    end
    assert.equal(8, listening[listener:address()].limit)
    assert.matches("unknown field 'x'", raised(lunet.sockets, { x = 1 }), 1, true)
  end)
end)
