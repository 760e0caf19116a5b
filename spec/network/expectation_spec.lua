local lunet = require "lunet"
local converse = require "spec.support.converse"
local raised = require "spec.support.raised"

require "lunet.assert"

local BOUND <const> = require "spec.support.bound"

local a, b, capture

before_each(function()
  a, b = assert(lunet.host "a"), assert(lunet.host "b")
  lunet.link(a, b)
  capture = assert(b:capture())
end)

after_each(function()
  capture:close()
  a:close()
  b:close()
  assert.same({}, lunet.open_handles())
end)

local function connect()
  local listener <close> = assert(b:listen { port = 7300, backlog = 8 })
  assert(a:connect(listener, BOUND)):reset()
end

describe("capture:expect", function()
  it("takes exactly these segments, in this order, and the next ones after them", function()
    connect()
    local answer = { flags = "SYN-ACK", from_port = 7300, direction = "out" }
    local seen = assert(capture:expect({ "SYN", answer, "ACK", "RST" }, BOUND))
    assert.same({ "SYN", "SYN,ACK", "ACK" }, { seen[1].flags, seen[2].flags, seen[3].flags })
    connect()
    assert.segments({ "SYN", "SYN-ACK", "ACK", "RST" }, capture)
  end)

  it("counts only the segments that it is told to", function()
    connect()
    assert(capture:expect({ "SYN", "RST", only = { flags = { "SYN", "RST" }, to_port = 7300 } }, BOUND))
  end)

  it("shows both lists side by side when they differ, and begins there again", function()
    connect()
    assert(lunet.eventually(function() return capture:statistics().seen == 4 end, BOUND))
    local seen, message, code = capture:expect({ "SYN", { flags = "data", bytes = 5 } }, BOUND)
    assert.is_nil(seen)
    assert.equal("DIFFERENT", code)
    assert.matches("expected *| seen\n   SYN *| in 10[%d.:]+ > 10[%d.:]+ SYN\n" ..
      "%-> bytes 5, data *| out 10[%d.:]+ > 10[%d.:]+ SYN,ACK\n" ..
      "   %(no more%) *| in 10[%d.:]+ > 10[%d.:]+ ACK\n", message)
    assert.matches("segments: expect: other segments passed",
      tostring(raised(function() assert.segments({ "SYN" }, capture) end).message))
    assert.segments({ "SYN", "SYN-ACK", "ACK", "RST" }, capture)
  end)

  it("says how many are lost that might count, and begins again with the oldest it keeps", function()
    local few <close> = assert(b:capture(3))
    connect()
    assert(lunet.eventually(function() return few:statistics().seen == 4 end, BOUND))
    local seen, message, code = few:expect({ "SYN-ACK", "ACK", "RST" }, BOUND)
    assert.same({ "nil", "ENOBUFS" }, { type(seen), code })
    assert.matches("forgotten 1, and the kernel dropped 0;", message, 1, true)
    assert.equal(3, #assert(few:expect({ "SYN-ACK", "ACK", "RST" }, BOUND)))
    local methods = require "lunet.core".capture_methods
    local statistics = methods.statistics
    methods.statistics = function() return { dropped = 2 } end
    seen, message = few:expect({}, BOUND)
    local again = few:expect({}, BOUND)
    methods.statistics = statistics
    assert.is_nil(seen)
    assert.matches("forgotten 0, and the kernel dropped 2;", message, 1, true)
    assert.same({}, again)
  end)

  it("says TIMEOUT if too few came", function()
    local seen, message, code = capture:expect({ "SYN" }, 0.001)
    assert.is_nil(seen)
    assert.equal("TIMEOUT", code)
    assert.matches("%-> SYN *| %(no more%)", message)
  end)

  it("compares data and their length", function()
    local listener <close> = assert(b:listen { port = 7300, backlog = 8 })
    local near <close> = assert(a:connect(listener, BOUND))
    assert(near:send "hello")
    assert(capture:expect({ { data = "ell", bytes = 5 }, only = { flags = "data" } }, BOUND))
    assert.is_nil((capture:expect({ { bytes = 6 }, only = { flags = "data" } }, 0)))
  end)

  it("sees both ways of a conversation", function()
    converse(a, assert(b:listen { backlog = 1 }))
    local ways = {}
    for _, s in ipairs(assert(capture:segments())) do ways[s.direction] = true end
    assert.same({ ["in"] = true, out = true }, ways)
  end)

  it("refuses what describes no segment", function()
    local function refused(list, pattern)
      assert.error_matches(function() capture:expect(list, 0) end, pattern)
    end
    refused("SYN", "expect: a list of segments expected, not SYN")
    refused({ "SYNACK" }, "expect: %[1%]: flags: one of .* expected, not \"SYNACK\"")
    refused({ "SYN", { ports = 1 } }, "expect: %[2%]: unknown option 'ports'")
    refused({ { bytes = -1 } }, "expect: %[1%]: bytes: a whole number from 0")
    refused({ only = { direction = "up" } }, "expect: only: direction: in or out expected")
    assert.error_matches(function() capture:expect({}, -1) end, "expect: a timeout is a number of seconds")
  end)
end)
