local lunet = require "lunet"
local raised = require "spec.support.raised"

describe("a host's counters", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("are those of Tcp and TcpExt, by the kernel's names", function()
    local host <close> = assert(lunet.host())
    local counters = assert(host:counters())
    for _, name in ipairs { "ActiveOpens", "CurrEstab", "RetransSegs", "ListenOverflows", "TCPSynRetrans" } do
      assert.equal(0, counters[name], name)
    end
    assert.equal(-1, counters.MaxConn)
    assert.equal("integer", math.type(counters.RtoMin))
  end)

  it("tell by their difference what moved", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 1 })
    local before = assert(host:counters())
    local connection = assert(host:connect(listener, 10))
    assert(lunet.eventually(function() return listener:queue().depth == 1 end, 10))
    local moved = host:counters() - before
    assert.equal(1, moved.ActiveOpens)
    assert.equal(1, moved.PassiveOpens)
    assert.equal(2, moved.CurrEstab)
    assert.equal(0, moved.AttemptFails)
    assert.is_nil(rawget(moved, "AttemptFails")) -- it did not move
    before = host:counters()
    connection:reset()
    assert(lunet.eventually(function() return (host:counters() - before).CurrEstab == -2 end, 10))
    assert.equal(1, (host:counters() - before).OutRsts)
  end)

  it("stay when nothing happens", function()
    local host <close> = assert(lunet.host())
    local before = host:counters()
    assert.is_nil(next(host:counters() - before))
  end)

  it("count what an overflowing queue drops", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 1 })
    local before = host:counters()
    local _first <close> = assert(host:connect(listener, 10))
    local _second <close> = assert(host:connect(listener, 10)) -- one more than the backlog
    assert(lunet.eventually(function() return listener:queue().depth == 2 end, 10))
    assert.equal(0, (host:counters() - before).ListenOverflows)
    local late = lunet.spawn(function() return host:connect(listener) end)
    assert(lunet.eventually(function() return (host:counters() - before).ListenOverflows > 0 end, 10))
    late:cancel()
    local moved = host:counters() - before
    assert.equal(moved.ListenOverflows, moved.ListenDrops)
    assert.equal(3, moved.ActiveOpens)
    assert.equal(2, moved.PassiveOpens)
    assert.same({ depth = 2, limit = 1, drops = 1 }, listener:queue())
  end)

  it("have no others", function()
    local host <close> = assert(lunet.host())
    local counters = host:counters()
    assert.matches("no counter of this kernel is called 'NoSuch'",
      raised(function() return counters.NoSuch end), 1, true)
    assert.matches("no counter of this kernel is called 'NoSuch'",
      raised(function() return (counters - counters).NoSuch end), 1, true)
    local rows = require("lunet.network.features").TABLE.counter
    rows.NoSuch = { "99.5", "commit 0" }
    local text = raised(function() return counters.NoSuch end)
    rows.NoSuch = nil
    assert.matches("counters: NoSuch came with Linux 99.5", text, 1, true)
    assert.matches("spec/network/counters_spec.lua:", raised(function() return counters.NoSuch end), 1, true)
  end)

  it("are subtracted from nothing else", function()
    local host <close> = assert(lunet.host())
    local counters = host:counters()
    assert.matches("two snapshots expected", raised(function() return counters - 5 end), 1, true)
    assert.matches("two snapshots expected", raised(function() return {} - counters end), 1, true)
    assert.matches("two snapshots expected",
      raised(function() return counters - (counters - counters) end), 1, true)
  end)
end)
