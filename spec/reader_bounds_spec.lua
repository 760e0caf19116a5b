-- connection:receive: what it refuses, and how much it takes at one go.
local lunet = require "lunet"
local families = require "spec.support.families"
local pair = require "spec.support.pair"

local BOUND <const> = require "spec.support.bound"

setup(families.open)
teardown(families.close)

describe("a receive", function()
  local near, far, listener
  before_each(function() near, far, listener = pair.open() end)

  after_each(function() pair.close(near, far, listener) end)

  it("refuses to receive what it does not know", function()
    local expected = "bad argument #[12] to '.*' %(\"l\", \"L\", \"a\", a number of bytes %(0 or more%) or nothing"
    for _, what in ipairs { "x", "*l", "", "ll", -1, 1.5, math.huge, 0 / 0, true, {}, print } do
      assert.error_matches(function() far:receive(what) end, expected)
    end
  end)

  it("refuses what is no timeout", function()
    assert.error_matches(function() far:receive("l", -0.1) end, "seconds, 0 or more")
    assert.error_matches(function() far:receive("l", "1") end, "seconds, 0 or more; not string")
    assert.error_matches(function() far:receive("l", {}) end, "seconds, 0 or more; not table")
    assert.error_matches(function() far:lines "l" end, "a timeout is a number of seconds, 0 or more")
    assert.error_matches(function() far:lines(-1) end, "a timeout is a number of seconds, 0 or more")
    assert.error_matches(function() far.receive(listener, "l") end, "lunet.connection expected")
  end)
end)

describe("a receive of more than it takes at one go", function()
  -- It lets others have their turn after 16 MiB, and the kernel does not announce again what is there already.
  it("goes on though nothing more comes", function()
    local size = 20 * 1024 * 1024
    local room = ("4096 %d %d"):format(4 * size, 4 * size)
    local host <close> = assert(lunet.host {
      sysctl = { ["net.ipv4.tcp_rmem"] = room, ["net.ipv4.tcp_wmem"] = room },
    })
    local listener <close> = assert(host:listen { backlog = 1 })
    local near <close> = assert(host:connect(listener, BOUND))
    local far <close> = assert(listener:accept(BOUND))
    local first = lunet.spawn(far.receive, far, 1, BOUND) -- from here on the descriptor is watched
    assert(lunet.sleep(0))
    assert(near:send "x")
    assert(first:join(BOUND))
    assert.equal(size, near:send(("x"):rep(size)))
    assert(lunet.eventually(function() return far:unread() == size end, BOUND)) -- all of it is announced
    assert.equal(size, #assert(far:receive(size, BOUND)))
  end)
end)
