-- connection:info(), which is getsockopt(TCP_INFO).
local eventually = require "spec.support.eventually"
local pair = require "spec.support.pair"

local BOUND <const> = require "spec.support.bound"

for _, host in ipairs { "127.0.0.1", "::1" } do
  describe("TCP_INFO of a connection on " .. host, function()
    local near, far, listener
    before_each(function() near, far, listener = pair.open { address = host, backlog = 5 } end)
    after_each(function() pair.close(near, far, listener) end)

    it("is whole numbers by the kernel's names, with all fields that every kernel fills in", function()
      local info = near:info()
      for name, value in pairs(info) do
        assert.matches("^tcpi_[a-z_]+$", name)
        assert.equal("integer", math.type(value))
      end
      for _, name in ipairs { -- tcp(7)
        "state", "ca_state", "retransmits", "probes", "backoff", "options", "snd_wscale", "rcv_wscale", "rto", "ato",
        "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets", "last_data_sent", "last_ack_sent",
        "last_data_recv", "last_ack_recv", "pmtu", "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh", "snd_cwnd",
        "advmss", "reordering", "rcv_rtt", "rcv_space", "total_retrans",
      } do
        assert.is_truthy(info["tcpi_" .. name], name)
      end
    end)

    it("counts bytes, and has the connection's state, round trip and segment size", function()
      assert(near:send "hello")
      assert.equal("hello", far:receive(5, BOUND))
      eventually(function() return near:unsent() == 0 end)
      local info = near:info()
      assert.same({ 1, 0, 5 }, { info.tcpi_state, info.tcpi_unacked, info.tcpi_bytes_sent }) -- 1: ESTABLISHED
      assert.equal(5, far:info().tcpi_bytes_received)
      assert.is_true(info.tcpi_rtt > 0)
      assert.is_true(info.tcpi_snd_mss > 0)
    end)

    it("has the numbers of tcp_states.h, of a closed end too", function()
      assert.equal(1, far:info().tcpi_state)
      near:shutdown()
      eventually(function() return near:info().tcpi_state == 5 end) -- FIN_WAIT2
      assert.equal(8, far:info().tcpi_state) -- CLOSE_WAIT
      near:reset()
      eventually(function() return far:info().tcpi_state == 7 end) -- CLOSE
    end)

    it("splits the bytes that hold two fields", function()
      eventually(function() return near:info().tcpi_rcv_wscale > 0 end)
      local one, other = near:info(), far:info()
      assert.equal(one.tcpi_snd_wscale, other.tcpi_rcv_wscale)
      assert.equal(one.tcpi_rcv_wscale, other.tcpi_snd_wscale)
    end)
  end)
end
