-- TIME-WAIT: the end that closed first remembers the connection (RFC 9293, 3.6.1 and 3.10.7.4; RFC 1337; RFC 6191).
local lunet = require "lunet"
local scripted_peer = require "spec.support.scripted_peer"

local BOUND <const> = require "spec.support.bound"

local peer

local function open(sysctl)
  peer = scripted_peer.open { sysctl = sysctl }
  local connection = peer:connect()
  connection:close()
  peer:expect "FIN,ACK"
  peer:send { flags = { "FIN", "ACK" } }
  peer:expect "ACK"
  peer:await "TIME_WAIT"
end

after_each(function()
  peer:close()
  assert.same({}, lunet.open_handles())
end)

describe("TIME-WAIT", function()
  it("acknowledges the FIN again when that comes again (RFC 9293, 3.10.7.4)", function()
    open()
    peer:send { flags = { "FIN", "ACK" }, seq = peer.seq - 1 }
    assert.equal(peer.seq, peer:expect("ACK").acknowledgement)
    assert.equal("TIME_WAIT", peer:state())
  end)

  it("answers old data by an ACK of what it expects (RFC 9293, 3.10.7.4)", function()
    open()
    peer:send { flags = { "PSH", "ACK" }, seq = peer.seq - 5, data = "late" }
    assert.equal(peer.seq, peer:expect("ACK").acknowledgement)
    assert.equal("TIME_WAIT", peer:state())
  end)

  it("ends at RST, unless tcp_rfc1337 forbids that hazard (RFC 1337, 3)", function()
    for setting, state in pairs { [0] = false, [1] = "TIME_WAIT" } do
      open { ["net.ipv4.tcp_rfc1337"] = setting }
      peer:send { flags = "RST" }
      peer:assert_silent()
      assert.equal(state, peer:state() or false)
      if setting == 0 then peer:close() end
    end
  end)

  it("gives way to a SYN beyond its numbers (RFC 1122, 4.2.2.13; RFC 6191)", function()
    open()
    peer.seq = peer.seq + 1000
    peer:send { flags = "SYN", ack = 0 }
    local answer = peer:expect "SYN,ACK"
    assert.equal(peer.seq, answer.acknowledgement)
    peer:send {}
    assert(peer.listener:accept(BOUND))
    assert.equal("ESTABLISHED", peer:state())
  end)

  it("answers a SYN within its numbers by an ACK of what it expects (RFC 9293, 3.10.7.4)", function()
    open()
    peer:send { flags = "SYN", seq = peer.seq - 1000, ack = 0 }
    assert.equal(peer.seq, peer:expect("ACK").acknowledgement)
    assert.equal("TIME_WAIT", peer:state())
  end)
end)
