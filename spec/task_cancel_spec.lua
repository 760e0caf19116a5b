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

local function wait()
  lunet.sleep(FOREVER)
end

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("cancel", function()
  it("keeps a task that has not begun from beginning", function()
    local began = false
    local task = lunet.spawn(function() began = true end)
    assert.is_true(task:cancel())
    local ok, message, code = task:join(BOUND)
    assert.is_nil(ok)
    assert.matches("the task was canceled", message)
    assert.equal("CANCELED", code)
    assert.is_false(began)
  end)

  it("raises from the present wait and every later one, always the same object", function()
    local first, second, third
    local task = lunet.spawn(function()
      first = raised_by(wait)
      second = raised_by(lunet.sleep, 0)
      third = raised_by(lunet.connect, "127.0.0.1:1", 0)
      error(third, 0)
    end)
    assert(lunet.sleep(0))
    task:cancel()
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.equal("CANCELED", first.code)
    assert.matches("the task was canceled", tostring(first))
    assert.is_true(rawequal(first, second))
    assert.is_true(rawequal(first, third))
  end)

  it("may be repeated, before and after the end", function()
    local task = lunet.spawn(wait)
    assert(lunet.sleep(0))
    assert.is_true(task:cancel())
    assert.is_true(task:cancel())
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.is_true(task:cancel())
    assert.equal("CANCELED", select(3, task:join(0)))
  end)

  it("leaves an ended task's results, or its error, as they are", function()
    local done = lunet.spawn(function() return "result" end)
    local failed = lunet.spawn(fail, "boom")
    assert(done:join(BOUND))
    assert.equal("boom", raised_by_join(failed))
    done:cancel()
    failed:cancel()
    assert.equal("result", select(2, done:join(0)))
    assert.equal("boom", raised_by(failed.join, failed, 0))
  end)

  it("works on the task that calls, from its next wait on", function()
    local went_on = false
    local task
    task = lunet.spawn(function()
      task:cancel()
      went_on = true
      lunet.sleep(0)
      went_on = "too far"
    end)
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.is_true(went_on)
  end)

  it("unwinds the task's <close> values, where no wait succeeds", function()
    local log = {}
    local task = lunet.spawn(function()
      local _outer <close> = closing(function(_, failure) log[#log + 1] = { "outer", failure.code } end)
      local _inner <close> = closing(function(_, failure)
        log[#log + 1] = { "inner", failure.code, raised_by(lunet.sleep, 0).code }
      end)
      wait()
    end)
    assert(lunet.sleep(0))
    task:cancel()
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.same({ { "inner", "CANCELED", "CANCELED" }, { "outer", "CANCELED" } }, log)
  end)

  it("closes the connections that <close> variables hold", function()
    local listener <close> = assert(lunet.listen { backlog = 1 })
    local task = lunet.spawn(function()
      local _connection <close> = assert(lunet.connect(listener, BOUND))
      wait()
    end)
    assert(lunet.sleep(0))
    assert.equal(2, #lunet.open_handles())
    task:cancel()
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.equal(1, #lunet.open_handles())
  end)

  it("can be caught for cleaning up: an error then is the outcome, results are not", function()
    local cleaned_up = false
    local returns = lunet.spawn(function()
      pcall(wait)
      cleaned_up = true
      return "results"
    end)
    local fails = lunet.spawn(function()
      pcall(wait)
      fail "the cleanup failed"
    end)
    assert(lunet.sleep(0))
    returns:cancel()
    fails:cancel()
    assert.equal("CANCELED", select(3, returns:join(BOUND)))
    assert.is_true(cleaned_up)
    assert.equal("the cleanup failed", raised_by_join(fails))
  end)

  it("reaches the children, whose cleanup ends first", function()
    local began, cleaned_up = false, false
    local task = lunet.spawn(function()
      lunet.spawn(function()
        lunet.spawn(function()
          local _cleanup <close> = closing(function() cleaned_up = true end)
          began = true
          wait()
        end)
        wait()
      end)
      wait()
    end)
    repeat lunet.sleep(0) until began
    task:cancel()
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.is_true(cleaned_up)
  end)

  it("of a child does not disturb the parent", function()
    local parent = lunet.spawn(function()
      lunet.spawn(wait):cancel()
      local child = lunet.spawn(wait)
      lunet.sleep(0)
      child:cancel()
      assert(lunet.sleep(0.001))
      return "undisturbed"
    end)
    assert.equal("undisturbed", select(2, parent:join(BOUND)))
  end)

  it("reaches a task that is ready to go on, at its next wait", function()
    local got
    local task = lunet.spawn(function()
      got = lunet.sleep(0)
      lunet.sleep(0)
    end)
    lunet.spawn(function() task:cancel() end)
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.is_true(got)
  end)
end)
