local can = require "lunet.run.can"
local core = require "lunet.core"
local lunet = require "lunet"
local raised = require "spec.support.raised"

-- One of the core's functions while the value is open: it fails.
local function refusing(name, code)
  local fn = core[name]
  core[name] = function() return nil, ("%s: refused (%s)"):format(name, code), code end
  return setmetatable({}, { __close = function() core[name] = fn end })
end

describe("lunet.can", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("says yes where it can", function()
    for _, ability in ipairs(can.ABILITIES) do assert.same({ true }, { lunet.can(ability.name) }, ability.name) end
    assert.same({ true }, { lunet.can "net.ipv4.tcp_syncookies" })
  end)

  it("says why not, and by which error", function()
    for what, call in pairs { hosts = "host", links = "link", delay = "wire", drop = "drop", capture = "capture",
      sysctls = "write_file", ["net.core.somaxconn"] = "write_file" } do
      local _refused <close> = refusing(call, "ENODEV")
      local yes, why, code = lunet.can(what)
      assert.same({ nil, "ENODEV" }, { yes, code }, what)
      assert.matches("ENODEV", why, 1, true, what)
    end
  end)

  it("knows a setting that hosts do not show, by the table of features", function()
    local _refused <close> = refusing("read_file", "ENOENT")
    local yes, why, code = lunet.can "net.core.somaxconn"
    assert.same({ nil, "ENOENT" }, { yes, code })
    assert.matches("net.core.somaxconn", why, 1, true)
  end)

  it("raises for what it does not know, on the script's line", function()
    assert.matches("spec/run/can_spec.lua:%d+: can: one of hosts, .* expected, not magic",
      raised(function() lunet.can "magic" end))
    assert.matches("expected, not nil", raised(function() lunet.can() end))
    assert.matches("expected, not vm.swappiness", raised(function() lunet.can "vm.swappiness" end))
  end)
end)
