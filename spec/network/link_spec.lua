local core = require "lunet.core"
local lunet = require "lunet"
local interfaces = require "lunet.network.interfaces"
local converse = require "spec.support.converse"
local raised = require "spec.support.raised"

local function has_interface(host, interface)
  return host:sysctl("net.ipv4.conf." .. interface .. ".forwarding") ~= nil
end

describe("a link", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("carries connections both ways", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    lunet.link(a, b)
    converse(a, assert(b:listen { backlog = 1 }))
    converse(b, assert(a:listen { backlog = 1 }))
  end)

  it("is up at both ends when it is there", function()
    for _ = 1, 20 do
      local a <close> = assert(lunet.host())
      local b <close> = assert(lunet.host())
      lunet.link(a, b)
      assert.same({ true, true }, { core.link_is_up(a, "eth0"), core.link_is_up(b, "eth0") })
    end
  end)

  -- On Linux 6.1 a pair whose two ends have the same number takes a second to come up (core/platform/link.c).
  it("gives every interface of the process a number of its own, at both ends", function()
    local seen = {}
    local function note_numbers(host)
      local groups = assert(core.read_file(host, "/proc/thread-self/net/igmp"))
      for number, name in groups:gmatch "(%d+)\t(%w+)%s*:" do
        if name ~= "lo" then
          assert.is_nil(seen[number], ("%s of %s has the number %s again"):format(name, host, number))
          seen[number] = true
        end
      end
    end
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    local c <close> = assert(lunet.host())
    lunet.link(a, b)
    lunet.link(a, c, { delay = 0.001 })
    local lan <close> = lunet.lan { a, b, c }
    for _, host in ipairs { a, b, c } do note_numbers(host) end
    local count = 0
    for _ in pairs(seen) do count = count + 1 end
    assert.equal(7, count, tostring(lan))
  end)

  it("lets other tasks go on while it comes up", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    local is_up, others_went_on = core.link_is_up, false
    core.link_is_up = function(...) return is_up(...) and others_went_on end
    local restored <close> = setmetatable({}, { __close = function() core.link_is_up = is_up end })
    local task <close> = lunet.spawn(function() others_went_on = true end)
    lunet.link(a, b)
    assert.is_true(task:join(10))
    assert.is_not_nil(restored)
  end)

  it("chooses an address of IPv4 and one of IPv6 for each end", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    local outsider <close> = assert(lunet.host())
    local link = lunet.link(a, b)
    assert.matches("^10%.%d+%.%d+%.1$", link:address(a))
    assert.matches("^10%.%d+%.%d+%.2$", link:address(b))
    assert.equal(link:address(a), link:address(a, "ipv4"))
    assert.matches("^fd00:%x+::1$", link:address(a, "ipv6"))
    assert.matches("^fd00:%x+::2$", link:address(b, "ipv6"))
    assert.is_nil(link:address(outsider))
  end)

  it("gives IPv4 alone to a host without IPv6, and both to the other", function()
    local without <close> = assert(lunet.host { name = "a", sysctl = { ["net.ipv6.conf.all.disable_ipv6"] = 1 } })
    local b <close> = assert(lunet.host "b")
    local ways = { function() return lunet.link(without, b) end, function() return lunet.lan { without, b } end,
      function() return lunet.link(without, b, { delay = 0.001 }) end }
    for _, join in ipairs(ways) do
      local net <close> = join()
      assert.matches("^10%.", net:address(without))
      local address, why, code = net:address(without, "ipv6")
      assert.same({ nil, "EAFNOSUPPORT" }, { address, code })
      assert.equal("host a has no IPv6: net.ipv6.conf.default.disable_ipv6 is 1 there (EAFNOSUPPORT)", why)
      assert.matches("^fd00:", net:address(b, "ipv6"))
      converse(without, assert(b:listen { address = "::", backlog = 1 }))
      converse(b, assert(without:listen { backlog = 1 }))
    end
  end)

  -- To open a file of a new host's /proc/sys/net/ipv6 doubles the time that a link takes.
  it("reads nothing of hosts that have IPv6", function()
    local a <close> = assert(lunet.host "a")
    local b <close> = assert(lunet.host "b")
    local original, read = core.read_file, {}
    core.read_file = function(host, path) -- luacheck: ignore 122
      read[#read + 1] = path
      return original(host, path)
    end
    local made, net = pcall(lunet.link, a, b)
    core.read_file = original -- luacheck: ignore 122
    assert.is_true(made, net)
    assert.same({}, read)
    assert.matches("^fd00:", net:address(a, "ipv6"))
  end)

  it("says so where IPv6 is asked for on a host without it", function()
    local a <close> = assert(lunet.host { name = "a", sysctl = { ["net.ipv6.conf.all.disable_ipv6"] = 1 } })
    local b <close> = assert(lunet.host "b")
    local why = "host a has no IPv6"
    assert.matches(why, raised(lunet.link, a, b, { a = { "fd00:7::1/64" } }), 1, true)
    assert.matches("^listen .*; " .. why, (select(2, a:listen { address = "::1", backlog = 1 })))
    assert.matches("^connect .*; " .. why, (select(2, a:connect("[fd00:7::2]:7000", 10))))
    assert.same({ nil, "EAFNOSUPPORT" }, { interfaces.have_ipv6(a), (select(3, interfaces.have_ipv6(a))) })
    assert.is_true(interfaces.have_ipv6(b))
  end)

  it("takes addresses as given", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    local link = lunet.link(a, b, {
      a = { "192.168.7.1/29", "fd00:7::1/126" },
      b = { "192.168.7.2/29", "fd00:7::2/126", "192.168.7.3/29" },
    })
    assert.equal("192.168.7.1", link:address(a))
    assert.equal("fd00:7::2", link:address(b, "ipv6"))
    local listener = assert(b:listen { address = "192.168.7.3", backlog = 1 })
    local near, far = converse(a, listener)
    assert.matches("^192%.168%.7%.3:", (near:peer()))
    assert.matches("^192%.168%.7%.1:", (far:peer()))
  end)

  it("may be one of several of a host, by IPv4 and IPv6", function()
    local server <close> = assert(lunet.host())
    local first <close> = assert(lunet.host())
    local second <close> = assert(lunet.host())
    local link1, link2 = lunet.link(server, first), lunet.link(second, server)
    for _, address in ipairs { "0.0.0.0", "::" } do
      local family = address == "::" and "ipv6" or "ipv4"
      local listener = assert(server:listen { address = address, backlog = 1 })
      local near1 = converse(first, listener)
      local near2 = converse(second, listener)
      assert.is_truthy(near1:peer():find(link1:address(server, family), 1, true))
      assert.is_truthy(near2:peer():find(link2:address(server, family), 1, true))
      converse(server, assert(first:listen { address = address, backlog = 1 }))
      converse(server, assert(second:listen { address = address, backlog = 1 }))
    end
  end)

  -- Networks were known by weak references, and forgotten when a script had dropped what lunet.link returned.
  it("is known as long as its hosts are", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    lunet.link(a, b)
    collectgarbage()
    collectgarbage()
    converse(a, assert(b:listen { backlog = 1 }))
  end)

  it("reaches a listener on any IPv6 address by IPv4 where there is no other", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    lunet.link(a, b, { a = { "192.168.7.1/24" }, b = { "192.168.7.2/24" } })
    local near = converse(a, assert(b:listen { address = "::", backlog = 1 }))
    assert.matches("^192%.168%.7%.2:", (near:peer()))
  end)

  it("loses nothing of a first connect, by IPv4 nor by IPv6", function()
    local server <close> = assert(lunet.host())
    local listener4 = assert(server:listen { backlog = 100 })
    local listener6 = assert(server:listen { address = "::", port = 7000, backlog = 100 })
    for _ = 1, 50 do
      local client <close> = assert(lunet.host())
      lunet.link(server, client)
      assert(client:connect(listener4, 10))
      assert(client:connect(listener6, 10))
      local counters = client:counters()
      assert.same({ 2, 0, 0 }, { counters.ActiveOpens, counters.TCPSynRetrans, counters.RetransSegs })
    end
    assert.equal(0, server:counters().TCPSynRetrans)
  end)

  it("ends with any of its hosts", function()
    local a <close> = assert(lunet.host())
    local b = assert(lunet.host())
    local link = lunet.link(a, b)
    assert.is_true(has_interface(a, "eth0"))
    b:close()
    assert.is_nil(link:address(a))
    assert.matches(" %(closed%)$", tostring(link))
    assert(lunet.eventually(function() return not has_interface(a, "eth0") end, 30))
  end)

  it("can be closed, twice and after its hosts", function()
    local a = assert(lunet.host "a")
    local b = assert(lunet.host "b")
    local listener = assert(b:listen { backlog = 1 })
    local link = lunet.link(a, b)
    local later = lunet.link(a, b)
    assert.equal("link of a and b", tostring(link))
    assert.is_true(link:close())
    assert.is_true(link:close())
    assert.equal("link of a and b (closed)", tostring(link))
    assert.is_false(has_interface(a, "eth0"))
    assert.is_nil(link:address(a))
    converse(a, listener) -- by the later one
    a:close()
    assert.is_true(later:close())
    b:close()
  end)

  -- Until then a router asks for no neighbour, and an IPv6 connect through it took two seconds, or failed.
  it("does not wait for the detection of duplicate addresses", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    lunet.link(a, b)
    lunet.link(a, b, { delay = 0 })
    local _lan <close> = lunet.lan { a, b }
    for _, interface in ipairs { "eth0", "eth1", "eth2" } do
      for _, host in ipairs { a, b } do
        assert.equal(0, host:sysctl(("net.ipv6.conf.%s.accept_dad"):format(interface)))
      end
    end
  end)

  it("takes packets of at most its MTU, also as a wire", function()
    for _, delay in ipairs { false, 0 } do
      local a <close> = assert(lunet.host())
      local b <close> = assert(lunet.host())
      lunet.link(a, b, { mtu = 1280, delay = delay or nil })
      local listener = assert(b:listen { backlog = 1 })
      local connection = assert(a:connect(listener, 10))
      local accepted = assert(listener:accept(10))
      assert.same({ 1280, 1280 }, { connection:info().tcpi_pmtu, accepted:info().tcpi_pmtu })
      assert(connection:send(("x"):rep(5000)))
      assert.equal(5000, #assert(accepted:receive(5000, 10)))
    end
  end)

  it("is not there to be used once it is closed", function()
    local a <close> = assert(lunet.host "a")
    local b <close> = assert(lunet.host "b")
    local listener = assert(b:listen { backlog = 1 })
    do
      local link <close> = lunet.link(a, b)
      converse(a, listener)
      assert.is_string(link:address(a))
    end
    assert.matches("a and b share no network", raised(a.connect, a, listener, 1), 1, true)
  end)

  local MORTAL <const> = {
    ["a link with a delay"] = function(a, b) return lunet.link(a, b, { delay = 0 }) end,
    ["a LAN"] = function(a, b) return lunet.lan { a, b } end,
    ["a LAN with a delay"] = function(a, b) return lunet.lan({ a, b }, { delay = 0 }) end,
  }
  for name, join in pairs(MORTAL) do
    it("is not there to be used once the scope has ended that made it, as " .. name, function()
      local a <close> = assert(lunet.host "a")
      local b <close> = assert(lunet.host "b")
      local listener = assert(b:listen { backlog = 1 })
      for _ = 1, 8 do -- which of several networks a connect finds is a matter of chance
        local ended
        lunet.scope(function()
          ended = join(a, b)
          converse(a, listener)
        end)
        assert.is_nil(ended:address(b))
        assert.matches(" %(closed%)$", tostring(ended))
      end
      assert.matches("a and b share no network", raised(a.connect, a, listener, 1), 1, true)
    end)
  end

  it("reaches a listener that was closed, to be refused", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    lunet.link(a, b)
    local listener = assert(b:listen { backlog = 1 })
    listener:close()
    local connection, _, code = a:connect(listener, 10)
    assert.is_nil(connection)
    assert.equal("ECONNREFUSED", code)
  end)

  it("is not left half made when the kernel refuses an address", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    local failure = raised(lunet.link, a, b, { a = { "10.9.0.1/24", "10.9.0.1/24" } })
    assert.matches("10.9.0.1/24", failure, 1, true)
    assert.matches("EEXIST", failure, 1, true)
    assert.is_false(has_interface(a, "eth0"))
    lunet.link(a, b)
    converse(a, assert(b:listen { backlog = 1 }))
  end)

  it("is refused to what are no two open hosts, or has no such options", function()
    local a <close> = assert(lunet.host "a")
    local b <close> = assert(lunet.host "b")
    assert.matches("#2 to 'link' (host expected, got nil)", raised(lunet.link, a), 1, true)
    assert.matches("#1 to 'link' (host expected, got string)", raised(lunet.link, "a", b), 1, true)
    assert.matches("host a is given twice", raised(lunet.link, a, a), 1, true)
    assert.matches("table of options expected", raised(lunet.link, a, b, "10.0.0.1/24"), 1, true)
    assert.matches("unknown option 'c' (known: a, a_to_b, b, b_to_a", raised(lunet.link, a, b, { c = {} }), 1, true)
    for _, mtu in ipairs { 1279, 1501, 1400.5, "1400" } do
      assert.matches("link: mtu: a whole number from 1280 to 1500 expected", raised(lunet.link, a, b, { mtu = mtu }), 1,
        true)
    end
    assert.matches("link: a: a table expected", raised(lunet.link, a, b, { a = "10.0.0.1/24" }), 1, true)
    for _, text in ipairs { "10.0.0.1", "10.0.0.1/33", "10.0.0/8", "fd00::1/129", "fd00::1/", "x/8", "unix:/x/8" } do
      assert.matches(('link: a: an address with a prefix length, like 10.0.0.1/24 or fd00::1/64 expected, not "%s"')
        :format(text),
        raised(lunet.link, a, b, { a = { text } }), 1, true)
    end
    assert.matches("an address with a prefix length", raised(lunet.link, a, b, { b = { 10 } }), 1, true)
    assert.is_false(has_interface(a, "eth0"))
  end)
end)
