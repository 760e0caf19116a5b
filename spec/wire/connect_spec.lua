-- SYN-SENT: what ends a connect, and what does not (RFC 9293, 3.10.7.3 and 3.5).
local lunet = require "lunet"
local scripted_peer = require "spec.support.scripted_peer"

local BOUND <const> = require "spec.support.bound"

local peer, task, syn

before_each(function()
  peer = scripted_peer.open { listen = false }
  local target = { address = peer.address, port = peer.port, from = ("%s:%d"):format(peer.server_address, 7000) }
  task = lunet.spawn(function() return peer.server:connect(target, BOUND) end)
  syn = peer:expect "SYN"
end)

after_each(function()
  task:cancel()
  peer:close()
  assert.same({}, lunet.open_handles())
end)

local function result_of_connect()
  local _, connection, _, code = task:join(BOUND)
  return connection, code
end

describe("SYN-SENT", function()
  it("becomes ESTABLISHED at the SYN-ACK, and acknowledges it", function()
    peer:send { flags = { "SYN", "ACK" } }
    assert.equal(1001, peer:expect("ACK").acknowledgement)
    assert.equal("ESTABLISHED", result_of_connect():state())
  end)

  it("answers a SYN-ACK for another number by RST with that number, and waits on (first check)", function()
    peer:send { flags = { "SYN", "ACK" }, seq = 99, ack = syn.sequence + 500 & 0xffffffff }
    assert.equal(syn.sequence + 500 & 0xffffffff, peer:expect("RST").sequence)
    assert.equal("SYN_SENT", peer:state())
    peer:send { flags = { "SYN", "ACK" } }
    peer:expect "ACK"
    assert.equal("ESTABLISHED", result_of_connect():state())
  end)

  it("ends with ECONNREFUSED at RST that acknowledges the SYN (second check)", function()
    peer:send { flags = { "RST", "ACK" } }
    assert.same({ nil, "ECONNREFUSED" }, { result_of_connect() })
  end)

  it("ignores RST that acknowledges nothing, or something else (second check)", function()
    peer:send { flags = "RST", seq = 0, ack = 0 }
    peer:send { flags = { "RST", "ACK" }, seq = 0, ack = syn.sequence + 500 & 0xffffffff }
    assert.equal("SYN_SENT", peer:state())
    peer:send { flags = { "SYN", "ACK" } }
    peer:expect "ACK"
    assert.equal("ESTABLISHED", result_of_connect():state())
  end)

  it("answers a SYN by SYN-ACK of the same number: both connect at once (RFC 9293, 3.5, figure 7)", function()
    peer:send { flags = "SYN", ack = 0 }
    local answer = peer:expect "SYN,ACK"
    assert.same({ syn.sequence, 1001 }, { answer.sequence, answer.acknowledgement })
    assert.equal("SYN_RECV", peer:state())
    peer:send { flags = { "SYN", "ACK" }, seq = 1000 }
    peer:expect "ACK"
    assert.equal("ESTABLISHED", result_of_connect():state())
  end)

  it("ignores FIN (eighth check)", function()
    peer:send { flags = "FIN", seq = 1000, ack = 0 }
    assert.equal("SYN_SENT", peer:state())
    peer:send { flags = { "SYN", "ACK" } }
    peer:expect "ACK"
    assert.equal("ESTABLISHED", result_of_connect():state())
  end)
end)
