local lunet = require "lunet"
local raised_by = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"

local function fail(value)
  error(value, 0)
end

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("a wait", function()
  -- Each calls the function from inside something, and returns what the function returned.
  local places = {
    ["a sort callback"] = function(fn)
      local result
      table.sort({ 2, 1 }, function(a, b)
        result = fn()
        return a < b
      end)
      return result
    end,
    ["a gsub callback"] = function(fn)
      local result
      string.gsub("x", "x", function() result = fn() end)
      return result
    end,
    ["require"] = function(fn)
      local result
      package.preload["spec.waiting"] = function() result = fn() end
      require "spec.waiting"
      package.loaded["spec.waiting"], package.preload["spec.waiting"] = nil, nil
      return result
    end,
    ["__tostring"] = function(fn)
      local result
      local _ = tostring(setmetatable({}, { __tostring = function()
        result = fn()
        return ""
      end }))
      return result
    end,
    ["an error handler"] = function(fn)
      return select(2, xpcall(fail, function() return fn() end))
    end,
  }
  local function finalize(fn)
    local result
    setmetatable({}, { __gc = function() result = fn() end })
    collectgarbage()
    return result
  end
  local function in_coroutine(fn)
    return coroutine.wrap(fn)()
  end
  local function try()
    return select(2, pcall(lunet.sleep, 0))
  end

  for name, place in pairs(places) do
    it("is refused to a task inside " .. name, function()
      local task = lunet.spawn(place, try)
      local message = select(2, task:join(BOUND))
      assert.matches("a task cannot wait here: inside require, a sort or gsub callback, a metamethod", message)
      assert.matches("an error handler or a finalizer", message)
    end)

    it("is granted to the main script inside " .. name, function()
      assert.is_true(place(try))
    end)
  end

  it("is refused to a task inside a finalizer", function()
    assert.matches("a finalizer$", select(2, lunet.spawn(finalize, try):join(BOUND)))
  end)

  -- Once a collection in the middle of a call, between the start and the end of its wait, let a finalizer use the
  -- same op.
  it("is refused to the main script inside a finalizer", function()
    assert.matches("a finalizer cannot wait$", finalize(try))
  end)

  it("is refused inside a plain coroutine", function()
    assert.matches("a plain coroutine cannot wait: start it with lunet%.spawn$", in_coroutine(try))
    assert.matches("a plain coroutine cannot wait", select(2, lunet.spawn(in_coroutine, try):join(BOUND)))
  end)

  it("is granted inside pcall, a metamethod called from Lua, an iterator and __close", function()
    local task = lunet.spawn(function()
      local object = setmetatable({}, {
        __index = function() return lunet.sleep(0.001) end,
        __close = function() lunet.sleep(0.001) end,
      })
      local indexed = object.field
      local function once(_, last) return not last and lunet.sleep(0.001) or nil end
      for slept in once do indexed = indexed and slept end
      do
        local _closed <close> = object
      end
      return indexed, select(2, pcall(lunet.sleep, 0.001))
    end)
    assert.same({ true, true, true }, { task:join(BOUND) })
  end)

  it("in the main script lets the tasks run that were spawned inside it", function()
    local spawned
    table.sort({ 2, 1 }, function(a, b)
      spawned = spawned or lunet.spawn(function() return lunet.sleep(0.001) end)
      assert(spawned:join(BOUND))
      return a < b
    end)
    assert.same({ true, true }, { spawned:join(0) })
  end)
end)

describe("a loop of calls that all finish at once", function()
  it("in a task lets the others run", function()
    local listener <close> = assert(lunet.listen { backlog = 1 })
    local deadline, other_ran = lunet.now() + BOUND, false
    local busy = lunet.spawn(function()
      while not other_ran and lunet.now() < deadline do listener:accept(0) end
    end)
    local other = lunet.spawn(function()
      lunet.sleep(0.001)
      other_ran = true
    end)
    assert(busy:join())
    assert.is_true(other_ran)
    assert(other:join(BOUND))
  end)

  it("in the main script lets the tasks run", function()
    local listener <close> = assert(lunet.listen { backlog = 1 })
    local deadline, other_ran = lunet.now() + BOUND, false
    local other = lunet.spawn(function()
      lunet.sleep(0.001)
      other_ran = true
    end)
    while not other_ran and lunet.now() < deadline do listener:accept(0) end
    assert.is_true(other_ran)
    assert(other:join(BOUND))
  end)
end)

-- lunet.sleep(0) left its op in the queue of those that are ready, and went on: the next wait put
-- it there once more, which tore the queue apart.

describe("sleep(0)", function()
  it("gives the others one turn", function()
    local log = {}
    local task = lunet.spawn(function()
      for _ = 1, 3 do
        log[#log + 1] = "task"
        lunet.sleep(0)
      end
    end)
    for _ = 1, 3 do
      lunet.sleep(0)
      log[#log + 1] = "main"
    end
    assert(task:join(BOUND))
    assert.same({ "task", "main", "task", "main", "task", "main" }, log)
  end)

  it("can come before any other wait", function()
    local task = lunet.spawn(function()
      lunet.sleep(0)
      lunet.sleep(0.001)
      lunet.sleep(0)
      return lunet.sleep(0.001)
    end)
    assert.is_true(lunet.sleep(0))
    assert.is_true(lunet.sleep(0.001))
    assert.is_true(select(2, task:join(BOUND)))
  end)
end)

describe("coroutine.yield in a task", function()
  it("gives the others their turn", function()
    local log = {}
    local function count(name)
      for i = 1, 3 do
        log[#log + 1] = name .. i
        coroutine.yield()
      end
    end
    local a, b = lunet.spawn(count, "a"), lunet.spawn(count, "b")
    assert(a:join(BOUND))
    assert(b:join(BOUND))
    assert.same({ "a1", "b1", "a2", "b2", "a3", "b3" }, log)
  end)

  it("returns nothing, whatever was yielded", function()
    local task = lunet.spawn(function() return select("#", coroutine.yield(1, 2, 3)) end)
    assert.equal(0, select(2, task:join(BOUND)))
  end)

  -- A task that loops around coroutine.yield could not be canceled, and so kept the program from
  -- ending.
  it("is a wait that cancel raises from", function()
    local codes = {}
    local task = lunet.spawn(function()
      repeat
        local ok, failure = pcall(coroutine.yield)
        if not ok then codes[#codes + 1] = failure.code end
      until #codes == 2
      while true do coroutine.yield() end
    end)
    assert(lunet.sleep(0))
    task:cancel()
    assert.equal("CANCELED", select(3, task:join(BOUND)))
    assert.same({ "CANCELED", "CANCELED" }, codes)
  end)

  it("is left alone in a plain coroutine inside the task", function()
    local task = lunet.spawn(function()
      local values = coroutine.wrap(function()
        for i = 1, 3 do coroutine.yield(i) end
      end)
      return values() + values() + values()
    end)
    assert.equal(6, select(2, task:join(BOUND)))
  end)
end)

describe("the coroutine of a task", function()
  -- coroutine.resume from elsewhere ended the wait without its result, and left it in its queue.
  it("goes on waiting when the script resumes it", function()
    local thread
    local task = lunet.spawn(function()
      thread = coroutine.running()
      lunet.sleep(0.01)
      return "result"
    end)
    assert(lunet.sleep(0))
    assert.is_true(coroutine.resume(thread, "unexpected"))
    assert.is_true(coroutine.resume(thread))
    assert.equal("suspended", coroutine.status(thread))
    assert.same({ true, "result" }, { task:join(BOUND) })
  end)

  it("goes on waiting for its children when the script resumes it", function()
    local thread
    local child_ended = false
    local task = lunet.spawn(function()
      thread = coroutine.running()
      lunet.spawn(function()
        lunet.sleep(0.01)
        child_ended = true
      end)
      return "result"
    end)
    assert(lunet.sleep(0))
    assert.is_true(coroutine.resume(thread))
    assert.is_false(child_ended)
    assert.same({ true, "result" }, { task:join(BOUND) })
    assert.is_true(child_ended)
  end)

  it("cannot wait while the script, not the loop, resumes it", function()
    local thread
    local task = lunet.spawn(function()
      thread = coroutine.running()
      coroutine.yield()
      return raised_by(lunet.sleep, 0)
    end)
    assert(lunet.sleep(0))
    assert.is_true(coroutine.resume(thread))
    assert.matches("a plain coroutine cannot wait", select(2, task:join(BOUND)))
  end)
end)
