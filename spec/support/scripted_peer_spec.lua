local lunet = require "lunet"
local scripted_peer = require "spec.support.scripted_peer"

describe("a scripted peer", function()
  local peer

  before_each(function() peer = scripted_peer.open() end)

  after_each(function()
    peer:close()
    assert.same({}, lunet.open_handles())
  end)

  it("notices a server that is not silent", function()
    peer:send { flags = "SYN", ack = 0 }
    assert.has_error(function() peer:assert_silent() end)
  end)

  it("notices other flags than the expected ones", function()
    peer:send { flags = "SYN", ack = 0 }
    assert.has_error(function() peer:expect "RST" end)
  end)

  it("reads past what the server's timers send again", function()
    peer:send { flags = "SYN", ack = 0 }
    peer:expect "SYN,ACK"
    peer:send { flags = "SYN", seq = 1000, ack = 0 } -- the same answer comes once more
    peer:send { flags = { "RST" }, seq = 1001, ack = 0 }
    peer:await(nil)
    peer:send { ack = 5 }
    assert.equal(5, peer:expect("RST").sequence)
  end)
end)
