local core = require "lunet.core"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local merged = require "spec.support.merged"

local function nothing() end

--- An experiment that needs no more than what a test is about.
local function make(fields)
  return experiment(merged({ claim = "It holds.", run = function() return {} end, check = nothing }, fields))
end

describe("the outcome of a run", function()
  local function outcome_of(value)
    return (make { run = function() return value end })()
  end

  local function refusal_of(value)
    local ok, message = pcall(outcome_of, value)
    assert.is_false(ok)
    return message
  end

  it("is plain data: strings, numbers, booleans, and tables of them", function()
    local plain = { text = "a\0b", whole = 1, part = 0.5, yes = true, no = false,
      list = { 1, 2, { 3 } }, map = { [10] = "ten", ten = 10 } }
    assert.same(plain, outcome_of(plain))
  end)

  it("may hold one table twice", function()
    local shared = { 1 }
    assert.same({ a = { 1 }, b = { 1 } }, outcome_of { a = shared, b = shared })
  end)

  it("is a table", function()
    assert.equal("run returned no outcome (a table), but nil", refusal_of(nil))
    assert.equal("run returned no outcome (a table), but boolean", refusal_of(true))
  end)

  for _, value in ipairs { nothing, coroutine.create(nothing), io.stdout } do
    it("holds no " .. type(value), function()
      assert.equal(("outcome.inner.value is a %s: an outcome is plain data"):format(type(value)),
        refusal_of { inner = { value = value } })
    end)
  end

  it("has no keys but strings and whole numbers", function()
    assert.equal("outcome.inner has a key that is a boolean: an outcome is plain data",
      refusal_of { inner = { [true] = 1 } })
    assert.equal("outcome has a key that is a table: an outcome is plain data", refusal_of { [{}] = 1 })
    assert.equal("outcome has a key that is a number: an outcome is plain data", refusal_of { [0.5] = 1 })
  end)

  it("does not contain itself", function()
    local snake = { tail = {} }
    snake.tail.head = snake
    assert.equal("outcome.tail.head contains itself: an outcome is plain data", refusal_of(snake))
  end)

  it("is not checked when it is no outcome", function()
    local was_checked = false
    local declared = make { run = nothing, check = function() was_checked = true end }
    assert.is_false(pcall(declared))
    assert.is_false(was_checked)
  end)
end)

describe("an error of the run", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("is raised as the same value", function()
    for _, value in ipairs { { "a table" }, "a text", 42, false, print } do
      local ok, raised = pcall(make { run = function() error(value, 0) end })
      assert.is_false(ok)
      assert.equal(value, raised)
    end
  end)

  it("is raised as the same value when it comes from a task of the run", function()
    local value = { "a table" }
    local ok, raised = pcall(make { run = function()
      lunet.spawn(function() error(value) end)
      lunet.sleep(60)
    end })
    assert.is_false(ok)
    assert.equal(value, raised)
  end)

  it("is no verdict: the check is not asked", function()
    local was_checked = false
    assert.is_false(pcall(make {
      run = function() error "broken" end,
      check = function() was_checked = true end,
    }))
    assert.is_false(was_checked)
  end)

  it("closes what the run had opened", function()
    local listener
    assert.is_false(pcall(make { run = function()
      listener = assert(lunet.listen { backlog = 1 })
      error "broken"
    end }))
    assert.equal("CLOSED", select(3, listener:queue()))
  end)
end)

describe("a run is a scope", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("closes what it opened", function()
    local listener, client, server
    local outcome = make { run = function()
      listener = assert(lunet.listen { backlog = 1 })
      client = assert(lunet.connect(listener, 10))
      server = assert(listener:accept(10))
      return { open = #lunet.open_handles() }
    end }()
    assert.equal(4, outcome.open) -- and its home host
    for _, handle in ipairs { listener, client, server } do
      assert.equal("CLOSED", select(3, handle:address()))
    end
  end)

  it("leaves open what was open before", function()
    local listener <close> = assert(lunet.listen { backlog = 1 })
    make { run = function() return { open = #lunet.open_handles() } end }()
    assert.equal(1, #lunet.open_handles())
    assert.equal(1, listener:queue().limit)
  end)

  it("waits for the tasks that it spawned, and takes what they did into the outcome", function()
    local outcome = make { run = function()
      local done = {}
      lunet.spawn(function()
        lunet.sleep(0.01)
        done[1] = "the task"
      end)
      return done
    end }()
    assert.same({ "the task" }, outcome)
  end)

  it("ends a task that serves when the listener is closed with the run's own block", function()
    local outcome, holds = make { run = function()
      local listener <close> = assert(lunet.listen { backlog = 1 })
      local served = {}
      lunet.spawn(function()
        local _, _, code = listener:serve(nothing)
        served[1] = code
      end)
      lunet.sleep(0)
      return served
    end }()
    assert.same({ "CLOSED" }, outcome)
    assert.is_true(holds)
  end)
end)

describe("the recording of a run", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  local function run_once()
    local declared = make { run = function()
      local listener <close> = assert(lunet.listen { backlog = 3 })
      local _client <close> = assert(lunet.connect(listener, 10))
      lunet.eventually(function() return listener:queue().depth == 1 end, 10)
      lunet.note "It is queued."
      return {}
    end }
    return declared:execute(declared:settings())
  end

  -- Without what the kernel says in between.
  local function kinds_of(events)
    local kinds, is_kernels = {}, { queue = true, counters = true, sockets = true }
    for _, e in ipairs(events) do
      if not is_kernels[e.kind] then kinds[#kinds + 1] = e.kind end
    end
    return table.concat(kinds, " ")
  end

  it("has the run's own events, up to those of its end, and no earlier ones", function()
    lunet.note "before the run"
    local run = run_once()
    assert.equal("listen connect note close close", kinds_of(run.events))
    assert.equal(0, run.lost)
    lunet.note "after the run"
    assert.equal("listen connect note close close", kinds_of(run_once().events))
  end)

  it("has the queue whenever it changed, by the kernel's numbers", function()
    local queues = {}
    for _, e in ipairs(run_once().events) do
      if e.kind == "queue" then queues[#queues + 1] = { e.depth, e.limit } end
    end
    assert.same({ { 0, 3 }, { 1, 3 } }, queues)
  end)

  it("is the only one: outside of a run lunet does not look at the queues", function()
    run_once()
    local first = core.record(false)
    local _listener <close> = assert(lunet.listen { backlog = 1 })
    local events = core.events(first)
    assert.equal(1, #events)
    assert.equal("listen", events[1].kind)
  end)

  it("ends with the run, also when the run fails", function()
    assert.is_false(pcall(make { run = function() error "broken" end }))
    local _, was_on = core.record(false)
    assert.is_false(was_on)
  end)

  it("goes on after the run of an experiment within the run of another", function()
    local inner = make { run = function() return {} end }
    local outer = make { run = function()
      inner()
      local _, was_on = core.record(true)
      return { was_on = was_on }
    end }
    assert.same({ was_on = true }, (outer()))
  end)

  it("counts the events that its ring could not keep", function()
    local declared = make { run = function()
      for i = 1, 20000 do lunet.note(tostring(i)) end
      return {}
    end }
    local run = declared:execute(declared:settings())
    local notes = {}
    for _, e in ipairs(run.events) do notes[#notes + 1] = e.kind == "note" and e.text or nil end
    assert.is_true(run.lost > 0 and #notes < 20000)
    assert.equal("20000", notes[#notes])
    assert.equal(tostring(20000 - #notes + 1), notes[1])
  end)
end)
