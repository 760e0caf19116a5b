local core = require "lunet.core"
local lunet = require "lunet"
local count_descriptors = require "spec.support.descriptors"
local patient = require "spec.support.patient"
local stay_busy_until = require "spec.support.stay_busy_until"

local BOUND <const> = require "spec.support.bound"
local SLOW = 0.4 -- s, in which a thousand clients connect unless the machine is busy
local FAMILIES = { ipv4 = "0.0.0.0", ipv6 = "::" }

local patiently = patient(it)

local a, b

before_each(function() a, b = assert(lunet.host "a"), assert(lunet.host "b") end)

after_each(function()
  a:close()
  b:close()
  assert.same({}, lunet.open_handles())
end)

-- Two connected ends over a link with a delay.
local function connect(options, family)
  local link = lunet.link(a, b, options)
  local listener <close> = assert(b:listen { backlog = 8, address = FAMILIES[family or "ipv4"] })
  local near = assert(a:connect({ listener, nodelay = true }, BOUND))
  local far = assert(listener:accept(BOUND))
  return near, far, link
end

-- Bytes among which no piece could be missing, doubled or moved unnoticed: each 256 are numbered.
local function numbered(length, name)
  local pieces = {}
  for i = 1, length // 256 do pieces[i] = (name .. i .. " "):rep(128):sub(1, 256) end
  return table.concat(pieces)
end

-- Frames that an interface has received and sent.
local function frames(host)
  local text = assert(core.read_file(host, "/proc/thread-self/net/dev"))
  local received, sent = text:match "eth0: *%d+ +(%d+) +%d+ +%d+ +%d+ +%d+ +%d+ +%d+ +%d+ +(%d+)"
  return tonumber(received), tonumber(sent)
end

describe("a link with a delay", function()
  for family, address in pairs(FAMILIES) do
    it("never lets an answer come before twice the delay over " .. family, function()
      for _, delay in ipairs { 0.0002, 0.001, 0.005 } do
        local near, far, link = connect({ delay = delay }, family)
        local early = 0
        for _ = 1, 20 do
          local started = lunet.now()
          assert(near:send "ping")
          assert(far:receive(4, BOUND))
          assert(far:send "pong")
          assert(near:receive(4, BOUND))
          if lunet.now() - started < 2 * delay then early = early + 1 end
        end
        assert.equal(0, early)
        near:reset()
        far:reset()
        link:close()
      end
    end)

    it("never lets a connection be before twice the delay over " .. family, function()
      lunet.link(a, b, { delay = 0.002 })
      local listener <close> = assert(b:listen { backlog = 32, address = address })
      local early = 0
      for _ = 1, 20 do
        local started = lunet.now()
        assert(a:connect(listener, BOUND)):reset()
        if lunet.now() - started < 0.004 then early = early + 1 end
      end
      assert.equal(0, early)
    end)

    it("carries data whole and unchanged, both ways at once, over " .. family, function()
      local near, far, link = connect({ delay = 0.001 }, family)
      local up, down = numbered(4 << 20, "up"), numbered(4 << 20, "down")
      local function exchange(connection, data)
        return lunet.spawn(function()
          lunet.spawn(function()
            assert(connection:send(data, BOUND))
            connection:shutdown()
          end)
          return assert(connection:receive("a", BOUND))
        end)
      end
      local near_task, far_task = exchange(near, up), exchange(far, down)
      local _, received_down = near_task:join()
      local _, received_up = far_task:join()
      assert.is_true(received_up == up)
      assert.is_true(received_down == down)
      assert.is_true(link:statistics().forwarded > 0)
    end)

    it("loses nothing of a first connect over " .. family, function()
      local before = assert(a:counters())
      for _ = 1, 5 do
        local near, far, link = connect({ delay = 0.0005 }, family)
        assert.equal(0, link:statistics().dropped)
        near:reset()
        far:reset()
        link:close()
      end
      assert.equal(0, (assert(a:counters()) - before).RetransSegs)
      assert.equal(0, assert(b:counters()).RetransSegs)
    end)
  end

  it("counts the delay from when a frame was sent, though the script was busy then", function()
    local near, far = connect { delay = 0.02 }
    local started = lunet.now()
    assert(near:send "x")
    stay_busy_until(started + 0.01)
    assert.equal("TIMEOUT", (select(3, far:receive(1, 0))))
    assert.equal("x", far:receive(1, BOUND))
    assert.is_true(lunet.now() - started >= 0.02)
  end)

  it("moves nothing while the script does not wait", function()
    local near, far, link = connect { delay = 0.001 }
    assert(near:send "x")
    stay_busy_until(lunet.now() + 0.01)
    assert.equal(0, far:unread())
    assert.equal("x", far:receive(1, BOUND))
    assert.is_true(link:statistics().late_max > 0)
  end)

  it("takes a delay for each direction", function()
    local near, far = connect { delay = { a_to_b = 0.03, b_to_a = 0.01 } }
    local started = lunet.now()
    assert(near:send "x")
    assert(far:receive(1, BOUND))
    local arrived = lunet.now()
    assert(far:send "y")
    assert(near:receive(1, BOUND))
    assert.is_true(arrived - started >= 0.03)
    assert.is_true(lunet.now() - arrived >= 0.01)
  end)

  it("delays one direction only, if the other is not named", function()
    local near, far = connect { delay = { b_to_a = 0.01 } }
    assert(near:send "x")
    assert.equal("x", far:receive(1, BOUND))
    local started = lunet.now()
    assert(far:send "y")
    assert.equal("y", near:receive(1, BOUND))
    assert.is_true(lunet.now() - started >= 0.01)
  end)

  it("keeps the order: a FIN comes behind the data", function()
    local near, far = connect { delay = 0.001 }
    for i = 1, 100 do assert(near:send(i .. "\n")) end
    near:close()
    local lines = {}
    for line in far:lines(BOUND) do lines[#lines + 1] = line end
    assert.equal("EOF", far:ended())
    assert.equal(100, #lines)
    assert.equal("100", lines[100])
  end)

  it("keeps the order: a RST comes behind the data", function()
    local near, far = connect { delay = 0.001 }
    assert(near:send "last words")
    near:reset()
    assert.equal("open", far:liveness())
    assert.equal("last words", far:receive(10, BOUND))
    local data, _, code = far:receive(1, BOUND)
    assert.is_nil(data)
    assert.equal("ECONNRESET", code)
  end)

  it("adds no frame of its own and loses none", function()
    local near, far, link = connect { delay = 0.001 }
    lunet.spawn(function() assert(near:send(numbered(1 << 17, "up"), BOUND)) end)
    assert(far:receive(1 << 17, BOUND))
    local seen
    local agree = lunet.eventually(function()
      local a_received, a_sent = frames(a)
      local b_received, b_sent = frames(b)
      local statistics = link:statistics()
      seen = ("a sent %d, b received %d, b sent %d, a received %d, %d forwarded, %d dropped"):format(a_sent, b_received,
        b_sent, a_received, statistics.forwarded, statistics.dropped)
      return a_received == b_sent and b_received == a_sent and statistics.forwarded == a_sent + b_sent
    end, BOUND)
    assert(agree, seen)
    assert.equal(0, link:statistics().dropped)
  end)

  -- For a moment the kernel holds an end that is up for one that is down: link_watch.c.
  it("delivers what it says that it has forwarded, from the first frame on", function()
    local settings = { delay = 0, capacity = 1 << 20 }
    for _ = 1, 25 do
      lunet.scope(function()
        local near, far = assert(lunet.host "near"), assert(lunet.host "far")
        local wire = assert(core.wire(near, "eth0", settings, far, "eth0", settings, 1))
        for _ = 1, 5 do assert(wire:inject(1, "10.0.0.1:1", "10.0.0.2:2", 16, 1, 1, 1, "", false)) end
        assert(lunet.eventually(function()
          local forwarded = wire:statistics().forwarded
          return forwarded >= 5 and frames(far) == forwarded
        end, BOUND))
      end)
    end
  end)

  it("drops what exceeds its capacity, and counts it", function()
    local near, _, link = connect { delay = 0.001, capacity = 1000 }
    local before = link:statistics().dropped
    assert(near:send(("x"):rep(2000)))
    assert(lunet.eventually(function() return link:statistics().dropped > before end, BOUND))
  end)

  it("lets a connect wait for its refusal", function()
    local near, far = connect { delay = 0.005 }
    local address = assert(near:peer()):gsub(":%d+$", ":1")
    local began = lunet.now()
    assert.equal("ECONNREFUSED", select(3, a:connect(address, BOUND)))
    assert.is_true(lunet.now() - began >= 0.01)
    near:close()
    far:close()
  end)

  -- It reads some at a time, and the kernel does not announce again those that are left. Few of them are forwarded:
  -- that would set off the reading of more.
  patiently("reads every frame, however many come at once", function()
    local count = 1000
    local near, far, link = connect { delay = 0.001, capacity = 100 }
    local address = assert(near:peer()):gsub(":%d+$", ":1")
    local _silence <close> = assert(b:drop { port = 1 })
    near:reset()
    far:close()
    local function count_read()
      local statistics = link:statistics()
      return statistics.forwarded + statistics.dropped
    end
    local before = count_read()
    local tasks, began = {}, lunet.now()
    for i = 1, count do tasks[i] = lunet.spawn(a.connect, a, address) end
    lunet.sleep(0) -- they connect
    local took = lunet.now() - began
    -- Nobody answers; each SYN is sent again after a second.
    local are_read = lunet.eventually(function() return count_read() - before >= count end, math.max(0, 0.9 - took))
    for _, task in ipairs(tasks) do task:cancel() end
    lunet.sleep(0) -- they end
    link:close()
    if took > SLOW then error("not judged: the machine was late to connect", 0) end
    assert.is_true(are_read)
  end)

  it("lives as long as its hosts, though the script keeps no reference", function()
    lunet.link(a, b, { delay = 0.001 })
    collectgarbage()
    collectgarbage()
    local listener <close> = assert(b:listen { backlog = 1 })
    assert(a:connect(listener, BOUND)):reset()
  end)

  it("is a wire even if the delay is 0, and none without a delay", function()
    local link = lunet.link(a, b)
    local statistics, message, code = link:statistics()
    assert.is_nil(statistics)
    assert.match("^statistics: lunet does not forward the frames of the link of a and b: give it delay = 0", message)
    assert.equal("EOPNOTSUPP", code)
    assert.equal(2, #lunet.open_handles())
    link:close()
    for _, delay in ipairs { 0, { a_to_b = 0 } } do
      local near, far, wire = connect { delay = delay }
      assert(near:send "x")
      assert.equal("x", far:receive(1, BOUND))
      assert.is_true(wire:statistics().forwarded > 0)
      near:reset()
      far:reset()
      wire:close()
    end
  end)
end)

describe("closing a link with a delay", function()
  -- A SYN is on its way, and will be for longer than the spec takes.
  local function start_connecting()
    local link = lunet.link(a, b, { delay = 1000 })
    local listener = assert(b:listen { backlog = 1 })
    local connection, _, code = a:connect(listener, 0.02)
    assert.is_nil(connection)
    assert.equal("TIMEOUT", code)
    return link, listener
  end

  it("loses what is on its way, once", function()
    local link = start_connecting()
    assert.equal(0, link:statistics().dropped)
    assert.is_true(link:close())
    local dropped = link:statistics().dropped
    assert.is_true(dropped > 0)
    assert.is_true(link:close())
    assert.equal(dropped, link:statistics().dropped)
    assert.match("%(closed%)$", tostring(link))
  end)

  it("takes the interfaces away from both hosts", function()
    local link, listener = start_connecting()
    local address = link:address(b)
    link:close()
    assert.error_matches(function() a:connect(listener, 0) end, "share no network")
    local _, _, code = a:connect(address .. ":1", BOUND)
    assert.equal("ENETUNREACH", code)
    assert.is_nil(frames(a))
    assert.is_nil(frames(b))
  end)

  for i, name in ipairs { "first", "second" } do
    it("is done by its " .. name .. " host", function()
      local link = start_connecting()
      local host, other = table.unpack(i == 1 and { a, b } or { b, a })
      host:close()
      assert.is_nil(frames(other))
      assert.is_true(link:statistics().dropped > 0)
      other:close()
      assert.same({}, lunet.open_handles())
      assert.is_true(link:close())
    end)
  end

  it("is done by its scope", function()
    local link
    lunet.scope(function() link = start_connecting() end)
    assert.equal(2, #lunet.open_handles())
    assert.is_true(link:statistics().dropped > 0)
  end)

  it("leaves no descriptor, fifty times #slow", function()
    lunet.link(a, b, { delay = 0.001 }):close()
    local before = count_descriptors()
    lunet.scope(function()
      for _ = 1, 50 do lunet.link(a, b, { delay = 0.001 }) end
      assert.is_true(count_descriptors() > before)
    end)
    assert.equal(before, count_descriptors())
  end)
end)

describe("the options of a link", function()
  local function refused(options, pattern)
    assert.error_matches(function() lunet.link(a, b, options) end, pattern)
  end

  it("are known by name", function()
    refused({ dealy = 1 }, "link: unknown option 'dealy' %(known: a, a_to_b, b, b_to_a, capacity, corrupt, delay, .*%)")
    refused({ delay = { a_to_c = 1 } }, "link: delay: unknown option 'a_to_c' %(known: a_to_b, b_to_a%)")
  end)

  it("are numbers within bounds", function()
    for _, delay in ipairs { -0.001, 0 / 0, math.huge, "0.01", true } do
      refused({ delay = delay }, "link: delay: a number of seconds from 0 to 1e%+09 expected")
    end
    refused({ delay = { a_to_b = -1 } }, "link: delay: a_to_b: a number of seconds")
    refused({ capacity = -1 }, "link: capacity: a number of bytes")
    refused(7, "table of options expected")
  end)

  it("leave nothing behind when they are refused", function()
    refused({ delay = -1 }, "delay")
    assert.equal(2, #lunet.open_handles())
    assert.is_nil(frames(a))
  end)

  it("cannot join a closed host", function()
    b:close()
    refused({ delay = 1 }, "host b is closed")
    assert.same({ "host a" }, lunet.open_handles())
  end)
end)
