local lunet = require "lunet"
local strace = require "spec.support.strace"

local BOUND <const> = require "spec.support.bound"

-- A client and a server in one process need few system calls. A textbook server needs four more for each connection:
-- two to watch both ends, and two that find nothing yet.
describe("a client and a server in one process", function()
  local CYCLES = 50

  local function count(lines, pattern)
    local found = 0
    for _, line in ipairs(lines) do
      if line:find(pattern) then found = found + 1 end
    end
    return found
  end

  local function calls_of(clients)
    local lines, result = strace.run("socket,accept4,epoll_ctl,recvfrom", ([[
      local lunet = require "lunet"
      local listener <close> = assert(lunet.listen { backlog = 128 })
      local _server <close> = lunet.spawn(function()
        listener:serve(function(connection)
          for line in connection:lines(10) do connection:send(line .. "\n") end
        end)
      end)
      local left = %d
      lunet.scope(function()
        for _ = 1, %d do
          lunet.spawn(function()
            while left > 0 do
              left = left - 1
              local connection <close> = assert(lunet.connect(listener, 10))
              connection:send "hello\n"
              assert(connection:receive("l", 10) == "hello")
            end
          end)
        end
      end)
    ]]):format(CYCLES, clients))
    assert.same({ "", 0 }, { result.errors, result.status })
    assert.equal(CYCLES, count(lines, "accept4%(.*= %d")) -- what follows looked at all of it
    return lines
  end

  for _, clients in ipairs { 1, 10 } do
    it(("watch no connection whose peers are at hand: %d at a time"):format(clients), function()
      local lines = calls_of(clients)
      assert.is_true(count(lines, "epoll_ctl") < 10)
      assert.is_true(count(lines, "recvfrom.*EAGAIN") < 10)
    end)

    it(("accept nothing while nothing is there: %d at a time"):format(clients), function()
      assert.equal(0, count(calls_of(clients), "accept4.*EAGAIN"))
    end)
  end
end)

describe("a connection that is not watched yet", function()
  local near, far

  before_each(function()
    local listener <close> = assert(lunet.listen { backlog = 1 })
    near = assert(lunet.connect(listener, BOUND))
    far = assert(listener:accept(BOUND))
  end)

  after_each(function()
    near:close()
    far:close()
    assert.same({}, lunet.open_handles())
  end)

  -- Sends, so that its next receive lets the others go first.
  local function send_first()
    assert(near:send "x")
  end

  local function keep_busy(times)
    return lunet.spawn(function()
      for _ = 1, times do lunet.sleep(0) end
    end)
  end

  it("gives what came before the deadline, however busy the tasks were", function()
    send_first()
    assert(far:send "here")
    local _busy <close> = keep_busy(10000)
    assert.equal("here", near:receive(nil, 1e-9))
  end)

  it("is given up at its deadline, however busy the tasks are", function()
    send_first()
    local busy <close> = keep_busy(math.huge)
    local _, _, code = near:receive(nil, 0.001)
    busy:cancel()
    assert.equal("TIMEOUT", code)
  end)

  it("is watched in the end, however busy the tasks are", function()
    local lines, result = strace.run("epoll_ctl,write", [[
      local lunet = require "lunet"
      local function mark(text) io.stdout:write(text, "\n"):flush() end
      local listener <close> = assert(lunet.listen { backlog = 1 })
      local near <close> = assert(lunet.connect(listener, 10))
      local far <close> = assert(listener:accept(10))
      near:send "x"
      local _waiting <close> = lunet.spawn(function() near:receive() end)
      mark "busy"
      for _ = 1, 100 do lunet.sleep(0) end
      mark "done"
    ]])
    assert.same({ "", 0 }, { result.errors, result.status })
    assert.matches("busy.*EPOLL_CTL_ADD[^\n]*EPOLLRDHUP.*done", table.concat(lines, "\n"))
  end)

  it("tells of an RST", function()
    send_first()
    far:close() -- with a byte unread: an RST
    local _, _, code = near:receive(nil, BOUND)
    assert.equal("ECONNRESET", code)
  end)

  it("may be closed while it waits", function()
    send_first()
    local received = lunet.spawn(function() return select(3, near:receive(nil, BOUND)) end)
    lunet.sleep(0)
    near:close()
    local _, code = received:join(BOUND)
    assert.equal("CLOSED", code)
  end)

  -- Otherwise a server that reads one of many requests would let all other tasks go first after each answer.
  it("gives a line at once that was seen behind the last one", function()
    assert(far:send "one\ntwo\nthree\n")
    assert.equal("one", near:receive("l", BOUND))
    local had_a_turn = false
    local _other <close> = lunet.spawn(function() had_a_turn = true end)
    assert(near:send "answer")
    assert.equal("two", near:receive("l", BOUND))
    assert.is_false(had_a_turn)
  end)

  it("serves those who wait in their order", function()
    send_first()
    local first = lunet.spawn(function() return near:receive(2, BOUND) end)
    local second = lunet.spawn(function() return near:receive(2, BOUND) end)
    lunet.sleep(0)
    far:send "abcd"
    local _, ab = first:join(BOUND)
    local _, cd = second:join(BOUND)
    assert.same({ "ab", "cd" }, { ab, cd })
  end)
end)
