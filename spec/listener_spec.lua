local lunet = require "lunet"
local core = require "lunet.core"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"
local program = require "spec.support.program"

local BOUND <const> = require "spec.support.bound"

local function lengths_of(listener)
  local queue = assert(listener:queue())
  return { depth = queue.depth, limit = queue.limit }
end

local function depth_of(listener)
  return assert(listener:queue()).depth
end

-- Connects and waits until the listener has it in its queue: the client is done with the handshake
-- first, and under load the kernel may leave the server's part of it to ksoftirqd.
local function enqueue(listener)
  local depth = depth_of(listener) + 1
  local connection = assert(lunet.connect(listener, BOUND))
  eventually(function() return depth_of(listener) == depth end)
  return connection
end

-- A full queue drops what a TCP client sends, and refuses a Unix client (unix(7)).
local function assert_full(listener, family)
  local connection, message, code = lunet.connect(listener, 0.01)
  assert.is_nil(connection)
  assert.equal(family.is_tcp and "TIMEOUT" or "EAGAIN", code)
  assert.matches((listener:address()), message, 1, true)
end

local function close_all(connections)
  for _, connection in ipairs(connections) do connection:close() end
end

-- An address of our own in 127.0.0.0/8, where no other program takes ports at random.
local function own_address()
  return ("127.%d.%d.%d"):format(math.random(1, 254), math.random(0, 255), math.random(1, 254))
end

setup(families.open)
teardown(families.close)

for _, family in ipairs(families) do
  describe("a listener on " .. family.name, function()
    local listener, opened -- what an `it` opens is closed after it, also if it fails

    local function listen(target)
      target.address = family.address()
      listener = assert(lunet.listen(target))
      return listener
    end

    local function keep(connection)
      opened[#opened + 1] = connection
      return connection
    end

    before_each(function() opened = {} end)

    after_each(function()
      close_all(opened)
      listener:close()
      assert.same({}, lunet.open_handles())
    end)

    it("accepts the connection that was queued", function()
      listen { backlog = 5 }
      local near = keep(enqueue(listener))
      local far = keep(assert(listener:accept(BOUND)))
      assert.equal(0, depth_of(listener))
      assert.equal(5, near:send "hello")
      assert.equal("hello", far:receive(5, BOUND))
    end)

    it("accepts the connection that comes while it waits", function()
      listen { backlog = 5 }
      local task = lunet.spawn(function() return listener:accept(BOUND) end)
      lunet.sleep(0)
      keep(assert(lunet.connect(listener, BOUND)))
      local ok, far = assert(task:join(BOUND))
      assert.is_true(ok)
      keep(assert(far))
    end)

    it("accepts for tasks in the order of their asking", function()
      listen { backlog = 5 }
      local received, tasks = {}, {}
      for asked = 1, 3 do
        tasks[asked] = lunet.spawn(function()
          local far <close> = assert(listener:accept(BOUND))
          received[asked] = far:receive("l", BOUND)
        end)
      end
      lunet.sleep(0)
      for number = 1, 3 do
        assert(keep(assert(lunet.connect(listener, BOUND))):send(number .. "\n"))
        eventually(function() return next(received) end)
        assert.same({ [number] = tostring(number) }, received)
        received[number] = nil
      end
      for asked = 1, 3 do assert(tasks[asked]:join(BOUND)) end
    end)

    -- include/net/sock.h, sk_acceptq_is_full(): full is more than the backlog. With backlog 0 TCP
    -- takes them by SYN cookies, which are on by default (net.ipv4.tcp_syncookies).
    for _, backlog in ipairs { 0, 1, 2, 5 } do
      it(("queues %d with a backlog of %d, and not one more"):format(backlog + 1, backlog), function()
        listen { backlog = backlog }
        assert.same({ depth = 0, limit = backlog }, lengths_of(listener))
        for number = 1, backlog + 1 do
          assert(keep(enqueue(listener)):send(number .. "\n"))
        end
        assert_full(listener, family)
        assert.same({ depth = backlog + 1, limit = backlog }, lengths_of(listener))
        for number = 1, backlog + 1 do
          local far <close> = assert(listener:accept(BOUND))
          assert.equal(backlog + 1 - number, depth_of(listener))
          assert.equal(tostring(number), far:receive("l", BOUND))
        end
        assert.equal("TIMEOUT", code_of(listener:accept(0)))
      end)
    end

    it("has room for one more as soon as one is accepted", function()
      listen { backlog = 0 }
      keep(enqueue(listener))
      assert_full(listener, family)
      keep(assert(listener:accept(BOUND)))
      keep(enqueue(listener))
      assert_full(listener, family)
    end)

    it("grows and shrinks by resize, and keeps who is queued", function()
      listen { backlog = 1 }
      for _ = 1, 2 do keep(enqueue(listener)) end
      assert_full(listener, family)
      assert.is_true(listener:resize(2))
      assert.same({ depth = 2, limit = 2 }, lengths_of(listener))
      keep(enqueue(listener))
      assert_full(listener, family)
      assert.is_true(listener:resize(0))
      assert.same({ depth = 3, limit = 0 }, lengths_of(listener))
      for _ = 1, 2 do keep(assert(listener:accept(BOUND))) end
      assert_full(listener, family)
      keep(assert(listener:accept(BOUND)))
      keep(enqueue(listener))
      assert_full(listener, family)
    end)

    it("has a limit of at most net.core.somaxconn", function()
      local file = assert(io.open "/proc/sys/net/core/somaxconn")
      local most = file:read "n"
      file:close()
      listen { backlog = most + 1 }
      assert.equal(most, listener:queue().limit)
      assert.is_true(listener:resize(1))
      assert.is_true(listener:resize(2147483647))
      assert.equal(most, listener:queue().limit)
    end)

    it("tells its address in a form that connect takes", function()
      listen { backlog = 5 }
      local address = listener:address()
      assert.equal("listener " .. address, tostring(listener))
      assert.same({ "listener " .. address }, lunet.open_handles())
      local near = keep(assert(lunet.connect(address, BOUND)))
      assert.equal(address, (near:peer()))
    end)

    it("names the address that is taken", function()
      local address = listen({ backlog = 5 }):address()
      local host, port = address:match "^%[?([%d.:]+)%]?:(%d+)$"
      local second, message, code =
        lunet.listen { backlog = 5, address = host or address, port = math.tointeger(port) }
      assert.is_nil(second)
      assert.equal("EADDRINUSE", code)
      assert.matches(address, message, 1, true)
    end)

    it("resets at close who is still queued, and leaves alone who was accepted", function()
      listen { backlog = 5 }
      local first, second = keep(enqueue(listener)), keep(enqueue(listener))
      local far = keep(assert(listener:accept(BOUND)))
      assert.is_true(listener:close())
      eventually(function() return second:liveness() == "reset" end)
      assert.equal("ECONNRESET", code_of(second:receive("l", BOUND)))
      assert.equal("open", first:liveness())
      assert(first:send "still here\n")
      assert.equal("still here", far:receive("l", BOUND))
    end)

    it("answers CLOSED to every call once it is closed, and true to another close", function()
      listen { backlog = 5 }
      assert.is_true(listener:close())
      assert.is_true(listener:close())
      assert.equal("listener (closed)", tostring(listener))
      for _, method in ipairs { "accept", "gate", "queue", "address" } do
        local value, message, code = listener[method](listener)
        assert.is_nil(value)
        assert.matches("closed by this side", message)
        assert.equal("CLOSED", code)
      end
      assert.equal("CLOSED", code_of(listener:accept(0)))
      assert.equal("CLOSED", code_of(listener:gate(1)))
      assert.equal("CLOSED", code_of(listener:resize(1)))
      assert.equal("CLOSED", code_of(listener:serve(print)))
    end)

    it("wakes at close every task that waits in accept, also those before a shut gate", function()
      listen { backlog = 5 }
      local function accept() return listener:accept() end
      local first, second = lunet.spawn(accept), lunet.spawn(accept)
      lunet.sleep(0)
      listener:gate(0)
      keep(enqueue(listener))
      local third = lunet.spawn(accept)
      lunet.sleep(0)
      listener:close()
      for _, task in ipairs { first, second, third } do
        local ok, far, _, code = task:join(BOUND)
        assert.is_true(ok)
        assert.is_nil(far)
        assert.equal("CLOSED", code)
      end
    end)

    it("accepts a ghost that left by FIN, and what it had sent", function()
      listen { backlog = 5 }
      local near = keep(enqueue(listener))
      local address = near:address()
      assert(near:send "login\nrequest\n")
      near:close()
      assert.equal(1, depth_of(listener))
      local far = keep(assert(listener:accept(BOUND)))
      eventually(function() return far:liveness() == "fin" end)
      assert.equal(address, (far:peer()))
      assert.equal("login", far:receive("l", BOUND))
      assert.equal("request", far:receive("l", BOUND))
      assert.equal("EOF", code_of(far:receive("l", BOUND)))
    end)

    it("is not collected while a task waits in accept", function()
      listen { backlog = 5 }
      local address
      local task = lunet.spawn(function()
        local hidden <close> = assert(lunet.listen { backlog = 5, address = family.address() })
        address = hidden:address()
        return hidden:accept(BOUND)
      end)
      lunet.sleep(0)
      collectgarbage()
      collectgarbage()
      keep(assert(lunet.connect(address, BOUND)))
      local _, far = assert(task:join(BOUND))
      keep(assert(far))
    end)
  end)
end

describe("a listener", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("gets a port from the kernel unless one is asked for", function()
    local host = own_address()
    local chosen <close> = assert(lunet.listen { backlog = 5, address = host, port = 0 })
    local address, port = chosen:address()
    assert.equal(("%s:%d"):format(host, port), address)
    assert.is_true(port > 0)
    local asked <close> = assert(lunet.listen { backlog = 5, address = host, port = 7000 })
    assert.same({ host .. ":7000", 7000 }, { asked:address() })
  end)

  it("is on 127.0.0.1 unless another address is asked for", function()
    local listener <close> = assert(lunet.listen { backlog = 5 })
    assert.matches("^127%.0%.0%.1:%d+$", (listener:address()))
  end)

  it("writes IPv6 addresses in brackets, and takes them with or without", function()
    local plain <close> = assert(lunet.listen { backlog = 5, address = "::1" })
    local bracketed <close> = assert(lunet.listen { backlog = 5, address = "[::1]" })
    assert.matches("^%[::1%]:%d+$", (plain:address()))
    assert.matches("^%[::1%]:%d+$", (bracketed:address()))
  end)

  it("has no port on Unix", function()
    local listener <close> = assert(lunet.listen { backlog = 5, address = families[4].address() })
    assert.equal(1, select("#", listener:address()))
  end)

  -- A connection that its client has reset stays in the queue: net/ipv4/inet_connection_sock.c,
  -- inet_csk_accept() does not look at the state. Only accept4(2) itself can still name the peer. The
  -- bytes before the RST can still be read: the error comes after them.
  for _, host in ipairs { "127.0.0.1", "::1" } do
    it(("accepts a ghost on %s that left by RST, with its peer's address and data"):format(host), function()
      local listener <close> = assert(lunet.listen { backlog = 5, address = host })
      local near <close> = enqueue(listener)
      local address, port = near:address()
      assert(near:send "request\n")
      assert.is_true(near:reset())
      assert.equal(1, depth_of(listener))
      local far <close> = assert(listener:accept(BOUND))
      eventually(function() return far:liveness() == "reset" end)
      assert.same({ address, port }, { far:peer() })
      assert.equal("CLOSE", far:state())
      assert.equal("request", far:receive("l", BOUND))
      assert.equal("ECONNRESET", code_of(far:receive("l", BOUND)))
    end)
  end

  it("cannot be on an address that is not this host's", function()
    local listener, message, code = lunet.listen { backlog = 5, address = "192.0.2.1" } -- RFC 5737
    assert.is_nil(listener)
    assert.equal("EADDRNOTAVAIL", code)
    assert.matches("192.0.2.1:0", message, 1, true)
  end)

  it("is in the timeline with its label", function()
    local first = core.record(false)
    local listener <close> = assert(lunet.listen { backlog = 3, label = "the memo's server" })
    local _, port = listener:address()
    local events = core.events(first)
    assert.equal(1, #events)
    assert.same({ "listen", "the memo's server", port, 3 },
      { events[1].kind, events[1].label, events[1].local_port, events[1].bytes })
  end)

  it("leaves a connection in the queue when the process has no descriptor left for it", function()
    local result = program.shell(("ulimit -n 24; exec '%s' -e '%s'"):format(os.getenv "LUNET", [[
      local lunet = require "lunet"
      local listener = assert(lunet.listen { backlog = 5 })
      local near = assert(lunet.connect(listener, 5))
      local files = {}
      repeat
        local file = io.open "/dev/null"
        files[#files + 1] = file
      until not file
      local far, message, code = listener:accept(5)
      print(far, message, code, listener:queue().depth, select(2, listener:gate()))
      files[1]:close()
      print(listener:accept(5) ~= nil, listener:queue().depth)
    ]]))
    assert.equal("", result.errors)
    assert.equal("nil\taccept: too many open files (EMFILE)\tEMFILE\t1\t0\ntrue\t0\n", result.output)
  end)

  -- It returned nil, message and code once, at which nobody looks: the server was dead in silence.
  it("raises in serve when the process has no descriptor left", function()
    local result = program.shell(("ulimit -n 24; exec '%s' -e '%s'"):format(os.getenv "LUNET", [[
      local lunet = require "lunet"
      local recording = require "lunet.recording.recording"
      local run_of = require("lunet.run.run").of
      local witness = recording.start()
      local listener = assert(lunet.listen { backlog = 5 })
      local near = assert(lunet.connect(listener, 5))
      local server = lunet.spawn(listener.serve, listener, print)
      local files = {}
      repeat
        local file = io.open "/dev/null"
        files[#files + 1] = file
      until not file
      print(pcall(lunet.sleep, 5))
      files[1]:close()
      for _, line in ipairs(run_of({ events = witness:peek() }):rows()) do
        if line.what:find "accept" then print(line.what) end
      end
      print(listener:queue().depth, near:liveness())
    ]]))
    assert.equal("", result.errors)
    assert.equal("false\tserve: accept: too many open files (EMFILE)\ncannot accept (EMFILE)\n1\topen\n", result.output)
  end)
end)

describe("resize", function()
  it("refuses what is no backlog", function()
    local listener <close> = assert(lunet.listen { backlog = 5 })
    assert.error_matches(function() listener:resize() end, "number expected, got no value")
    assert.error_matches(function() listener:resize(-1) end, "a backlog is a whole number, 0 or more")
    assert.error_matches(function() listener:resize(1.5) end, "no integer representation")
    assert.error_matches(function() listener:resize(2 ^ 31) end, "a backlog is a whole number")
    assert.equal(5, listener:queue().limit)
  end)
end)
