-- Segments that a stranger could send into a connection (RFC 5961): only RST with the very next number ends it, and
-- what may be a restarted peer's is challenged by an ACK.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local scripted_peer = require "spec.support.scripted_peer"

local BOUND <const> = require "spec.support.bound"

local peer, connection

before_each(function()
  peer = scripted_peer.open()
  connection = peer:connect()
end)

after_each(function()
  peer:close()
  assert.same({}, lunet.open_handles())
end)

-- The connection still takes bytes.
local function assert_alive()
  peer:send { flags = { "PSH", "ACK" }, data = "alive" }
  peer:expect "ACK"
  assert.equal("alive", connection:receive(5, BOUND))
end

describe("a connection", function()
  it("ends at RST with the next number (RFC 5961, 3.2)", function()
    peer:send { flags = "RST" }
    assert.equal("ECONNRESET", code_of(connection:receive(1, BOUND)))
    assert.equal("CLOSE", connection:state())
  end)

  it("challenges RST with another number in the window (RFC 5961, 3.2)", function()
    peer:send { flags = "RST", seq = peer.seq + 1 }
    local challenge = peer:expect "ACK"
    assert.same({ peer.seq, peer.ack }, { challenge.acknowledgement, challenge.sequence })
    assert_alive()
  end)

  it("ignores RST outside of the window (RFC 5961, 3.2)", function()
    peer:send { flags = "RST", seq = peer.seq - 100000 }
    peer:send { flags = "RST", seq = peer.seq + 1000000 }
    peer:assert_silent()
    assert_alive()
  end)

  it("challenges SYN, in the window or not (RFC 5961, 4.2)", function()
    for _, offset in ipairs { 0, 1, -100000 } do
      peer:send { flags = "SYN", seq = peer.seq + offset, ack = 0 }
      assert.equal(peer.seq, peer:expect("ACK").acknowledgement)
    end
    assert_alive()
  end)

  it("answers data outside of the window by an ACK, and takes none of it (RFC 9293, 3.10.7.4)", function()
    for _, offset in ipairs { -100000, 1000000 } do
      peer:send { flags = { "PSH", "ACK" }, seq = peer.seq + offset, data = "forged" }
      assert.equal(peer.seq, peer:expect("ACK").acknowledgement)
    end
    assert.equal(0, connection:unread())
    assert_alive()
  end)

  it("takes no data that acknowledges what was never sent (RFC 5961, 5.2)", function()
    peer:send { flags = { "PSH", "ACK" }, ack = peer.ack + 100000 & 0xffffffff, seq = peer.seq, data = "forged" }
    assert_alive()
    assert.equal(0, connection:unread())
  end)

  it("takes the new part of data of which it knows the beginning (RFC 9293, 3.10.7.4)", function()
    peer:send { flags = { "PSH", "ACK" }, data = "abc" }
    peer:expect "ACK"
    peer:send { flags = { "PSH", "ACK" }, seq = peer.seq - 3, data = "abcdef" }
    assert.equal(1007, peer:expect("ACK").acknowledgement)
    assert.equal("abcdef", connection:receive(6, BOUND))
  end)
end)
