local core = require "lunet.core"
local lunet = require "lunet"

local BOUND <const> = require "spec.support.bound"

local a, b, link

before_each(function()
  a, b = assert(lunet.host "a"), assert(lunet.host "b")
  link = lunet.link(a, b, { delay = 0 })
end)

after_each(function()
  a:close()
  b:close()
  assert.same({}, lunet.open_handles())
end)

-- Two connected ends; a is the client.
local function connect(address)
  local listener <close> = assert(b:listen { backlog = 8, address = address or "0.0.0.0" })
  local near = assert(a:connect({ listener, nodelay = true }, BOUND))
  return near, assert(listener:accept(BOUND))
end

-- Sends each text in a segment of its own, and waits until it has entered the link.
local function send_each(near, ...)
  for _, text in ipairs { ... } do
    assert(near:send(text))
    assert(link:expect({ data = text }, BOUND))
  end
end

-- So that nothing is sent again meanwhile, however busy the machine is. (The second setting came with Linux 6.11.)
local function repeat_late()
  assert(a:sysctl("net.ipv4.tcp_early_retrans", 0))
  a:sysctl("net.ipv4.tcp_rto_min_us", 20000000)
end

describe("link:hold", function()
  before_each(repeat_late)

  for family, address in pairs { ipv4 = "0.0.0.0", ipv6 = "::" } do
    it("keeps segments until they are released, in order, over " .. family, function()
      local near, far = connect(address)
      assert(link:hold { direction = "a_to_b", flags = "data" })
      send_each(near, "<1>", "<2>", "<3>")
      assert.equal("TIMEOUT", (select(3, far:receive(1, 0.01))))
      local held = assert(link:held())
      assert.same({ 3, 3, 3 }, { held[1].bytes, held[2].bytes, held[3].bytes })
      assert.equal(held[1].sequence + 3, held[2].sequence)
      assert.equal(near:address(), held[1].from)
      assert(link:release())
      assert.equal("<1><2><3>", far:receive(9, BOUND))
      assert.same({}, link:held())
      assert(near:send "<4>") -- nothing is held any more
      assert.equal("<4>", far:receive(3, BOUND))
    end)
  end

  it("releases them reversed: the receiver gets the first last", function()
    local near, far = connect()
    local before = assert(b:counters())
    assert(link:hold { direction = "a_to_b", flags = "data", first = 3 })
    send_each(near, "<1>", "<2>", "<3>")
    assert(link:release "reversed")
    assert.equal("<1><2><3>", far:receive(9, BOUND))
    assert.is_true((assert(b:counters()) - before).TCPOFOQueue >= 2)
  end)

  -- The sender notices that the second came before the first, and sends that again: so hold no more than three.
  it("releases those that are chosen, in the order chosen", function()
    local near, far = connect()
    assert(link:hold { direction = "a_to_b", flags = "data", data = "<", first = 3 })
    send_each(near, "<1>", "<2>", "<3>")
    assert(link:release { 2, 1 })
    assert.equal("<1><2>", far:receive(6, BOUND))
    assert.equal(1, #assert(link:held()))
    assert(link:release())
    assert.equal("<3>", far:receive(3, BOUND))
  end)

  it("goes on holding after it released a choice", function()
    local near, far = connect()
    assert(link:hold { direction = "a_to_b", flags = "data" })
    send_each(near, "<1>", "<2>")
    assert(link:release { 1 })
    assert.equal("<1>", far:receive(3, BOUND))
    send_each(near, "<3>")
    assert.equal(2, #assert(link:held()))
    assert(link:release())
    assert.equal("<2><3>", far:receive(6, BOUND))
  end)

  it("holds a SYN: connect succeeds once it is released", function()
    local listener <close> = assert(b:listen { backlog = 8 })
    assert(link:hold { flags = "SYN" })
    local task = lunet.spawn(function() return assert(a:connect(listener, BOUND)) end)
    assert(link:expect({ flags = "SYN" }, BOUND))
    assert.equal("TIMEOUT", (select(3, task:join(0.01))))
    assert.equal(0, listener:queue().depth)
    assert(link:release())
    assert(task:join(BOUND))
  end)

  it("counts: the n-th, and those after some", function()
    for field, expected in pairs { nth = { "<2>" }, skip = { "<3>", "<4>", "<5>" } } do
      local near, far = connect()
      assert(link:hold { direction = "a_to_b", flags = "data", [field] = 2 })
      send_each(near, "<1>", "<2>", "<3>", "<4>", "<5>")
      local held = {}
      for i, s in ipairs(assert(link:held())) do held[i] = s.packet:sub(-3) end
      assert.same(expected, held, field)
      assert(link:release())
      assert.equal("<1><2><3><4><5>", far:receive(15, BOUND))
    end
  end)

  it("takes a segment by its ends and its number, and no other", function()
    local near, far = connect()
    send_each(near, "<1>")
    local first = assert(far:receive(3, BOUND))
    local from, to = near:address(), near:peer()
    local port = math.tointeger(tonumber(from:match ":(%d+)$"))
    assert(link:hold { from = from:match "^[^:]+", to = to:match "^[^:]+" .. "/24", from_port = port, flags = "data" })
    send_each(near, "<2>")
    local held = assert(link:held())
    assert.equal(1, #held)
    assert(link:release())
    assert(link:hold { sequence = held[1].sequence })
    assert(link:hold { from = "10.99.0.0/16" })
    assert(link:hold { from_port = port + 1, to_port = port })
    assert(link:hold { data = "none of it" })
    send_each(near, "<3>")
    assert.equal(first .. "<2><3>", first .. assert(far:receive(6, BOUND)))
    assert.same({}, link:held())
  end)

  it("loses what is held when the link closes", function()
    local near, far = connect()
    assert(link:hold { flags = "data" })
    send_each(near, "<1>")
    assert.is_true(link:close())
    assert.equal("TIMEOUT", (select(3, far:receive(1, 0.01))))
    assert.equal("CLOSED", (select(3, link:held())))
    assert.equal("CLOSED", (select(3, link:hold {})))
  end)
end)

describe("link:drop_next", function()
  it("loses one segment, which TCP sends again, and tells it", function()
    local first = core.record(false)
    local near, far = connect()
    assert(link:drop_next { direction = "a_to_b", flags = "data" })
    assert(near:send "<1>")
    assert.equal("<1>", far:receive(3, BOUND))
    assert.equal(1, link:statistics().taken)
    local causes = {}
    for _, e in ipairs((core.events(first))) do
      if e.kind == "loss" then causes[#causes + 1] = e.cause end
    end
    assert.same({ "hand" }, causes)
  end)

  it("loses as many as it is told", function()
    local listener <close> = assert(b:listen { backlog = 8 })
    assert(link:drop_next { flags = "SYN", first = 2 })
    assert.equal("TIMEOUT", (select(3, a:connect(listener, 0.01))))
    assert.equal("TIMEOUT", (select(3, a:connect(listener, 0.01))))
    assert(a:connect(listener, BOUND))
    assert.equal(2, link:statistics().taken)
  end)
end)

describe("link:copy", function()
  before_each(repeat_late)

  it("lets a segment go on twice", function()
    local capture <close> = assert(b:capture())
    local near, far = connect()
    assert(link:copy { direction = "a_to_b", flags = "data" })
    assert(near:send "<1>")
    assert(near:send "<2>")
    assert.equal("<1><2>", far:receive(6, BOUND))
    assert(capture:expect({ { data = "<1>" }, { data = "<1>" }, { data = "<2>" },
      only = { flags = "data", direction = "in" } }, BOUND))
  end)
end)

describe("link:inject", function()
  for family, address in pairs { ipv4 = "0.0.0.0", ipv6 = "::" } do
    it("speaks as a connection's end: the other one believes it, over " .. family, function()
      local near, far = connect(address)
      assert(link:inject { like = near, flags = { "PSH", "ACK" }, data = "forged" })
      assert.equal("forged", far:receive(6, BOUND))
      assert(link:inject { like = far, flags = "RST" })
      assert.equal("ECONNRESET", (select(3, near:receive(1, BOUND))))
      assert.equal(0, assert(b:counters()).InCsumErrors + assert(a:counters()).InCsumErrors)
    end)
  end

  it("sends an old segment, which the receiver answers, and takes nothing of", function()
    local near, far = connect()
    assert(link:inject { like = near, flags = { "PSH", "ACK" }, seq = "old", data = "stale" })
    local answer = assert(link:expect({ direction = "b_to_a" }, BOUND))
    assert.equal("ACK", answer.flags)
    assert.equal(0, far:unread())
  end)

  it("has a wrong checksum if asked", function()
    local near, far = connect()
    assert(link:inject { like = near, flags = { "PSH", "ACK" }, data = "forged", checksum = "wrong" })
    assert(lunet.eventually(function() return assert(b:counters()).InCsumErrors == 1 end, BOUND))
    assert.equal(0, far:unread())
  end)

  it("sends from nothing: a SYN to a closed port is answered by RST", function()
    local capture <close> = assert(b:capture())
    local from, to = link:address(a) .. ":7", link:address(b) .. ":9"
    assert(link:inject { from = from, to = to, flags = "SYN", seq = 1000 })
    local answer = assert(link:expect({ flags = "RST", from_port = 9 }, BOUND))
    assert.equal(1001, answer.acknowledgement)
    assert(capture:expect({ { flags = "SYN", from_port = 7 }, "RST" }, BOUND))
  end)

  it("knows no numbers of a connection that it has not seen", function()
    local ok, message, code = link:inject { from = link:address(a) .. ":7", to = link:address(b) .. ":9" }
    assert.is_nil(ok)
    assert.matches("inject: no segment from 10.%d+.%d+.1:7 passed here: give its seq as a number", message)
    assert.equal("ENOENT", code)
  end)

  it("refuses what is no segment", function()
    local function refused(options, pattern)
      assert.error_matches(function() link:inject(options) end, pattern)
    end
    local to = link:address(b) .. ":9"
    refused({ from = to, to = to, flags = "FOO" }, "inject: flags: one of ACK, FIN, PSH, RST, SYN, URG expected")
    refused({ from = "10.0.0.1", to = to }, "inject: from: an address with a port")
    refused({ to = to }, "inject: from: an address with a port, .* expected, not nil")
    local beyond = { from = "10.98.0.1:7", to = "10.99.0.1:7", seq = 1, flags = "SYN" }
    refused(beyond, "inject: to: an address of a host on the link")
    refused({ from = to, to = to, seq = -1 }, "inject: seq: a whole number from 0 to 4294967295")
    refused({ from = to, to = to, seq = "soon" }, "inject: seq: .* expected, not \"soon\"")
    refused({ like = 7 }, "inject: like: a connection expected, not 7")
    refused({ from = to, to = to, checksum = "bad" }, "inject: checksum: right or wrong expected")
  end)
end)

describe("link:expect", function()
  it("gives the fields of the segment", function()
    local near = connect()
    assert(near:send "hello")
    local seen = assert(link:expect({ flags = "data" }, BOUND))
    assert.equal(near:address(), seen.from)
    assert.equal(near:peer(), seen.to)
    assert.equal(5, seen.bytes)
    assert.equal("hello", seen.packet:sub(-5))
    assert.is_true(seen.at <= lunet.now() and seen.at > lunet.now() - BOUND)
  end)

  it("sees those, too, that a hand loses or holds", function()
    local near = connect()
    assert(link:hold { flags = "data" })
    assert(near:send "held")
    assert(link:expect({ data = "held" }, BOUND))
  end)
end)

describe("hands", function()
  it("are not on a link that lunet does not forward", function()
    link:close()
    local direct <close> = lunet.link(a, b)
    local calls = {
      hold = function() return direct:hold {} end,
      held = function() return direct:held() end,
      release = function() return direct:release() end,
      drop_next = function() return direct:drop_next {} end,
      copy = function() return direct:copy {} end,
      expect = function() return direct:expect({}, 0) end,
      inject = function()
        return direct:inject { from = direct:address(a) .. ":1", to = direct:address(b) .. ":1", seq = 1, ack = 1 }
      end,
      cut = function() return direct:cut() end,
      mend = function() return direct:mend() end,
      unplug = function() return direct:unplug(a) end,
      plug = function() return direct:plug(b) end,
    }
    for name, call in pairs(calls) do
      local ok, message, code = call()
      assert.is_nil(ok, name)
      assert.matches("^" .. name .. ": lunet does not forward .*: give it delay = 0", message)
      assert.equal("EOPNOTSUPP", code)
    end
  end)

  it("refuse what is no filter", function()
    local function refused(options, pattern)
      assert.error_matches(function() link:hold(options) end, pattern)
    end
    refused(7, "hold: a table of options expected, not 7")
    refused({ prot = 1 }, "hold: unknown option 'prot' %(known: data, direction, every, first, flags, from")
    refused({ flags = "URG" }, "hold: flags: one of .* expected, not \"URG\"")
    refused({ from = "nobody" }, "hold: from: an address like")
    refused({ from = "10.0.0.1", to = "fd00::1" }, "hold: from 10.0.0.1 to fd00::1: both IPv4 or both IPv6")
    refused({ direction = "in" }, "hold: direction: a_to_b or b_to_a expected, not \"in\"")
    refused({ nth = 0 }, "hold: nth: a whole number from 1")
    refused({ nth = 2, first = 1 }, "hold: nth: no skip, every or first beside it")
    refused({ sequence = -1 }, "hold: sequence: a whole number from 0 to 4294967295")
    assert.error_matches(function() link:release "backwards" end, "release: order: .* expected, not \"backwards\"")
    assert.error_matches(function() link:release { 1 } end, "release: no held segment has the number 1")
  end)

  it("are at the port of one host of a LAN", function()
    local lan <close> = lunet.lan({ a, b }, { delay = 0 })
    assert.error_matches(function() lan:hold {} end, "hold: host: a host of the LAN of a and b expected, at whose port")
    local listener <close> = assert(b:listen { backlog = 8, address = lan:address(b) })
    local near <close> = assert(a:connect({ listener, nodelay = true }, BOUND))
    local far <close> = assert(listener:accept(BOUND))
    assert(lan:hold { host = a, direction = "from_host", flags = "data" })
    assert(near:send "held")
    assert(lan:expect({ host = a, data = "held" }, BOUND))
    assert.equal(1, #assert(lan:held(a)))
    assert.same({}, lan:held(b))
    assert(lan:release(nil, a))
    assert.equal("held", far:receive(4, BOUND))
    assert(lan:inject { like = near, flags = { "PSH", "ACK" }, data = "forged" })
    assert.equal("forged", far:receive(6, BOUND))
  end)
end)
