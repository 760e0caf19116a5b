local lunet = require "lunet"
local closing = require "spec.support.closing"
local raised_by = require "spec.support.raised"

local FOREVER <const>, BOUND <const> = math.huge, require "spec.support.bound"

local function raised_by_join(task)
  return raised_by(task.join, task, BOUND)
end

local function fail(value)
  error(value, 0)
end

local function fail_soon(value)
  lunet.sleep(0.001)
  error(value, 0)
end

local function wait()
  lunet.sleep(FOREVER)
end

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("a task", function()
  it("begins when its parent waits, with the arguments given to spawn", function()
    local arguments
    local task = lunet.spawn(function(...) arguments = table.pack(...) end, 1, nil, "x", nil)
    assert.is_nil(arguments)
    assert.is_true(task:join(BOUND))
    assert.same({ n = 4, 1, nil, "x", nil }, arguments)
  end)

  it("gives its results to whoever joins it, nils among them, and again", function()
    local task = lunet.spawn(function() return nil, false, "x", nil end)
    assert.same({ n = 5, true, nil, false, "x", nil }, table.pack(task:join(BOUND)))
    assert.same({ n = 5, true, nil, false, "x", nil }, table.pack(task:join(0)))
  end)

  it("may have no results, or ten thousand", function()
    local none = lunet.spawn(function() end)
    local many = lunet.spawn(function() return table.unpack({}, 1, 10000) end)
    assert.equal(1, select("#", none:join(BOUND)))
    assert.equal(10001, select("#", many:join(BOUND)))
  end)

  it("is joined by several tasks at once", function()
    local task = lunet.spawn(function()
      lunet.sleep(0.001)
      return "result"
    end)
    local joiners = {}
    for i = 1, 5 do
      joiners[i] = lunet.spawn(function() return select(2, task:join(BOUND)) end)
    end
    for i = 1, 5 do assert.equal("result", select(2, joiners[i]:join(BOUND))) end
  end)

  it("ends only after its children", function()
    local child_ended = false
    local parent = lunet.spawn(function()
      lunet.spawn(function()
        lunet.sleep(0.01)
        child_ended = true
      end)
      return "result"
    end)
    assert.equal("result", select(2, parent:join(BOUND)))
    assert.is_true(child_ended)
  end)

  it("has a child of its own while its body has ended, which may spawn more", function()
    local log = {}
    local parent = lunet.spawn(function()
      lunet.spawn(function()
        lunet.sleep(0.001)
        lunet.spawn(function()
          lunet.sleep(0.001)
          log[#log + 1] = "grandchild"
        end)
        log[#log + 1] = "child"
      end)
    end)
    assert(parent:join(BOUND))
    assert.same({ "child", "grandchild" }, log)
  end)

  it("can be one of ten thousand #part_many", function()
    local tasks, sum = {}, 0
    for i = 1, 10000 do
      tasks[i] = lunet.spawn(function()
        lunet.sleep(0.001)
        return i
      end)
    end
    for i = 1, 10000 do sum = sum + select(2, tasks[i]:join(BOUND)) end
    assert.equal(10000 * 10001 // 2, sum)
  end)

  it("can be nested two thousand deep", function()
    local function nest(depth)
      if depth == 0 then return 0 end
      return 1 + select(2, lunet.spawn(nest, depth - 1):join())
    end
    assert.equal(2000, select(2, lunet.spawn(nest, 2000):join(BOUND)))
  end)

  it("says where it was spawned", function()
    local task = lunet.spawn(function() end)
    assert.matches("^task spawned at .*task_spec%.lua:%d+$", tostring(task))
    assert(task:join(BOUND))
  end)

  it("is a function: spawn refuses anything else", function()
    assert.matches("bad argument #1 to '.*spawn' %(function expected, got string%)", raised_by(lunet.spawn, "x"))
    assert.matches("function expected, got no value", raised_by(lunet.spawn))
  end)

  it("is canceled when a <close> variable that holds it ends", function()
    local task
    do
      local closed <close> = lunet.spawn(wait)
      task = closed
      assert(lunet.sleep(0))
    end
    assert.equal("CANCELED", select(3, task:join(BOUND)))
  end)
end)

describe("join", function()
  it("gives TIMEOUT when its time is over, and the task goes on", function()
    local may_end = false
    local task = lunet.spawn(function()
      lunet.eventually(function() return may_end end, BOUND)
      return "result"
    end)
    for _, timeout in ipairs { 0, 1e-9, 0.001 } do
      local ok, message, code = task:join(timeout)
      assert.is_nil(ok)
      assert.matches("^join: ", message)
      assert.equal("TIMEOUT", code)
    end
    may_end = true
    assert.equal("result", select(2, task:join(BOUND)))
  end)

  it("refuses the task that calls", function()
    local task
    task = lunet.spawn(function() return raised_by(task.join, task) end)
    assert.matches("cannot join itself", select(2, task:join(BOUND)))
  end)

  it("refuses what is no task", function()
    local task <close> = lunet.spawn(wait)
    assert.matches("lunet%.task expected, got table", raised_by(task.join, {}))
    assert.matches("lunet%.task expected, got nil", raised_by(task.cancel, nil))
  end)
end)

describe("the error of a task", function()
  local failure_of_luassert = select(2, pcall(assert.equal, 1, 2))
  local values = {
    ["a string"] = "boom",
    ["a table"] = {},
    ["a number"] = 7,
    ["false"] = false,
    ["a function"] = print,
    ["a failure of luassert"] = failure_of_luassert,
  }
  for name, value in pairs(values) do
    it("is raised by join as the same value when it is " .. name, function()
      assert.is_true(rawequal(value, raised_by_join(lunet.spawn(fail, value))))
    end)
  end

  it("is raised by join when it is nil", function()
    local task = lunet.spawn(fail, nil)
    assert.same({ n = 2, false, nil }, table.pack(pcall(task.join, task, BOUND)))
  end)

  it("has the position that error gave it", function()
    local task = lunet.spawn(function() error "boom" end)
    assert.matches("task_spec%.lua:%d+: boom$", raised_by_join(task))
  end)

  it("is raised by every join, and not once more by a wait of the parent", function()
    local task = lunet.spawn(fail, "boom")
    assert.equal("boom", raised_by_join(task))
    assert.equal("boom", raised_by(task.join, task, 0))
    assert.is_true(lunet.sleep(0.001))
  end)

  it("is raised from the parent's present wait when nobody joined it", function()
    local failure = {}
    lunet.spawn(fail_soon, failure)
    assert.equal(failure, raised_by(lunet.sleep, BOUND))
  end)

  it("is raised from the parent's present wait, whatever that waits for", function()
    local failure = {}
    local listener <close> = assert(lunet.listen { backlog = 1 })
    lunet.spawn(fail_soon, failure)
    assert.equal(failure, raised_by(listener.accept, listener, BOUND))
    local other <close> = lunet.spawn(wait)
    lunet.spawn(fail_soon, failure)
    assert.equal(failure, raised_by_join(other))
    lunet.spawn(fail_soon, failure)
    assert.equal(failure, raised_by(lunet.within, BOUND, wait))
    lunet.spawn(fail_soon, failure)
    assert.equal(failure, raised_by(lunet.eventually, function() return false end, BOUND))
  end)

  it("is raised from the parent's next wait when it does not wait", function()
    local child_ran, went_on = false, false
    local parent = lunet.spawn(function()
      lunet.spawn(function()
        child_ran = true
        fail "boom"
      end)
      repeat coroutine.yield() until child_ran
      went_on = true
      return raised_by(lunet.sleep, BOUND)
    end)
    assert.same({ true, "boom" }, { parent:join(BOUND) })
    assert.is_true(went_on)
  end)

  it("is raised at the parent's end when that waits no more, instead of its results", function()
    local parent = lunet.spawn(function()
      lunet.spawn(fail_soon, "boom")
      return "a", "b", "c"
    end)
    assert.equal("boom", raised_by_join(parent))
  end)

  it("cancels the siblings when the parent ends with it", function()
    local sibling
    local parent = lunet.spawn(function()
      sibling = lunet.spawn(wait)
      lunet.spawn(fail_soon, "boom")
    end)
    assert.equal("boom", raised_by_join(parent))
    assert.equal("CANCELED", select(3, sibling:join(0)))
  end)

  it("is raised in one wait each when several children fail and the parent goes on", function()
    lunet.spawn(fail, "first")
    lunet.spawn(fail, "second")
    assert.equal("first", raised_by(lunet.sleep, BOUND))
    assert.equal("second", raised_by(lunet.sleep, BOUND))
    assert.is_true(lunet.sleep(0.001))
  end)

  it("of the first child is the parent's when several fail", function()
    local parent = lunet.spawn(function()
      lunet.spawn(fail, "first")
      lunet.spawn(fail, "second")
      wait()
    end)
    assert.equal("first", raised_by_join(parent))
    assert.is_true(lunet.sleep(0.001))
  end)

  it("is raised by a joiner instead of the parent", function()
    local failure = {}
    local task = lunet.spawn(fail_soon, failure)
    local joiner = lunet.spawn(function() return raised_by_join(task) end)
    assert.is_true(rawequal(failure, select(2, joiner:join(BOUND))))
    assert.is_true(lunet.sleep(0.001))
  end)

  it("is raised by a joiner that comes before the parent's next wait", function()
    local task = lunet.spawn(fail, "boom")
    local joiner = lunet.spawn(function() return raised_by_join(task) end)
    assert.is_true(lunet.sleep(0))
    assert.same({ true, "boom" }, { joiner:join(BOUND) })
    assert.is_true(lunet.sleep(0.001))
  end)

  it("is raised by the parent when the joiner has given up", function()
    local may_fail = false
    local task = lunet.spawn(function()
      lunet.eventually(function() return may_fail end, BOUND)
      fail "boom"
    end)
    assert.equal("TIMEOUT", select(3, task:join(0.001)))
    may_fail = true
    assert.equal("boom", raised_by(lunet.sleep, BOUND))
  end)

  it("is raised by the parent when the joiner was canceled", function()
    local may_fail = false
    local task = lunet.spawn(function()
      lunet.eventually(function() return may_fail end, BOUND)
      fail "boom"
    end)
    local joiner = lunet.spawn(task.join, task)
    assert(lunet.sleep(0))
    joiner:cancel()
    assert.equal("CANCELED", select(3, joiner:join(BOUND)))
    may_fail = true
    assert.equal("boom", raised_by(lunet.sleep, BOUND))
  end)

  it("comes through two hundred nested tasks as the same value", function()
    local failure = {}
    local function nest(depth)
      if depth == 0 then error(failure) end
      lunet.spawn(nest, depth - 1)
      wait()
    end
    assert.is_true(rawequal(failure, raised_by_join(lunet.spawn(nest, 200))))
  end)

  -- Once a canceled parent raised only its cancellation. Errors of its children were lost, such as an assertion that
  -- failed in their cleanup.
  it("is not lost when the parent is canceled before it comes", function()
    local began = false
    local parent = lunet.spawn(function()
      lunet.spawn(function()
        local _cleanup <close> = closing(function() fail "the cleanup failed" end)
        began = true
        wait()
      end)
      wait()
    end)
    repeat lunet.sleep(0) until began
    parent:cancel()
    assert.equal("the cleanup failed", raised_by_join(parent))
  end)

  it("is not lost when the parent is canceled after it came", function()
    local child_ran = false
    local parent = lunet.spawn(function()
      lunet.spawn(function()
        child_ran = true
        fail "boom"
      end)
      repeat coroutine.yield() until child_ran
      lunet.sleep(FOREVER)
    end)
    lunet.spawn(function()
      repeat coroutine.yield() until child_ran
      parent:cancel()
    end)
    assert.equal("boom", raised_by_join(parent))
  end)
end)
