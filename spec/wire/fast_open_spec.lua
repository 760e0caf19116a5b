-- Fast open: data in a SYN, which a listener's program gets before the handshake is over (RFC 7413).
local lunet = require "lunet"
local eventually = require "spec.support.eventually"

local BOUND <const> = require "spec.support.bound"
local SYSCTLS <const> = { ["net.ipv4.tcp_fastopen"] = 3 }

local server, client, link, capture, listener

before_each(function()
  server = assert(lunet.host { name = "server", sysctl = SYSCTLS })
  client = assert(lunet.host { name = "client", sysctl = SYSCTLS })
  link = lunet.link(client, server, { delay = 0 })
  listener = assert(server:listen { port = 7000, backlog = 5, fastopen = 5 })
  capture = assert(server:capture())
end)

after_each(function()
  server:close()
  client:close()
  assert.same({}, lunet.open_handles())
end)

local function connect() return assert(client:connect({ listener, fastopen_connect = true }, BOUND)) end

-- The first segment of a kind that the server saw since its capture had `first` segments.
local function find(flags, first)
  return eventually(function()
    for _, s in ipairs(assert(capture:segments(first or 0))) do
      if s.flags == flags then return s end
    end
  end)
end

-- A client that has a cookie from now on. Returns how many segments that took.
local function get_cookie()
  local near = connect()
  assert(near:send "")
  local far = assert(listener:accept(BOUND))
  near:close()
  far:close()
  local count
  eventually(function()
    count = #assert(capture:segments())
    return #server:sockets { state = { "ESTABLISHED", "SYN_RECV", "CLOSE_WAIT", "LAST_ACK" } } == 0
  end)
  return count
end

describe("fast open", function()
  it("begins with a request for a cookie, and no data in the SYN (RFC 7413, 3.1)", function()
    local near = connect()
    assert(near:send "request")
    assert.same({ "", 0 }, { find("SYN").cookie, find("SYN").bytes })
    assert.is_true(#find("SYN,ACK").cookie >= 4)
    assert.equal("request", assert(listener:accept(BOUND)):receive(7, BOUND))
  end)

  it("delivers the data of a SYN with a cookie while the handshake goes on (RFC 7413, 4.2)", function()
    local first = get_cookie()
    assert(link:hold { direction = "b_to_a", flags = "SYN-ACK" })
    local near = connect()
    assert(near:send "request")
    local far = assert(listener:accept(BOUND))
    assert.equal("SYN_RECV", far:state())
    assert.equal("request", far:receive(7, BOUND))
    local syn = find("SYN", first)
    assert.same({ 7, true }, { syn.bytes, #syn.cookie >= 4 })
    assert.equal(syn.sequence + 8 & 0xffffffff, find("SYN,ACK", first).acknowledgement)
    assert.equal("SYN_SENT", near:state())
    assert(link:release())
    eventually(function() return far:state() == "ESTABLISHED" end)
  end)

  it("answers before the handshake is over (RFC 7413, 4.2)", function()
    get_cookie()
    assert(link:hold { direction = "a_to_b", flags = "ACK" }) -- that end the handshake
    local near = connect()
    assert(near:send "request")
    local far = assert(listener:accept(BOUND))
    assert.equal("request", far:receive(7, BOUND))
    assert(far:send "reply")
    assert.equal("reply", near:receive(5, BOUND))
    assert.equal("SYN_RECV", far:state())
  end)

  it("takes no data by a cookie of another key, and gives a new one (RFC 7413, 4.1.2)", function()
    local first = get_cookie()
    assert(server:sysctl("net.ipv4.tcp_fastopen_key", "00000001-00000002-00000003-00000004"))
    local near = connect()
    assert(near:send "request")
    local syn = find("SYN", first)
    assert.equal(7, syn.bytes)
    local answer = find("SYN,ACK", first)
    assert.equal(syn.sequence + 1 & 0xffffffff, answer.acknowledgement)
    assert.is_true(#answer.cookie >= 4)
    assert.equal("request", assert(listener:accept(BOUND)):receive(7, BOUND)) -- sent again
  end)

  it("takes no data where no place is left for such connections: RST comes later (RFC 7413, 5.1)", function()
    get_cookie()
    assert(listener:set { fastopen = 1 })
    assert(link:hold { direction = "b_to_a", flags = "SYN-ACK" })
    local one, other = connect(), connect()
    assert(one:send "first")
    local far = assert(listener:accept(BOUND))
    assert.equal("first", far:receive(5, BOUND))
    assert(other:send "other")
    eventually(function() return assert(server:counters()).TCPFastOpenListenOverflow == 1 end)
    assert.equal(0, listener:queue().depth)
  end)
end)
