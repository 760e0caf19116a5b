local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"

local BOUND <const> = require "spec.support.bound"

describe("the shutdown of a listener", function()
  local host, listener
  before_each(function() host = assert(lunet.host "server") end)
  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  local function enqueue()
    local depth = listener:queue().depth + 1
    local client = assert(host:connect(listener, BOUND))
    eventually(function() return listener:queue().depth == depth end)
    return client
  end

  for _, how in ipairs { "rd", "rdwr" } do
    it(("for reading resets who is queued, and refuses newcomers: %s"):format(how), function()
      listener = assert(host:listen { port = 7300, backlog = 5 })
      local queued <close> = enqueue()
      assert.is_true(listener:shutdown(how))
      assert.equal("ECONNRESET", code_of(queued:receive("l", BOUND)))
      assert.equal(0, listener:queue().depth)
      assert.equal("ECONNREFUSED", code_of(host:connect(listener, BOUND)))
      for _ = 1, 2 do assert.equal("EINVAL", code_of(listener:accept(BOUND))) end
      assert.equal("ENOTCONN", code_of(listener:shutdown(how)))
    end)
  end

  it("wakes who waits in accept with EINVAL", function()
    listener = assert(host:listen { port = 7300, backlog = 5 })
    local task = lunet.spawn(function() return select(3, listener:accept()) end)
    lunet.sleep(0)
    assert.is_true(listener:shutdown "rd")
    assert.same({ true, "EINVAL" }, { task:join(BOUND) })
  end)

  it("keeps the port, so that resize listens again, and accept gives newcomers", function()
    listener = assert(host:listen { port = 7300, backlog = 5 })
    local address, port = listener:address()
    enqueue():close()
    assert.is_true(listener:shutdown "rd")
    assert.is_true(listener:resize(3))
    assert.same({ depth = 0, limit = 3, drops = 0 }, listener:queue())
    assert.same({ address, port }, { listener:address() })
    local client <close> = enqueue()
    local accepted <close> = assert(listener:accept(BOUND))
    assert.equal(client:address(), accepted:peer())
    assert.equal("TIMEOUT", code_of(listener:accept(0)))
  end)

  it("gives back a port that the kernel has chosen: it listens again on another one", function()
    listener = assert(host:listen { backlog = 5 })
    for _ = 1, 20 do -- the kernel may choose the same one again
      local _, before = listener:address()
      assert.is_true(listener:shutdown "rd")
      assert.is_true(listener:resize(3))
      local _, after = listener:address()
      enqueue():close()
      assert(listener:accept(BOUND)):close()
      if before ~= after then return end
    end
    error "it kept its port 20 times"
  end)

  it("lets a task that asks before it listens again have the next client", function()
    listener = assert(host:listen { port = 7300, backlog = 5 })
    assert.is_true(listener:shutdown "rd")
    assert.is_true(listener:resize(3))
    local task = lunet.spawn(function()
      local accepted <close> = assert(listener:accept(BOUND))
      return accepted:peer()
    end)
    lunet.sleep(0)
    local client <close> = assert(host:connect(listener, BOUND))
    local _, peer = task:join(BOUND)
    assert.equal(client:address(), peer)
  end)

  it("for writing changes nothing", function()
    listener = assert(host:listen { port = 7300, backlog = 5 })
    local queued <close> = enqueue()
    assert.is_true(listener:shutdown "wr")
    assert.equal("open", queued:liveness())
    local later <close> = enqueue()
    for _ = 1, 2 do assert(listener:accept(BOUND)):close() end
    assert.equal("EOF", code_of(later:receive("l", BOUND)))
    assert.equal("EOF", code_of(queued:receive("l", BOUND)))
  end)

  it("of a Unix listener keeps queued clients, refuses newcomers, and cannot be undone", function()
    listener = assert(host:listen { address = "unix:@server", backlog = 5 })
    local queued <close> = enqueue()
    assert.is_true(listener:shutdown "rd")
    assert.equal("ECONNREFUSED", code_of(host:connect(listener, BOUND)))
    local accepted <close> = assert(listener:accept(BOUND))
    assert(accepted:send "hello\n")
    assert.equal("hello", queued:receive("l", BOUND))
    assert.equal("TIMEOUT", code_of(listener:accept(0)))
    listener:resize(5)
    assert.equal("ECONNREFUSED", code_of(host:connect(listener, BOUND)))
  end)

  it("answers CLOSED once the listener is closed", function()
    listener = assert(host:listen { port = 7300, backlog = 5 })
    listener:close()
    assert.equal("CLOSED", code_of(listener:shutdown "rd"))
  end)

  it("refuses what is not known, and nothing", function()
    listener = assert(host:listen { port = 7300, backlog = 5 })
    for _, how in ipairs { "both", "", 0, true } do
      assert.error_matches(function() listener:shutdown(how) end, '"rd", "wr" or "rdwr" expected')
    end
    assert.error_matches(function() listener:shutdown() end, '"rd", "wr" or "rdwr" expected')
  end)
end)
