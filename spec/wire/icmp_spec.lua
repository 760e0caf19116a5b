-- ICMP errors about segments (RFC 1122, 4.2.3.9; RFC 5927): they end a connect and a handshake, no connection, and only
-- if they quote a number that is on its way.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"

local BOUND <const> = require "spec.support.bound"

-- The code of a connect, by the kind: net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, icmpv6_err_convert.
local CODES <const> = {
  ["0.0.0.0"] = { ["net-unreachable"] = "ENETUNREACH", ["host-unreachable"] = "EHOSTUNREACH",
    ["protocol-unreachable"] = "ENOPROTOOPT", ["port-unreachable"] = "ECONNREFUSED", ["prohibited"] = "EHOSTUNREACH",
    ["time-exceeded"] = "EHOSTUNREACH" },
  ["::"] = { ["net-unreachable"] = "ENETUNREACH", ["host-unreachable"] = "EHOSTUNREACH",
    ["protocol-unreachable"] = "EPROTO", ["port-unreachable"] = "ECONNREFUSED", ["prohibited"] = "EACCES",
    ["time-exceeded"] = "EHOSTUNREACH" },
}

-- IPv4 and IPv6 differ in each of them: net/ipv4/tcp_ipv4.c, tcp_v4_err; net/ipv6/tcp_ipv6.c, tcp_v6_err; tcp_req_err.
local ENDS_HANDSHAKE <const> = {
  ["0.0.0.0"] = { ["net-unreachable"] = true, ["host-unreachable"] = true, ["time-exceeded"] = true },
  ["::"] = { ["protocol-unreachable"] = true, ["port-unreachable"] = true, ["prohibited"] = true },
}

for address, codes in pairs(CODES) do
  describe("an ICMP error, listening at " .. address, function()
    local server, client, link, listener

    before_each(function()
      server, client = assert(lunet.host "server"), assert(lunet.host "client")
      link = lunet.link(client, server, { delay = 0 })
      listener = assert(server:listen { address = address, backlog = 5 })
    end)

    after_each(function()
      server:close()
      client:close()
      assert.same({}, lunet.open_handles())
    end)

    for kind, code in pairs(codes) do
      it(kind .. " about the SYN ends connect with " .. code .. " (RFC 1122, 4.2.3.9)", function()
        assert(link:hold { flags = "SYN" })
        local task = lunet.spawn(function() return client:connect(listener, BOUND) end)
        local syn = assert(link:expect({ flags = "SYN" }, BOUND))
        assert(link:inject { from = syn.from, to = syn.to, flags = "SYN", seq = syn.sequence, icmp = kind })
        assert.equal(code, select(4, task:join(BOUND)))
      end)
    end

    for kind in pairs(codes) do
      local ends = ENDS_HANDSHAKE[address][kind] ~= nil
      it(kind .. (ends and " about the SYN-ACK ends the handshake" or " about the SYN-ACK changes nothing"), function()
        assert(link:hold { flags = "SYN-ACK" })
        local task = lunet.spawn(function() return client:connect(listener, BOUND) end)
        local answer = assert(link:expect({ flags = "SYN-ACK" }, BOUND))
        local before = assert(server:counters())
        for _, offset in ipairs { 5, 0, 5 } do
          assert(link:inject { from = answer.from, to = answer.to, flags = { "SYN", "ACK" }, ack = 0, icmp = kind,
            seq = answer.sequence + offset & 0xffffffff })
          if offset == 0 and ends then eventually(function() return #server:sockets { state = "SYN_RECV" } == 0 end) end
        end
        -- Those that quote another number are counted, as long as there is a handshake.
        local wrong = ends and 1 or 2
        eventually(function() return (assert(server:counters()) - before).OutOfWindowIcmps == wrong end)
        assert.equal(ends and 0 or 1, #server:sockets { state = "SYN_RECV" })
        assert.equal(0, listener:queue().depth)
        task:cancel()
      end)
    end

    it("ends no connection, queued or accepted (RFC 1122, 4.2.3.9)", function()
      local near = assert(client:connect(listener, BOUND))
      eventually(function() return listener:queue().depth == 1 end)
      for kind in pairs(codes) do
        assert(link:inject { like = near, icmp = kind })
        assert(link:inject { from = near:peer(), to = near:address(), icmp = kind })
      end
      assert.equal(1, #server:sockets { listener = listener, state = "ESTABLISHED" })
      assert(near:send "on")
      local far = assert(listener:accept(BOUND))
      assert.equal("on", far:receive(2, BOUND))
      assert.same({ "open", "open" }, { near:liveness(), far:liveness() })
    end)

    it("that quotes a number outside of the window is counted, and forgotten (RFC 5927, 4.1)", function()
      local near = assert(client:connect(listener, BOUND))
      local before = assert(client:counters())
      assert(link:inject { like = near, icmp = "port-unreachable", seq = "old" })
      eventually(function() return (assert(client:counters()) - before).OutOfWindowIcmps == 1 end)
      assert.equal("open", near:liveness())
    end)

    it("of a too large segment lowers the MTU: the next segments are smaller (RFC 1191; RFC 8201)", function()
      local near = assert(client:connect(listener, BOUND))
      local before = near:info().tcpi_snd_mss
      assert(link:inject { like = near, icmp = "fragmentation-needed", mtu = 1300 })
      assert(near:send(("x"):rep(1400)))
      eventually(function() return near:info().tcpi_snd_mss < before end)
      local far = assert(listener:accept(BOUND))
      assert.equal(1400, #far:receive(1400, BOUND))
    end)

    it("is refused if it makes no sense", function()
      local near = assert(client:connect(listener, BOUND))
      assert.error_matches(function() link:inject { like = near, icmp = "lost" } end,
        "inject: icmp: .*port%-unreachable.* expected, not \"lost\"")
      assert.error_matches(function() link:inject { like = near, icmp = "prohibited", mtu = 1300 } end,
        "inject: mtu: only of fragmentation%-needed")
      assert.error_matches(function() link:inject { like = near, icmp = "fragmentation-needed", mtu = 1 } end,
        "inject: mtu: a whole number from 68 to 65535")
      near:close()
      assert.equal("ENOENT", code_of(link:inject { from = link:address(client) .. ":9",
        to = link:address(server) .. ":9", icmp = "prohibited" }))
    end)
  end)
end
