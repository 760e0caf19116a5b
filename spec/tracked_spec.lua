local lunet = require "lunet"
local raised = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"

describe("the connections that a host tracks", function()
  local client, router, server

  before_each(function()
    client, router, server = assert(lunet.host "client"), assert(lunet.host "router"), assert(lunet.host "server")
  end)
  after_each(function()
    for _, host in ipairs { client, router, server } do host:close() end
    assert.same({}, lunet.open_handles())
  end)

  it("have the ends of both directions, of either family", function()
    for _, family in ipairs { { "10.7.1.", "/24", "%s:%d" }, { "fd00:7:1::", "/64", "[%s]:%d" } } do
      local base, prefix, form = table.unpack(family)
      local _link <close> = lunet.link(client, router, { a = { base .. "1" .. prefix }, b = { base .. "2" .. prefix } })
      local rule <close> = assert(router:drop { state = "invalid" })
      local listener <close> = assert(router:listen { address = base .. "2", port = 7300, backlog = 5 })
      local connection = assert(client:connect(listener, BOUND))
      local _, port = connection:address()
      local from, to = form:format(base .. "1", port), form:format(base .. "2", 7300)
      assert(lunet.eventually(function() return router:tracked()[1].state == "ESTABLISHED" end, BOUND))
      local tracked = assert(router:tracked())
      assert.is_true(tracked[1].seconds > 1000)
      tracked[1].seconds = nil
      assert.same({ { state = "ESTABLISHED", from = from, to = to, reply_from = to, reply_to = from, replied = true,
        assured = true } }, tracked)
      assert(router:sysctl("net.netfilter.nf_conntrack_tcp_timeout_close", 1))
      assert.is_true(connection:reset())
      assert.equal(0, (rule:lost()))
      assert(lunet.eventually(function() return #router:tracked() == 0 end, BOUND))
    end
  end)

  it("are none before a rule asks for a state, nor when the host is closed", function()
    lunet.link(client, router)
    local listener = assert(router:listen { port = 7300, backlog = 5 })
    assert(client:connect(listener, BOUND))
    assert.same({}, router:tracked())
    router:close()
    assert.matches("the host is closed", raised(router.tracked, router), 1, true)
  end)

  it("may be many, and half open", function()
    lunet.link(client, router)
    local rule <close> = assert(router:drop { state = "invalid" })
    local listener = assert(router:listen { port = 7300, backlog = 100 })
    for _ = 1, 40 do assert(client:connect(listener, BOUND)) end
    local deaf <close> = assert(client:drop { flags = "SYN-ACK" })
    assert.equal("TIMEOUT", select(3, client:connect(listener, 0.05)))
    local count = 0
    for _, one in ipairs(assert(router:tracked())) do
      if one.state == "SYN_RECV" then
        count = count + 1
        assert.same({ true, false }, { one.replied, one.assured })
      end
    end
    assert.same({ 41, 1 }, { #router:tracked(), count })
    assert.equal(0, (rule:lost()))
    assert.is_true(deaf:lost() >= 1)
  end)

  it("belong to a host", function()
    assert.matches("lunet.host expected", raised(router.tracked, 5), 1, true)
  end)
end)

describe("a rule about what a host passes on", function()
  local client, router, server, near, far, listener

  before_each(function()
    client, router, server = assert(lunet.host "client"), assert(lunet.host "router"), assert(lunet.host "server")
    near, far = lunet.link(client, router, { delay = 0 }), lunet.link(router, server)
    assert(client:route("default", near:address(router)))
    assert(server:route("default", far:address(router)))
    assert(router:sysctl("net.ipv4.ip_forward", 1))
    listener = assert(server:listen { port = 7300, backlog = 5 })
  end)
  after_each(function()
    for _, host in ipairs { client, router, server } do host:close() end
    assert.same({}, lunet.open_handles())
  end)

  local function connect(timeout) return client:connect(far:address(server) .. ":7300", timeout or BOUND) end

  it("loses it, or answers for the server", function()
    local own = assert(router:listen { port = 7300, backlog = 5 })
    local rule = assert(router:drop { direction = "forward", flags = "SYN", to_port = 7300 })
    assert.equal("TIMEOUT", select(3, connect(0.05)))
    assert.is_true(rule:lost() >= 1)
    assert(client:connect(own, BOUND)) -- which comes to the router itself
    rule:close()
    rule = assert(router:drop { direction = "forward", to_port = 7300, reject = "reset" })
    assert.equal("ECONNREFUSED", select(3, connect()))
    assert.equal(1, (rule:lost()))
    assert(rule:close())
    assert(connect())
  end)

  it("may lose only what belongs to no connection", function()
    local rule = assert(router:drop { direction = "forward", state = "invalid" })
    local connection = assert(connect())
    local accepted = assert(listener:accept(BOUND))
    assert(connection:send "whole")
    assert.equal("whole", accepted:receive(5, BOUND))
    assert.equal(0, (rule:lost()))
    near:inject { like = connection, flags = "ACK", seq = "+100000000", data = "late" }
    assert(lunet.eventually(function() return rule:lost() == 1 end, BOUND))
    assert(connection:send "again")
    assert.equal("again", accepted:receive(5, BOUND))
  end)

  it("knows no state of what leaves", function()
    for _, direction in ipairs { "out", "both" } do
      local options = { state = "invalid", direction = direction }
      assert.matches("drop: state: direction", raised(router.drop, router, options))
    end
    assert.matches("drop: state", raised(router.drop, router, { state = "new" }))
  end)
end)
