local lunet = require "lunet"
local converse = require "spec.support.converse"
local raised = require "spec.support.raised"

local function has_interface(host, interface)
  return host:sysctl("net.ipv4.conf." .. interface .. ".forwarding") ~= nil
end

describe("a LAN", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("lets each of its hosts reach every other", function()
    lunet.scope(function()
      local hosts = {}
      for i = 1, 4 do hosts[i] = assert(lunet.host()) end
      local lan = lunet.lan(hosts)
      for i, server in ipairs(hosts) do
        for _, address in ipairs { "0.0.0.0", "::" } do
          local listener = assert(server:listen { address = address, backlog = 4 })
          for j, client in ipairs(hosts) do
            if i ~= j then converse(client, listener) end
          end
        end
        assert.matches("^10%.%d+%.0%." .. i .. "$", lan:address(server))
        assert.matches("^fd00:%x+::" .. i .. "$", lan:address(server, "ipv6"))
      end
    end)
  end)

  it("loses nothing of first connects", function()
    lunet.scope(function()
      local server = assert(lunet.host())
      local hosts = { server }
      for i = 2, 30 do hosts[i] = assert(lunet.host()) end
      lunet.lan(hosts)
      local listener = assert(server:listen { backlog = 100 })
      for i = 2, #hosts do
        assert(hosts[i]:connect(listener, 10))
        local counters = hosts[i]:counters()
        assert.same({ 0, 0 }, { counters.TCPSynRetrans, counters.RetransSegs })
      end
    end)
  end)

  it("goes with links to others", function()
    lunet.scope(function()
      local server, near, far = assert(lunet.host()), assert(lunet.host()), assert(lunet.host())
      lunet.lan { server, near }
      lunet.link(server, far)
      local listener = assert(server:listen { backlog = 2 })
      converse(near, listener)
      converse(far, listener)
      local on_near = assert(near:listen { backlog = 1 })
      assert.matches("share no network", raised(far.connect, far, on_near, 1), 1, true)
    end)
  end)

  it("can be closed, twice and after its hosts", function()
    local a = assert(lunet.host "a")
    local b = assert(lunet.host "b")
    local c = assert(lunet.host "c")
    local lan = lunet.lan { a, b, c }
    local listener = assert(a:listen { backlog = 1 })
    assert.equal("LAN of a and b and c", tostring(lan))
    c:close()
    converse(b, listener)
    assert.is_true(lan:close())
    assert.is_true(lan:close())
    assert.matches("share no network", raised(b.connect, b, listener, 1), 1, true)
    assert(lunet.eventually(function() return not has_interface(a, "eth0") end, 30))
    a:close()
    b:close()
  end)

  it("is refused to what is no list of open hosts", function()
    local a <close> = assert(lunet.host "a")
    assert.matches("list of hosts expected", raised(lunet.lan, a), 1, true)
    assert.matches("no host is in the list", raised(lunet.lan, {}), 1, true)
    local many = {}
    for number = 1, 1024 do many[number] = a end
    assert.matches("lan: at most 1023 hosts, not 1024: a bridge has no more ports", raised(lunet.lan, many), 1, true)
    assert.matches("#2 to 'lan' (host expected, got string)", raised(lunet.lan, { a, "b" }), 1, true)
    assert.matches("host a is given twice", raised(lunet.lan, { a, a }), 1, true)
  end)
end)
