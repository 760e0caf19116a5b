local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"

local BOUND <const> = require "spec.support.bound"

local LIGHT = { idle = "light" }

-- Answers a line by the line, and says so.
local function echo(said)
  return function(connection)
    local line = connection:receive "l"
    said[#said + 1] = line or connection:ended()
    if line then assert(connection:send(line .. "\n")) end
  end
end

local function assert_answered(near, word)
  assert(near:send(word .. "\n"))
  assert.equal(word, (near:receive("l", BOUND)))
end

describe("serve with idle = light", function()
  local listener

  before_each(function() listener = assert(lunet.listen { backlog = 5 }) end)

  after_each(function()
    listener:close()
    assert.same({}, lunet.open_handles())
  end)

  local function serve(handler)
    return lunet.spawn(function() return listener:serve(handler, LIGHT) end)
  end

  local function connect() return assert(lunet.connect(listener, BOUND)) end

  -- Ends the server, whose clients have left.
  local function finish(serving)
    listener:close()
    return serving:join(BOUND)
  end

  it("calls the handler for each message, and once more for the end, and keeps the connection open in between",
    function()
      local said = {}
      local serving = serve(echo(said))
      local near = connect()
      for _, word in ipairs { "one", "two", "three" } do
        assert_answered(near, word)
      end
      near:close()
      assert.same({ true, nil, "accept: closed by this side (CLOSED)", "CLOSED" }, { finish(serving) })
      assert.same({ "one", "two", "three", "EOF" }, said)
    end)

  it("calls the handler again for what it has left unread, in the kernel and in lunet", function()
    local said = {}
    local serving = serve(echo(said))
    local near = connect()
    assert(near:send "one\ntwo\nthr")
    assert.equal("one", (near:receive("l", BOUND)))
    assert.equal("two", (near:receive("l", BOUND)))
    assert(near:send "ee\n")
    assert.equal("three", (near:receive("l", BOUND)))
    near:close()
    assert.is_true((finish(serving)))
    assert.same({ "one", "two", "three", "EOF" }, said)
  end)

  it("has a task for none of the silent connections, and one for each that has something to say", function()
    local running, most = 0, 0
    local gates = {}
    local serving = serve(function(connection)
      local word = connection:receive "l"
      if not word then return end
      running = running + 1
      most = math.max(most, running)
      gates[#gates + 1] = word
      eventually(function() return gates.open end)
      running = running - 1
      assert(connection:send(word .. "\n"))
    end)
    local clients = {}
    for i = 1, 5 do clients[i] = connect() end
    for i = 1, 3 do assert(clients[i]:send(i .. "\n")) end
    eventually(function() return #gates == 3 end)
    assert.equal(3, running)
    gates.open = true
    for i = 1, 3 do assert.equal(tostring(i), (clients[i]:receive("l", BOUND))) end
    for _, client in ipairs(clients) do client:close() end
    assert.is_true((finish(serving)))
    assert.same({ 0, 3 }, { running, most })
  end)

  it("tells the handler of a reset", function()
    local said = {}
    local serving = serve(echo(said))
    local near = connect()
    assert_answered(near, "one")
    near:reset()
    assert.is_true((finish(serving)))
    assert.same({ "one", "ECONNRESET" }, said)
  end)

  it("serves over a Unix socket, whose edges are others", function()
    local said, path = {}, "unix:@serve_light"
    local unix <close> = assert(lunet.listen { address = path, backlog = 5 })
    local serving = lunet.spawn(function() return unix:serve(echo(said), LIGHT) end)
    local near = assert(lunet.connect(unix, BOUND))
    for _, word in ipairs { "one", "two" } do
      assert_answered(near, word)
    end
    near:close()
    unix:close()
    assert.is_true((serving:join(BOUND)))
    assert.same({ "one", "two", "EOF" }, said)
  end)

  it("waits for more after a receive that took too long", function()
    local said = {}
    local serving = serve(function(connection)
      local line, _, code = connection:receive("l", 0.001)
      said[#said + 1] = line or code
      if line then assert(connection:send(line .. "\n")) end
    end)
    local near = connect()
    assert(near:send "on")
    eventually(function() return said[1] == "TIMEOUT" end)
    lunet.sleep(0.05) -- what is held does not call the handler again
    assert(near:send "e\n")
    assert.equal("one", (near:receive("l", BOUND)))
    near:close()
    assert.is_true((finish(serving)))
    assert.same({ "TIMEOUT", "one", "EOF" }, said)
  end)

  it("serves the connections that it has when the listener closes, and ends with the last one", function()
    local said = {}
    local serving = serve(echo(said))
    local near = connect()
    assert_answered(near, "one")
    listener:close()
    assert.equal("TIMEOUT", code_of(serving:join(0.01)))
    assert_answered(near, "two")
    near:close()
    assert.is_true((serving:join(BOUND)))
  end)

  it("forgets a connection that the script closes, in the handler or while it is silent", function()
    local silent
    local serving = serve(function(connection)
      local word = connection:receive "l"
      if word == "close" then return connection:close() end
      silent = connection
    end)
    local first, second = connect(), connect()
    assert(first:send "close\n")
    assert.equal("EOF", code_of(first:receive("l", BOUND)))
    assert(second:send "stay\n")
    eventually(function() return silent end)
    listener:close()
    assert.equal("TIMEOUT", code_of(serving:join(0.01)))
    silent:close()
    assert.is_true((serving:join(BOUND)))
    first:close()
    second:close()
  end)

  it("closes the connection when its handler fails, and lets the error through", function()
    local problem = { "a failed assertion" }
    local near <close> = connect()
    assert(near:send "one\n")
    local serving = serve(function() error(problem) end) -- no scope of its own would close the connection
    local ok, raised = pcall(serving.join, serving, BOUND)
    assert.same({ false, problem }, { ok, raised })
    local code = code_of(near:receive("l", BOUND))
    assert.is_true(code == "ECONNRESET" or code == "EOF", code) -- a reset, since bytes were unread
  end)

  it("refuses a handler that receives nothing, which it would have to call for ever", function()
    local near <close> = connect()
    assert(near:send "one\n")
    local calls = 0
    local ok, raised = pcall(lunet.scope, function()
      listener:serve(function() calls = calls + 1 end, LIGHT)
    end)
    assert.same({ false, 1 }, { ok, calls })
    assert.matches("serve: the handler has returned without a receive", raised, 1, true)
  end)

  it("ends with its scope, and leaves no silent connection behind", function()
    local near <close> = connect()
    lunet.scope(function()
      local serving = serve(echo {})
      eventually(function() return listener:queue().depth == 0 end)
      serving:cancel()
    end)
    assert.equal("EOF", code_of(near:receive("l", BOUND)))
  end)

  it("refuses options that it does not have", function()
    assert.error_matches(function() listener:serve(print, { idle = "heavy" }) end,
      'serve: idle: task or light expected, not "heavy"')
    assert.error_matches(function() listener:serve(print, { lazy = true }) end, "serve: unknown option 'lazy'")
    assert.error_matches(function() listener:serve(print, "light") end, "serve: a table of options expected")
  end)
end)
