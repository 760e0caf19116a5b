local lunet = require "lunet"
local surroundings = require "lunet.network.surroundings"

describe("surroundings", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("hold until they are left, those around them for what they do not say", function()
    local outer, observer = surroundings.current(), { host_made = function() end }
    do
      local _entered <close> = surroundings.enter { observer = observer }
      assert.equal(outer.sysctls, surroundings.current().sysctls)
      do
        local _inner <close> = surroundings.enter { sysctls = { ["net.core.somaxconn"] = 5 } }
        assert.same({ observer, 5 }, { surroundings.current().observer,
          surroundings.current().sysctls["net.core.somaxconn"] })
      end
      assert.equal(outer.sysctls, surroundings.current().sysctls)
    end
    assert.equal(outer, surroundings.current())
  end)

  it("are what a new host gets, and tell their observer of hosts, addresses and rules", function()
    local told = {}
    local _entered <close> = surroundings.enter { sysctls = { ["net.core.somaxconn"] = 77 }, observer = {
      host_made = function(_, host) told[#told + 1] = "host " .. host:name() end,
      addresses_given = function(_, host, addresses) told[#told + 1] = ("%s: %s"):format(host:name(), addresses[1]) end,
      rule_opened = function(_, options) told[#told + 1] = "port " .. options.port end,
    } }
    lunet.scope(function()
      local a, b = assert(lunet.host "a"), assert(lunet.host "b")
      assert.equal(77, a:sysctl "net.core.somaxconn")
      lunet.link(a, b, { a = { "10.7.0.1/30" }, b = { "10.7.0.2/30" } })
      assert(b:drop { port = 80 })
    end)
    assert.same({ "host a", "host b", "a: 10.7.0.1", "b: 10.7.0.2", "port 80" }, told)
  end)
end)
