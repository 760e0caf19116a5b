-- The user timeout (RFC 9293, 3.8.3; RFC 5482): how long bytes may go unacknowledged. The kernel's own timers run here.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local scripted_peer = require "spec.support.scripted_peer"

local BOUND <const> = require "spec.support.bound"
local TIMEOUT <const> = 0.1 -- s; the kernel looks when a timer fires, of which the first takes 0.2 s

local peer, connection

before_each(function()
  peer = scripted_peer.open { times_out = true, listen = { user_timeout = TIMEOUT } }
  connection = peer:connect()
end)

after_each(function()
  peer:close()
  assert.same({}, lunet.open_handles())
end)

describe("user_timeout", function()
  it("ends a connection whose bytes nobody acknowledges, with ETIMEDOUT (RFC 9293, 3.8.3)", function()
    assert(connection:send "hello")
    peer:expect "PSH,ACK"
    assert.equal("ETIMEDOUT", code_of(connection:receive(1, BOUND)))
    assert.equal("CLOSE", connection:state())
  end)

  -- net/ipv4/tcp_timer.c, tcp_probe_timer: an answered probe is no progress.
  it("ends a connection whose peer's window stays shut, although it answers (RFC 9293, 3.8.6.1)", function()
    peer:send { window = 0 }
    eventually(function() return connection:info().tcpi_snd_wnd == 0 end)
    assert(connection:send "hello")
    local probe = peer:next()
    assert.same({ "ACK", 0, peer.ack - 1 & 0xffffffff }, { probe.flags, probe.bytes, probe.sequence })
    peer:send { window = 0 }
    assert.equal("ETIMEDOUT", code_of(connection:receive(1, BOUND)))
  end)

  it("set to 0 gives the default back, which is minutes (tcp(7))", function()
    assert(connection:set { user_timeout = 0 })
    assert(connection:send "hello")
    peer:expect "PSH,ACK"
    eventually(function() return peer.server:sockets({ peer_port = peer.port })[1].retransmits >= 1 end)
    assert.equal("ESTABLISHED", connection:state())
  end)
end)
