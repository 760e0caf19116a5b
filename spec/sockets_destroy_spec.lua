-- host:destroy, as `ss -K` does (SOCK_DESTROY). Kernels without CONFIG_INET_DIAG_DESTROY refuse it.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"

local BOUND <const> = require "spec.support.bound"
local QUEUED <const> = { "ESTABLISHED", "CLOSE_WAIT" }

local server, client, listener

before_each(function()
  server, client = assert(lunet.host "server"), assert(lunet.host "client")
  lunet.link(server, client)
  listener = assert(server:listen { port = 7000, backlog = 8 })
end)

after_each(function()
  server:close()
  client:close()
  assert.same({}, lunet.open_handles())
end)

-- Destroys what fits; pending where the kernel cannot.
local function destroy(host, filter)
  local count, message, code = host:destroy(filter)
  if code == "EOPNOTSUPP" then return pending "this kernel was built without CONFIG_INET_DIAG_DESTROY" end
  return assert(count, message)
end

local function connect()
  local near = assert(client:connect(listener, BOUND))
  eventually(function() return listener:queue().depth == 1 end)
  return near
end

describe("host:destroy", function()
  it("ends a connection: its program gets ECONNABORTED, and its peer RST", function()
    local near, far = connect(), assert(listener:accept(BOUND))
    assert(far:send "sent")
    eventually(function() return near:unread() == 4 end)
    if not destroy(client, { peer_port = 7000 }) then return end
    assert.equal("CLOSE", near:state())
    assert.equal("sent", near:receive(4, BOUND))
    assert.equal("ECONNABORTED", code_of(near:receive(1, BOUND)))
    assert.equal("EPIPE", code_of(near:send "x"))
    assert.equal("ECONNRESET", code_of(far:receive(1, BOUND)))
  end)

  -- net/ipv4/tcp.c, tcp_abort: only the hash table forgets it, and accept(2) takes from the queue.
  for _, departure in ipairs { "close", "shutdown" } do
    it("leaves a queued connection in its queue, with its bytes, if its client left by " .. departure, function()
      local near = connect()
      assert(near:send "hello\n")
      near[departure](near)
      eventually(function() return #server:sockets { state = "CLOSE_WAIT", owned = false } == 1 end)
      local count = destroy(server, { listener = listener, owned = false })
      if not count then return end
      assert.equal(1, count)
      assert.same({}, server:sockets { listener = listener })
      assert.equal(1, listener:queue().depth)
      local accepted = assert(listener:accept(BOUND))
      assert.same({ "CLOSE", "reset" }, { accepted:state(), accepted:liveness() })
      assert.equal("hello", accepted:receive("l", BOUND))
      assert.equal("EOF", code_of(accepted:receive("l", BOUND)))
      assert.equal("ECONNABORTED", code_of(accepted:send "x"))
      if departure == "shutdown" then assert.equal("ECONNRESET", code_of(near:receive(1, BOUND))) end
    end)
  end

  it("ends a listener, whose queue is reset", function()
    local near = connect()
    if not destroy(server, { state = "LISTEN", local_port = 7000 }) then return end
    assert.equal("ECONNRESET", code_of(near:receive(1, BOUND)))
    assert.equal("ECONNREFUSED", code_of(client:connect(listener, BOUND)))
    assert.equal("EINVAL", code_of(listener:accept(BOUND)))
  end)

  it("ends only what fits, and counts it", function()
    local first = connect()
    local _, port = first:address()
    assert(listener:accept(BOUND))
    local second = connect()
    local count = destroy(server, { peer_port = port })
    if not count then return end
    assert.equal(1, count)
    eventually(function() return first:liveness() == "reset" end)
    assert.equal("open", second:liveness())
    assert.equal(0, server:destroy { peer_port = port })
  end)

  it("over IPv6", function()
    local six = assert(server:listen { address = "::", port = 7001, backlog = 1 })
    local near = assert(client:connect(six, BOUND))
    eventually(function() return six:queue().depth == 1 end)
    if not destroy(server, { local_port = 7001, state = QUEUED }) then return end
    eventually(function() return near:liveness() == "reset" end)
  end)

  it("refuses a filter of nothing, which would end all", function()
    assert.error_matches(function() server:destroy() end, "destroy: a table expected, not nil")
    assert.error_matches(function() server:destroy {} end, "destroy: a field expected, such as { peer_port = 4000 }")
    assert.error_matches(function() server:destroy { ports = 1 } end, "destroy: unknown field 'ports'")
    assert.error_matches(function() server:destroy { state = "DEAD" } end, "state: no socket is listed as 'DEAD'")
  end)
end)
