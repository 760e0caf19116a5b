local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"

local BOUND <const> = require "spec.support.bound"

local function depth_of(listener)
  return assert(listener:queue()).depth
end

-- Connects and waits until the listener has it in its queue: the client is done with the handshake
-- first, and under load the kernel may leave the server's part of it to ksoftirqd.
local function enqueue(listener)
  local depth = depth_of(listener) + 1
  local connection = assert(lunet.connect(listener, BOUND))
  eventually(function() return depth_of(listener) == depth end)
  return connection
end

setup(families.open)
teardown(families.close)

describe("accept", function()
  local listener

  before_each(function() listener = assert(lunet.listen { backlog = 5 }) end)

  after_each(function()
    listener:close()
    assert.same({}, lunet.open_handles())
  end)

  it("polls with a timeout of 0", function()
    local far, message, code = listener:accept(0)
    assert.is_nil(far)
    assert.matches("accept", message)
    assert.equal("TIMEOUT", code)
    local _near <close> = enqueue(listener)
    local _far <close> = assert(listener:accept(0))
  end)

  it("gives up after its timeout, and not before", function()
    local started = lunet.now()
    assert.equal("TIMEOUT", code_of(listener:accept(0.02)))
    assert.is_true(lunet.now() - started >= 0.02)
    started = lunet.now()
    assert.equal("TIMEOUT", code_of(listener:accept(1e-6)))
    assert.is_true(lunet.now() - started >= 1e-6)
  end)

  it("leaves the connection to the next task when the first is canceled", function()
    local first = lunet.spawn(function() return listener:accept() end)
    local second = lunet.spawn(function() return listener:accept(BOUND) end)
    lunet.sleep(0)
    first:cancel()
    local _near <close> = assert(lunet.connect(listener, BOUND))
    assert.equal("CANCELED", code_of(first:join(BOUND)))
    local _, far = assert(second:join(BOUND))
    local _far <close> = assert(far)
  end)

  it("leaves the connection to the next task when the first one's time is over", function()
    local first = lunet.spawn(function() return listener:accept(0.01) end)
    local second = lunet.spawn(function() return listener:accept(BOUND) end)
    local _, _, _, code = first:join(BOUND)
    assert.equal("TIMEOUT", code)
    local _near <close> = assert(lunet.connect(listener, BOUND))
    local _, far = assert(second:join(BOUND))
    local _far <close> = assert(far)
  end)

  it("refuses what is no timeout", function()
    assert.error_matches(function() listener:accept(-1) end, "seconds, 0 or more")
    assert.error_matches(function() listener:accept(0 / 0) end, "seconds, 0 or more")
    assert.error_matches(function() listener:accept "soon" end, "seconds, 0 or more; not string")
    assert.error_matches(function() listener.accept() end, "lunet.listener expected")
  end)
end)

describe("serve", function()
  local listener

  before_each(function() listener = assert(lunet.listen { backlog = 5 }) end)

  after_each(function()
    listener:close()
    assert.same({}, lunet.open_handles())
  end)

  it("gives every connection a task of its own, and closes it when the handler ends", function()
    local task = lunet.spawn(function()
      return listener:serve(function(far) far:send(far:receive("L", BOUND)) end)
    end)
    local first <close> = assert(lunet.connect(listener, BOUND))
    local second <close> = assert(lunet.connect(listener, BOUND))
    assert(second:send "two\n")
    assert.equal("two\n", second:receive("a", BOUND)) -- while the first handler waits
    assert(first:send "one\n")
    assert.equal("one\n", first:receive("a", BOUND))
    listener:close()
    local ok, value, message, code = task:join(BOUND)
    assert.same({ true, nil, "accept: closed by this side (CLOSED)", "CLOSED" }, { ok, value, message, code })
  end)

  it("is not disturbed by ghosts", function()
    local served = {}
    local near <close> = enqueue(listener)
    local gone <close> = enqueue(listener)
    local reset <close> = enqueue(listener)
    assert(gone:send "one\n")
    gone:close()
    assert(reset:send "two\n")
    reset:reset()
    assert(near:send "three\n")
    local task = lunet.spawn(function()
      listener:serve(function(far)
        for line in far:lines(BOUND) do
          served[#served + 1] = line
          far:send("done " .. line .. "\n")
        end
      end)
    end)
    assert.equal("done three", near:receive("l", BOUND))
    eventually(function() return #served == 3 end)
    table.sort(served)
    assert.same({ "one", "three", "two" }, served)
    near:close()
    listener:close()
    assert(task:join(BOUND)) -- and with it the handlers
  end)

  it("closes the connection when its handler fails, and lets the error through", function()
    local problem = { "a failed assertion" }
    local near <close> = enqueue(listener)
    local serving = lunet.spawn(listener.serve, listener, function() error(problem) end) -- in no scope of its own
    local ok, raised = pcall(serving.join, serving, BOUND)
    assert.is_false(ok)
    assert.equal(problem, raised)
    assert.equal("EOF", code_of(near:receive("l", BOUND)))
  end)

  it("refuses what is no handler", function()
    assert.error_matches(function() listener:serve() end, "bad argument #1 to 'serve' %(function expected")
    assert.error_matches(function() listener:serve "print" end, "function expected")
  end)
end)
