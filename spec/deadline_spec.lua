local lunet = require "lunet"
local pair = require "spec.support.pair"
local raised_by = require "spec.support.raised"
local stay_busy_until = require "spec.support.stay_busy_until"

local FOREVER, BOUND = math.huge, 10

local function wait()
  lunet.sleep(FOREVER)
end

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("the clock", function()
  it("never goes back", function()
    local last, steps_back = lunet.now(), 0
    for _ = 1, 10000 do
      local now = lunet.now()
      if now < last then steps_back = steps_back + 1 end
      last = now
    end
    assert.equal(0, steps_back)
  end)

  it("is the kernel's monotonic one", function()
    local file = assert(io.open "/proc/uptime") -- counts suspended time too, so it may be ahead
    local uptime = file:read "n"
    file:close()
    assert.is_true(lunet.now() <= uptime + 60)
    assert.equal("float", math.type(lunet.now()))
  end)

  it("runs on while nothing waits", function()
    local before = lunet.now()
    stay_busy_until(before + 0.001)
    assert.is_true(lunet.now() - before >= 0.001)
  end)
end)

describe("a deadline", function()
  local near, far, listener

  before_each(function() near, far, listener = pair.open() end)

  after_each(function()
    near:close()
    far:close()
    listener:close()
  end)

  local function count_early(samples, longest, wait_for)
    local early, done = 0, 0
    lunet.scope(function()
      for i = 1, samples do
        lunet.spawn(function()
          local timeout = longest * (i % 97 + 1) / 97 + i * 1e-7
          local before = lunet.now()
          wait_for(timeout)
          if lunet.now() - before < timeout then early = early + 1 end
          done = done + 1
        end)
      end
    end)
    assert.equal(samples, done)
    return early
  end

  it("never comes early: three thousand sleeps at once #part_many", function()
    assert.equal(0, count_early(3000, 0.1, lunet.sleep))
  end)

  it("never comes early: a thousand sleeps one by one, while the loop never rests", function()
    local early = 0
    local _restless <close> = lunet.spawn(function()
      while true do coroutine.yield() end
    end)
    for i = 1, 1000 do
      local timeout = i * 1.7e-7
      local before = lunet.now()
      lunet.sleep(timeout)
      if lunet.now() - before < timeout then early = early + 1 end
    end
    assert.equal(0, early)
  end)

  it("never comes early: receives, accepts and joins that time out", function()
    local task <close> = lunet.spawn(wait)
    local codes = {}
    local function keep_code(_, _, code)
      codes[code] = (codes[code] or 0) + 1
    end
    assert.equal(0, count_early(300, 0.05, function(timeout) keep_code(near:receive("l", timeout)) end))
    assert.equal(0, count_early(300, 0.05, function(timeout) keep_code(far:receive(1, timeout)) end))
    assert.equal(0, count_early(300, 0.05, function(timeout) keep_code(listener:accept(timeout)) end))
    assert.equal(0, count_early(300, 0.05, function(timeout) keep_code(task:join(timeout)) end))
    assert.equal(0, count_early(100, 0.05, function(timeout) keep_code(lunet.within(timeout, wait)) end))
    assert.same({ TIMEOUT = 1300 }, codes)
  end)

  -- The earlier of two deadlines ends first. The spec knows a task's deadline only within bounds: not before the time
  -- of its call, and not after the time when the next task ran.
  it("comes in order: a thousand of them", function()
    local called, seconds, ended = {}, {}, {}
    lunet.scope(function()
      for i = 1, 1000 do
        seconds[i] = (i * 613 % 1000) * 5e-5
        lunet.spawn(function()
          called[i] = lunet.now()
          lunet.sleep(seconds[i])
          ended[#ended + 1] = i
        end)
      end
      called[1001] = FOREVER
    end)
    assert.equal(1000, #ended)
    local latest_before, out_of_order = 0, 0
    for _, i in ipairs(ended) do
      if latest_before > called[i + 1] + seconds[i] then out_of_order = out_of_order + 1 end
      if seconds[i] > 0 then latest_before = math.max(latest_before, called[i] + seconds[i]) end
    end
    assert.equal(0, out_of_order)
  end)

  it("is dropped with its wait: five thousand are canceled, and those that are left still come #part_many", function()
    local sleepers = {}
    for i = 1, 5000 do sleepers[i] = lunet.spawn(lunet.sleep, 3600 + i * 7919 % 5000) end
    local left = lunet.spawn(lunet.sleep, 0.01)
    assert(lunet.sleep(0))
    for i = 1, 5000 do sleepers[i * 4801 % 5000 + 1]:cancel() end
    local canceled = 0
    for i = 1, 5000 do
      if select(3, sleepers[i]:join(BOUND)) == "CANCELED" then canceled = canceled + 1 end
    end
    assert.equal(5000, canceled)
    assert.is_true(left:join(BOUND))
  end)

  it("of 1e-9 seconds comes soon", function()
    assert.is_true(lunet.sleep(1e-9))
    assert.is_true(lunet.sleep(5e-324))
    assert.equal("TIMEOUT", select(3, listener:accept(1e-9)))
  end)

  it("of 0 seconds polls: what is there is had, and nothing is waited for", function()
    assert.equal("TIMEOUT", select(3, far:receive(1, 0)))
    assert.equal("TIMEOUT", select(3, far:receive(1, -0.0)))
    assert.equal("TIMEOUT", select(3, listener:accept(0)))
    assert(near:send "x")
    assert.equal("x", far:receive(1, 0))
    assert(near:send("y", 0))
    assert.equal("y", far:receive(1, BOUND))
    local client <close> = assert(lunet.connect(listener, BOUND))
    local accepted <close> = assert(listener:accept(0))
    assert.equal(client:address(), (accepted:peer()))
  end)

  it("of any great number of seconds does not come", function()
    local tasks = {}
    for i, seconds in ipairs { 1e6, 9e9, 9.3e9, 1e19, 1e300, math.maxinteger, FOREVER } do
      tasks[i] = lunet.spawn(lunet.sleep, seconds)
    end
    assert(lunet.sleep(0.001))
    for _, task in ipairs(tasks) do
      assert.equal("TIMEOUT", select(3, task:join(0)))
      task:cancel()
      assert.equal("CANCELED", select(3, task:join(BOUND)))
    end
  end)

  it("that is nil does not come", function()
    local task = lunet.spawn(far.receive, far, 1, nil)
    assert(lunet.sleep(0.001))
    assert(near:send "x")
    assert.equal("x", select(2, task:join(BOUND)))
  end)

  it("may be an integer", function()
    assert(near:send "x")
    assert.equal("x", far:receive(1, 10))
    local task <close> = lunet.spawn(lunet.sleep, 10)
    assert(lunet.sleep(0))
    assert.equal("TIMEOUT", select(3, task:join(0)))
  end)

  -- The loop cannot look while a task computes. Data that the kernel had by then counts as in time.
  it("yields to data that had come when the loop could look again", function()
    local task = lunet.spawn(far.receive, far, "l", 0.01)
    assert(lunet.sleep(0))
    local called = lunet.now()
    assert(near:send "hello\n")
    stay_busy_until(called + 0.02)
    assert.equal("hello", select(2, task:join(BOUND)))
  end)

  it("yields to a connection that had come when the loop could look again", function()
    local task = lunet.spawn(listener.accept, listener, 0.01)
    assert(lunet.sleep(0))
    local called = lunet.now()
    local client <close> = assert(lunet.connect(listener, BOUND))
    stay_busy_until(called + 0.02)
    local accepted <close> = select(2, task:join(BOUND))
    assert.equal(client:address(), (accepted:peer()))
  end)

  -- lunet.within threw away the results of a function that had ended in the very turn in which its
  -- time was over.
  it("of lunet.within yields to data that had come when the loop could look again", function()
    local task = lunet.spawn(lunet.within, 0.1, far.receive, far, "l")
    assert(lunet.sleep(0)) -- the task begins
    assert(lunet.sleep(0)) -- the function begins
    local called = lunet.now()
    assert(near:send "hello\n")
    stay_busy_until(called + 0.11)
    assert.same({ true, true, "hello" }, { task:join(BOUND) })
  end)
end)

describe("sleep", function()
  it("refuses what is no time", function()
    assert.matches("a number of seconds, 0 or more, is expected; not no value", raised_by(lunet.sleep))
    assert.matches("a number of seconds, 0 or more, is expected; not nil", raised_by(lunet.sleep, nil))
    assert.matches("a timeout is a number of seconds, 0 or more; not string", raised_by(lunet.sleep, "1"))
    assert.matches("a timeout is a number of seconds, 0 or more", raised_by(lunet.sleep, -1e-9))
    assert.matches("a timeout is a number of seconds, 0 or more", raised_by(lunet.sleep, -FOREVER))
    assert.matches("a timeout is a number of seconds, 0 or more", raised_by(lunet.sleep, 0 / 0))
  end)
end)

describe("within", function()
  it("gives true and the function's results when it ends in time", function()
    local function swap(a, b)
      lunet.sleep(0.001)
      return b, a, nil
    end
    assert.same({ n = 4, true, nil, 1, nil }, table.pack(lunet.within(BOUND, swap, 1, nil)))
  end)

  it("cancels the function when the time is over, and returns when its cleanup is done", function()
    local raised, child
    local ok, message, code = lunet.within(0.001, function()
      child = lunet.spawn(wait)
      raised = raised_by(wait)
      error(raised, 0)
    end)
    assert.is_nil(ok)
    assert.matches("^within: the deadline passed", message)
    assert.equal("TIMEOUT", code)
    assert.equal("CANCELED", raised.code)
    assert.equal("CANCELED", select(3, child:join(0)))
  end)

  it("counts all of the function's waits together", function()
    local turns = 0
    assert.equal("TIMEOUT", select(3, lunet.within(0.01, function()
      while true do
        lunet.sleep(0.001)
        turns = turns + 1
      end
    end)))
    assert.is_true(turns <= 10)
  end)

  it("raises the function's error as it is", function()
    local failure = {}
    assert.is_true(rawequal(failure, raised_by(lunet.within, BOUND, error, failure)))
  end)

  it("raises an error of the cleanup", function()
    assert.equal("no cleanup", raised_by(lunet.within, 0.001, function()
      pcall(wait)
      error("no cleanup", 0)
    end))
  end)

  it("nests: the earlier deadline comes, whichever it is", function()
    local inner, went_on
    assert.same({ true, "inner came" }, { lunet.within(BOUND, function()
      inner = select(3, lunet.within(0.001, wait))
      return "inner came"
    end) })
    assert.equal("TIMEOUT", inner)
    assert.equal("TIMEOUT", select(3, lunet.within(0.001, function()
      lunet.within(BOUND, wait)
      went_on = true
    end)))
    assert.is_nil(went_on)
  end)

  it("ends its function when the task that called is canceled", function()
    local raised
    local task = lunet.spawn(lunet.within, BOUND, function()
      raised = false
      raised = raised_by(wait)
    end)
    repeat lunet.sleep(0) until raised == false
    task:cancel()
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.equal("CANCELED", raised.code)
  end)

  it("refuses what is no time, and what is no function", function()
    for _, timeout in ipairs { -1, 0 / 0, "1", {} } do
      assert.matches("within: a timeout is a number", raised_by(lunet.within, timeout, wait))
    end
    assert.matches("within: a number of seconds, 0 or more, is expected; not nil", raised_by(lunet.within, nil, wait))
    assert.matches("bad argument #2 to 'within' %(function expected, got nil%)", raised_by(lunet.within, 1))
    assert.matches("^spec/deadline_spec%.lua:", raised_by(function() lunet.within(1, "x") end))
  end)

  it("refuses a plain coroutine, before its function begins", function()
    local began = false
    local message = raised_by(coroutine.wrap(function()
      lunet.within(BOUND, function() began = true end)
    end))
    assert.matches("a plain coroutine cannot wait", message)
    assert(lunet.sleep(0.001))
    assert.is_false(began)
  end)
end)

describe("eventually", function()
  it("gives the first true value that the predicate returns", function()
    local asked = 0
    assert.equal("value", lunet.eventually(function()
      asked = asked + 1
      return asked == 5 and "value", "dropped"
    end, BOUND))
    assert.equal(5, asked)
  end)

  it("asks at once: a state that is there needs no wait", function()
    assert.equal(1, lunet.eventually(function() return 1 end, 0))
    assert.equal(1, lunet.eventually(function() return 1 end))
    assert.equal(1, coroutine.wrap(function()
      return lunet.eventually(function() return 1 end, BOUND)
    end)())
  end)

  it("gives TIMEOUT when the state does not come, having asked once more at the end", function()
    local asked_last
    local before = lunet.now()
    local value, message, code = lunet.eventually(function()
      asked_last = lunet.now()
      return nil
    end, 0.01)
    assert.is_nil(value)
    assert.matches("^eventually: the deadline passed", message)
    assert.equal("TIMEOUT", code)
    assert.is_true(asked_last - before >= 0.01)
  end)

  it("asks once when the timeout is 0", function()
    local asked = 0
    assert.equal("TIMEOUT", select(3, lunet.eventually(function() asked = asked + 1 end, 0)))
    assert.equal(1, asked)
  end)

  it("lets the tasks run between two looks", function()
    local done = false
    local task = lunet.spawn(function()
      for _ = 1, 10 do lunet.sleep(0.0001) end
      done = true
    end)
    assert.is_true(lunet.eventually(function() return done end, BOUND))
    assert(task:join(BOUND))
  end)

  it("raises what the predicate raises", function()
    local failure = {}
    assert.is_true(rawequal(failure, raised_by(lunet.eventually, function() error(failure) end, BOUND)))
  end)

  it("lets the predicate wait", function()
    assert.is_true(lunet.eventually(function() return lunet.sleep(0.001) end, BOUND))
  end)

  it("refuses what is no predicate, and what is no time", function()
    assert.matches("bad argument #1 to 'eventually' %(function expected, got boolean%)",
      raised_by(lunet.eventually, true))
    for _, timeout in ipairs { -1, 0 / 0, "1", {} } do
      assert.matches("eventually: a timeout is a number",
        raised_by(lunet.eventually, wait, timeout))
    end
    assert.matches("^spec/deadline_spec%.lua:", raised_by(function() lunet.eventually() end))
  end)
end)
