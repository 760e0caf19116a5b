local core = require "lunet.core"
local lunet = require "lunet"
local raised = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"

local client, router, server, near, far

-- client - router - server, two links.
before_each(function()
  client, router, server = assert(lunet.host "client"), assert(lunet.host "router"), assert(lunet.host "server")
  near, far = lunet.link(client, router, { delay = 0 }), lunet.link(router, server)
end)

after_each(function()
  for _, host in ipairs { client, router, server } do host:close() end
  assert.same({}, lunet.open_handles())
end)

local FORWARDING <const> = { ipv4 = "net.ipv4.ip_forward", ipv6 = "net.ipv6.conf.all.forwarding" }

local function forward(family) assert(router:sysctl(FORWARDING[family], 1)) end

local function route_both(family)
  assert(client:route("default", near:address(router, family)))
  assert(server:route("default", far:address(router, family)))
end

-- Connects the client to the server through the router; nil, message and code if that fails.
local function connect(family, timeout)
  local address = far:address(server, family)
  local listener <close> = assert(server:listen { address = address, backlog = 8 })
  local connection, message, code = client:connect(listener:address(), timeout or BOUND)
  if not connection then return nil, message, code end
  local accepted <close> = assert(listener:accept(BOUND))
  assert(connection:send "hello")
  assert.equal("hello", accepted:receive(5, BOUND))
  connection:reset()
  return accepted:peer()
end

describe("host:route", function()
  for family in pairs(FORWARDING) do
    it("leads through a host that forwards, over " .. family, function()
      forward(family)
      route_both(family)
      local peer = assert(connect(family))
      assert.equal(near:address(client, family), peer:match "^%[(.*)%]:%d+$" or peer:match "^(.*):%d+$")
    end)
  end

  it("leads to one network, and to no other", function()
    forward "ipv4"
    local network = far:address(server):gsub("%d+$", "0/24")
    assert(client:route(network, near:address(router)))
    assert(server:route(near:address(client), far:address(router))) -- one address
    assert(connect "ipv4")
    assert.equal("ENETUNREACH", (select(3, client:connect("10.99.0.1:7", BOUND))))
  end)

  it("ends nowhere if the host between does not forward", function()
    route_both "ipv4"
    assert(router:sysctl(FORWARDING.ipv4, 0))
    assert.equal("TIMEOUT", (select(3, connect("ipv4", 0.05))))
  end)

  it("shows hands on one link what passes both", function()
    forward "ipv4"
    route_both "ipv4"
    local task = lunet.spawn(connect, "ipv4")
    local seen = assert(near:expect({ flags = "SYN" }, BOUND))
    assert.equal(far:address(server), seen.to:match "^[^:]+")
    assert(task:join(BOUND))
  end)

  it("fails where the kernel refuses it", function()
    local function fails_with(code, ...)
      local ok, message, failure = client:route(...)
      assert.is_nil(ok)
      assert.matches("^route to .* by .*: ", message)
      assert.equal(code, failure)
    end
    assert(client:route("10.77.0.0/16", near:address(router)))
    fails_with("EEXIST", "10.77.0.0/16", near:address(router))
    fails_with("ENETUNREACH", "10.78.0.0/16", "10.99.0.1")
    fails_with("EINVAL", "10.79.0.1/16", near:address(router))
  end)

  it("refuses what is no network, and no gateway", function()
    local function refused(pattern, ...) assert.matches(pattern, raised(client.route, client, ...)) end
    refused("route: an address like 10.0.0.1 or fd00:1::1 expected as gateway, not nil", "default")
    refused("expected as gateway, not 10.0.0.0/8", "default", "10.0.0.0/8")
    refused("expected as gateway, not router", "default", "router")
    refused("route: a network like 10.1.0.0/16 or \"default\" expected, not everywhere", "everywhere", "10.0.0.1")
    refused("route: to fd00::/8 by 10.0.0.1: both IPv4 or both IPv6", "fd00::/8", "10.0.0.1")
    assert.error_matches(function() core.add_route(client, "10.0.0.0/8", "fd00::1/128") end, "both of one family")
  end)

  -- A router answers what is too long for its next link by an ICMP error that has that link's MTU.
  for family, forwarding in pairs(FORWARDING) do
    it("tell a sender how long the packets of a path may be, by " .. family, function()
      local second <close> = assert(lunet.host "second router")
      local last <close> = assert(lunet.host "last")
      local middle, further = lunet.link(router, second, { mtu = 1400 }), lunet.link(second, last)
      forward(family)
      assert(second:sysctl(forwarding, 1))
      assert(client:route("default", near:address(router, family)))
      assert(router:route("default", middle:address(second, family)))
      assert(second:route("default", middle:address(router, family)))
      assert(last:route("default", further:address(second, family)))
      local listener = assert(last:listen { address = further:address(last, family), backlog = 8 })
      local connection = assert(client:connect(listener:address(), BOUND))
      local accepted = assert(listener:accept(BOUND))
      assert.equal(1500, connection:info().tcpi_pmtu)
      local text = ("x"):rep(20000)
      assert(connection:send(text))
      assert.equal(text, accepted:receive(#text, BOUND))
      assert.equal(1400, connection:info().tcpi_pmtu)
    end)
  end
end)
