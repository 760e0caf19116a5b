-- connection:discard takes bytes, counts them and keeps none. On TCP the kernel copies none of them.
local core = require "lunet.core"
local lunet = require "lunet"
local families = require "spec.support.families"
local pair = require "spec.support.pair"

local BOUND <const> = require "spec.support.bound"

setup(families.open)
teardown(families.close)

for _, family in ipairs(families) do
  describe("a discard on " .. family.name, function()
    local near, far, listener

    before_each(function() near, far, listener = pair.open { address = family.address(), backlog = 5 } end)

    after_each(function() pair.close(near, far, listener) end)

    local function deliver(data) pair.deliver(near, far, data) end

    it("takes exactly as many bytes as it is told to, and none after them", function()
      deliver "hello, world"
      assert.equal(7, far:discard(7, BOUND))
      assert.equal(5, (far:unread()))
      assert.equal("world", far:receive(5, BOUND))
      assert.equal(0, far:discard(0, 0))
    end)

    it("takes first what a failed receive has left", function()
      deliver "abc"
      assert.equal("TIMEOUT", select(3, far:receive(10, 0.01)))
      assert.same({ 0, 3 }, { far:unread() })
      deliver "defgh"
      assert.equal(2, far:discard(2, BOUND))
      assert.equal(3, far:discard(3, BOUND))
      assert.equal("fgh", far:receive(3, BOUND))
    end)

    it("waits for bytes that have not come yet", function()
      deliver "123"
      local task = lunet.spawn(far.discard, far, 8, BOUND)
      assert(lunet.sleep(0))
      assert(near:send("45678rest", BOUND))
      assert.same({ true, 8 }, { task:join(BOUND) })
      assert.equal("rest", far:receive(4, BOUND))
    end)

    it("tells how many bytes it took before its deadline; they are gone", function()
      deliver "1234"
      local bytes, _, code, discarded = far:discard(10, 0.01)
      assert.same({ nil, "TIMEOUT", 4 }, { bytes, code, discarded })
      assert.same({ 0, 0 }, { far:unread() })
      assert.same({ nil, "TIMEOUT", 0 }, { bytes, select(3, far:discard("a", 0)) })
      deliver "5678"
      assert.equal("5678", far:receive(nil, BOUND))
    end)

    it("of all goes on to the end, and finds nothing behind it", function()
      assert(near:send(("x"):rep(50000), BOUND))
      local task = lunet.spawn(far.discard, far, "a", BOUND)
      assert(lunet.sleep(0))
      assert(near:send(("x"):rep(50001), BOUND))
      near:close()
      assert.same({ true, 100001 }, { task:join(BOUND) })
      assert.equal(0, far:discard("a", BOUND))
      assert.equal("", far:receive("a", BOUND))
    end)

    it("of more than comes ends with EOF, and tells how many came", function()
      deliver "12345"
      near:close()
      local bytes, message, code, discarded = far:discard(6, BOUND)
      assert.same({ nil, "EOF", 5 }, { bytes, code, discarded })
      assert.match("^discard: the peer has ended its side", message)
      assert.equal("EOF", far:ended())
    end)

    it("ends when its task or its connection does", function()
      local task = lunet.spawn(far.discard, far, 1, BOUND)
      assert(lunet.sleep(0))
      task:cancel()
      assert.equal("CANCELED", select(3, task:join(BOUND)))
      local second = lunet.spawn(far.discard, far, 1, BOUND)
      assert(lunet.sleep(0))
      far:close()
      local _, bytes, _, code, discarded = second:join(BOUND)
      assert.same({ nil, "CLOSED", 0 }, { bytes, code, discarded })
      assert.same({ "CLOSED", 0 }, { select(3, far:discard(1, BOUND)) })
    end)

    it("lets a receive behind it have the next bytes", function()
      local discard, receive = lunet.spawn(far.discard, far, 3, BOUND), lunet.spawn(far.receive, far, 2, BOUND)
      assert(lunet.sleep(0))
      assert(near:send("12345", BOUND))
      assert.same({ true, 3 }, { discard:join(BOUND) })
      assert.same({ true, "45" }, { receive:join(BOUND) })
    end)

    it("takes more than one attempt may", function()
      local size <const> = 40 * 1024 * 1024
      local task = lunet.spawn(far.discard, far, size, BOUND)
      for _ = 1, 40 do assert(near:send(("x"):rep(1024 * 1024), BOUND)) end
      assert.same({ true, size }, { task:join(BOUND) })
      assert.same({ 0, 0 }, { far:unread() })
    end)
  end)
end

describe("a discard", function()
  local near, far, listener
  before_each(function() near, far, listener = pair.open() end)

  after_each(function() pair.close(near, far, listener) end)

  it("tells how many bytes came before a reset, and then the reset", function()
    assert(near:send("12345", BOUND))
    assert(lunet.eventually(function() return far:unread() == 5 end, BOUND))
    near:reset()
    assert.same({ "ECONNRESET", 5 }, { select(3, far:discard(9, BOUND)) })
    assert.same({ "EOF", 0 }, { select(3, far:discard("a", BOUND)) })
    assert.equal("EOF", far:ended())
  end)

  it("is a receive in the trace, with the bytes that it took", function()
    assert(near:send("12345", BOUND))
    near:close()
    local first, was_recording = core.record(false)
    far:discard(2, BOUND)
    far:discard(9, BOUND)
    core.record(was_recording)
    local taken = {}
    for i, event in ipairs((core.events(first))) do taken[i] = { event.kind, event.bytes, event.code } end
    assert.same({ { "receive", 2 }, { "receive", 3, "EOF" } }, taken)
  end)

  it("refuses to discard what it does not know", function()
    for _, what in ipairs { "l", "*a", "", -1, 1.5, math.huge, 0 / 0, true, {}, print } do
      assert.error_matches(function() far:discard(what) end, '"a" or a number of bytes %(0 or more%) expected')
    end
    assert.error_matches(function() far:discard() end, '"a" or a number of bytes')
    assert.error_matches(function() near:discard(1, -1) end, "seconds, 0 or more")
    assert.error_matches(function() far.discard(listener, 1) end, "lunet.connection expected")
  end)
end)
