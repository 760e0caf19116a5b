-- Ends of connections: FIN, RST and who waits (RFC 9293, 3.6 and 3.10.4; RFC 1122, 4.2.2.13).
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
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

describe("close", function()
  it("sends FIN, and waits in FIN-WAIT-1, FIN-WAIT-2 and TIME-WAIT (RFC 9293, 3.6, case 1)", function()
    connection:close()
    peer:expect "FIN,ACK"
    assert.equal("FIN_WAIT1", peer:state())
    peer:send {}
    peer:await "FIN_WAIT2"
    peer:send { flags = { "FIN", "ACK" } }
    assert.equal(1002, peer:expect("ACK").acknowledgement)
    peer:await "TIME_WAIT"
  end)

  it("goes straight to TIME-WAIT at a FIN that acknowledges its own (RFC 9293, 3.10.7.4)", function()
    connection:close()
    peer:expect "FIN,ACK"
    peer:send { flags = { "FIN", "ACK" } }
    assert.equal(1002, peer:expect("ACK").acknowledgement)
    peer:await "TIME_WAIT"
  end)

  it("at the same time as the peer's leads to CLOSING and TIME-WAIT (RFC 9293, 3.6, case 3)", function()
    local unacknowledged = peer.ack
    connection:close()
    peer:expect "FIN,ACK"
    peer:send { flags = { "FIN", "ACK" }, ack = unacknowledged }
    assert.equal(1002, peer:expect("ACK").acknowledgement)
    assert.equal("CLOSING", peer:state())
    peer:send {}
    peer:await "TIME_WAIT"
  end)

  it("after the peer's leads to LAST-ACK and nothing (RFC 9293, 3.6, case 2)", function()
    peer:send { flags = { "FIN", "ACK" } }
    assert.equal(1002, peer:expect("ACK").acknowledgement)
    assert.equal("CLOSE_WAIT", connection:state())
    connection:close()
    peer:expect "FIN,ACK"
    assert.equal("LAST_ACK", peer:state())
    peer:send {}
    peer:await(nil)
  end)

  it("with unread bytes sends RST at once (RFC 2525, 2.17)", function()
    peer:send { flags = { "PSH", "ACK" }, data = "unread" }
    peer:expect "ACK"
    connection:close()
    assert.equal(1007, peer:expect("RST,ACK").acknowledgement)
    peer:await(nil)
  end)

  it("answers bytes that come later by RST (RFC 1122, 4.2.2.13)", function()
    connection:close()
    peer:expect "FIN,ACK"
    peer:send { flags = { "PSH", "ACK" }, data = "too late" }
    peer:expect "RST"
    peer:await(nil)
  end)

  it("sends what was sent before the FIN, when the window opens (RFC 9293, 3.6)", function()
    peer:send { window = 0 }
    eventually(function() return connection:info().tcpi_snd_wnd == 0 end)
    assert(connection:send "last words")
    connection:close()
    assert.equal("FIN_WAIT1", peer:state())
    peer:send { window = 1000 }
    assert.equal(10, peer:expect("FIN,PSH,ACK").bytes)
    peer:send { flags = { "FIN", "ACK" } }
    peer:expect "ACK"
    peer:await "TIME_WAIT"
  end)
end)

describe("reset", function()
  it("sends RST with the next number, and waits for nothing (RFC 9293, 3.10.5)", function()
    local next_number = peer.ack
    assert(connection:reset())
    assert.equal(next_number, peer:expect("RST,ACK").sequence)
    peer:await(nil)
  end)
end)

describe("dissolve", function()
  it("sends RST likewise, and the socket stays (connect(2); tcp_disconnect)", function()
    local next_number = peer.ack
    assert(connection:dissolve())
    assert.equal(next_number, peer:expect("RST,ACK").sequence)
    assert.equal("CLOSE", connection:state())
  end)
end)

describe("shutdown", function()
  it("of the sending side sends FIN, and data still comes (RFC 9293, 3.6)", function()
    assert(connection:shutdown "wr")
    peer:expect "FIN,ACK"
    peer:send { flags = { "PSH", "ACK" }, data = "still here" }
    assert.equal(1011, peer:expect("ACK").acknowledgement)
    assert.equal("still here", connection:receive(10, BOUND))
    assert.equal("FIN_WAIT2", connection:state())
  end)

  it("of a side that has ended sends no second FIN", function()
    assert(connection:shutdown "wr")
    peer:expect "FIN,ACK"
    assert(connection:shutdown "wr")
    peer:assert_silent()
  end)

  it("of the receiving side sends nothing, and data is acknowledged (shutdown(2); tcp_rcv_established)", function()
    assert(connection:shutdown "rd")
    peer:assert_silent()
    peer:send { flags = { "PSH", "ACK" }, data = "for nobody" }
    assert.equal(1011, peer:expect("ACK").acknowledgement)
    assert.equal("ESTABLISHED", connection:state())
  end)

  it("of both sides sends FIN, and answers data by RST (RFC 1122, 4.2.2.13)", function()
    assert(connection:shutdown "rdwr")
    peer:expect "FIN,ACK"
    peer:send { flags = { "PSH", "ACK" }, data = "for nobody" }
    peer:expect "RST"
    assert.equal("CLOSE", connection:state())
  end)

  it("of a connection whose peer has ended leads to LAST-ACK, while it is open (RFC 9293, 3.6)", function()
    peer:send { flags = { "FIN", "ACK" } }
    peer:expect "ACK"
    assert(connection:shutdown "wr")
    peer:expect "FIN,ACK"
    assert.equal("LAST_ACK", connection:state())
    peer:send {}
    eventually(function() return connection:state() == "CLOSE" end)
    assert.equal("EOF", code_of(connection:receive(1, BOUND)))
  end)
end)
