local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local lossy = require "spec.support.lossy"

local BOUND <const> = require "spec.support.bound"
local SHORT = 0.02 -- for what is to time out

local families = {
  { name = "IPv4", any = "0.0.0.0", loopback = "127.0.0.1" },
  { name = "IPv6", any = "::", loopback = "::1" },
}

local lost = lossy.count

describe("a rule", function()
  local server, client

  before_each(function() server, client = lossy.hosts() end)

  after_each(function()
    server:close()
    client:close()
    assert.same({}, lunet.open_handles())
  end)

  local function listen(family, port)
    return assert(server:listen { address = family.any, port = port, backlog = 16 })
  end

  local function pair(listener) return lossy.pair(client, listener) end

  describe("that goes by flags", function()
    local listener

    before_each(function() listener = listen(families[1], 7000) end)

    it("loses a SYN: the client gives up, and the server never knew", function()
      local before = server:counters()
      local rule <close> = assert(server:drop { flags = "SYN" })
      assert.equal("TIMEOUT", code_of(client:connect(listener, SHORT)))
      assert.is_true(lost(rule) > 0)
      assert.equal(0, (server:counters() - before).InSegs)
    end)

    it("loses the SYN-ACK: the client gives up, and the queue is empty", function()
      local rule <close> = assert(server:drop { flags = "SYN-ACK", direction = "out" })
      assert.equal("TIMEOUT", code_of(client:connect(listener, SHORT)))
      assert.is_true(lost(rule) > 0)
      assert.equal(0, listener:queue().depth)
    end)

    it("loses the last ACK of a handshake: the client is connected, and the queue is empty", function()
      local rule <close> = assert(server:drop { flags = "ACK" })
      local near <close> = assert(client:connect(listener, BOUND))
      eventually(function() return lost(rule) > 0 end)
      assert.equal("ESTABLISHED", near:state())
      assert.equal(0, listener:queue().depth)
      rule:close()
      assert(near:send "x")
      eventually(function() return listener:queue().depth == 1 end)
    end)

    it("loses a FIN: the server takes a client that left for an open one", function()
      local near, far = pair(listener)
      local rule <close> = assert(server:drop { flags = "FIN" })
      near:close()
      eventually(function() return lost(rule) > 0 end)
      assert.equal("open", far:liveness())
      rule:close()
      eventually(function() return far:liveness() == "fin" end)
    end)

    it("loses a RST on its way out", function()
      local near, far = pair(listener)
      local rule <close> = assert(client:drop { flags = "RST", direction = "out" })
      near:reset()
      eventually(function() return lost(rule) == 1 end)
      assert.equal("open", far:liveness())
    end)

    it("takes a list of kinds", function()
      local near, far = pair(listener)
      local rule <close> = assert(server:drop { flags = { "ACK", "SYN", "data" }, first = 2 })
      assert.equal("TIMEOUT", code_of(client:connect(listener, SHORT)))
      assert(near:send "x")
      eventually(function() return lost(rule) == 2 end)
      near:close()
      assert.equal("x", far:receive("a", BOUND))
    end)
  end)
end)
