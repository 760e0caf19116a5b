local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"
local strace = require "spec.support.strace"

local BOUND <const> = require "spec.support.bound"

-- Lets every task run and the loop ask the kernel several times: what could be accepted is.
local function take_turns()
  for _ = 1, 8 do lunet.sleep(0) end
end

setup(families.open)
teardown(families.close)

for _, family in ipairs(families) do
  describe("the gate of a listener on " .. family.name, function()
    local listener, opened, accepted, task

    local function depth()
      return assert(listener:queue()).depth
    end

    -- Connects that many clients, all of them in the queue when this returns.
    local function enqueue(count)
      for _ = 1, count do
        local before = depth()
        opened[#opened + 1] = assert(lunet.connect(listener, BOUND))
        eventually(function() return depth() == before + 1 end)
      end
    end

    local function accept_one()
      local far = listener:accept()
      if far then accepted[#accepted + 1] = far end
      return far ~= nil
    end

    -- Accepts whatever the gate lets in, and keeps it open in the table alone.
    local function accept_all()
      task = lunet.spawn(function()
        while accept_one() do end -- luacheck: ignore 542
      end)
      take_turns()
    end

    -- So many are accepted, so many are left in the queue, and so it stays.
    local function assert_accepted(count, left)
      eventually(function() return depth() == left end)
      take_turns()
      assert.equal(left, depth())
      local _, open = listener:gate()
      assert.equal(count, open)
    end

    before_each(function()
      opened, accepted, task = {}, {}, nil
      listener = assert(lunet.listen { address = family.address(), backlog = 8 })
    end)

    after_each(function()
      listener:close()
      if task then assert(task:join(BOUND)) end
      for _, connection in ipairs(opened) do connection:close() end
      for _, connection in pairs(accepted) do connection:close() end
      assert.same({}, lunet.open_handles())
    end)

    it("is open at first", function()
      assert.same({ math.huge, 0 }, { listener:gate() })
      enqueue(3)
      accept_all()
      assert_accepted(3, 0)
    end)

    it("lets nobody in while it is shut", function()
      assert.same({ 0, 0 }, { listener:gate(0) })
      enqueue(3)
      assert.equal("TIMEOUT", code_of(listener:accept(0)))
      assert.equal("TIMEOUT", code_of(listener:accept(0.001)))
      accept_all()
      assert_accepted(0, 3)
    end)

    it("lets in exactly as many as it is opened by", function()
      listener:gate(0)
      enqueue(6)
      accept_all()
      listener:gate(1)
      assert_accepted(1, 5)
      assert.same({ 3, 1 }, { listener:gate(3) })
      assert_accepted(3, 3)
      assert.same({ 3, 3 }, { listener:gate() })
      listener:gate(math.huge)
      assert_accepted(6, 0)
    end)

    it("lets in exactly as many, whichever of many tasks ask", function()
      listener:gate(0)
      enqueue(5)
      task = lunet.spawn(function()
        for _ = 1, 5 do lunet.spawn(accept_one) end
      end)
      take_turns()
      assert.equal(0, #accepted)
      listener:gate(2)
      assert_accepted(2, 3)
      assert.equal(2, #accepted)
    end)

    it("lets in exactly one more when one is closed", function()
      listener:gate(2)
      enqueue(5)
      accept_all()
      assert_accepted(2, 3)
      accepted[1]:close()
      assert_accepted(2, 2)
      accepted[1]:close() -- again: nothing happens
      assert_accepted(2, 2)
      accepted[2]:close()
      accepted[3]:close()
      assert_accepted(2, 0)
    end)

    it("lets in exactly one more when a scope ends that accepted one", function()
      listener:gate(1)
      enqueue(3)
      lunet.scope(function()
        assert(listener:accept(BOUND))
        accept_all()
        assert_accepted(1, 2)
        task:cancel()
      end)
      task = nil
      accept_all()
      assert_accepted(1, 1)
    end)

    it("lets in the next one when a handler ends", function()
      local served = {}
      listener:gate(1)
      enqueue(3)
      for number, near in ipairs(opened) do assert(near:send(number .. "\n")) end
      task = lunet.spawn(function()
        listener:serve(function(far)
          served[#served + 1] = far:receive("l", BOUND)
          local line = far:receive("l", BOUND)
          served[#served + 1] = line
        end)
      end)
      eventually(function() return #served == 1 end)
      assert_accepted(1, 2)
      opened[1]:send "done\n"
      eventually(function() return #served == 3 end)
      assert_accepted(1, 1)
      assert.same({ "1", "done", "2" }, served)
      opened[2]:close()
      eventually(function() return #served == 4 end)
      assert_accepted(1, 0)
      opened[3]:close()
      assert_accepted(0, 0)
    end)

    it("is not left when a client leaves: the accepted connection is still open", function()
      listener:gate(1)
      enqueue(2)
      accept_all()
      assert_accepted(1, 1)
      opened[1]:close()
      eventually(function() return accepted[1]:liveness() == "fin" end)
      assert_accepted(1, 1)
    end)

    it("keeps those that are open when it is narrowed", function()
      listener:gate(3)
      enqueue(5)
      accept_all()
      assert_accepted(3, 2)
      assert.same({ 1, 3 }, { listener:gate(1) })
      accepted[1]:close()
      accepted[2]:close()
      assert_accepted(1, 2)
      accepted[3]:close()
      assert_accepted(1, 1)
    end)

    it("holds back a task that waits in accept already when it is shut", function()
      accept_all()
      listener:gate(0)
      enqueue(1)
      assert_accepted(0, 1)
      listener:gate(1)
      assert_accepted(1, 0)
    end)

    it("is not entered by an accept that fails", function()
      listener:gate(1)
      assert.equal("TIMEOUT", code_of(listener:accept(0)))
      enqueue(1)
      accept_all()
      assert_accepted(1, 0)
    end)

    it("may be gone before the connections that came through it", function()
      listener:gate(2)
      enqueue(2)
      accept_all()
      assert_accepted(2, 0)
      listener:close()
      for number = 1, 2 do
        assert.equal(2, opened[number]:send "hi")
        assert.equal("hi", accepted[number]:receive(2, BOUND))
        accepted[number]:close()
      end
    end)
  end)
end

describe("the gate", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("lets in exactly one more when one is reset", function()
    local listener <close> = assert(lunet.listen { backlog = 5 })
    local _first <close> = assert(lunet.connect(listener, BOUND))
    local _second <close> = assert(lunet.connect(listener, BOUND))
    listener:gate(1)
    local far <close> = assert(listener:accept(BOUND))
    assert.equal("TIMEOUT", code_of(listener:accept(0.001)))
    assert.is_true(far:reset())
    local _next <close> = assert(listener:accept(BOUND))
    assert.same({ 1, 1 }, { listener:gate() })
  end)

  it("takes whole numbers and math.huge, and tells what is in force", function()
    local listener <close> = assert(lunet.listen { backlog = 5 })
    assert.same({ 3, 0 }, { listener:gate(3) })
    assert.equal("integer", math.type((listener:gate(3.0))))
    assert.same({ 3, 0 }, { listener:gate(nil) })
    assert.same({ math.huge, 0 }, { listener:gate(math.huge) })
    for _, wrong in ipairs { -1, 0.5, -math.huge, 0 / 0 } do
      assert.error_matches(function() listener:gate(wrong) end, "a whole number of connections, 0 or more")
    end
    assert.error_matches(function() listener:gate "shut" end, "number expected, got string")
    assert.error_matches(function() listener:gate(false) end, "number expected, got boolean")
    assert.same({ math.huge, 0 }, { listener:gate() })
  end)

  -- A queue that shows the right depth does not prove that nothing was accepted and put back by a
  -- better liar. The system calls do.
  it("is shut for accept4 itself", function()
    local calls, result = strace.run("accept4,write", [[
      local lunet = require "lunet"
      local function mark(text)
        for _ = 1, 8 do lunet.sleep(0) end
        io.stdout:write(text, "\n"):flush()
      end
      local listener = assert(lunet.listen { backlog = 8 })
      local clients, accepted = {}, {}
      local function connect()
        local depth = listener:queue().depth + 1
        clients[#clients + 1] = assert(lunet.connect(listener, 5))
        clients[#clients]:send "hello\n"
        assert(lunet.eventually(function() return listener:queue().depth == depth end, 5))
      end
      for _ = 1, 3 do connect() end
      clients[3]:reset()
      mark "nobody accepts"
      listener:gate(0)
      for _ = 1, 3 do
        lunet.spawn(function()
          local far = listener:accept()
          accepted[#accepted + 1] = far
        end)
      end
      listener:accept(0)
      listener:accept(0.001)
      connect()
      connect()
      mark "shut"
      listener:gate(2)
      mark "opened by two"
      accepted[1]:close()
      mark "one closed"
      listener:gate(0)
      accepted[2]:close()
      mark "shut again"
      listener:close()
      mark "closed"
    ]])
    assert.equal("", result.errors)
    local story = {}
    for _, call in ipairs(calls) do
      story[#story + 1] = call:match 'write%(1, "([%a ]+)\\n"' or call:match "accept4"
    end
    assert.same({
      "nobody accepts", "shut", "accept4", "accept4", "opened by two", "accept4", "one closed", "shut again", "closed",
    }, story)
    assert.equal("nobody accepts\nshut\nopened by two\none closed\nshut again\nclosed\n", result.output)
  end)
end)
