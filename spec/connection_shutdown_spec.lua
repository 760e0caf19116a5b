-- connection:shutdown, one side or both, and connection:send "", which asks the kernel whether more can be sent.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"
local pair = require "spec.support.pair"
local raised = require "spec.support.raised"
local recording = require "lunet.recording.recording"
local run_of = require("lunet.run.run").of

local BOUND <const> = require "spec.support.bound"

setup(families.open)
teardown(families.close)

for _, family in ipairs { families[1], families[2], families[3] } do
  describe("shutdown on " .. family.name, function()
    local near, far, listener

    before_each(function() near, far, listener = pair.open { address = family.address(), backlog = 5 } end)

    after_each(function() pair.close(near, far, listener) end)

    -- A task that receives, and has begun to wait when this returns.
    local function waiting()
      local task = lunet.spawn(near.receive, near, 1, BOUND)
      lunet.sleep(0)
      return task
    end

    it("ends the sending side unless it is told which", function()
      for _, how in ipairs { "wr", false } do
        assert.is_true(near:shutdown(how or nil))
        eventually(function() return far:liveness() == "fin" end)
        assert.equal("EPIPE", code_of(near:send "x"))
        assert(far:send "reply\n")
        assert.equal("reply", near:receive("l", BOUND))
        assert.equal("open", near:liveness())
      end
    end)

    it("ends the receiving side alone", function()
      assert(far:send "before")
      eventually(function() return near:unread() == 6 end)
      assert.is_true(near:shutdown "rd")
      assert.equal("before", near:receive("a", BOUND))
      assert.equal("EOF", code_of(near:receive(nil, BOUND)))
      assert.same({ "open", "open" }, { near:liveness(), far:liveness() })
      assert(near:send "still\n")
      assert.equal("still", far:receive("l", BOUND))
    end)

    it("wakes with EOF who waits to receive", function()
      for _, how in ipairs { "rd", "rdwr" } do
        local task = waiting()
        assert(near:shutdown(how))
        assert.equal("EOF", select(4, task:join(BOUND)))
      end
    end)

    it("leaves waiting who waits to receive when only the sending side ends", function()
      local task = waiting()
      assert(near:shutdown "wr")
      assert.equal("TIMEOUT", code_of(task:join(0.01)))
      assert(far:send "x")
      assert.equal("x", select(2, assert(task:join(BOUND))))
    end)

    it("ends both sides", function()
      assert.is_true(near:shutdown "rdwr")
      eventually(function() return far:liveness() == "fin" end)
      assert.equal("EPIPE", code_of(near:send "x"))
      assert.equal("EOF", code_of(near:receive(nil, BOUND)))
      assert.equal(family.is_tcp and "open" or "fin", near:liveness())
    end)

    it("shows the peer's end also behind its own of receiving", function()
      assert(near:shutdown "rd")
      far:close()
      eventually(function() return near:liveness() == "fin" end)
    end)

    it("refuses what it does not know, before it asks whether the connection is open", function()
      for _ = 1, 2 do
        for _, how in ipairs { "read", "WR", "", "both", 1, true, {} } do
          assert.matches('"rd", "wr", "rdwr" or nothing expected', raised(near.shutdown, near, how), 1, true)
        end
        near:close()
      end
      assert.equal("CLOSED", code_of(near:shutdown "rd"))
    end)

    it("is in the trace with the side that it ended", function()
      local witness <close> = recording.start "none"
      near:shutdown "rd"
      near:shutdown()
      near:shutdown "rdwr"
      local told, hows = {}, {}
      local events = witness:peek()
      for _, e in ipairs(events) do hows[#hows + 1] = e.how end
      for _, line in ipairs(run_of({ events = events }):rows()) do told[#told + 1] = line.what end
      assert.same({ "rd", "wr", "rdwr" }, hows)
      assert.same({ "receives no more", "ends its side (FIN)", "ends its side (FIN), and receives no more" }, told)
    end)
  end)

  describe("send \"\" on " .. family.name, function()
    local near, far, listener

    before_each(function() near, far, listener = pair.open { address = family.address(), backlog = 5 } end)

    after_each(function() pair.close(near, far, listener) end)

    it("is a success while more can be sent, and sends nothing", function()
      assert.equal(0, near:send "")
      assert.equal(0, far:unread())
    end)

    it("says EPIPE after shutdown, as other sends do", function()
      near:shutdown()
      assert.same({ "EPIPE", 0 }, { select(3, near:send "") })
    end)

    it("says so when the peer is gone", function()
      assert(near:send "unread")
      eventually(function() return far:unread() == 6 end)
      far:close()
      eventually(function() return near:liveness() == "reset" end)
      assert.equal("ECONNRESET", code_of(near:receive(nil, BOUND)))
      assert.same({ "EPIPE", 0 }, { select(3, near:send "") })
    end)
  end)
end

describe("a connection that is shut for receiving", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- net/ipv4/tcp.c, tcp_recvmsg: only an empty queue is the end.
  it("still gets what comes later, on TCP", function()
    local near, far, listener = pair.open()
    assert(near:shutdown "rd")
    assert.equal("EOF", code_of(near:receive(nil, BOUND)))
    assert(far:send "later")
    eventually(function() return near:unread() == 5 and far:unsent() == 0 end)
    assert.equal("later", near:receive(nil, BOUND))
    assert.equal("EOF", code_of(near:receive(nil, BOUND)))
    for _, handle in ipairs { near, far, listener } do handle:close() end
  end)

  -- net/ipv4/tcp_input.c, tcp_rcv_state_process
  it("answers bytes with RST once it is shut both ways, on TCP", function()
    local near, far, listener = pair.open()
    assert(near:shutdown "rdwr")
    eventually(function() return near:state() == "FIN_WAIT2" end)
    assert(far:send "later")
    eventually(function() return far:liveness() == "reset" end)
    assert.equal("CLOSE", near:state())
    for _, handle in ipairs { near, far, listener } do handle:close() end
  end)

  it("breaks the peer's sends, on Unix", function()
    local near, far, listener = pair.open { address = families[4].address(), backlog = 5 }
    assert(near:shutdown "rd")
    assert.equal("EPIPE", code_of(far:send "x"))
    for _, handle in ipairs { near, far, listener } do handle:close() end
  end)
end)

describe("send \"\" behind fastopen_connect with a cached cookie", function()
  local server, client, listener

  before_each(function()
    local sysctl = { ["net.ipv4.tcp_fastopen"] = 3 }
    server = assert(lunet.host { name = "server", sysctl = sysctl })
    client = assert(lunet.host { name = "client", sysctl = sysctl })
    lunet.link(server, client)
    listener = assert(server:listen { port = 7000, backlog = 5, fastopen = 5 })
    assert(client:connect({ listener, fastopen_connect = true }, BOUND)):close() -- this one gets the cookie
  end)

  after_each(function()
    server:close()
    client:close()
    assert.same({}, lunet.open_handles())
  end)

  it("makes the handshake that connect has put off, and waits for its end", function()
    local capture <close> = assert(client:capture())
    local function syns() -- the first client's end may still be on its way
      local found = {}
      for _, segment in ipairs(capture:segments()) do
        if segment.flags == "SYN" then found[#found + 1] = segment end
      end
      return found
    end
    local connection = assert(client:connect({ listener, fastopen_connect = true }, BOUND))
    assert.same({ "SYN_SENT", 0 }, { connection:state(), #syns() })
    assert.equal(0, connection:send("", BOUND))
    assert.equal("ESTABLISHED", connection:state())
    eventually(function() return listener:queue().depth == 2 end)
    assert.same({ 1, 0 }, { #syns(), syns()[1].bytes })
  end)

  it("tells how the handshake failed", function()
    local connection = assert(client:connect({ listener, fastopen_connect = true }, BOUND))
    listener:close()
    assert.equal("ECONNREFUSED", code_of(connection:send("", BOUND)))
  end)

  it("gives up when its time is over", function()
    local connection = assert(client:connect({ listener, fastopen_connect = true }, BOUND))
    local _rule <close> = assert(server:drop { flags = "SYN" })
    assert.equal("TIMEOUT", code_of(connection:send("", 0.05)))
    assert.equal("SYN_SENT", connection:state())
  end)
end)
