local admission = require "lunet.load.admission"
local lunet = require "lunet"

local BOUND <const> = require "spec.support.bound"

local function wait_for(predicate) assert(lunet.eventually(predicate, BOUND)) end

-- Calls fn(server, host, log) with an open server, which notes what it works on, and works on "hold" until told so.
local function with_server(fields, fn)
  lunet.scope(function()
    local host, log = assert(lunet.host "host"), { worked = {} }
    local server = admission.server {
      host = host,
      listen = { address = "127.0.0.1", port = 7000, backlog = 10, reuseaddr = fields.reuseaddr },
      read = function(connection) return (connection:receive("l", BOUND)) end,
      work = function(connection, request)
        log.worked[#log.worked + 1] = request
        if request == "hold" then wait_for(function() return log.may_go_on end) end
        connection:send("done " .. request .. "\n")
      end,
      is_wanted = fields.is_wanted,
    }
    assert.is_true(server:open())
    fn(server, host, log)
    server:stop()
  end)
end

local function ask(host, text)
  local connection, message, code = host:connect("127.0.0.1:7000", BOUND)
  if not connection then return nil, message, code end
  assert(connection:send(text .. "\n", BOUND))
  return connection
end

-- One whose work goes on until log.may_go_on.
local function hold(host, log)
  local connection = assert(ask(host, "hold"))
  wait_for(function() return log.worked[1] == "hold" end)
  return connection
end

local function answer(connection) return (connection:receive("l", BOUND)) end

describe("a client", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Calls fn(server's connection, client's connection).
  local function with_pair(fn)
    lunet.scope(function()
      local host = assert(lunet.host "host")
      local listener = assert(host:listen { backlog = 1 })
      local client = assert(host:connect(listener, BOUND))
      fn(assert(listener:accept(BOUND)), client)
    end)
  end

  it("is there while it has sent no FIN, and is sent nothing", function()
    with_pair(function(connection, client)
      assert.is_true(admission.is_there(connection, "wait\n"))
      assert.equal(0, client:unread())
    end)
  end)

  it("is there when it has only shut down its side, as a probe tells", function()
    with_pair(function(connection, client)
      client:shutdown()
      wait_for(function() return connection:liveness() == "fin" end)
      assert.is_true(admission.is_there(connection, "wait\n"))
      assert.equal("wait", answer(client))
    end)
  end)

  for _, departure in ipairs { "close", "reset" } do
    it(("is not there when it has left by %s"):format(departure), function()
      with_pair(function(connection, client)
        client[departure](client)
        wait_for(function() return connection:liveness() ~= "open" end)
        assert.is_false(admission.is_there(connection, "wait\n"))
      end)
    end)
  end

  it("has waited as long as its last bytes, its FIN aside, have been here", function()
    with_pair(function(connection, client)
      assert(client:send "hello\n")
      wait_for(function() return admission.waited(connection) >= 0.02 end)
      client:shutdown()
      wait_for(function() return connection:liveness() == "fin" end)
      assert.is_true(admission.waited(connection) >= 0.02)
      assert.is_true(admission.round_trip(connection) > 0)
    end)
  end)
end)

describe("a server", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("that is gated leaves everybody else in the kernel's queue", function()
    with_server({}, function(server, host, log)
      lunet.spawn(server.gated, server)
      local first = hold(host, log)
      local second = ask(host, "two")
      wait_for(function() return server.listener:queue().depth == 1 end)
      assert.equal(1, server.held)
      log.may_go_on = true
      assert.same({ "done hold", "done two" }, { answer(first), answer(second) })
      assert.equal(1, server.most_held)
    end)
  end)

  it("asks just before the work, and drops who is not wanted", function()
    with_server({ is_wanted = function(_, request) return request ~= "no" end }, function(server, host, log)
      lunet.spawn(server.gated, server)
      assert.equal("EOF", select(3, ask(host, "no"):receive("l", BOUND)))
      assert.equal("done yes", answer(ask(host, "yes")))
      assert.same({ "yes" }, log.worked)
    end)
  end)

  it("that reopens refuses while it serves, and listens again afterwards", function()
    with_server({}, function(server, host, log)
      lunet.spawn(server.reopening, server)
      local first = hold(host, log)
      assert.equal("ECONNREFUSED", select(3, ask(host, "two")))
      log.may_go_on = true
      assert.equal("done hold", answer(first))
      local again
      wait_for(function()
        again = ask(host, "two")
        return again
      end)
      assert.equal("done two", answer(again))
    end)
  end)

  it("that refuses tells so at once while it serves", function()
    with_server({}, function(server, host, log)
      lunet.spawn(server.refusing, server, {
        refuse = function(connection)
          connection:receive("l", BOUND)
          connection:send "busy\n"
        end,
      })
      local first = hold(host, log)
      assert.equal("busy", answer(ask(host, "two")))
      log.may_go_on = true
      assert.equal("done hold", answer(first))
      wait_for(function() return server.held == 0 end)
      assert.equal("done three", answer(ask(host, "three")))
      assert.same({ "hold", "three" }, log.worked)
    end)
  end)

  for is_newest_first, order in pairs { [false] = { "hold", "1", "2", "3" }, [true] = { "hold", "3", "2", "1" } } do
    it(("that accepts early serves the %s first"):format(is_newest_first and "newest" or "oldest"), function()
      with_server({}, function(server, host, log)
        lunet.spawn(server.early, server, { newest_first = is_newest_first })
        hold(host, log)
        for i = 1, 3 do
          ask(host, tostring(i))
          wait_for(function() return #server.waiting == i end)
        end
        assert.equal(4, server.held)
        log.may_go_on = true
        wait_for(function() return server.held == 0 end)
        assert.same(order, log.worked)
        assert.equal(4, server.most_held)
      end)
    end)
  end

  it("that accepts early has room for so many, and leaves the others in the kernel's queue", function()
    with_server({}, function(server, host, log)
      lunet.spawn(server.early, server, { room = 2 })
      hold(host, log)
      for i = 1, 3 do ask(host, tostring(i)) end
      wait_for(function() return #server.waiting == 1 and server.listener:queue().depth == 2 end)
      log.may_go_on = true
      wait_for(function() return server.held == 0 and #log.worked == 4 end)
      assert.equal(2, server.most_held)
    end)
  end)

  it("that accepts early drops waiting clients whose requests it need not serve any more", function()
    with_server({}, function(server, host, log)
      lunet.spawn(server.early, server, { is_over = function(connection)
        connection:receive(1)
        return connection:liveness() ~= "open"
      end })
      hold(host, log)
      local leaver = ask(host, "leaver")
      wait_for(function() return #server.waiting == 1 end)
      leaver:close()
      wait_for(function() return #server.waiting == 0 and server.held == 1 end)
      log.may_go_on = true
      wait_for(function() return server.held == 0 end)
      assert.same({ "hold" }, log.worked)
    end)
  end)

  it("that is stopped drops who waits, and ends the work at hand", function()
    with_server({}, function(server, host, log)
      lunet.spawn(server.early, server)
      local first, second = hold(host, log), ask(host, "two")
      wait_for(function() return #server.waiting == 1 end)
      server:stop()
      assert.equal("EOF", select(3, second:receive("l", BOUND)))
      log.may_go_on = true
      assert.equal("done hold", answer(first))
      assert.same({ "hold" }, log.worked)
    end)
  end)

  it("says that its port is taken", function()
    with_server({}, function(server, host)
      local other = admission.server { host = host, listen = { address = "127.0.0.1", port = 7000, backlog = 1 } }
      assert.equal("EADDRINUSE", select(3, other:open()))
      assert.equal(0, server.held)
    end)
  end)
end)
