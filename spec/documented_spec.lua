-- Facts that the documentation states in a half sentence, and that surprise readers who have missed it. (A pending
-- error is told once: connection_cut_spec.lua.)
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local raised = require "spec.support.raised"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"
local LONG = 120 -- seconds; for what waits on the kernel's timers
local TRIES = 20 -- for what a busy machine may spoil

describe("documentation", function()
  local a, b, link

  before_each(function()
    a, b = assert(lunet.host "a"), assert(lunet.host "b")
    link = lunet.link(a, b)
  end)

  after_each(function()
    a:close()
    b:close()
    assert.same({}, lunet.open_handles())
  end)

  describe("of Unix addresses", function()
    it("hosts share paths", function()
      local path = os.tmpname()
      assert(os.remove(path))
      local listener = assert(a:listen { address = "unix:" .. path, backlog = 5 })
      local _of_b <close> = assert(b:connect("unix:" .. path, BOUND))
      local _of_home <close> = assert(lunet.connect("unix:" .. path, BOUND))
      assert.equal(2, listener:queue().depth)
      assert.equal("EADDRINUSE", code_of(b:listen { address = "unix:" .. path, backlog = 5 }))
    end)

    it("hosts have abstract names of their own", function()
      local name = "unix:@" .. tagged.new()
      local of_a = assert(a:listen { address = name, backlog = 5 })
      assert.equal("ECONNREFUSED", code_of(b:connect(name, BOUND)))
      assert.equal("ECONNREFUSED", code_of(lunet.connect(name, BOUND)))
      local of_b = assert(b:listen { address = name, backlog = 5 })
      assert(b:connect(name, BOUND))
      assert.same({ 0, 1 }, { of_a:queue().depth, of_b:queue().depth })
    end)
  end)

  describe("of any address", function()
    it("a listener's address() reaches the host that uses it", function()
      local listener = assert(a:listen { port = 7000, backlog = 5 })
      local address = listener:address()
      assert.equal("0.0.0.0:7000", address)
      assert.equal("ECONNREFUSED", code_of(b:connect(address, BOUND)))
      local own = assert(b:listen { port = 7000, backlog = 5 })
      local connection = assert(b:connect(address, BOUND))
      eventually(function() return own:queue().depth == 1 end)
      assert.same({ 0, "127.0.0.1:7000" }, { listener:queue().depth, (connection:peer()) })
      assert(b:connect(listener, BOUND)) -- the listener itself is reached
      assert.equal(1, listener:queue().depth)
    end)
  end)

  describe("of a connection to itself", function()
    it("a client at the port that it connects to reaches itself, without a listener", function()
      local self = assert(a:connect({ "127.0.0.1:7000", from = "127.0.0.1:7000" }, BOUND))
      assert.same({ "ESTABLISHED", "127.0.0.1:7000" }, { self:state(), (self:address()) })
      assert(self:send "echo")
      assert.equal("echo", self:receive(4, BOUND))
      assert.equal(1, #a:sockets { port = 7000 })
      assert(self:shutdown())
      assert.equal("EOF", code_of(self:receive(1, BOUND)))
    end)

    it("two that connect to each other at once need no listener either", function()
      local slow = lunet.link(a, b, { delay = 0.02 })
      local of_a, of_b = slow:address(a), slow:address(b)
      local first = lunet.spawn(a.connect, a, { of_b .. ":7001", from = of_a .. ":7000" }, BOUND)
      local second = lunet.spawn(b.connect, b, { of_a .. ":7000", from = of_b .. ":7001" }, BOUND)
      local _, from_a = assert(first:join(BOUND))
      local _, from_b = assert(second:join(BOUND))
      assert(from_a:send "hello")
      assert.equal("hello", assert(from_b):receive(5, BOUND))
    end)
  end)

  describe("of a closed link", function()
    local near, listener

    before_each(function()
      listener = assert(a:listen { port = 7000, backlog = 5 })
      near = assert(b:connect({ listener, user_timeout = 0.1 }, BOUND))
    end)

    it("fails a connect at once: there is no way", function()
      local to, from = link:address(a), link:address(b)
      link:close()
      assert.equal("ENETUNREACH", code_of(b:connect(to .. ":7000", BOUND)))
      assert.equal("EADDRNOTAVAIL", code_of(b:connect({ to .. ":7000", from = from }, BOUND)))
      assert.equal("EADDRNOTAVAIL", code_of(b:listen { address = from, backlog = 1 }))
      assert.matches("share no network", raised(b.connect, b, listener, BOUND))
    end)

    -- On a busy machine the second SYN may go before the link is closed. Then the kernel says ETIMEDOUT: try again.
    it("fails a connect that has begun when a SYN would go again", function()
      local rule <close> = assert(a:drop { flags = "SYN" })
      local code, sent
      for _ = 1, TRIES do
        local before = rule:lost()
        local task = lunet.spawn(b.connect, b, { link:address(a) .. ":7000", user_timeout = 0.1 }, LONG)
        eventually(function() return rule:lost() > before end)
        link:close()
        sent = rule:lost() - before
        code = select(4, task:join(LONG))
        if sent == 1 then break end
        link = lunet.link(a, b)
      end
      assert.same({ 1, "ENETUNREACH" }, { sent, code })
    end)

    it("tells connections nothing until the kernel gives up on what they sent", function()
      link:close()
      assert.equal("TIMEOUT", code_of(near:receive(1, 0.05)))
      assert.same({ "ESTABLISHED", "open" }, { near:state(), near:liveness() })
      assert.equal(4, near:send "data")
      assert.equal("ETIMEDOUT", code_of(near:receive(1, BOUND)))
    end)
  end)

  describe("of a rule", function()
    it("it does not see what its host forwards", function()
      local router = assert(lunet.host { name = "router", sysctl = {
        ["net.ipv4.ip_forward"] = 1, ["net.ipv4.conf.all.proxy_arp"] = 1, -- its neighbours need no routes
      } })
      local c, d = assert(lunet.host "c"), assert(lunet.host "d")
      lunet.link(c, router, { a = { "10.99.1.1/16" }, b = { "10.99.1.2/24" } })
      lunet.link(router, d, { a = { "10.99.2.2/24" }, b = { "10.99.2.1/16" } })
      assert(d:listen { port = 7000, backlog = 5 })
      assert(router:listen { port = 7000, backlog = 5 })
      local rule = assert(router:drop { direction = "both" })
      local capture = assert(router:capture())
      assert(c:connect("10.99.2.1:7000", BOUND)) -- through it
      assert.equal(0, (rule:lost()))
      eventually(function() return #capture:segments() >= 6 end) -- a capture sees them, in and out
      assert.equal("TIMEOUT", code_of(c:connect("10.99.1.2:7000", 0.05))) -- to it
      assert.is_true(rule:lost() > 0)
      for _, host in ipairs { router, c, d } do host:close() end
    end)
  end)

  describe("of a backlog", function()
    it("the kernel admits one connection more than its limit", function()
      for backlog = 0, 3 do
        local listener = assert(a:listen { backlog = backlog })
        for _ = 0, backlog do assert(a:connect(listener, BOUND)) end
        assert.same({ depth = backlog + 1, limit = backlog, drops = 0 }, listener:queue())
        assert.equal("TIMEOUT", code_of(a:connect(listener, 0.02)))
      end
    end)

    it("without cookies a backlog of 0 admits one, or nobody on older kernels", function()
      a:sysctl("net.ipv4.tcp_syncookies", 0)
      local before = a:counters()
      local listener = assert(a:listen { backlog = 0 })
      local connection = a:connect(listener, 0.1)
      if connection then
        assert.equal(1, listener:queue().depth)
      else
        assert.is_true((a:counters() - before).TCPReqQFullDrop > 0)
      end
    end)
  end)

  describe("of kill", function()
    it("it goes to all of the group", function()
      local process = assert(a:exec { "sh", "-c", [[
trap 'echo parent' TERM
sh -c 'trap "echo child; exit" TERM; echo up; while :; do sleep 0.01; done' &
wait; wait]] })
      assert.equal("up", process.stdout:receive("l", BOUND))
      assert(process:kill "SIGTERM")
      local told = { process.stdout:receive("l", BOUND), process.stdout:receive("l", BOUND) }
      table.sort(told)
      assert.same({ "child", "parent" }, told)
    end)
  end)
end)
