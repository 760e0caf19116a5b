local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local count_descriptors = require "spec.support.descriptors"
local eventually = require "spec.support.eventually"
local lossy = require "spec.support.lossy"

local BOUND <const> = require "spec.support.bound"
local SHORT = 0.02 -- for what is to time out

local families = {
  { name = "IPv4", any = "0.0.0.0", loopback = "127.0.0.1" },
  { name = "IPv6", any = "::", loopback = "::1" },
}

local lost = lossy.count

describe("a rule", function()
  local server, client, link

  before_each(function() server, client, link = lossy.hosts() end)

  after_each(function()
    server:close()
    client:close()
    assert.same({}, lunet.open_handles())
  end)

  local function listen(family, port)
    return assert(server:listen { address = family.any, port = port, backlog = 16 })
  end

  local function pair(listener) return lossy.pair(client, listener) end

  local function connect_code(host, target)
    local connection <close>, _, code = host:connect(target, BOUND)
    return connection and "connected" or code
  end

  for _, family in ipairs(families) do
    describe("on " .. family.name, function()
      local listener

      before_each(function() listener = listen(family, 7000) end)

      it("loses what matches until it is closed, and TCP then makes up for it", function()
        local near, far = pair(listener)
        local before = client:counters()
        local rule <close> = assert(server:drop { flags = "data", to_port = 7000 })
        assert(near:send "hello")
        eventually(function() return lost(rule) > 0 end)
        assert.equal(0, far:unread())
        rule:close()
        assert.equal("hello", far:receive(5, BOUND))
        assert.is_true((client:counters() - before).RetransSegs > 0)
        local segments, bytes = rule:lost()
        near:send "more"
        assert.equal("more", far:receive(4, BOUND))
        assert.same({ segments, bytes }, { rule:lost() })
      end)

      it("loses exactly what matches, and counts it", function()
        local ends = {}
        for i = 1, 5 do ends[i] = { pair(listener) } end
        local rule <close> = assert(server:drop { flags = "RST" })
        local before = server:counters()
        for i = 1, 4 do assert(ends[i][1]:reset()) end
        eventually(function() return lost(rule) == 4 end)
        assert.equal(0, (server:counters() - before).InSegs)
        assert(ends[5][1]:send "still here")
        assert.equal("still here", ends[5][2]:receive(10, BOUND))
        for i = 1, 4 do assert.equal("ESTABLISHED", ends[i][2]:state()) end
        local segments, bytes = rule:lost()
        assert.equal(4, segments)
        assert.is_true(bytes >= 4 * 40)
      end)

      it("loses only the first n, if asked to", function()
        local rule <close> = assert(server:drop { flags = "SYN", first = 3, reject = "reset" })
        for _ = 1, 3 do assert.equal("ECONNREFUSED", connect_code(client, listener)) end
        for _ = 1, 3 do assert.equal("connected", connect_code(client, listener)) end
        assert.equal(3, lost(rule))
      end)

      it("loses one segment of data, which comes when it is sent again", function()
        local near, far = pair(listener)
        local rule <close> = assert(server:drop { flags = "data", first = 1 })
        assert(near:send "hello")
        eventually(function() return lost(rule) == 1 end)
        assert.equal("hello", far:receive(5, BOUND))
        assert.equal(1, lost(rule))
      end)

      it("loses on the way in only", function()
        local near, far = pair(listener)
        local rule <close> = assert(server:drop { flags = "data" })
        assert(far:send "out")
        assert.equal("out", near:receive(3, BOUND))
        assert.equal(0, lost(rule))
      end)

      it("loses on the way out only, and TCP takes it as sent", function()
        local near, far = pair(listener)
        local rule <close> = assert(server:drop { direction = "out", flags = "data" })
        local before = server:counters()
        assert(far:send "out")
        eventually(function() return lost(rule) > 0 end)
        assert.same({ 3, 0 }, { far:unsent() })
        assert.equal(1, (server:counters() - before).TCPOrigDataSent)
        assert(near:send "in")
        assert.equal("in", far:receive(2, BOUND))
        assert.equal(0, near:unread())
        rule:close()
        assert.equal("out", near:receive(3, BOUND))
        assert.is_true((server:counters() - before).RetransSegs > 0)
      end)

      it("loses in both directions", function()
        local near, far = pair(listener)
        local rule <close> = assert(server:drop { direction = "both", flags = "data", first = 2 })
        assert(far:send "out")
        eventually(function() return lost(rule) > 0 end)
        assert(near:send "in")
        eventually(function() return lost(rule) == 2 end)
        assert.equal("out", near:receive(3, BOUND))
        assert.equal("in", far:receive(2, BOUND))
        assert.equal(2, lost(rule))
      end)

      it("loses on the loopback, in each direction", function()
        for _, direction in ipairs { "in", "out", "both" } do
          local rule <close> = assert(server:drop { direction = direction, flags = "SYN", port = 7000 })
          assert.equal("TIMEOUT", code_of(server:connect(listener, SHORT)), direction)
          assert.is_true(lost(rule) > 0)
          rule:close()
          assert.equal("connected", connect_code(server, listener))
        end
      end)

      it("answers with RST, on the loopback too", function()
        local cases = {
          { server, "in", client }, { client, "out", client }, { client, "both", client },
          { server, "in", server }, { server, "out", server }, { server, "both", server },
        }
        for _, case in ipairs(cases) do
          local host, direction, from = table.unpack(case)
          local rule <close> = assert(host:drop { direction = direction, port = 7000, reject = "reset" })
          assert.equal("ECONNREFUSED", connect_code(from, listener))
          assert.equal(1, lost(rule))
        end
      end)

      it("ends a connection with RST", function()
        local near = pair(listener)
        local rule <close> = assert(server:drop { flags = "data", reject = "reset" })
        assert(near:send "hello")
        assert.equal("ECONNRESET", code_of(near:receive("l", BOUND)))
        assert.equal(1, lost(rule))
      end)

      it("goes by ports", function()
        local other = listen(family, 7001)
        local function codes(options)
          options.reject = "reset"
          local _ <close> = assert(server:drop(options))
          return { connect_code(client, listener), connect_code(client, other) }
        end
        assert.same({ "ECONNREFUSED", "connected" }, codes { port = 7000 })
        assert.same({ "connected", "ECONNREFUSED" }, codes { to_port = 7001 })
        assert.same({ "connected", "connected" }, codes { from_port = 7001 })
        assert.same({ "ECONNREFUSED", "ECONNREFUSED" }, codes { to = link:address(server, family.name:lower()) })
      end)
    end)
  end

  it("goes by addresses and networks", function()
    link:close()
    link = lunet.link(server, client, {
      a = { "10.0.0.1/24", "fd00::1/64" },
      b = { "10.0.0.2/24", "10.0.0.130/24", "fd00::2/64", "fd00::1:2/64" },
    })
    local listener = listen(families[2], 7000)
    local function code(from, options)
      options.reject = "reset"
      local _ <close> = assert(server:drop(options))
      local to = from:find ":" and "fd00::1" or "10.0.0.1"
      return connect_code(client, { address = to, port = 7000, from = from })
    end
    assert.equal("ECONNREFUSED", code("10.0.0.2", { from = "10.0.0.2" }))
    assert.equal("connected", code("10.0.0.130", { from = "10.0.0.2" }))
    assert.equal("ECONNREFUSED", code("10.0.0.130", { from = "10.0.0.128/25", to = "10.0.0.1" }))
    assert.equal("connected", code("10.0.0.2", { from = "10.0.0.128/25" }))
    assert.equal("ECONNREFUSED", code("10.0.0.2", { from = "10.0.0.130/24" }))
    assert.equal("connected", code("10.0.0.2", { to = "10.0.0.2" }))
    assert.equal("ECONNREFUSED", code("10.0.0.2", { from = "0.0.0.0/0" }))
    assert.equal("connected", code("10.0.0.2", { from = "::/0" }))
    assert.equal("ECONNREFUSED", code("fd00::2", { from = "fd00::2", to = "fd00::1" }))
    assert.equal("connected", code("fd00::1:2", { from = "fd00::2" }))
    assert.equal("ECONNREFUSED", code("fd00::1:2", { from = "fd00::1:0/112" }))
    assert.equal("connected", code("fd00::2", { from = "fd00::1:0/112" }))
    assert.equal("connected", code("fd00::2", { from = "0.0.0.0/0" }))
    listener:close()
  end)

  it("answers with ICMP, of which a client hears that connects", function()
    local listener = listen(families[2])
    local _, port = listener:address()
    local codes, rules, tasks = {}, {}, {}
    assert(server:sysctl("net.ipv4.icmp_ratelimit", 0))
    assert(server:sysctl("net.ipv6.icmp.ratelimit", 0))
    for i, reject in ipairs { "unreachable", "host-unreachable", "prohibited" } do
      rules[i] = assert(server:drop { from_port = 5000 + i, reject = reject })
      for _, family in ipairs { "ipv4", "ipv6" } do
        tasks[#tasks + 1] = lunet.spawn(function()
          local from = (family == "ipv6" and "[%s]:%d" or "%s:%d"):format(link:address(client, family), 5000 + i)
          local _, _, code = client:connect({ address = link:address(server, family), port = port, from = from }, BOUND)
          codes[family .. " " .. reject] = code
        end)
      end
    end
    for _, task in ipairs(tasks) do assert(task:join(BOUND)) end
    assert.same({
      ["ipv4 unreachable"] = "ECONNREFUSED",
      ["ipv6 unreachable"] = "ECONNREFUSED",
      ["ipv4 host-unreachable"] = "EHOSTUNREACH",
      ["ipv6 host-unreachable"] = "EHOSTUNREACH",
      ["ipv4 prohibited"] = "EHOSTUNREACH",
      ["ipv6 prohibited"] = "EACCES",
    }, codes)
    for _, rule in ipairs(rules) do rule:close() end
    listener:close()
  end)

  it("loses a SYN, and the next one connects #slow", function()
    local listener = listen(families[1])
    local before = client:counters()
    local rule <close> = assert(server:drop { flags = "SYN", first = 1 })
    assert.equal("connected", connect_code(client, listener))
    assert.equal(1, lost(rule))
    assert.equal(1, (client:counters() - before).TCPSynRetrans)
  end)

  it("leaves nothing to the rules that were opened before it", function()
    local listener = listen(families[1])
    local near, far = pair(listener)
    for _, direction in ipairs { "in", "out" } do
      local host = direction == "in" and server or client
      local old <close> = assert(host:drop { direction = "both", flags = "data" })
      local new <close> = assert(host:drop { direction = direction, flags = "data" })
      near:send "x"
      eventually(function() return lost(new) > 0 end)
      assert.equal(0, lost(old))
      new:close()
      eventually(function() return lost(old) > 0 end)
      old:close()
      assert.equal("x", far:receive(1, BOUND))
      eventually(function() return near:unsent() == 0 end)
    end
  end)

  it("concerns its own host only", function()
    local listener = listen(families[1])
    local rule <close> = assert(client:drop { direction = "in", flags = "SYN" })
    local near, far = pair(listener)
    assert(near:send "x")
    assert.equal("x", far:receive(1, BOUND))
    assert.equal(0, lost(rule))
  end)

  it("says what it loses", function()
    local rule <close> = assert(server:drop { port = 7000, flags = { "SYN", "RST" }, direction = "out" })
    assert.equal("rule on server: direction=out flags=SYN,RST port=7000", tostring(rule))
    local is_listed = false
    for _, text in ipairs(lunet.open_handles()) do is_listed = is_listed or text == tostring(rule) end
    assert.is_true(is_listed)
    rule:close()
    assert.equal("rule on server: direction=out flags=SYN,RST port=7000 (closed)", tostring(rule))
  end)

  it("may be closed twice, and after its host", function()
    local rule = assert(server:drop {})
    assert.is_true(rule:close())
    assert.is_true(rule:close())
    assert.same({ 0, 0 }, { rule:lost() })
    rule = assert(server:drop {})
    server:close()
    assert.matches("%(closed%)$", tostring(rule))
    assert.same({ 0, 0 }, { rule:lost() })
    assert.is_true(rule:close())
  end)

  it("ends with its host and keeps its count", function()
    local listener = listen(families[1])
    local rule = assert(server:drop { reject = "reset" })
    assert.equal("ECONNREFUSED", connect_code(client, listener))
    server:close()
    assert.equal(1, lost(rule))
  end)

  it("ends with its scope", function()
    local rule
    lunet.scope(function() rule = assert(server:drop {}) end)
    assert.matches("%(closed%)$", tostring(rule))
  end)

  it("is one of many, all of which go", function()
    local listener = listen(families[1])
    local rules = {}
    assert(server:drop {}):close()
    local before = count_descriptors()
    for i = 1, 20 do rules[i] = assert(server:drop { to_port = 7000 + i, reject = "reset" }) end
    assert.equal("connected", connect_code(client, listener))
    for _, rule in ipairs(rules) do rule:close() end
    assert.equal(before, count_descriptors())
  end)

  it("refuses what it does not know", function()
    local function refused(message, options)
      assert.has_error(function() server:drop(options) end, message)
    end
    local known = " (known: direction, first, flags, from, from_port, port, reject, state, to, to_port)"
    refused("drop: a table of options expected, not nil")
    refused("drop: unknown option 'flag'" .. known, { flag = "SYN" })
    refused("drop: unknown option '1'" .. known, { "SYN" })
    refused("drop: direction: one of both, forward, in, out expected, not \"up\"", { direction = "up" })
    refused("drop: direction: one of both, forward, in, out expected, not false", { direction = false })
    local kinds = "drop: flags: one of ACK, FIN, RST, SYN, SYN-ACK, any, data expected, not "
    refused(kinds .. '"URG"', { flags = "URG" })
    refused(kinds .. "1", { flags = { 1 } })
    refused(kinds .. "false", { flags = false })
    refused("drop: flags: a list of at least one expected", { flags = {} })
    refused("drop: flags: RST cannot be rejected by \"reset\": nobody answers a RST by a RST",
      { flags = { "SYN", "RST" }, reject = "reset" })
    refused("drop: reject: one of host-unreachable, prohibited, reset, unreachable expected, not true",
      { reject = true })
    refused("drop: first: a whole number from 1 to 4294967294 expected, not 0", { first = 0 })
    refused("drop: first: a whole number from 1 to 4294967294 expected, not 1.5", { first = 1.5 })
    refused("drop: port: a whole number from 1 to 65535 expected, not 65536", { port = 65536 })
    refused("drop: to_port: a whole number from 1 to 65535 expected, not \"80\"", { to_port = "80" })
    refused("drop: from ::1 to 127.0.0.1: both IPv4 or both IPv6 expected", { from = "::1", to = "127.0.0.1" })
    local addresses = "drop: from: an address like 10.0.0.1, 10.0.0.0/24, fd00::1 or fd00::/64 expected, not "
    for _, address in ipairs { "localhost", "10.0.0.1/33", "1.1.1.1/", "::1%lo", "[::1]", "10.0.0", "::/129", 1, "" } do
      refused(addresses .. (type(address) == "string" and ('"%s"'):format(address) or address), { from = address })
    end
  end)

  it("cannot be had from a closed host", function()
    server:close()
    assert.has_error(function() server:drop {} end, "drop: the host is closed")
  end)
end)
