-- A listener, and a connection of which it knows only the SYN: RFC 9293, 3.10.7.1, 3.10.7.2 and 3.10.7.4.
local lunet = require "lunet"
local scripted_peer = require "spec.support.scripted_peer"

local BOUND <const> = require "spec.support.bound"

local peer

before_each(function() peer = scripted_peer.open() end)

after_each(function()
  peer:close()
  assert.same({}, lunet.open_handles())
end)

describe("LISTEN", function()
  it("answers a SYN by SYN-ACK, which acknowledges the SYN alone (RFC 9293, 3.10.7.2)", function()
    peer:send { flags = "SYN", ack = 0 }
    local answer = peer:expect "SYN,ACK"
    assert.equal(1001, answer.acknowledgement)
    assert.equal("SYN_RECV", peer:state())
    assert.equal(0, peer.listener:queue().depth)
  end)

  it("answers an ACK that belongs to nothing by RST, with that number and no ACK (RFC 9293, 3.10.7.2)", function()
    peer:send { ack = 55555 }
    local answer = peer:expect "RST"
    assert.equal(55555, answer.sequence)
    assert.is_nil(peer:state())
  end)

  it("ignores RST (RFC 9293, 3.10.7.2)", function()
    peer:send { flags = "RST" }
    peer:send { flags = { "RST", "ACK" }, ack = 55555 }
    peer:assert_silent()
  end)

  -- net/ipv4/tcp_input.c, tcp_rcv_state_process
  it("ignores a SYN that is a FIN, too", function()
    peer:send { flags = { "SYN", "FIN" }, ack = 0 }
    peer:assert_silent()
    assert.is_nil(peer:state())
  end)

  it("takes no data of a SYN without fast open: it comes again (RFC 9293, 3.10.7.2; RFC 7413, 2)", function()
    peer:send { flags = "SYN", ack = 0, seq = 1000, data = "early" }
    peer.seq = 1001
    assert.equal(1001, peer:expect("SYN,ACK").acknowledgement)
    peer:send {}
    local connection = assert(peer.listener:accept(BOUND))
    assert.equal(0, connection:unread())
    peer:send { flags = { "PSH", "ACK" }, data = "early" }
    assert.equal("early", connection:receive(5, BOUND))
  end)

  it("at no port answers a SYN by RST, which acknowledges it (RFC 9293, 3.10.7.1)", function()
    peer.server_port = 7001
    peer:send { flags = "SYN", ack = 0 }
    local answer = peer:expect "RST,ACK"
    assert.same({ 0, 1001 }, { answer.sequence, answer.acknowledgement })
  end)
end)

describe("SYN-RECEIVED", function()
  it("answers an ACK of what was not sent by RST with that number, and stays (RFC 9293, 3.10.7.4)", function()
    peer:send { flags = "SYN", ack = 0 }
    local answer = peer:expect "SYN,ACK"
    peer:send { ack = answer.sequence + 77 & 0xffffffff }
    assert.equal(answer.sequence + 77 & 0xffffffff, peer:expect("RST").sequence)
    assert.equal("SYN_RECV", peer:state())
    peer:send {}
    assert(peer.listener:accept(BOUND))
  end)

  it("ends at RST, and is back in LISTEN (RFC 9293, 3.10.7.4)", function()
    peer:send { flags = "SYN", ack = 0 }
    peer:expect "SYN,ACK"
    peer:send { flags = "RST" }
    peer:await(nil)
    peer:send {} -- which belongs to nothing now
    peer:expect "RST"
    assert.equal(0, peer.listener:queue().depth)
  end)

  it("takes the data that comes with the ACK of the handshake (RFC 9293, 3.10.7.4)", function()
    peer:send { flags = "SYN", ack = 0 }
    peer:expect "SYN,ACK"
    peer:send { flags = { "PSH", "ACK" }, data = "at once" }
    local connection = assert(peer.listener:accept(BOUND))
    assert.equal("at once", connection:receive(7, BOUND))
    assert.equal(1008, peer:expect("ACK").acknowledgement)
  end)
end)
