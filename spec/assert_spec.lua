local lunet = require "lunet"
local pair = require "spec.support.pair"
local raised_by = require "spec.support.raised"

require "lunet.assert"

-- The message of an assertion that fails.
local function message_of(...)
  local failure = raised_by(...)
  return type(failure) == "table" and failure.message or failure
end

describe("the assertions on results", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("pass on what a call returned", function()
    assert.equal("value", (assert.succeeds("value", "more")))
  end)

  it("name message and code of a call that failed", function()
    assert.matches("succeeds: the call failed: no luck %(ENOLUCK%)",
      message_of(function() assert.succeeds(nil, "no luck", "ENOLUCK") end))
  end)

  it("tell a failure by its code", function()
    local listener <close> = assert(lunet.listen { backlog = 1 })
    assert.fails_with("TIMEOUT", listener:accept(0))
    assert.is_not.fails_with("EOF", listener:accept(0))
    assert.matches("expected EOF, but it failed with TIMEOUT: accept",
      message_of(function() assert.fails_with("EOF", listener:accept(0)) end))
  end)

  it("do not take a success for a failure", function()
    assert.matches("expected TIMEOUT, but the call succeeded with \"value\"",
      message_of(function() assert.fails_with("TIMEOUT", "value") end))
  end)
end)

describe("the assertions on what the kernel says", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("compare a queue's depth and limit, and show both when they fail", function()
    local listener <close> = assert(lunet.listen { backlog = 3 })
    local _client <close> = assert(lunet.connect(listener, 10))
    assert.queue_depth(1, listener)
    assert.queue_limit(3, listener)
    assert.matches("queue depth: expected 2, the kernel says 1 %(listener [%d.:]+: depth 1, limit 3%)",
      message_of(function() assert.queue_depth(2, listener) end))
    assert.matches("not queue limit: expected 3, the kernel says 3",
      message_of(function() assert.is_not.queue_limit(3, listener) end))
  end)

  it("say that an object is closed", function()
    local listener = assert(lunet.listen { backlog = 3 })
    listener:close()
    assert.matches("CLOSED", message_of(function() assert.queue_depth(0, listener) end))
  end)

  it("compare liveness and state of a connection, and show what waits there", function()
    local near, far, listener = pair.open()
    assert(far:send "data")
    far:close()
    assert.eventually.liveness("fin", near)
    assert.tcp_state("CLOSE_WAIT", near)
    assert.matches("expected \"ESTABLISHED\", the kernel says \"CLOSE_WAIT\" .*liveness fin, 4 bytes unread, 0 held",
      message_of(function() assert.tcp_state("ESTABLISHED", near) end))
    near:close()
    listener:close()
  end)

  it("count a host's sockets, and list them when the count differs", function()
    local host <close> = assert(lunet.host "a")
    local listener <close> = assert(host:listen { port = 7000, backlog = 3 })
    local _client <close> = assert(host:connect(listener, 10))
    assert.eventually.socket_count(2, host, { state = "ESTABLISHED" })
    assert.matches("expected 1, a has 2 that match\n  ESTABLISHED .*%(queued%)",
      message_of(function() assert.socket_count(1, host, { state = "ESTABLISHED" }) end))
  end)

  it("tell the counters that moved", function()
    local host <close> = assert(lunet.host "a")
    local before = host:counters()
    local listener <close> = assert(host:listen { backlog = 0 })
    local _first <close> = assert(host:connect(listener, 10))
    assert.fails_with("TIMEOUT", host:connect(listener, 0.05))
    assert.moved({ ListenOverflows = 1, PassiveOpens = 1 }, before, host)
    assert.matches("expected { ListenOverflows = 5 }, on a moved {.*ListenOverflows = 1",
      message_of(function() assert.moved({ ListenOverflows = 5 }, before, host) end))
  end)
end)

describe("eventually", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("waits for the state", function()
    local listener <close> = assert(lunet.listen { backlog = 3 })
    local opener <close> = lunet.spawn(function()
      lunet.sleep(0.005)
      return assert(lunet.connect(listener, 10))
    end)
    assert.eventually.queue_depth(1, listener)
    select(2, opener:join(10)):close()
  end)

  it("waits for the state to end, with not", function()
    local listener <close> = assert(lunet.listen { backlog = 3 })
    local client <close> = assert(lunet.connect(listener, 10))
    local closer <close> = lunet.spawn(function()
      lunet.sleep(0.005)
      assert(listener:accept(10)):close()
    end)
    assert.is_not.eventually.queue_depth(1, listener)
    assert(closer:join(10))
    assert.eventually.liveness("fin", client)
  end)
end)
