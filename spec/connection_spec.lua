-- lunet.connect, and what a connection does besides receiving (reader_spec.lua).
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"
local pair = require "spec.support.pair"

local LONG = 240 -- seconds; for a thousand connections
local BOUND <const> = require "spec.support.bound"
local BUFFER = 200000 -- bytes: the kernel's buffers, which grow into the millions otherwise
local MUCH = ("0123456789abcdef"):rep(1 << 17) -- 2 MiB: more than they hold

-- Fills a listener's queue, whose backlog is 0: with one connection, by the kernel's rule.
local function fill(listener)
  local connection = assert(lunet.connect(listener, BOUND))
  eventually(function() return listener:queue().depth == 1 end)
  return connection
end

setup(families.open)
teardown(families.close)

for _, family in ipairs { families[1], families[2], families[3] } do
  describe("a connection on " .. family.name, function()
    local near, far, listener

    before_each(function()
      near, far, listener =
        pair.open({ address = family.address(), backlog = 5, rcvbuf = BUFFER }, { sndbuf = BUFFER })
    end)

    after_each(function() pair.close(near, far, listener) end)

    -- A task that sends more than the buffers hold, and has begun to wait when this returns.
    local function waiting()
      local task = lunet.spawn(near.send, near, MUCH)
      lunet.sleep(0)
      return task
    end

    it("carries bytes both ways", function()
      assert.equal(4, near:send "ping")
      assert.equal("ping", far:receive(4, BOUND))
      assert.equal(4, far:send("pong", BOUND))
      assert.equal("pong", near:receive(4, BOUND))
    end)

    it("exists before anybody accepts it, and carries what is sent then", function()
      local early <close> = assert(lunet.connect(listener, BOUND))
      assert.equal("open", early:liveness())
      assert.equal(6, early:send "hello\n")
      local late <close> = assert(listener:accept(BOUND))
      assert.equal("hello", late:receive("l", BOUND))
    end)

    it("knows its ends, and writes them", function()
      local address = listener:address()
      assert.equal(address, (near:peer()))
      assert.equal(address, (far:address()))
      assert.same({ near:address() }, { far:peer() })
      assert.equal(("connection %s -> %s"):format(near:address(), address), tostring(near))
      assert.equal(("connection %s -> %s"):format(address, near:address()), tostring(far))
      local known = lunet.open_handles()
      table.sort(known)
      local expected = { tostring(near), tostring(far), tostring(listener) }
      table.sort(expected)
      assert.same(expected, known)
    end)

    it("sends nothing when there is nothing to send", function()
      assert.equal(0, near:send "")
      assert.equal(0, near:send("", 0))
      assert.same({ 0, 0 }, { far:unread() })
    end)

    it("tells how many bytes went out before the time was over", function()
      local value, message, code, sent = near:send(MUCH, 0)
      assert.is_nil(value)
      assert.matches("send: the deadline passed", message)
      assert.equal("TIMEOUT", code)
      assert.is_true(0 < sent and sent < #MUCH)
      near:close()
      local received = far:receive("a", BOUND)
      assert.equal(sent, #received)
      assert.is_true(received == MUCH:sub(1, sent))
    end)

    it("gives up sending when the time is over, and not before", function()
      local started = lunet.now()
      assert.equal("TIMEOUT", code_of(near:send(MUCH, 0.01)))
      assert.is_true(lunet.now() - started >= 0.01)
      assert.equal("TIMEOUT", code_of(near:send(MUCH, 0)))
      assert.equal("TIMEOUT", code_of(near:send(MUCH, 1e-9)))
    end)

    it("sends on as soon as the peer reads", function()
      local task = waiting()
      local received = far:receive(#MUCH, BOUND)
      assert.is_true(received == MUCH)
      assert.equal(#MUCH, select(2, assert(task:join(BOUND))))
    end)

    it("does concurrent sends in order, each whole", function()
      local pieces, tasks = {}, {}
      for number = 1, 4 do
        pieces[number] = tostring(number):rep(1000000)
        tasks[number] = lunet.spawn(near.send, near, pieces[number], BOUND)
      end
      for number = 1, 4 do assert.is_true(far:receive(1000000, BOUND) == pieces[number]) end
      for number = 1, 4 do assert.equal(1000000, select(2, assert(tasks[number]:join(BOUND)))) end
    end)

    it("sends nothing of what waited behind another send until its time was over", function()
      local first = waiting()
      assert.same({ "TIMEOUT", 0 }, { select(3, near:send("late", 0)) })
      local second = lunet.spawn(near.send, near, "late", 0.001)
      assert.same({ true, nil, "send: the deadline passed (TIMEOUT)", "TIMEOUT", 0 }, { second:join(BOUND) })
      assert.is_true(far:receive(#MUCH, BOUND) == MUCH)
      assert(first:join(BOUND))
      assert.equal("TIMEOUT", code_of(far:receive(nil, 0)))
    end)

    it("answers CLOSED to every task that waits to send when its own side closes", function()
      local first, second = waiting(), waiting()
      near:close()
      local _, value, _, code, sent = assert(first:join(BOUND))
      assert.is_nil(value)
      assert.equal("CLOSED", code)
      assert.is_true(0 < sent and sent < #MUCH)
      assert.same({ "CLOSED", 0 }, { select(4, second:join(BOUND)) })
    end)

    it("answers CLOSED to the task that waits to send and to the one that waits to receive", function()
      local sender = waiting()
      local receiver = lunet.spawn(near.receive, near, "l")
      lunet.sleep(0)
      near:close()
      assert.equal("CLOSED", select(4, sender:join(BOUND)))
      assert.equal("CLOSED", select(4, receiver:join(BOUND)))
    end)

    it("sends and receives at the same time", function()
      local receiver = lunet.spawn(near.receive, near, "l", BOUND)
      local sender = waiting()
      far:send "a line\n"
      assert.equal("a line", select(2, assert(receiver:join(BOUND))))
      assert.is_true(far:receive(#MUCH, BOUND) == MUCH)
      assert(sender:join(BOUND))
    end)

    it("wakes the sender with an error when the peer is gone", function()
      local task = waiting()
      eventually(function() return far:unread() > 0 end)
      far:close() -- with unread bytes: on TCP that is an RST
      local _, value, _, code, sent = assert(task:join(BOUND))
      assert.is_nil(value)
      assert.equal(family.is_tcp and "ECONNRESET" or "EPIPE", code)
      assert.is_true(0 < sent and sent < #MUCH)
    end)

    it("can be read after shutdown, but not sent to", function()
      assert(near:send "request\n")
      assert.is_true(near:shutdown())
      local value, message, code, sent = near:send "more"
      assert.is_nil(value)
      assert.matches("send: broken pipe", message)
      assert.same({ "EPIPE", 0 }, { code, sent })
      assert.equal("request\n", far:receive("a", BOUND))
      eventually(function() return far:liveness() == "fin" end)
      assert.equal("open", near:liveness())
      assert(far:send "reply\n")
      assert.equal("reply", near:receive("l", BOUND))
      assert.is_true(near:shutdown())
    end)

    it("ends by shutdown the send that waits", function()
      local task = waiting()
      near:shutdown()
      local _, value, _, code, sent = assert(task:join(BOUND))
      assert.is_nil(value)
      assert.equal("EPIPE", code)
      assert.is_true(0 < sent and sent < #MUCH)
      assert.equal(sent, #far:receive("a", BOUND))
    end)

    it("shows a peer that is there as open", function()
      assert.equal("open", near:liveness())
      assert(far:send "x")
      eventually(function() return near:unread() == 1 end)
      assert.equal("open", near:liveness())
    end)

    it("shows a peer that closed and one that half-closed alike, and consumes nothing", function()
      assert(near:send "last words")
      near:shutdown()
      eventually(function() return far:liveness() == "fin" end)
      near:close()
      for _ = 1, 3 do assert.equal("fin", far:liveness()) end
      eventually(function() return far:unread() == 10 end) -- a FIN is not among them
      assert.equal("last words", far:receive("a", BOUND))
      assert.equal("fin", far:liveness())
    end)

    it("counts what has come: in the kernel, and held", function()
      assert.same({ 0, 0 }, { far:unread() })
      assert(near:send "abc\ndef")
      eventually(function() return far:unread() == 7 end)
      assert.equal("abc", far:receive "l")
      assert.same({ 3, 0 }, { far:unread() })
      assert.equal("TIMEOUT", code_of(far:receive("l", 0)))
      assert.same({ 0, 3 }, { far:unread() })
    end)

    it("counts what has not arrived", function()
      assert.same({ 0, 0 }, { near:unsent() })
      near:send(MUCH, 0)
      assert.is_true(near:unsent() > 0)
      near:shutdown()
      assert(far:receive("a", BOUND))
      eventually(function() return near:unsent() == 0 end)
      assert.same({ 0, 0 }, { near:unsent() })
    end)

    it("is closed by closing it, once and for all", function()
      assert.is_true(near:close())
      assert.is_true(near:close())
      assert.equal("connection (closed)", tostring(near))
      assert.equal("EOF", code_of(far:receive("l", BOUND)))
    end)

    it("answers CLOSED to every call once it is closed", function()
      near:close()
      for _, method in ipairs {
        "receive", "shutdown", "reset", "dissolve", "get", "state", "info", "liveness", "unread", "unsent", "address",
        "peer",
      } do
        local value, message, code = near[method](near)
        assert.is_nil(value)
        assert.matches("closed by this side", message)
        assert.equal("CLOSED", code)
      end
      for _, what in ipairs { "l", "L", "a", 0, 5 } do assert.equal("CLOSED", code_of(near:receive(what, 0))) end
      for _, data in ipairs { "", "data" } do
        assert.same({ "CLOSED", 0 }, { select(3, near:send(data, 0)) })
      end
      for _, what in ipairs { "a", 0, 5 } do
        assert.same({ "CLOSED", 0 }, { select(3, near:discard(what, 0)) })
      end
      assert.is_nil(near:lines()())
      assert.equal("CLOSED", near:ended())
    end)

    it("loses what it held when it is closed", function()
      assert(far:send "part")
      assert.equal("TIMEOUT", code_of(near:receive("l", 0.01)))
      near:close()
      assert.equal("CLOSED", code_of(near:receive()))
    end)

    it("is closed at the end of its block", function()
      do local _until_here <close> = near end
      assert.equal("connection (closed)", tostring(near))
      assert.equal("EOF", code_of(far:receive("l", BOUND)))
    end)

    it("is not collected while a task waits to receive", function()
      local task = lunet.spawn(function()
        local hidden <close> = assert(lunet.connect(listener, BOUND))
        return hidden:receive("l", BOUND)
      end)
      local hidden_far <close> = assert(listener:accept(BOUND))
      lunet.sleep(0)
      collectgarbage()
      collectgarbage()
      assert(hidden_far:send "still here\n")
      assert.equal("still here", select(2, assert(task:join(BOUND))))
    end)

    it("refuses to send what is no string", function()
      for _, data in pairs { {}, true, print } do
        assert.error_matches(function() near:send(data) end, "string expected, got " .. type(data))
      end
      assert.error_matches(function() near:send() end, "string expected, got no value")
      assert.error_matches(function() near:send("data", -1) end, "seconds, 0 or more")
      assert.error_matches(function() near:send("data", "soon") end, "seconds, 0 or more; not string")
      assert.error_matches(function() near.send("data") end, "lunet.connection expected, got string")
    end)

    -- Without the time limits of the others: under a slow collector a thousand take longer than BOUND. The scope closes
    -- them if one fails.
    it("is one of 1000 at once #part_many", function()
      lunet.scope(function()
        local crowd = assert(lunet.listen { address = family.address(), backlog = 1000 })
        local server = lunet.spawn(function()
          crowd:serve(function(connection)
            for line in connection:lines() do connection:send(line .. "\n") end
          end)
        end)
        local clients, tasks = {}, {}
        for number = 1, 1000 do
          clients[number] = assert(lunet.connect(crowd, BOUND))
          tasks[number] = lunet.spawn(clients[number].receive, clients[number], "l")
        end
        assert(lunet.eventually(function() return select(2, crowd:gate()) == 1000 end, LONG))
        for number = 1000, 1, -1 do assert(clients[number]:send(number .. "\n")) end
        for number = 1, 1000 do
          assert.equal(tostring(number), select(2, assert(tasks[number]:join(LONG))))
        end
        assert.equal(1000, select(2, crowd:gate()))
        for _, client in ipairs(clients) do
          client:reset() -- on TCP: leaves no TIME_WAIT behind
          client:close()
        end
        crowd:close()
        assert(server:join(LONG))
      end)
    end)
  end)
end

describe("a Unix connection", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has no TCP to tell of", function()
    local near, far, listener = pair.open { address = families[4].address(), backlog = 5 }
    local _far <close> = far
    local _listener <close> = listener
    for _, method in ipairs { "state", "info", "reset", "dissolve" } do
      local value, message, code = near[method](near)
      assert.is_nil(value)
      assert.matches(method, message)
      assert.equal("EOPNOTSUPP", code)
    end
    assert.equal("open", far:liveness()) -- reset has done nothing
    near:close()
  end)

  it("has no port, and a client has no name", function()
    local near, far, listener = pair.open { address = families[3].address(), backlog = 5 }
    assert.equal(1, select("#", near:address()))
    assert.equal(1, select("#", near:peer()))
    assert.equal("unix:", (near:address()))
    assert.equal("unix:", (far:peer()))
    near:close()
    far:close()
    listener:close()
  end)

  it("is refused at once by a full queue", function()
    local listener <close> = assert(lunet.listen { address = families[3].address(), backlog = 0 })
    local _first <close> = fill(listener)
    local connection, message, code = lunet.connect(listener)
    assert.is_nil(connection)
    assert.equal("EAGAIN", code)
    assert.matches("connect to " .. listener:address(), message, 1, true)
  end)

  it("is refused where nobody listens", function()
    local path = families.path()
    assert.equal("ENOENT", code_of(lunet.connect("unix:" .. path, BOUND)))
    assert.equal("ECONNREFUSED", code_of(lunet.connect("unix:@" .. path, BOUND)))
    assert(assert(io.open(path, "w")):close())
    local connection, message, code = lunet.connect("unix:" .. path, BOUND)
    assert.is_nil(connection)
    assert.equal("ECONNREFUSED", code)
    assert.matches("connect to unix:" .. path, message, 1, true)
    assert(os.remove(path))
  end)

  -- A Unix socket has no state of its own that outlives the error, as TCP_CLOSE does.
  it("shows its peer's close with unread bytes as a reset, until that was reported", function()
    local near, far, listener = pair.open { address = families[4].address(), backlog = 5 }
    assert(near:send "never read")
    far:close()
    for _ = 1, 3 do assert.equal("reset", near:liveness()) end
    assert.equal("ECONNRESET", code_of(near:receive("l", BOUND)))
    assert.equal("fin", near:liveness())
    near:close()
    listener:close()
  end)
end)
