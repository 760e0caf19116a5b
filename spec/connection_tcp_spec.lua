-- lunet.connect, and what a connection does besides receiving (reader_spec.lua).
local lunet = require "lunet"
local core = require "lunet.core"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"
local pair = require "spec.support.pair"

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

for _, host in ipairs { "127.0.0.1", "::1" } do
  describe("a TCP connection on " .. host, function()
    local near, far, listener

    before_each(function()
      near, far, listener = pair.open({ address = host, backlog = 5, rcvbuf = BUFFER }, { sndbuf = BUFFER })
    end)

    after_each(function() pair.close(near, far, listener) end)

    local function assert_state(state, connection)
      eventually(function() return connection:state() == state end)
    end

    it("goes through the states of an orderly end", function()
      assert.same({ "ESTABLISHED", "ESTABLISHED" }, { near:state(), far:state() })
      near:shutdown()
      assert_state("FIN_WAIT2", near)
      assert_state("CLOSE_WAIT", far)
      far:shutdown()
      assert_state("CLOSE", far)
      assert_state("CLOSE", near) -- what is in TIME_WAIT is not this socket any more
      assert.same({ "fin", "fin" }, { near:liveness(), far:liveness() })
    end)

    it("is reset by reset", function()
      assert.is_true(near:reset())
      assert.equal("connection (closed)", tostring(near))
      assert_state("CLOSE", far)
      for _ = 1, 3 do assert.equal("reset", far:liveness()) end -- the error is not consumed
      local value, message, code = far:receive("l", BOUND)
      assert.is_nil(value)
      assert.matches("receive: connection reset by peer", message)
      assert.equal("ECONNRESET", code)
      assert.equal("reset", far:liveness()) -- nor forgotten
      assert.same({ "CLOSED" }, { code_of(near:reset()) })
    end)

    it("knows its ends when it was reset", function()
      local local_end, remote_end = far:address(), far:peer()
      near:reset()
      assert_state("CLOSE", far)
      assert.same({ local_end, remote_end }, { (far:address()), (far:peer()) })
      assert.equal("ENOTCONN", code_of(far:shutdown()))
    end)

    it("is reset by a close that leaves bytes unread", function()
      assert(near:send "never read")
      eventually(function() return far:unread() == 10 end)
      far:close()
      eventually(function() return near:liveness() == "reset" end)
      assert.equal("ECONNRESET", code_of(near:receive("l", BOUND)))
    end)

    it("tells the sender of a reset once, then of a broken pipe", function()
      far:reset()
      eventually(function() return near:liveness() == "reset" end)
      local value, message, code, sent = near:send "data"
      assert.is_nil(value)
      assert.matches("send: connection reset by peer", message)
      assert.same({ "ECONNRESET", 0 }, { code, sent })
      assert.same({ "EPIPE", 0 }, { select(3, near:send "data") })
    end)

    -- The memo's ghost: the first reply is sent with success, to nobody.
    it("tells the sender of a peer that closed only after the second send", function()
      near:close()
      eventually(function() return far:liveness() == "fin" end)
      assert.equal("CLOSE_WAIT", far:state())
      assert.equal(5, far:send "reply")
      eventually(function() return far:liveness() == "reset" end)
      assert.equal("CLOSE", far:state())
      assert.equal("EPIPE", code_of(far:send "reply"))
    end)

    it("wakes the receiver when it is reset", function()
      local task = lunet.spawn(far.receive, far, "l", BOUND)
      lunet.sleep(0)
      near:reset()
      assert.equal("ECONNRESET", select(4, task:join(BOUND)))
    end)

    it("wakes with CLOSED who waits on the side that resets", function()
      local receiver = lunet.spawn(near.receive, near, "l", BOUND)
      local sender = lunet.spawn(near.send, near, MUCH, BOUND)
      lunet.sleep(0)
      near:reset()
      assert.equal("CLOSED", select(4, receiver:join(BOUND)))
      assert.equal("CLOSED", select(4, sender:join(BOUND)))
    end)

    it("counts what was sent and not acknowledged, and what was never sent", function()
      local _, _, _, sent = near:send(MUCH, 0)
      -- The peer's kernel acknowledges what it has taken at last; the rest waits for a window.
      eventually(function() return near:unsent() + far:unread() == sent end)
      local unsent, never_sent = near:unsent()
      assert.is_true(0 < never_sent and never_sent <= unsent)
      near:reset()
    end)
  end)

  describe("lunet.connect to " .. host, function()
    local listener

    before_each(function() listener = assert(lunet.listen { address = host, backlog = 0 }) end)

    after_each(function()
      listener:close()
      assert.same({}, lunet.open_handles())
    end)

    it("is refused where nobody listens, and names the address", function()
      local address = host == "::1" and "[::1]:1" or "127.0.0.1:1"
      local connection, message, code = lunet.connect(address, BOUND)
      assert.is_nil(connection)
      assert.equal("ECONNREFUSED", code)
      assert.matches("connect to " .. address .. ": connection refused", message, 1, true)
    end)

    it("gives up before a full queue when its time is over, not before, and leaves nothing there", function()
      local _first <close> = fill(listener)
      for _, timeout in ipairs { 0, 1e-6, 0.02 } do
        local started = lunet.now()
        local connection, message, code = lunet.connect(listener, timeout)
        assert.is_true(lunet.now() - started >= timeout)
        assert.is_nil(connection)
        assert.equal("TIMEOUT", code)
        assert.matches(("connect to %s: the deadline passed"):format(listener:address()), message, 1, true)
        assert.equal(2, #lunet.open_handles())
        assert.equal(1, listener:queue().depth)
      end
    end)

    it("leaves nothing open when its task is canceled", function()
      local _first <close> = fill(listener)
      local task = lunet.spawn(lunet.connect, listener)
      lunet.sleep(0)
      assert.equal(3, #lunet.open_handles())
      task:cancel()
      assert.equal("CANCELED", code_of(task:join(BOUND)))
      assert.equal(2, #lunet.open_handles())
    end)
  end)
end

describe("a sender of much", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Otherwise it fills the kernel's buffers, which are larger than the processor's cache, before the receiver begins.
  it("lets other tasks have their turn after each 64 KiB or two", function()
    local host <close> = assert(lunet.host { name = "both", sysctl = {
      ["net.ipv4.tcp_wmem"] = "4096 16384 4194304", ["net.ipv4.tcp_rmem"] = "4096 131072 6291456" } })
    local listener <close> = assert(host:listen { address = "127.0.0.1", backlog = 1 })
    local near = assert(host:connect(listener, BOUND))
    local far <close> = assert(listener:accept(BOUND))
    local sent, most = 0, 0
    lunet.spawn(function()
      for _ = 1, 800 do
        assert(near:send(MUCH:sub(1, 65536), BOUND))
        sent = sent + 1
      end
      near:close()
    end)
    lunet.spawn(function()
      while sent < 800 do
        local before = sent
        lunet.sleep(0)
        most = math.max(most, sent - before)
      end
    end)
    assert.equal(800 * 65536, far:discard "a")
    assert.is_true(most <= 2, most .. " sends in one turn")
  end)
end)

describe("lunet.connect", function()
  local listener

  before_each(function() listener = assert(lunet.listen { backlog = 0 }) end)

  after_each(function()
    listener:close()
    assert.same({}, lunet.open_handles())
  end)

  -- The only wait for a connection that loopback knows: for the SYN that the kernel sends again
  -- after a second.
  it("waits until the queue has room #slow", function()
    local _first <close> = fill(listener)
    local task = lunet.spawn(function() return lunet.connect(listener, BOUND) end)
    lunet.sleep(0)
    local _accepted <close> = assert(listener:accept(BOUND))
    local _second <close> = assert(listener:accept(BOUND))
    local _, connection = assert(task:join(BOUND))
    assert.equal("ESTABLISHED", connection:state())
    connection:close()
  end)

  -- From another address, because a client whose own port the kernel chose to be the one that it
  -- connects to is connected to itself.
  it("is refused by a listener that is closed", function()
    local address = listener:address()
    listener:close()
    assert.equal("ECONNREFUSED", code_of(lunet.connect({ address, from = "127.0.0.2" }, BOUND)))
    assert.equal("ECONNREFUSED", code_of(lunet.connect({ listener, from = "127.0.0.2" }, BOUND)))
  end)

  it("is in the timeline with its label", function()
    local first = core.record(false)
    local connection <close> = assert(lunet.connect({ listener, label = "client B" }, BOUND))
    connection:close()
    local events = core.events(first)
    assert.same({ "connect", "close" }, { events[1].kind, events[2].kind })
    assert.same({ "client B", "client B" }, { events[1].label, events[2].label })
    assert.equal(select(2, listener:address()), events[1].peer_port)
  end)
end)
