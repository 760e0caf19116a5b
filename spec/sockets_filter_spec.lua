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

describe("the timer of a socket", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("is none when nothing is outstanding", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8 })
    local near = assert(host:connect(listener, 10))
    local socket = socket_of(host, near)
    assert.is_nil(socket.timer)
    assert.is_nil(socket.timer_expires)
    assert.equal(0, socket.retransmits)
  end)

  it("is that of keepalive", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8 })
    local near = assert(host:connect({ listener, keepalive = true, keepidle = 1000 }, 10))
    local socket = socket_of(host, near)
    assert.equal("keepalive", socket.timer)
    assert.is_true(socket.timer_expires > 900 and socket.timer_expires <= 1000)
  end)

  it("is that of retransmission while a SYN is unanswered", function()
    local host <close> = assert(lunet.host())
    local other <close> = assert(lunet.host())
    lunet.link(host, other, { a = { "10.7.0.1/24" }, b = { "10.7.0.2/24" } })
    local task = lunet.spawn(function() return host:connect "10.7.0.3:7000" end)
    eventually(function() return #host:sockets { state = "SYN_SENT" } == 1 end)
    local socket = only(host)
    assert.equal("10.7.0.3:7000", socket.peer_address)
    assert.equal("retransmit", socket.timer)
    assert.is_true(socket.timer_expires >= 0)
    assert.equal(1, socket.send_queue) -- SYN
    task:cancel()
  end)

  it("is that of probes while the peer's window is shut", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8, rcvbuf = 4096 })
    local near = assert(host:connect(listener, 10))
    local task = lunet.spawn(function() return near:send(("x"):rep(10000000)) end)
    eventually(function()
      local socket = socket_of(host, near)
      return socket.timer == "probe" and socket.send_queue == near:unsent()
    end)
    assert.is_true(near:unsent() > 0)
    task:cancel()
  end)
end)

describe("a filter of sockets", function()
  local host, listener, port, near, far, queued

  before_each(function()
    host = assert(lunet.host "server")
    listener = assert(host:listen { backlog = 8 })
    port = select(2, listener:address())
    near = assert(host:connect(listener, 10))
    far = assert(listener:accept(10))
    queued = assert(host:connect(listener, 10))
    queued:close()
    eventually(function() return #host:sockets { state = { "CLOSE_WAIT", "FIN_WAIT2" } } == 2 end)
  end)

  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  it("chooses by state", function()
    assert.equal(5, #host:sockets())
    assert.equal(2, #host:sockets { state = "ESTABLISHED" })
    assert.equal(1, #host:sockets { state = { "CLOSE_WAIT" } })
    assert.equal(3, #host:sockets { state = { "ESTABLISHED", "LISTEN" } })
    assert.equal(0, #host:sockets { state = "SYN_SENT" })
    assert.equal(0, #host:sockets { state = {} })
  end)

  it("chooses by port", function()
    local _, near_port = near:address()
    assert.equal(5, #host:sockets { port = port })
    assert.equal(3, #host:sockets { local_port = port })
    assert.equal(2, #host:sockets { peer_port = port })
    assert.equal(2, #host:sockets { port = near_port })
    assert.equal(1, #host:sockets { port = port, local_port = near_port })
    assert.equal((near:address()), only(host, { local_port = near_port }).local_address)
    assert.equal((far:address()), only(host, { peer_port = near_port }).local_address)
  end)

  it("chooses by the peer's address", function()
    local address = near:address()
    assert.equal(address, only(host, { peer_address = address }).peer_address)
    assert.equal(2, #host:sockets { peer_address = "127.0.0.1:" .. port })
    assert.equal(0, #host:sockets { peer_address = address:gsub("^127%.0%.0%.1", "127.0.0.2") })
    assert.equal(0, #host:sockets { peer_address = address:gsub("^127%.0%.0%.1", "[::1]") })
    assert.equal(1, #host:sockets { peer_address = address, listener = listener })
    assert.equal(0, #host:sockets { peer_address = address, state = "LISTEN" })
  end)

  it("tells clients on one port apart by their addresses", function()
    local server = assert(host:listen { address = "::", port = 7000, backlog = 8 })
    local clients = {}
    for _, from in ipairs { "127.0.0.2:4000", "127.0.0.3:4000" } do
      clients[#clients + 1] = assert(host:connect({ "127.0.0.1:" .. port, from = from }, 10))
    end
    clients[3] = assert(host:connect({ "[::1]:7000", from = "[::1]:4000" }, 10))
    for _, client in ipairs(clients) do
      assert.equal((client:address()), only(host, { peer_address = client:address() }).peer_address)
    end
    assert.equal(3, #host:sockets { peer_port = 4000 })
    assert.equal(0, #host:sockets { peer_address = clients[1]:address(), listener = server }) -- of another family
  end)

  it("chooses by owner", function()
    assert.equal(3, #host:sockets { owned = true }) -- near, far and the listener
    assert.equal(2, #host:sockets { owned = false }) -- the ghost, and what it left at the client
  end)

  it("chooses those that came to a listener", function()
    assert.equal(2, #host:sockets { listener = listener })
    assert.equal(1, #host:sockets { listener = listener, owned = false })
    assert.equal(1, #host:sockets { listener = listener, state = "ESTABLISHED" })
    assert.equal(0, #host:sockets { listener = listener, state = "LISTEN" })
    listener:close() -- resets who is queued
    assert.equal((far:address()), only(host, { listener = listener }).local_address)
  end)

  it("tells listeners on one port apart by their addresses", function()
    local first = assert(host:listen { address = "127.0.0.1", port = 7000, backlog = 8 })
    local second = assert(host:listen { address = "127.0.0.2", port = 7000, backlog = 8 })
    local third = assert(host:listen { address = "::1", port = 7000, backlog = 8 })
    local _first <close> = assert(host:connect(first, 10))
    local _second <close> = assert(host:connect(second, 10))
    local _third <close> = assert(host:connect(third, 10))
    assert.equal("127.0.0.1:7000", only(host, { listener = first }).local_address)
    assert.equal("127.0.0.2:7000", only(host, { listener = second }).local_address)
    assert.equal("[::1]:7000", only(host, { listener = third }).local_address)
  end)

  it("adds TCP_INFO when asked to", function()
    assert.is_nil(socket_of(host, near).info)
    assert.is_nil(socket_of(host, near, { info = false }).info)
    local info = socket_of(host, near, { info = true }).info
    local own = near:info()
    assert.equal(own.tcpi_state, info.tcpi_state)
    assert.equal(own.tcpi_snd_mss, info.tcpi_snd_mss)
    assert.equal(own.tcpi_segs_out, info.tcpi_segs_out)
    for name in pairs(own) do assert.equal("integer", math.type(info[name]), name) end
    local of_listener = only(host, { state = "LISTEN", info = true }).info
    assert.equal(listener:queue().depth, of_listener.tcpi_unacked)
    assert.equal(listener:queue().limit, of_listener.tcpi_sacked)
  end)

  it("has no other fields", function()
    local known = "(known: state, port, local_port, peer_port, peer_address, owned, listener, info)"
    assert.matches("unknown field 'ports' " .. known, raised(host.sockets, host, { ports = 5 }), 1, true)
    assert.matches("unknown field '1' " .. known, raised(host.sockets, host, { "LISTEN" }), 1, true)
    local named_like_one = setmetatable({}, { __tostring = function() return "port" end })
    assert.matches("unknown field 'port' " .. known, raised(host.sockets, host, { [named_like_one] = 5 }), 1, true)
  end)

  it("refuses values of the wrong kind", function()
    local refused = {
      { { state = "CLOSE" }, "no socket is listed as 'CLOSE' (known: ESTABLISHED, SYN_SENT, " },
      { { state = { "LISTEN", "listen" } }, "no socket is listed as 'listen'" },
      { { state = 1 }, "no socket is listed as '1'" },
      { { port = 0 }, "port: a whole number from 1 to 65535 expected, not 0" },
      { { local_port = "80" }, "local_port: a whole number from 1 to 65535 expected, not \"80\"" },
      { { peer_port = 65536 }, "peer_port: a whole number" },
      { { peer_address = 80 }, "peer_address: a string expected, not number" },
      { { peer_address = "10.0.0.1" }, "peer_address: \"10.0.0.1\" is not an address like \"10.0.0.1:80\"" },
      { { peer_address = "10.0.0.1:0" }, "peer_address: \"10.0.0.1:0\" is not an address" },
      { { peer_address = "server:80" }, "peer_address: \"server:80\" is not an address" },
      { { peer_address = "unix:/path" }, "peer_address: \"unix:/path\" is not an address" },
      { { peer_address = "10.0.0.1:80\0" }, "peer_address: a zero byte" },
      { { peer_address = "10.0.0.1:80", peer_port = 80 }, "peer_port: peer_address already gives it" },
      { { owned = 1 }, "owned: true or false expected, not number" },
      { { info = "all" }, "info: true or false expected, not string" },
      { { listener = "0.0.0.0:80" }, "listener: a listener expected, not string" },
      { { listener = near }, "listener: a listener expected, not userdata" },
      { { listener = listener, local_port = 80 }, "local_port: the listener already gives it" },
      { "LISTEN", "a table expected, not string" },
    }
    for _, case in ipairs(refused) do
      assert.matches(case[2], raised(host.sockets, host, case[1]), 1, true)
    end
  end)

  it("takes no listener of another host, nor one on a Unix path", function()
    local other <close> = assert(lunet.host())
    local elsewhere = assert(other:listen { backlog = 1 })
    local path <close> = assert(host:listen { address = "unix:@lunet", backlog = 1 })
    assert.matches("the listener is on another host", raised(host.sockets, host, { listener = elsewhere }), 1, true)
    assert.matches("the listener is on another host", raised(lunet.sockets, { listener = listener }), 1, true)
    assert.matches("a TCP one expected", raised(host.sockets, host, { listener = path }), 1, true)
  end)
end)
