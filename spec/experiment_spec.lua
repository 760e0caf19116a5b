local lunet = require "lunet"
local core = require "lunet.core"
local experiment = require "lunet.experiment"
local merged = require "spec.support.merged"
local program = require "spec.support.program"

local function nothing() end

--- An experiment that needs no more than what a test is about.
local function make(fields)
  return experiment(merged({ claim = "It holds.", run = function() return {} end, check = nothing }, fields))
end

local function misuse_of(fields)
  local ok, message = pcall(make, fields)
  assert.is_false(ok)
  return message
end

describe("declaring an experiment", function()
  it("takes a claim, a run and a check; knobs are optional", function()
    local declared = make {}
    assert.equal("It holds.", declared.claim)
    assert.same({}, declared.knobs)
  end)

  it("marks it as an experiment by a field of its own", function()
    assert.equal("lunet.experiment", rawget(make {}, "kind"))
  end)

  it("keeps the knobs sorted by name", function()
    local declared = make { knobs = {
      patience = { 0.5, "s", "how long" },
      backlog = { 5, "connections", "how many" },
      mode = { "fast", "", "how" },
    } }
    local names = {}
    for i, knob in ipairs(declared.knobs) do names[i] = knob.name end
    assert.same({ "backlog", "mode", "patience" }, names)
  end)

  it("refuses what is not a table", function()
    assert.error_matches(function() experiment "a claim" end, "experiment: a table expected, not string$")
    assert.error_matches(function() experiment() end, "experiment: a table expected, not nil$")
  end)

  it("refuses a field that it does not know, and names those that it knows", function()
    assert.match("experiment: unknown field 'clam' %(known: claim, knobs, run, check, sysctl, control, "
      .. "needs, columns, figures, plot, exclusive, shortage, slow%)$",
      misuse_of { clam = "typed in a hurry" })
    assert.match("unknown field '1' ", misuse_of { "no name" }, 1, true)
  end)

  for field, wanted in pairs { claim = "string", run = "function", check = "function" } do
    it("requires a " .. field .. " that is a " .. wanted, function()
      local definition = { claim = "It holds.", run = nothing, check = nothing }
      definition[field] = nil
      assert.error_matches(function() experiment(definition) end,
        ("experiment: %s is a %s, not nil$"):format(field, wanted))
      definition[field] = 7
      assert.error_matches(function() experiment(definition) end,
        ("experiment: %s is a %s, not number$"):format(field, wanted))
    end)
  end

  it("names the first of several missing fields", function()
    assert.error_matches(function() experiment {} end, "experiment: claim is a string, not nil$")
  end)

  it("refuses knobs that are not a table", function()
    assert.match("experiment: knobs is a table, not function$", misuse_of { knobs = nothing })
    assert.match("experiment: knobs is a table, not boolean$", misuse_of { knobs = false })
  end)

  it("refuses a knob that is declared wrongly, and names it", function()
    assert.match("experiment: knob backlog: declared as {default, unit, meaning}$",
      misuse_of { knobs = { backlog = 5 } })
  end)

  it("refuses a knob whose default is out of its own bounds", function()
    assert.match("experiment: knob backlog: %-1 is not allowed; it is a whole number, 0 or more %(connections%)$",
      misuse_of { knobs = { backlog = { -1, "connections", "how many", min = 0 } } })
  end)

  it("keeps what is told about it: control, needs, columns, figures, exclusive", function()
    local declared = make {
      knobs = { backlog = { 5, "connections", "how many", min = 0 } },
      control = { backlog = 0 }, needs = { nginx = "nginx" }, columns = { "depth" }, figures = nothing,
      exclusive = true,
    }
    assert.same({ { backlog = 0 }, { nginx = "nginx" }, { "depth" }, nothing, true },
      { declared.control, declared.needs, declared.columns, declared.figures, declared.exclusive })
  end)

  it("does without them", function()
    local declared = make {}
    assert.same({ needs = {}, columns = {}, exclusive = false }, { control = declared.control, needs = declared.needs,
      columns = declared.columns, figures = declared.figures, exclusive = declared.exclusive })
  end)

  it("collects garbage in steps while it runs, and as before afterwards", function()
    local before = collectgarbage "generational"
    local during
    make { run = function()
      during = collectgarbage "incremental"
      return {}
    end } {}
    assert.same({ "incremental", "generational" }, { during, collectgarbage(before) })
  end)

  it("refuses a control that is none of its settings", function()
    assert.match("experiment: control: unknown knob 'backlog' %(known: %)$", misuse_of { control = { backlog = 1 } })
    assert.match("experiment: control: knob n: 0 is not allowed", misuse_of {
      knobs = { n = { 1, "", "how many", min = 1 } }, control = { n = 0 } })
  end)

  it("refuses needs that name no packages, and columns that are no names", function()
    for _, needs in ipairs { { "nginx" }, { nginx = true } } do
      assert.match("experiment: needs is { program = its Debian package }, both by name$",
        misuse_of { needs = needs })
    end
    for _, columns in ipairs { { depth = "depth" }, { 5 } } do
      assert.match("experiment: columns is a list of names of fields$",
        misuse_of { columns = columns })
    end
  end)

  for field, wanted in pairs {
    control = "table", needs = "table", columns = "table", figures = "function", plot = "function",
    exclusive = "boolean",
  } do
    it(("refuses %s that is no %s"):format(field, wanted), function()
      assert.match(("experiment: %s is a %s, not number$"):format(field, wanted), misuse_of { [field] = 7 })
    end)
  end

  it("says at which line of the script the mistake is", function()
    local function declare() -- not a tail call, which would leave no line to name
      local declared = experiment { claim = "It holds." }
      return declared
    end
    local line = debug.getinfo(declare, "S").linedefined + 1
    local _, message = pcall(declare)
    assert.match(("experiment_spec.lua:%d: experiment: run is"):format(line), message, 1, true)
  end)
end)

describe("an experiment's settings", function()
  local declared = make { knobs = {
    backlog = { 5, "connections", "how many", min = 0 },
    is_patient = { false, "", "whether it waits" },
    mode = { "slow", "", "how", choices = { "slow", "fast" } },
  } }
  local defaults = { backlog = 5, is_patient = false, mode = "slow" }

  it("are the defaults when nothing is given", function()
    assert.same(defaults, declared:settings())
    assert.same(defaults, declared:settings {})
  end)

  it("are what is given, and the defaults of the others", function()
    assert.same({ backlog = 0, is_patient = true, mode = "slow" },
      declared:settings { backlog = 0, is_patient = true })
    assert.same(defaults, declared:settings { is_patient = false })
  end)

  it("are a new table each time", function()
    declared:settings().backlog = 99
    assert.same(defaults, declared:settings())
  end)

  it("leave the given table alone", function()
    local given = { backlog = 7.0 }
    assert.equal("integer", math.type(declared:settings(given).backlog))
    assert.equal("float", math.type(given.backlog))
    assert.is_nil(given.mode)
  end)

  it("refuse a knob that is not declared, and name those that are", function()
    assert.error(function() declared:settings { backlogg = 1 } end,
      "unknown knob 'backlogg' (known: backlog, is_patient, mode)")
    assert.error(function() declared:settings { 5 } end,
      "unknown knob '1' (known: backlog, is_patient, mode)")
  end)

  it("refuse a value that is not allowed", function()
    assert.error(function() declared:settings { mode = "medium" } end,
      'knob mode: "medium" is not allowed; it is one of slow, fast ()')
  end)

  it("refuse what is not a table", function()
    assert.error(function() declared:settings(5) end, "knobs: a table expected, not number")
  end)
end)

describe("calling an experiment", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("gives run and check the knobs", function()
    local seen = {}
    local declared = make {
      knobs = { backlog = { 5, "connections", "how many" }, patience = { 0.5, "s", "how long" } },
      run = function(knobs) seen.run = knobs return { n = 1 } end,
      check = function(outcome, knobs) seen.outcome, seen.check = outcome, knobs end,
    }
    local outcome, holds, why = declared { backlog = 7 }
    assert.same({ n = 1 }, outcome)
    assert.is_true(holds)
    assert.is_nil(why)
    assert.same({ backlog = 7, patience = 0.5 }, seen.run)
    assert.same({ backlog = 7, patience = 0.5 }, seen.check)
    assert.equal(outcome, seen.outcome)
  end)

  it("gives run and check a copy each, so that neither changes the other's or the next run's", function()
    local declared = make {
      knobs = { backlog = { 5, "connections", "how many" } },
      run = function(knobs)
        local given = knobs.backlog
        knobs.backlog, knobs.more = 99, true
        return { given = given }
      end,
      check = function(_, knobs)
        assert(knobs.backlog == 5 and knobs.more == nil)
        knobs.backlog = 98
      end,
    }
    local given = { backlog = 5 }
    for _ = 1, 2 do
      local outcome, holds = declared(given)
      assert.same({ given = 5 }, outcome)
      assert.is_true(holds)
      assert.same({ backlog = 5 }, given)
    end
  end)

  it("leaves the settings that it executes with as they are, for the record", function()
    local declared = make {
      knobs = { backlog = { 5, "connections", "how many" } },
      run = function(knobs) knobs.backlog = 98 return {} end,
      check = function(_, knobs) knobs.backlog = 99 end,
    }
    local values = declared:settings()
    declared:execute(values)
    assert.same({ backlog = 5 }, values)
  end)

  it("refuses wrong knobs before anything runs, at the caller's line", function()
    local has_run = false
    local declared = make {
      knobs = { backlog = { 5, "connections", "how many", min = 0 } },
      run = function() has_run = true return {} end,
    }
    local _, message = pcall(function() local _ = declared { backlog = -1 } end)
    assert.match("experiment_spec.lua:%d+: knob backlog: %-1 is not allowed; it is a whole number, 0 or more", message)
    _, message = pcall(function() local _ = declared { nope = 1 } end)
    assert.match("experiment_spec.lua:%d+: unknown knob 'nope' %(known: backlog%)$", message)
    assert.is_false(has_run)
  end)

  it("works in a task as in the main script", function()
    local declared = make { run = function() return { slept = lunet.sleep(0) } end }
    local task = lunet.spawn(function() return declared() end)
    assert.same({ true, { slept = true }, true }, { task:join(10) })
  end)

  it("works inside the run of another experiment", function()
    local inner = make { run = function() lunet.sleep(0) return { depth = 2 } end }
    local outer = make { run = function() return { inner = (inner()) } end }
    assert.same({ inner = { depth = 2 } }, (outer()))
  end)
end)

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

describe("whether the claim holds", function()
  local function verdict_of(check)
    local _, holds, why = make { check = check }()
    return holds, why
  end

  it("is true when the check ends well, whatever it returns but false", function()
    assert.is_true(verdict_of(nothing))
    assert.is_true(verdict_of(function() return true end))
    assert.is_true(verdict_of(function() return nil end))
    assert.is_true(verdict_of(function() return 0 end))
  end)

  it("is false when the check returns false", function()
    assert.same({ false, "the check returned false" }, { verdict_of(function() return false end) })
  end)

  it("is false when an assert of the check fails, for the reason that it gives", function()
    assert.same({ false, "nobody connected" }, { verdict_of(function() _G.assert(nil, "nobody connected") end) })
  end)

  it("is false when the check calls error, with a position or without", function()
    assert.same({ false, "no luck" }, { verdict_of(function() error "no luck" end) })
    assert.same({ false, "no luck" }, { verdict_of(function() error("no luck", 0) end) })
  end)

  it("keeps a text that only looks like a position", function()
    assert.same({ false, "port:80: closed" }, { verdict_of(function() error("port:80: closed", 0) end) })
  end)

  it("is false when an assertion of luassert fails, with its text", function()
    local holds, why = verdict_of(function() assert.equal(1, 2) end)
    assert.is_false(holds)
    assert.match("Expected objects to be equal", why)
    assert.match("Expected:\n%(number%) 1", why)
  end)

  it("is false for an error object, by its message or its __tostring", function()
    assert.same({ false, "as a field" }, { verdict_of(function() error { message = "as a field" } end) })
    local object = setmetatable({}, { __tostring = function() return "as a text" end })
    assert.same({ false, "as a text" }, { verdict_of(function() error(object) end) })
  end)

  it("is neither when the check says that it cannot tell, and why", function()
    assert.same({ nil, "5 of 6 runs were disturbed" },
      { verdict_of(function() experiment.not_judged("%d of %d runs were disturbed", 5, 6) end) })
  end)

  it("is no verdict but an error when the check itself is mistaken", function()
    local mistakes = {
      ["attempt to index a nil value"] = function(outcome) return outcome.missing.field end,
      ["attempt to compare number with nil"] = function(outcome) return outcome.missing > 1 end,
      ["bad argument #1 to 'rep'"] = function() return string.rep() end,
      ["sleep: a timeout is a number of seconds"] = function() return lunet.sleep "long" end,
      ["attempt to call a nil value"] = function() return _G.no_such_function() end,
    }
    for text, check in pairs(mistakes) do
      local ok, message = pcall(make { check = check })
      assert.is_false(ok)
      assert.match("^the check of the experiment is wrong: ", message)
      assert.match(text, message, 1, true)
      assert.match("stack traceback:", message, 1, true)
      assert.match("experiment_spec.lua:" .. debug.getinfo(check, "S").linedefined .. ": ", message, 1, true)
    end
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

describe("an experiment that needs programs", function()
  it("runs when they are here, also those that an ordinary user's PATH lacks", function()
    assert.is_true(select(2, make { needs = { sh = "dash", nginx = "nginx", ["/bin/sh"] = "dash" } }()))
  end)

  it("does not run when one is missing, but says what to install", function()
    local has_run = false
    local declared = make { needs = { ["no-such-program"] = "no-package", sh = "dash" },
      run = function() has_run = true return {} end }
    assert.error(function() declared() end, "no-such-program is missing (install the package no-package)")
    assert.is_false(has_run)
  end)

  it("names all that are missing; a directory is no program", function()
    assert.error(function()
      make { needs = { b = "of-b", a = "of-a", ["/tmp"] = "of-tmp", ["/no/such/program"] = "of-path" } }()
    end, "/no/such/program is missing (install the package of-path), /tmp is missing (install the package of-tmp), "
      .. "a is missing (install the package of-a), b is missing (install the package of-b)")
  end)
end)

describe("the figures and the plot of an experiment", function()
  local function execute(fields)
    fields.knobs = { backlog = { 5, "connections", "how many" } }
    fields.run = function() return { depth = 6 } end
    local declared = make(fields)
    return declared:execute(declared:settings())
  end

  it("are texts made of the outcome and the knobs", function()
    local function tell(outcome, knobs) return ("%d of %d"):format(outcome.depth, knobs.backlog) end
    local run = execute { figures = tell, plot = function(...) return "plot of " .. tell(...) end }
    assert.same({ "6 of 5", "plot of 6 of 5" }, { run.figures, run.plot })
    assert.is_nil(run.mistake)
  end)

  it("are told of a claim that does not hold, too", function()
    local run = execute { figures = function() return "none" end, check = function() return false end }
    assert.same({ "does not hold", "none" }, { run.verdict, run.figures })
  end)

  it("are not needed", function()
    local run = execute {}
    assert.same({}, { run.figures, run.plot, run.mistake })
  end)

  it("are told of a claim that is not judged, too", function()
    local run = execute { figures = function() return "none" end, check = function() experiment.not_judged "why" end }
    assert.same({ "not judged", "why", "none" }, { run.verdict, run.why, run.figures })
  end)

  it("leave no verdict when they are mistaken, and say where", function()
    for _, field in ipairs { "figures", "plot" } do
      local run = execute { [field] = function(outcome) return outcome.missing.field end }
      assert.equal("could not run", run.verdict)
      assert.match(("^mistake in the %s of the experiment: [^\n]*attempt to index a nil value[^\n]*$"):format(field),
        run.why)
      assert.is_nil(run[field])
      assert.match(("^mistake in the %s of the experiment: .*attempt to index a nil value"):format(field), run.mistake)
      assert.match("experiment_spec.lua:", run.mistake, 1, true)
      assert.equal(("mistake in the %s of the experiment: it returned no text, but number"):format(field),
        execute({ [field] = function() return 5 end }).mistake)
    end
  end)
end)

describe("what a run records", function()
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

  it("are its own events, up to those of its end, and no earlier ones", function()
    lunet.note "before the run"
    local run = run_once()
    assert.equal("listen connect note close close", kinds_of(run.events))
    assert.equal(0, run.lost)
    lunet.note "after the run"
    assert.equal("listen connect note close close", kinds_of(run_once().events))
  end)

  it("tells the queue where it changed, by the kernel's numbers", function()
    local queues = {}
    for _, e in ipairs(run_once().events) do
      if e.kind == "queue" then queues[#queues + 1] = { e.depth, e.limit } end
    end
    assert.same({ { 0, 3 }, { 1, 3 } }, queues)
  end)

  it("is all that is recorded: outside of a run nobody looks at the queues", function()
    run_once()
    local first = core.record(false)
    local _listener <close> = assert(lunet.listen { backlog = 1 })
    local events = core.events(first)
    assert.equal(1, #events)
    assert.equal("listen", events[1].kind)
  end)

  it("ends with the run, also when that fails", function()
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

describe("a want of resources in a run", function()
  -- Runs, with few descriptors, an experiment that listens until it cannot, and does not look at why.
  local function run_short(field)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(([[
      local lunet = require "lunet"
      return require "lunet.experiment" { claim = "It holds.", %s check = function() end, run = function()
        for _ = 1, 60 do lunet.listen { backlog = 1 } end
        return { is_over = true }
      end }]]):format(field))
    file:close()
    local result = program.shell(("ulimit -n 60; exec '%s' %s --json"):format(os.getenv "LUNET", path))
    os.remove(path)
    return result
  end

  it("is an error of the run, which names the call and the error, though nobody looked at it", function()
    local result = run_short ""
    assert.equal(3, result.status)
    assert.matches("^lunet: [^\n]* could not run: a call failed for want of resources: socket: "
      .. "too many open files %(EMFILE%)\n$", result.errors)
    assert.matches('"verdict":"could not run"', result.output)
  end)

  it("is none where the experiment brings it about itself", function()
    local result = run_short "shortage = true,"
    assert.same({ 0, "" }, { result.status, result.errors })
  end)
end)
