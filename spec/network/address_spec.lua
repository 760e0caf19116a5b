local address = require "lunet.network.address"
local program = require "spec.support.program"

describe("an address", function()
  it("is of IPv4 or of IPv6", function()
    for _, text in ipairs { "10.0.0.1", "10.0.0.0/24" } do assert.is_false(address.is_ipv6(text)) end
    for _, text in ipairs { "::", "fd00::1/64", "::ffff:10.0.0.1" } do assert.is_true(address.is_ipv6(text)) end
  end)

  it("may be of the loopback, of the link, or stand for all of a host's", function()
    local kinds = {
      ["127.0.0.1"] = "is_loopback", ["127.3.0.1"] = "is_loopback", ["::1"] = "is_loopback",
      ["fe80::1"] = "is_link_local", ["febf::1%eth0"] = "is_link_local", ["0.0.0.0"] = "is_any", ["::"] = "is_any",
      ["10.127.0.1"] = false, ["fd00::1"] = false, ["fec0::1"] = false, ["::10"] = false, ["::1:0"] = false,
    }
    for text, kind in pairs(kinds) do
      for _, asked in ipairs { "is_loopback", "is_link_local", "is_any" } do
        assert.equal(asked == kind, address[asked](text), asked .. " " .. text)
      end
    end
  end)

  it("may be one of IPv4 in a form of IPv6", function()
    local plain = {
      ["::ffff:10.0.0.2"] = "10.0.0.2", ["::ffff:10.0.0.0/120"] = "10.0.0.0/24", ["::ffff:10.0.0.0/96"] = "10.0.0.0/0",
      ["::ffff:0.0.0.0/95"] = "::ffff:0.0.0.0/95", ["fd00::1"] = "fd00::1", ["10.0.0.2"] = "10.0.0.2",
      ["::ffff:a00:2"] = "::ffff:a00:2",
    }
    for text, unmapped in pairs(plain) do assert.equal(unmapped, address.unmapped(text)) end
  end)

  it("has a prefix of all its bits unless it names one", function()
    assert.same({ "10.0.0.1/32", "fd00::1/128", "10.0.0.0/8" },
      { address.with_prefix "10.0.0.1", address.with_prefix "fd00::1", address.with_prefix "10.0.0.0/8" })
    assert.same({ "10.0.0.1", "fd00::1" }, { address.without_prefix "10.0.0.1/24", address.without_prefix "fd00::1" })
  end)

  it("may have a zone", function()
    assert.same({ "fe80::1", "eth0" }, { address.split_zone "fe80::1%eth0" })
    assert.same({ "fe80::1" }, { address.split_zone "fe80::1" })
  end)
end)

describe("an end point", function()
  it("is made of an address and a port, and parted into them", function()
    for text, parts in pairs {
      ["10.0.0.1:80"] = { "10.0.0.1", 80 }, ["[fd00::1]:65535"] = { "fd00::1", 65535 },
      ["[fe80::1%eth0]:7"] = { "fe80::1%eth0", 7 }, ["[::]:0"] = { "::", 0 },
    } do
      assert.equal(text, address.join(table.unpack(parts)))
      assert.same(parts, { address.ip(text), address.port(text) })
      assert.equal("integer", math.type(address.port(text)))
      assert.equal(tostring(parts[2]), address.port_text(text))
    end
  end)

  it("is no path, and nothing without a port", function()
    for _, text in ipairs { "/tmp/socket", "@abstract", "10.0.0.1", "fd00::1", "" } do
      assert.is_nil(address.ip(text), text)
    end
    for _, text in ipairs { "/tmp/socket", "10.0.0.1", "" } do assert.is_nil(address.port(text), text) end
  end)

  it("is in a range, however that is written", function()
    for _, range in ipairs { "10.0.0.0/24", "10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.0/120" } do
      assert.is_true(address.is_within("10.0.0.1:80", range), range)
      assert.is_false(address.is_within("10.0.1.1:80", range), range)
    end
    assert.is_true(address.is_within("[fd00::7]:80", "fd00::/64"))
  end)
end)

-- Elsewhere a text may be taken apart that the spec above has not seen.
it("ports are read from texts in lua/lunet/network/address.lua alone", function()
  local found = program.shell [[grep -rnF ':(%d+)$"' lua experiments]].output
  assert.matches("^lua/lunet/network/address.lua:%d+:[^\n]*\n$", found)
end)
