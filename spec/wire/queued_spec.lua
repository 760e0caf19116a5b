-- A connection that waits in the accept queue: its end is the kernel, by the rules of RFC 9293, 3.10.7.4. No program
-- hears of it.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local scripted_peer = require "spec.support.scripted_peer"

local BOUND <const> = require "spec.support.bound"

local peer

before_each(function()
  peer = scripted_peer.open()
  peer:handshake()
end)

after_each(function()
  peer:close()
  assert.same({}, lunet.open_handles())
end)

describe("a connection that nobody has accepted", function()
  it("acknowledges data, and keeps it in order (RFC 9293, 3.10.7.4)", function()
    peer:send { flags = { "PSH", "ACK" }, data = "second", seq = peer.seq + 5 }
    assert.equal(1001, peer:expect("ACK").acknowledgement) -- the gap
    peer:send { flags = { "PSH", "ACK" }, data = "first" }
    assert.equal(1012, peer:expect("ACK").acknowledgement)
    assert.equal("firstsecond", assert(peer.listener:accept(BOUND)):receive(11, BOUND))
  end)

  it("acknowledges FIN, and is in CLOSE-WAIT (RFC 9293, 3.6)", function()
    peer:send { flags = { "FIN", "PSH", "ACK" }, data = "bye" }
    assert.equal(1005, peer:expect("ACK").acknowledgement)
    assert.equal("CLOSE_WAIT", peer:state())
    local connection = assert(peer.listener:accept(BOUND))
    assert.equal("bye", connection:receive("a", BOUND))
    assert.equal("EOF", code_of(connection:receive(1, BOUND)))
  end)

  it("ends at RST, but keeps its place in the queue (RFC 9293, 3.10.7.4)", function()
    peer:send { flags = { "PSH", "ACK" }, data = "lost?" }
    peer:expect "ACK"
    peer:send { flags = "RST" }
    peer:await(nil)
    assert.equal(1, peer.listener:queue().depth)
    local connection = assert(peer.listener:accept(BOUND))
    assert.equal("lost?", connection:receive(5, BOUND))
    assert.equal("ECONNRESET", code_of(connection:receive(1, BOUND)))
  end)

  it("is reset when its listener closes (RFC 9293, 3.10.4)", function()
    peer.listener:close()
    assert.equal(1001, peer:expect("RST,ACK").acknowledgement)
    peer:await(nil)
  end)

  it("is not made while the queue is full: the ACK is dropped, and the data after it (tcp_conn_request)", function()
    assert(peer.listener:resize(0))
    peer.port = 4001
    peer.seq = 5000
    local before = peer.listener:queue().drops
    peer:send { flags = "SYN", ack = 0 }
    eventually(function() return peer.listener:queue().drops == before + 1 end)
    assert.same({ 1, 0 }, { peer.listener:queue().depth, peer.listener:queue().limit })
    assert.is_nil(peer:state())
  end)
end)
