local core = require "lunet.core"
local lunet = require "lunet"
local closing = require "spec.support.closing"
local raised_by = require "spec.support.raised"

local FOREVER <const>, BOUND <const> = math.huge, require "spec.support.bound"

local function fail(value)
  error(value, 0)
end

local function wait()
  lunet.sleep(FOREVER)
end

local function listen()
  return assert(lunet.listen { backlog = 4 })
end

local function is_open(handle)
  return handle:address() ~= nil
end

-- Calls lunet.scope in a task instead of the main script.
local function scope_in_task(...)
  local results = table.pack(lunet.spawn(lunet.scope, ...):join(BOUND))
  assert.is_true(results[1])
  return table.unpack(results, 2, results.n)
end

after_each(function()
  assert.same({}, lunet.open_handles())
end)

for where, scope in pairs { ["in the main script"] = lunet.scope, ["in a task"] = scope_in_task } do
  describe("a scope " .. where, function()
    it("passes arguments and results, nils among them", function()
      local function swap(...)
        local a, b, c = ...
        return select("#", ...), c, b, a, nil
      end
      assert.same({ n = 5, 3, "x", nil, 1, nil }, table.pack(scope(swap, 1, nil, "x")))
      assert.same({ n = 0 }, table.pack(scope(function() end)))
    end)

    it("waits for the tasks spawned in it, and for theirs", function()
      local log = {}
      scope(function()
        lunet.spawn(function()
          lunet.spawn(function()
            lunet.sleep(0.005)
            log[#log + 1] = "grandchild"
          end)
          lunet.sleep(0.001)
          log[#log + 1] = "child"
        end)
        log[#log + 1] = "body"
      end)
      log[#log + 1] = "after"
      assert.equal("body", log[1])
      assert.equal(4, #log)
      assert.equal("after", log[4])
    end)

    it("does not wait for tasks spawned outside", function()
      local outside <close> = lunet.spawn(wait)
      assert.equal("result", scope(function() return "result" end))
      assert.equal("TIMEOUT", select(3, outside:join(0)))
    end)

    it("closes what was opened in it, also by its tasks, and nothing else", function()
      local outside <close> = listen()
      local inside = scope(function()
        local opened = { listen(), assert(lunet.connect(outside, BOUND)) }
        lunet.spawn(function()
          opened[3] = listen()
          lunet.spawn(function() opened[4] = assert(lunet.connect(outside, BOUND)) end)
        end)
        return opened
      end)
      assert.equal(4, #inside)
      for _, handle in ipairs(inside) do assert.is_false(is_open(handle)) end
      assert.is_true(is_open(outside))
    end)

    it("closes a connection that was accepted in it", function()
      local listener <close> = listen()
      local client <close> = assert(lunet.connect(listener, BOUND))
      local accepted, served
      scope(function()
        accepted = assert(listener:accept(BOUND))
        local server = lunet.spawn(function() served = listener:accept(BOUND) end)
        assert(lunet.connect(listener, BOUND))
        assert(server:join(BOUND))
        assert(is_open(served))
      end)
      assert.is_false(is_open(accepted))
      assert.is_false(is_open(served))
      assert.is_true(is_open(client))
    end)

    it("leaves open what a task outside opened meanwhile", function()
      local outside
      local opener = lunet.spawn(function() outside = listen() end)
      scope(function() assert(opener:join(BOUND)) end)
      assert.is_true(is_open(outside))
      outside:close()
    end)

    it("closes the newest first", function()
      local opened, closed = {}, {}
      local first = core.record(false)
      scope(function()
        for _ = 1, 3 do listen() end
      end)
      for _, event in ipairs((core.events(first))) do
        if event.kind == "listen" then table.insert(opened, 1, event.socket) end
        if event.kind == "close" then table.insert(closed, event.socket) end
      end
      assert.equal(3, #opened)
      assert.same(opened, closed)
    end)

    it("is no obstacle to what was closed in it already", function()
      scope(function()
        local listener <close> = listen()
        local connection = assert(lunet.connect(listener, BOUND))
        connection:close()
      end)
    end)

    it("raises the error of its function, after canceling the tasks and closing the handles", function()
      local failure, opened, child, cleaned_up = {}, nil, nil, false
      local raised = raised_by(scope, function()
        opened = listen()
        child = lunet.spawn(function()
          local _cleanup <close> = closing(function() cleaned_up = is_open(opened) end)
          wait()
        end)
        lunet.sleep(0)
        error(failure)
      end)
      assert.is_true(rawequal(failure, raised))
      assert.is_true(cleaned_up)
      assert.equal("CANCELED", select(3, child:join(0)))
      assert.is_false(is_open(opened))
    end)

    it("raises the error of a task in it from its function's wait, and cancels the siblings", function()
      local failure, sibling, went_on = {}, nil, false
      local raised = raised_by(scope, function()
        sibling = lunet.spawn(wait)
        lunet.spawn(fail, failure)
        lunet.sleep(BOUND)
        went_on = true
      end)
      assert.is_true(rawequal(failure, raised))
      assert.is_false(went_on)
      assert.equal("CANCELED", select(3, sibling:join(0)))
    end)

    it("raises the error of a task in it when its function has ended, instead of the results", function()
      local failure, sibling = {}, nil
      local raised = raised_by(scope, function()
        sibling = lunet.spawn(wait)
        lunet.spawn(function()
          lunet.sleep(0.001)
          error(failure)
        end)
        return 1, 2, 3
      end)
      assert.is_true(rawequal(failure, raised))
      assert.equal("CANCELED", select(3, sibling:join(0)))
    end)

    it("raises a nil error", function()
      assert.same({ n = 2, false, nil }, table.pack(pcall(scope, fail, nil)))
    end)

    it("raises the first error, and those that follow from it nowhere", function()
      local began = 0
      local raised = raised_by(scope, function()
        for _ = 1, 2 do
          lunet.spawn(function()
            local _fails <close> = closing(function() fail "later" end)
            began = began + 1
            wait()
          end)
        end
        repeat lunet.sleep(0) until began == 2
        fail "first"
      end)
      assert.equal("first", raised)
      assert.is_true(lunet.sleep(0.001))
    end)

    it("raises the error of its function, and that of a task that nobody had heard of yet nowhere", function()
      local raised = raised_by(scope, function()
        lunet.spawn(fail, "task")
        lunet.sleep(0)
        fail "function"
      end)
      assert.equal("function", raised)
      assert.is_true(lunet.sleep(0.001))
    end)

    it("raises no error that its function has caught", function()
      local caught
      assert.equal("result", scope(function()
        lunet.spawn(fail, "boom")
        caught = raised_by(lunet.sleep, BOUND)
        return "result"
      end))
      assert.equal("boom", caught)
    end)

    it("raises no error that was joined in it", function()
      assert.equal("boom", scope(function()
        local task = lunet.spawn(fail, "boom")
        return raised_by(task.join, task, BOUND)
      end))
    end)

    it("nests: each closes its own", function()
      scope(function()
        local outer = listen()
        local inner = lunet.scope(function()
          local opened = listen()
          assert.equal(2, #lunet.open_handles())
          return opened
        end)
        assert.is_false(is_open(inner))
        assert.is_true(is_open(outer))
        local later = listen()
        assert.is_true(is_open(later))
      end)
    end)

    it("nests: what an inner one raises can be caught in the outer one", function()
      assert.equal("result", scope(function()
        local outer = listen()
        local sibling <close> = lunet.spawn(wait)
        assert.equal("boom", raised_by(lunet.scope, function()
          listen()
          lunet.spawn(fail, "boom")
        end))
        assert.is_true(is_open(outer))
        assert.equal("TIMEOUT", select(3, sibling:join(0)))
        return "result"
      end))
    end)

    it("nests: an error in the outer one ends the inner one", function()
      local inner_opened, inner_child
      local raised = raised_by(scope, function()
        lunet.spawn(function()
          lunet.sleep(0.001)
          fail "boom"
        end)
        lunet.scope(function()
          inner_opened = listen()
          inner_child = lunet.spawn(wait)
        end)
      end)
      assert.equal("boom", raised)
      assert.is_false(is_open(inner_opened))
      assert.equal("CANCELED", select(3, inner_child:join(0)))
    end)

    it("nests a hundred deep", function()
      local function nest(depth)
        listen()
        return depth == 0 and 0 or 1 + lunet.scope(nest, depth - 1)
      end
      assert.equal(100, scope(nest, 100))
    end)
  end)
end

describe("a scope", function()
  it("wakes with CLOSED a task outside that waits for what it closes", function()
    local listener, is_waiting
    local waiter = lunet.spawn(function()
      repeat lunet.sleep(0) until listener
      is_waiting = true
      return select(3, listener:accept(BOUND))
    end)
    lunet.scope(function()
      listener = listen()
      repeat lunet.sleep(0) until is_waiting
    end)
    assert.same({ true, "CLOSED" }, { waiter:join(BOUND) })
  end)

  it("of a task that is canceled cancels its tasks and closes its handles", function()
    local opened, child
    local task = lunet.spawn(lunet.scope, function()
      opened = listen()
      child = lunet.spawn(wait)
      wait()
    end)
    repeat lunet.sleep(0) until child
    task:cancel()
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.equal("CANCELED", select(3, child:join(0)))
    assert.is_false(is_open(opened))
  end)

  it("of a task that is canceled while it waits for its tasks does so too", function()
    local opened, child, body_ended
    local task = lunet.spawn(lunet.scope, function()
      opened = listen()
      child = lunet.spawn(wait)
      body_ended = true
    end)
    repeat lunet.sleep(0) until body_ended
    assert(lunet.sleep(0))
    task:cancel()
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.equal("CANCELED", select(3, child:join(0)))
    assert.is_false(is_open(opened))
  end)

  it("is where its own task spawns: tasks of other tasks do not become its children", function()
    local is_open_now, spawned
    local other = lunet.spawn(function()
      repeat lunet.sleep(0) until is_open_now
      spawned = lunet.spawn(wait)
    end)
    assert(lunet.within(BOUND, lunet.scope, function()
      is_open_now = true
      repeat lunet.sleep(0) until spawned
    end))
    assert.equal("TIMEOUT", select(3, spawned:join(0)))
    other:cancel()
    assert.equal("CANCELED", select(3, other:join(BOUND)))
  end)

  it("runs in a task for serve, whose connections it closes", function()
    local far_ended
    lunet.scope(function()
      local listener = listen()
      local server = lunet.spawn(function()
        return listener:serve(function(connection)
          assert(connection:send "hello")
          far_ended = select(3, connection:receive(nil, BOUND))
        end)
      end)
      local client = assert(lunet.connect(listener, BOUND))
      assert.equal("hello", client:receive(5, BOUND))
      client:close()
      assert(lunet.eventually(function() return far_ended end, BOUND))
      listener:close()
      assert.equal("CLOSED", select(4, server:join(BOUND)))
    end)
    assert.equal("EOF", far_ended)
  end)

  it("refuses what is no function", function()
    assert.matches("bad argument #1 to '.*scope' %(function expected, got no value%)", raised_by(lunet.scope))
    assert.matches("function expected, got table", raised_by(lunet.scope, {}))
  end)

  it("refuses a plain coroutine, before its function begins", function()
    local began = false
    local message = raised_by(coroutine.wrap(function()
      lunet.scope(function() began = true end)
    end))
    assert.matches("a plain coroutine cannot wait", message)
    assert.is_false(began)
  end)

  it("refuses a task inside a sort callback, before its function begins", function()
    local began = false
    local task = lunet.spawn(function()
      table.sort({ 2, 1 }, function() return lunet.scope(function() began = true end) end)
    end)
    assert.matches("a task cannot wait here", raised_by(task.join, task, BOUND))
    assert.is_false(began)
  end)
end)
