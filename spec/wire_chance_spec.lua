local core = require "lunet.core"
local lunet = require "lunet"

local BOUND <const> = require "spec.support.bound"
local PIECE <const> = 1000 -- bytes
local MTU <const> = 1500

local a, b

before_each(function()
  a, b = assert(lunet.host "a"), assert(lunet.host "b")
  for _, host in ipairs { a, b } do host:sysctl("net.ipv4.tcp_rto_min_us", 5000) end -- since Linux 6.11: quicker
end)

after_each(function()
  a:close()
  b:close()
  assert.same({}, lunet.open_handles())
end)

-- Two connected ends over a link; a sends.
local function connect(options, address)
  local link = lunet.link(a, b, options)
  local listener <close> = assert(b:listen { backlog = 8, address = address or "0.0.0.0" })
  local near = assert(a:connect({ listener, nodelay = true }, BOUND))
  return near, assert(listener:accept(BOUND)), link
end

-- Sends that many pieces, each in a call of its own, and returns what the other end received.
local function exchange(near, far, pieces)
  lunet.spawn(function()
    for i = 1, pieces do assert(near:send(("%04d"):format(i):rep(PIECE // 4), BOUND)) end
    near:shutdown()
  end)
  local data = assert(far:receive("a", BOUND))
  near:close()
  far:close()
  return data
end

local function whole(pieces)
  local list = {}
  for i = 1, pieces do list[i] = ("%04d"):format(i):rep(PIECE // 4) end
  return table.concat(list)
end

-- The sum of all 16-bit words of an IPv4 packet's segment and its pseudo header: 0xffff if the checksum is right.
local function sum_of(packet)
  local length = (">I2"):unpack(packet, 3)
  local bytes = packet:sub(13, 20) .. (">I2I2"):pack(6, length - 20) .. packet:sub(21, length)
  if #bytes % 2 == 1 then bytes = bytes .. "\0" end
  local sum = 0
  for i = 1, #bytes, 2 do sum = sum + (">I2"):unpack(bytes, i) end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return sum
end

local function losses_since(first)
  local list = {}
  for _, e in ipairs((core.events(first))) do
    if e.kind == "loss" then list[#list + 1] = e end
  end
  return list
end

local function next_event() return core.record(false) end

describe("a wire that leaves something to chance", function()
  it("carries single segments of at most the MTU with whole checksums", function()
    local capture <close> = assert(b:capture())
    local near, far, link = connect { loss = 0, duplicate = 0.1, seed = 7 }
    assert.equal(whole(100), exchange(near, far, 100))
    local longest, right, wrong = 0, 0, 0
    for _, s in ipairs(assert(capture:segments())) do
      if s.direction == "in" then
        longest = math.max(longest, s.length)
        local is_all = s.length <= #s.packet
        right = right + (is_all and sum_of(s.packet) == 0xffff and 1 or 0)
        wrong = wrong + (is_all and sum_of(s.packet) ~= 0xffff and 1 or 0)
      end
    end
    assert.is_true(longest > PIECE and longest <= MTU, "the longest has " .. longest)
    assert.is_true(right > 1)
    assert.equal(0, wrong)
    assert.equal(0, link:statistics().lost)
  end)

  for family, address in pairs { ipv4 = "0.0.0.0", ipv6 = "::" } do
    it("corrupts data or checksums only, so that the kernel notices each one, over " .. family, function()
      local near, far, link = connect({ corrupt = 0.2, seed = 7 }, address)
      assert.equal(whole(60), exchange(near, far, 60))
      local function errors() return assert(a:counters()).InCsumErrors + assert(b:counters()).InCsumErrors end
      assert.is_true(link:statistics().corrupted > 0)
      assert(lunet.eventually(function() return errors() == link:statistics().corrupted end, BOUND),
        ("%d errors, %d corrupted"):format(errors(), link:statistics().corrupted))
    end)
  end

  it("loses frames, each an event with its cause, and TCP brings all data nevertheless", function()
    local first = next_event()
    local near, far, link = connect { delay = 0.001, loss = 0.1, seed = 7 }
    assert.equal(whole(60), exchange(near, far, 60))
    local list, lost = losses_since(first), link:statistics().lost
    assert.is_true(lost > 0)
    assert.equal(lost, #list)
    for _, e in ipairs(list) do
      assert.equal("chance", e.cause)
      assert.matches("^10%.%d+%.%d+%.[12]:%d+$", e.local_address)
      assert.is_string(e.flags)
      assert.is_number(e.sequence)
    end
    local statistics = link:statistics()
    assert.equal(statistics.lost, statistics.a_to_b.lost + statistics.b_to_a.lost)
    assert.is_true(statistics.a_to_b.lost > 0 and statistics.b_to_a.lost > 0)
  end)

  it("lets frames come twice", function()
    local at_a <close> = assert(a:capture())
    local at_b <close> = assert(b:capture())
    local near, far, link = connect { duplicate = 0.2, seed = 7 }
    assert.equal(whole(60), exchange(near, far, 60))
    local function count(capture, direction)
      local seen = 0
      for _, s in ipairs(assert(capture:segments())) do seen = seen + (s.direction == direction and 1 or 0) end
      return seen
    end
    assert.is_true(link:statistics().a_to_b.duplicated > 0)
    assert(lunet.eventually(function()
      return count(at_b, "in") == count(at_a, "out") + link:statistics().a_to_b.duplicated
    end, BOUND))
  end)

  -- The wire keeps the order of what it sends. Behind it the kernel may change that of a few frames: each processor has
  -- a backlog, and on a busy machine that of the one which lunet has left may be late.
  it("keeps the order under jitter, unless it may change it", function()
    local function queued_early(reorder)
      local before = assert(b:counters())
      local near, far, link = connect { delay = 0.004, jitter = 0.004, reorder = reorder, seed = 7 }
      assert.equal(whole(60), exchange(near, far, 60))
      link:close()
      return (assert(b:counters()) - before).TCPOFOQueue or 0
    end
    local by_kernel, by_chance = queued_early(nil), queued_early(true)
    assert.is_true(by_chance > 0 and by_kernel <= by_chance / 4, by_kernel .. " of " .. by_chance)
  end)

  it("lets a share of frames overtake the others", function()
    local before = assert(b:counters())
    local near, far, link = connect { delay = 0.005, reorder = 0.2, seed = 7 }
    assert.equal(whole(60), exchange(near, far, 60))
    assert.is_true(link:statistics().overtook > 0)
    assert.is_true((assert(b:counters()) - before).TCPOFOQueue > 0)
  end)

  it("lets no more bytes a second pass than its rate", function()
    local RATE <const> = 2e6 -- bytes a second
    local near, far = connect { rate = RATE }
    local started = lunet.now()
    assert.equal(whole(100), exchange(near, far, 100))
    assert.is_true(lunet.now() - started >= 100 * PIECE / RATE)
  end)

  it("loses what exceeds its capacity, and tells that from chance", function()
    local first = next_event()
    local near, far, link = connect { rate = 1e6, capacity = 5000, seed = 7 }
    assert.equal(whole(60), exchange(near, far, 60))
    local statistics, list = link:statistics(), losses_since(first)
    assert.is_true(statistics.over_capacity > 0)
    assert.equal(0, statistics.lost)
    assert.equal(statistics.over_capacity, #list)
    assert.equal("capacity", list[1].cause)
  end)

  for family, address in pairs { ipv4 = "0.0.0.0", ipv6 = "::" } do
    it("marks frames of senders that know congestion marks, over " .. family, function()
      for _, host in ipairs { a, b } do assert(host:sysctl("net.ipv4.tcp_ecn", 1)) end
      local near, far, link = connect({ mark = 0.5, seed = 7 }, address)
      assert.equal(whole(60), exchange(near, far, 60))
      assert.is_true(link:statistics().marked > 0)
      assert.is_true(assert(a:counters()).TCPDeliveredCE > 0) -- the receiver told the sender
      assert.equal(0, assert(b:counters()).InCsumErrors)
    end)
  end

  it("marks no frame of other senders", function()
    for _, host in ipairs { a, b } do assert(host:sysctl("net.ipv4.tcp_ecn", 0)) end
    local near, far, link = connect { mark = 1 }
    assert.equal(whole(10), exchange(near, far, 10))
    assert.equal(0, link:statistics().marked)
  end)

  it("lets addresses be resolved though it loses all else", function()
    local link = lunet.link(a, b, { loss = 1 })
    local listener <close> = assert(b:listen { backlog = 1 })
    assert.equal("TIMEOUT", (select(3, a:connect(listener, 0.01))))
    local _, statistics = assert(lunet.eventually(function()
      local counted = link:statistics()
      return counted.a_to_b.lost > 0, counted
    end, BOUND))
    statistics = statistics or link:statistics()
    assert.is_true(statistics.a_to_b.forwarded > 0 and statistics.b_to_a.forwarded > 0) -- the question and the answer
  end)

  it("loses the resolution of addresses, too, if everything is left to chance", function()
    local link = lunet.link(a, b, { loss = 1, everything = true })
    local listener <close> = assert(b:listen { backlog = 1 })
    assert.equal("TIMEOUT", (select(3, a:connect(listener, 0.01))))
    assert(lunet.eventually(function() return link:statistics().a_to_b.lost > 0 end, BOUND))
    assert.equal(0, link:statistics().a_to_b.forwarded)
  end)
end)

-- Each datagram has a source port of its own, which tells its number. A line of input lets the program send the next
-- ones: so neither end's buffers overflow, however slow the machine is.
local SENDER <const> = [[
import socket, sys
to, first = sys.argv[1], int(sys.argv[2])
for line in sys.stdin:
    for port in range(first, first + int(line)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("", port))
            s.sendto(b"x", (to, 9))
    first += int(line)
    print(first)
]]

describe("of 10,000 datagrams a wire", function()
  local COUNT, BATCH, FIRST_PORT <const> = 10000, 500, 20000

  local function sent_by(host)
    local text = assert(core.read_file(host, "/proc/thread-self/net/dev"))
    return tonumber((text:match("eth%d+:" .. (" +%d+"):rep(9) .. " +(%d+)")))
  end

  -- Waits until the wire has decided about all frames of a.
  local function catch_up(link)
    assert(lunet.eventually(function()
      local statistics = link:statistics().a_to_b
      return statistics.forwarded + statistics.lost == sent_by(a)
    end, BOUND))
  end

  -- The numbers of the lost ones. The first datagram goes alone: until the address is resolved, only some can wait.
  local function lost_of()
    local first = next_event()
    local link <close> = lunet.link(a, b, { loss = 0.01, seed = 7 })
    local to = link:address(b)
    local sender <close> = assert(a:exec { "python3", "-uc", SENDER, to, tostring(FIRST_PORT), stdin = "pipe",
      stdout = "pipe" })
    local sent = 0
    while sent < COUNT do
      local batch = sent == 0 and 1 or math.min(BATCH, COUNT - sent)
      assert(sender.stdin:send(batch .. "\n", BOUND))
      assert(sender.stdout:receive("l", BOUND))
      catch_up(link)
      sent = sent + batch
    end
    local lost = {}
    for _, e in ipairs(losses_since(first)) do
      if e.host == core.host_number(a) then lost[#lost + 1] = e.local_port - FIRST_PORT + 1 end
    end
    return lost, assert(link:fates("a_to_b", COUNT))
  end

  it("loses those that the seed names, in each run", function()
    local lost, fates = lost_of()
    local expected = {}
    for i, fate in ipairs(fates) do
      if fate.lost then expected[#expected + 1] = i end
    end
    assert.near(0.01 * COUNT, #lost, 4 * math.sqrt(0.01 * COUNT))
    assert.same(expected, lost)
    assert.same(lost, (lost_of()))
  end)
end)

describe("a LAN whose ports leave something to chance", function()
  it("does so at every port, with what differs at one of them", function()
    local c <close> = assert(lunet.host "c")
    local lan <close> = lunet.lan({ a, b, c }, { seed = 7, ports = { [c] = { from_host = { loss = 1 } } } })
    local listener <close> = assert(b:listen { backlog = 8 })
    assert(a:connect(listener, BOUND)):reset()
    assert.equal("TIMEOUT", (select(3, c:connect(listener, 0.01))))
    assert(lunet.eventually(function() return lan:statistics().from_host.lost > 0 end, BOUND))
    assert.equal(0, lan:statistics().to_host.lost)
    assert.equal(7, lan:statistics().seed)
  end)

  it("has a delay at both ports of a way", function()
    local lan <close> = lunet.lan({ a, b }, { delay = 0.002 })
    local listener <close> = assert(b:listen { backlog = 8 })
    local started = lunet.now()
    assert(a:connect(listener, BOUND)):reset()
    assert.is_true(lunet.now() - started >= 4 * 0.002)
    assert.is_true(lan:statistics().forwarded > 0)
    assert.is_true(assert(lan:fates("from_host", 1, b))[1].delay == 0.002)
  end)

  it("refuses the hands and counts of a LAN that lunet does not forward", function()
    local lan <close> = lunet.lan { a, b }
    local statistics, message, code = lan:statistics()
    assert.is_nil(statistics)
    assert.matches("give it delay = 0", message)
    assert.equal("EOPNOTSUPP", code)
  end)
end)
