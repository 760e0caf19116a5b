local core = require "lunet.core"
local lunet = require "lunet"
local pair = require "spec.support.pair"
local raised_by = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"
local RING = 16 * 1024 -- how many events the ring holds

-- The events that a function causes; `is_recording` as core.record takes it.
local function events_of(fn, is_recording)
  local first, was_recording = core.record(is_recording or false)
  fn()
  core.record(was_recording)
  local events, lost = core.events(first)
  assert.equal(0, lost)
  return events
end

-- Their kinds, as one string.
local function kinds_of(events)
  local kinds = {}
  for i, event in ipairs(events) do kinds[i] = event.kind end
  return table.concat(kinds, " ")
end

local function last_of(fn)
  local events = events_of(fn)
  return events[#events]
end

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("the trace", function()
  local near, far, listener

  before_each(function() near, far, listener = pair.open { backlog = 8, label = "server" } end)

  after_each(function()
    near:close()
    far:close()
    listener:close()
  end)

  it("tells since when a call waited, and nothing of those that did not", function()
    -- The deadline is settled by the call, and the wait begins a moment later.
    local before = lunet.now()
    local late = last_of(function() far:receive(1, 0.01) end)
    assert.is_true(late.since >= before and late.at > late.since and late.at >= before + 0.01)
    assert.is_nil(last_of(function() assert(near:send "x") end).since)
    assert.is_nil(last_of(function() far:receive(1, BOUND) end).since)
    local accepting = last_of(function() listener:accept(0.01) end)
    assert.same({ "accept", true }, { accepting.kind, accepting.at > accepting.since })
  end)

  it("has one event for each primitive, in the order of the calls", function()
    local events = events_of(function()
      local other <close> = assert(lunet.listen { backlog = 3 })
      local client = assert(lunet.connect(other, BOUND))
      local accepted = assert(other:accept(BOUND))
      assert(client:send("hello", BOUND))
      assert(accepted:receive(5, BOUND))
      assert(client:shutdown())
      assert(other:gate(2))
      assert(other:resize(7))
      assert(lunet.note "over")
      client:reset()
      accepted:close()
    end)
    assert.equal("listen connect accept send receive shutdown gate resize note reset close close", kinds_of(events))
  end)

  it("has no event for what only looks", function()
    assert.same({}, events_of(function()
      for _, look in ipairs { "address", "peer", "state", "info", "liveness", "unread", "unsent", "ended" } do
        assert(near[look](near) ~= nil)
      end
      for _, look in ipairs { "address", "queue", "gate" } do assert(listener[look](listener)) end
      lunet.open_handles()
      lunet.sleep(0)
    end))
  end)

  it("tells the time of each event: between the calls before and after it, never going back", function()
    local before = lunet.now()
    local events = events_of(function()
      for _ = 1, 100 do
        assert(near:send "x")
        assert(far:receive(1, BOUND))
      end
    end)
    local after = lunet.now()
    assert.equal(200, #events)
    local last, steps_back = before, 0
    for _, event in ipairs(events) do
      if event.at < last then steps_back = steps_back + 1 end
      last = event.at
    end
    assert.equal(0, steps_back)
    assert.is_true(last <= after)
  end)

  it("tells how many bytes were sent and received", function()
    local data = ("x"):rep(1234)
    assert.equal(1234, last_of(function() assert(near:send(data, BOUND)) end).bytes)
    assert.equal(1000, last_of(function() assert(far:receive(1000, BOUND)) end).bytes)
    assert.equal(234, last_of(function() assert(far:receive(nil, BOUND)) end).bytes)
    assert.equal(0, last_of(function() assert(near:send "") end).bytes)
  end)

  it("tells how many bytes a failed send had sent", function()
    local data = ("x"):rep(32 * 1024 * 1024)
    local sent
    local event = last_of(function() sent = select(4, near:send(data, 0)) end)
    assert.equal("TIMEOUT", event.code)
    assert.is_true(sent > 0)
    assert.equal(sent, event.bytes)
    near:reset()
  end)

  it("tells the code of a failure, the kernel's or lunet's own", function()
    local function code_of(fn) return last_of(fn).code end
    assert.is_nil(code_of(function() assert(near:send "x") end))
    assert.equal("TIMEOUT", code_of(function() far:receive(2, 0) end))
    assert.equal("TIMEOUT", code_of(function() listener:accept(0) end))
    assert(near:shutdown())
    assert.equal("EOF", code_of(function() far:receive(2, BOUND) end))
    assert.equal("EPIPE", code_of(function() near:send "x" end))
  end)

  it("tells the code of a wait that another task ended", function()
    local task = lunet.spawn(far.receive, far)
    assert(lunet.sleep(0))
    local events = events_of(function()
      task:cancel()
      task:join(BOUND)
    end)
    assert.same({ "receive", "CANCELED" }, { events[1].kind, events[1].code })
    local accept = lunet.spawn(listener.accept, listener)
    assert(lunet.sleep(0))
    events = events_of(function() listener:close() end)
    assert.equal("close accept", kinds_of(events))
    assert.equal("CLOSED", events[2].code)
    assert(accept:join(BOUND))
  end)

  it("has a failed connect before the close that follows it", function()
    local events = events_of(function()
      assert.equal("ECONNREFUSED", select(3, lunet.connect("127.0.0.1:1", BOUND)))
    end)
    assert.equal("connect close", kinds_of(events))
    assert.equal("ECONNREFUSED", events[1].code)
    assert.equal(1, events[1].peer_port)
    assert.is_nil(events[2].code)
  end)

  it("tells the socket by a number that is not used again, its host, its ports and its label", function()
    local _, port = listener:address()
    local sockets = {}
    local events = events_of(function()
      for i = 1, 2 do
        local client <close> = assert(lunet.connect({ listener, label = "client " .. i }, BOUND))
        local accepted <close> = assert(listener:accept(BOUND))
        assert(client:send "x")
        assert(accepted:receive(1, BOUND))
      end
      listener:gate(5)
    end)
    assert.equal("connect accept send receive close close connect accept send receive close close gate",
      kinds_of(events))
    for i, event in ipairs(events) do
      sockets[i] = event.socket
      assert.equal(0, event.host)
    end
    assert.same({ sockets[1], sockets[2] }, { sockets[3], sockets[4] })
    assert.same({ sockets[7], sockets[8] }, { sockets[9], sockets[10] })
    local numbers = { sockets[13], sockets[1], sockets[2], sockets[7], sockets[8] }
    for i = 2, #numbers do assert.is_true(numbers[i] > numbers[i - 1]) end
    assert.same({ "client 1", port }, { events[1].label, events[1].peer_port })
    assert.same({ "client 2", port }, { events[9].label, events[9].peer_port })
    assert.same({ "server", port }, { events[13].label, events[13].local_port })
    assert.equal(port, events[2].local_port)
  end)

  it("keeps notes as they are", function()
    local events = events_of(function()
      lunet.note "a client gives up"
      lunet.note ""
    end)
    assert.same({ "note", "a client gives up" }, { events[1].kind, events[1].text })
    assert.same({ "note", "" }, { events[2].kind, events[2].text })
    assert.matches("string expected, got no value", raised_by(lunet.note))
    assert.matches("string expected, got table", raised_by(lunet.note, {}))
  end)

  it("tells what a gate, a backlog and a listener were set to", function()
    assert.equal(3, last_of(function() listener:gate(3) end).bytes)
    assert.equal(0, last_of(function() listener:gate(0) end).bytes)
    assert.equal(-1, last_of(function() listener:gate(math.huge) end).bytes)
    assert.equal(17, last_of(function() listener:resize(17) end).bytes)
    local events = events_of(function() assert(lunet.listen { backlog = 23 }):close() end)
    assert.equal(23, events[1].bytes)
  end)
end)

describe("the trace while recording", function()
  it("has an event wherever the queue had changed, with its depth and limit", function()
    local listener, clients
    local events = events_of(function()
      listener = assert(lunet.listen { backlog = 5, label = "server" })
      clients = {}
      for i = 1, 2 do
        clients[i] = assert(lunet.connect(listener, BOUND))
        assert(lunet.eventually(function() return listener:queue().depth == i end, BOUND))
        lunet.note "queued"
      end
      clients[3] = assert(listener:accept(BOUND))
      listener:resize(2)
    end, true)
    local queue = {}
    for _, event in ipairs(events) do
      if event.kind == "queue" then
        queue[#queue + 1] = event.depth .. "/" .. event.limit
        assert.equal("server", event.label)
        assert.is_nil(event.bytes)
        assert.is_nil(event.code)
      end
    end
    assert.same({ "0/5", "1/5", "2/5", "1/5", "1/2" }, queue)
    assert.equal("listen queue", kinds_of(events):match "^%a+ %a+")
    for _, handle in ipairs(clients) do handle:close() end
    listener:close()
  end)

  it("asks every listener after every event, whosever it is", function()
    local one <close> = assert(lunet.listen { backlog = 1 })
    local two <close> = assert(lunet.listen { backlog = 2 })
    local events = events_of(function() lunet.note "look" end, true)
    assert.equal("note queue queue", kinds_of(events))
    assert.same({ 1, 2 }, { events[2].limit, events[3].limit })
    assert.equal("note", kinds_of(events_of(function() lunet.note "again" end, true)))
    assert.is_true(one:close() and two:close())
  end)

  -- A client from outside: it stays until it is reset.
  local function connect_from_outside(listener)
    local _, port = listener:address()
    local client = assert(io.popen(
      ("timeout %d bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d && echo connected && cat <&3' 2>&1"):format(BOUND, port)))
    assert.equal("connected", client:read())
    return client
  end

  -- A receive and a close move nothing into a queue themselves: the look that each event is followed by then waits
  -- until the loop has nothing to do, or the recording ends.
  for _, what in ipairs { "sleeps", "ends" } do
    it("looks at the queues after a receive before it " .. what, function()
      local near, far, listener = pair.open { backlog = 8 }
      assert(near:send "x")
      local _client <close> = connect_from_outside(listener)
      local depth
      local events = events_of(function()
        assert.equal("x", far:receive(1, BOUND))
        if what == "sleeps" then
          lunet.sleep(0.001)
          depth = listener:queue().depth
          assert(listener:accept(BOUND)):reset()
        end
      end, true)
      assert.equal(what == "sleeps" and 1 or nil, depth)
      assert.matches("^receive queue", kinds_of(events))
      assert.equal(1, events[2].depth)
      if what == "ends" then assert(listener:accept(BOUND)):reset() end
      for _, handle in ipairs { near, far, listener } do handle:close() end
    end)
  end

  it("does not take an earlier look for an answer to accept(0)", function()
    local listener <close> = assert(lunet.listen { backlog = 8 })
    events_of(function()
      lunet.note "look"
      local _client <close> = connect_from_outside(listener)
      assert(listener:accept(0)):reset()
    end, true)
  end)

  it("looks at no queue unless asked to", function()
    local events = events_of(function()
      local listener <close> = assert(lunet.listen { backlog = 1 })
      assert(lunet.connect(listener, BOUND)):close()
    end, false)
    assert.not_matches("queue", kinds_of(events))
  end)
end)

describe("core.record", function()
  it("gives the number of the next event, and what it was set to", function()
    local first, was = core.record(true)
    lunet.note "one"
    lunet.note "two"
    local next_one, is = core.record(was)
    assert.equal(first + 2, next_one)
    assert.is_true(is)
  end)

  it("refuses what is neither true nor false", function()
    assert.matches("boolean expected, got number", raised_by(core.record, 1))
  end)
end)

describe("core.events", function()
  it("gives those from a number on, nothing when they are still to come", function()
    local first = core.record(false)
    for i = 1, 3 do lunet.note(tostring(i)) end
    local events, lost = core.events(first + 1)
    assert.same({ 2, "2", "3", 0 }, { #events, events[1].text, events[2].text, lost })
    assert.same({ {}, 0 }, { core.events(first + 3) })
    assert.same({ {}, 0 }, { core.events(first + 1000) })
  end)

  it("drops the oldest when the ring is full, and says how many #part_many", function()
    local first = core.record(false)
    for i = 1, RING + 5 do lunet.note(tostring(i)) end
    local events, lost = core.events(first)
    assert.same({ RING, 5 }, { #events, lost })
    assert.same({ "6", tostring(RING + 5) }, { events[1].text, events[RING].text })
    events, lost = core.events(first + 5)
    assert.same({ RING, 0 }, { #events, lost })
    assert.equal(first + 5, select(2, core.events()))
  end)

  it("refuses what is no number of an event", function()
    assert.matches("events are numbered from 0", raised_by(core.events, -1))
    assert.matches("number expected, got string", raised_by(core.events, "x"))
  end)
end)
