local lunet = require "lunet"
local raised = require "spec.support.raised"
local tracking = require "lunet.network.tracking"

local BOUND <const> = require "spec.support.bound"

local function line(seconds, state, ends, marks)
  return ("ipv4     2 tcp      6 %s %s %s [ASSURED] mark=0 zone=0 use=2%s\n"):format(seconds, state, ends, marks or "")
end

local IPV4 <const> = "src=10.0.0.1 dst=10.0.1.2 sport=40000 dport=80 %ssrc=10.0.1.2 dst=10.0.1.1 sport=80 dport=40001"
local IPV6 <const> = "src=fd00:0001:0000:0000:0000:0000:0000:0001 dst=fd00:0002:0000:0000:0000:0000:0000:0102 sport=1 "
  .. "dport=2 %ssrc=0000:0000:0000:0000:0000:0000:0000:0001 dst=00a1:0001:0002:0003:0004:0005:0006:0007 sport=3 dport=4"

describe("the text of tracked connections", function()
  it("has the ends of both directions, before and after a translation", function()
    assert.same({ { state = "ESTABLISHED", seconds = 431999, from = "10.0.0.1:40000", to = "10.0.1.2:80",
      reply_from = "10.0.1.2:80", reply_to = "10.0.1.1:40001", replied = true, assured = true } },
      tracking.parse(line("431999", "ESTABLISHED", IPV4:format "")))
  end)

  it("writes IPv6 addresses as sockets do", function()
    local one = tracking.parse(line("5", "SYN_SENT", IPV6:format "[UNREPLIED] "))[1]
    assert.same({ "[fd00:1::1]:1", "[fd00:2::102]:2", "[::1]:3", "[a1:1:2:3:4:5:6:7]:4", false },
      { one.from, one.to, one.reply_from, one.reply_to, one.replied })
  end)

  it("has no other protocols, and may be empty", function()
    local udp = "ipv4     2 udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 "
      .. "dport=1 mark=0 zone=0 use=2\n"
    assert.same({}, tracking.parse(""))
    local two = line("1", "TIME_WAIT", IPV4:format "") .. line("2", "CLOSE", IPV4:format "")
    assert.equal(2, #tracking.parse(udp .. two))
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
