local core = require "lunet.core"
local lunet = require "lunet"
local raised = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"

local a, b

before_each(function()
  a, b = assert(lunet.host "a"), assert(lunet.host "b")
  lunet.link(a, b)
end)

after_each(function()
  a:close()
  b:close()
  assert.same({}, lunet.open_handles())
end)

-- Each as "out SYN 0" (direction, flags, bytes), without the acknowledgements of nothing but data.
local function words_of(segments)
  local words = {}
  for _, s in ipairs(segments) do
    if s.flags ~= "ACK" then words[#words + 1] = ("%s %s %d"):format(s.direction, s.flags, s.bytes) end
  end
  return words
end

-- Waits until the capture has seen a segment with these flags that came in, or went out.
local function wait_for(capture, direction, flags)
  return assert(lunet.eventually(function()
    for _, s in ipairs(capture:segments()) do
      if s.direction == direction and s.flags == flags then return s end
    end
  end, BOUND))
end

for family, address in pairs { ipv4 = "0.0.0.0", ipv6 = "::" } do
  describe("a capture, by " .. family, function()
    it("tells the options of segments", function()
      for name, value in pairs { tcp_fastopen = 3, tcp_timestamps = 1, tcp_window_scaling = 1, tcp_sack = 1 } do
        for _, host in ipairs { a, b } do assert(host:sysctl("net.ipv4." .. name, value)) end
      end
      local capture <close> = assert(b:capture())
      local listener <close> = assert(b:listen { backlog = 2, address = address, fastopen = 2 })
      for attempt = 1, 2 do
        local near <close> = assert(a:connect({ listener, fastopen_connect = true }, BOUND))
        assert(near:send "hello")
        local far <close> = assert(listener:accept(BOUND))
        assert.equal("hello", far:receive(5, BOUND), attempt)
      end
      local opening = {}
      for _, s in ipairs(capture:segments()) do
        if s.flags:find "SYN" then opening[#opening + 1] = s end
      end
      local headers = family == "ipv4" and 40 or 60 -- bytes before the data, without options
      assert.same({ 1500 - headers, 1500 - headers }, { opening[1].mss, opening[2].mss })
      assert.is_true(opening[1].sack_permitted and opening[1].window_scale > 0)
      assert.equal(opening[1].timestamp, opening[2].echo)
      assert.equal("", opening[1].cookie) -- it asks for one
      assert.is_true(#opening[2].cookie >= 4)
      assert.equal(opening[2].cookie, opening[3].cookie) -- and has it the next time
      assert.is_nil(opening[4].cookie)
      local last = capture:segments()
      assert.is_nil(last[#last].mss)
    end)

    it("sees a connection from both ends, at the times when it happened", function()
      local on_a, on_b = assert(a:capture()), assert(b:capture())
      local listener <close> = assert(b:listen { backlog = 1, address = address })
      local began = lunet.now()
      local near = assert(a:connect(listener, BOUND))
      local connected = lunet.now()
      local far = assert(listener:accept(BOUND))
      local near_address, far_address = near:address(), near:peer()
      assert(near:send "hello\n")
      assert.equal("hello", far:receive("l", BOUND))
      near:close()
      wait_for(on_b, "in", "FIN,ACK")
      far:close()
      wait_for(on_a, "in", "FIN,ACK")

      assert.same({ "out SYN 0", "in SYN,ACK 0", "out PSH,ACK 6", "out FIN,ACK 0", "in FIN,ACK 0" },
        words_of(on_a:segments()))
      assert.same({ "in SYN 0", "out SYN,ACK 0", "in PSH,ACK 6", "in FIN,ACK 0", "out FIN,ACK 0" },
        words_of(on_b:segments()))
      local syn, answer, _, data = table.unpack(on_a:segments())
      assert.same({ near_address, far_address }, { syn.from, syn.to })
      assert.same({ far_address, near_address }, { answer.from, answer.to })
      assert.equal(syn.sequence + 1 & 0xffffffff, answer.acknowledgement)
      assert.equal(syn.sequence + 1 & 0xffffffff, data.sequence)
      assert.equal("hello\n", data.packet:sub(-6))
      local error = on_a:statistics().error
      assert.is_true(error > 0)
      assert.is_true(syn.at >= began - error and answer.at <= connected + error)
    end)
  end)
end

describe("the captures of two hosts", function()
  it("have one clock: no segment arrives before it has left, however often they are read #part_many", function()
    local on_a, on_b = assert(a:capture()), assert(b:capture())
    local listener <close> = assert(b:listen { backlog = 1 })
    local near = assert(a:connect(listener, BOUND))
    local far = assert(listener:accept(BOUND))
    for _ = 1, 300 do
      assert(near:send "x")
      assert.equal("x", far:receive(1, BOUND))
      on_a:segments()
      on_b:segments()
    end
    near:close()
    wait_for(on_b, "in", "FIN,ACK")
    local left = {}
    for _, s in ipairs(on_a:segments()) do
      if s.direction == "out" then left[s.sequence .. s.flags .. s.acknowledgement] = s.at end
    end
    local count = 0
    for _, s in ipairs(on_b:segments()) do
      if s.direction == "in" then
        count = count + 1
        assert.is_true(left[s.sequence .. s.flags .. s.acknowledgement] <= s.at)
      end
    end
    assert.is_true(count >= 302, count)
  end)

  -- An offset of the clocks is kept until another one is at least twice as close.
  it("have one offset of the clocks, which their errors show", function()
    local captures, errors = {}, {}
    for i = 1, 10 do captures[i] = assert(a:capture()) end
    local listener <close> = assert(b:listen { backlog = 1 })
    local near <close> = assert(a:connect(listener, BOUND))
    for i, capture in ipairs(captures) do
      wait_for(capture, "in", "SYN,ACK")
      errors[i] = math.floor(1e9 * capture:statistics().error + 0.5)
      capture:close()
    end
    table.sort(errors)
    for i = 2, #errors do assert.is_true(errors[i] == errors[i - 1] or errors[i] >= 2 * errors[i - 1]) end
    assert.is_true(near:state() == "ESTABLISHED" and errors[1] > 0)
  end)
end)

describe("a capture", function()
  it("sees what a drop rule of its host loses: on the way in as it comes, on the way out on the loopback", function()
    local on_a, on_b = assert(a:capture()), assert(b:capture())
    local listener <close> = assert(b:listen { backlog = 1 })
    local rule = assert(b:drop { flags = "SYN" })
    assert.equal("TIMEOUT", (select(3, a:connect(listener, 0.05))))
    wait_for(on_b, "in", "SYN")
    assert.is_true(rule:lost() >= 1)
    rule:close()
    local seen = #on_a:segments()
    local silence <close> = assert(a:drop { direction = "out" })
    assert.equal("TIMEOUT", (select(3, a:connect(listener, 0.05))))
    assert.is_true(silence:lost() >= 1)
    local lost = on_a:segments(seen)
    assert.same({ "out SYN 0" }, words_of(lost))
    assert.is_true(lost[1].at_loopback)
    assert.equal(on_a:segments()[1].to, lost[1].to)
  end)

  it("keeps the last segments, and says how many it forgot", function()
    local capture = assert(a:capture(3))
    local listener <close> = assert(b:listen { backlog = 5 })
    for _ = 1, 3 do assert(a:connect(listener, BOUND)):reset() end
    lunet.eventually(function() return capture:statistics().seen >= 12 end, BOUND)
    local statistics, segments = capture:statistics(), capture:segments()
    assert.equal(3, #segments)
    assert.equal(statistics.seen - 3, statistics.forgotten)
    assert.equal(0, statistics.dropped)
    assert.same({ segments[3] }, capture:segments(statistics.seen - 1))
    assert.same({}, capture:segments(statistics.seen))
  end)

  it("keeps what it has seen when it is closed, by itself or with its host", function()
    local closed, left = assert(a:capture()), assert(b:capture())
    local listener = assert(b:listen { backlog = 1 })
    local _near <close> = assert(a:connect(listener, BOUND))
    wait_for(left, "in", "ACK")
    assert.is_true(closed:close())
    assert.is_true(closed:close())
    b:close()
    assert.equal("out SYN 0", words_of(closed:segments())[1])
    assert.equal("in SYN 0", words_of(left:segments())[1])
    assert.equal("capture (closed)", tostring(closed))
  end)

  it("is one of the open handles", function()
    local _capture <close> = assert(a:capture())
    local handles = table.concat(lunet.open_handles(), "\n")
    assert.match("capture of a", handles, 1, true)
  end)

  it("refuses a number of segments that is none, and a host that is closed", function()
    for _, most in ipairs { 0, -1, 1.5, "many" } do
      assert.matches("capture: a whole number of segments expected, 1 or more", raised(a.capture, a, most), 1, true)
    end
    assert.is_string(raised(core.capture, a, 0))
    a:close()
    assert.matches("the host is closed", raised(a.capture, a), 1, true)
  end)
end)

-- With writes of 64 KiB, 1000 and 64 bytes, and with congestion controls that let the send buffer grow differently.
describe("a capture of both ends #part_many", function()
  local BUFFERS = { ["net.ipv4.tcp_rmem"] = "4096 131072 6291456", ["net.ipv4.tcp_wmem"] = "4096 16384 4194304" }
  local TRIES = 10 -- how much is taken hangs on who runs when, and now and then differs by some segments

  local function host_with(congestion)
    local sysctl = { ["net.ipv4.tcp_congestion_control"] = congestion }
    for name, value in pairs(BUFFERS) do sysctl[name] = value end
    return lunet.host { sysctl = sysctl }
  end

  -- How many bytes a connection takes that nobody accepts, and how many segments TCP merged meanwhile.
  local function absorb(congestion, write, is_captured)
    return lunet.scope(function()
      local client, server = assert(host_with(congestion)), assert(host_with(congestion))
      lunet.link(client, server)
      if is_captured then assert(client:capture() and server:capture()) end
      local listener <close> = assert(server:listen { backlog = 1 })
      local connection = assert(client:connect(listener, BOUND))
      local before, piece, taken = server:counters(), ("x"):rep(write), 0
      repeat
        local sent, _, _, partly = connection:send(piece, 0.1)
        taken = taken + (sent or partly)
      until not sent and partly == 0
      local merged = (server:counters() - before).TCPRcvCoalesce or 0
      connection:reset()
      return { taken = taken, merged = merged }
    end)
  end

  local function is_there(congestion)
    local file <close> = assert(io.open "/proc/sys/net/ipv4/tcp_available_congestion_control")
    if not (" " .. file:read "l" .. " "):find(" " .. congestion .. " ", 1, true) then return false end
    local host <close> = host_with(congestion) -- the machine may keep it to itself
    return host ~= nil
  end

  for _, congestion in ipairs { "reno", "cubic", "bbr" } do
    for _, write in ipairs { 65536, 1000, 64 } do
      it(("lets as much in with writes of %d bytes under %s as no capture does"):format(write, congestion), function()
        if congestion ~= "reno" and not is_there(congestion) then -- every kernel has reno
          io.stderr:write("not tried: this machine lets no host have ", congestion, "\n")
          return
        end
        local taken, seen = {}, {}
        assert.is_true(lunet.eventually(function()
          taken[#taken + 1] = absorb(congestion, write, false).taken
          local captured = absorb(congestion, write, true)
          seen[#seen + 1] = ("%d (merged: %d)"):format(captured.taken, captured.merged)
          for _, without in ipairs(taken) do
            if captured.merged > 0 and math.abs(captured.taken - without) <= 0.005 * without then return true end
          end
          assert(#taken < TRIES, ("%s without, %s with a capture"):format(table.concat(taken, ", "),
            table.concat(seen, ", ")))
        end, TRIES * BOUND))
      end)
    end
  end
end)
