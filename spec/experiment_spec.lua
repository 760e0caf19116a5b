local lunet = require "lunet"
local experiment = require "lunet.experiment"
local merged = require "spec.support.merged"

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
      .. "virtual, expects, needs, columns, measures, figures, plot, exclusive, shortage, slow%)$",
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
    assert.match("experiment: knob backlog: declare it as {default, unit, meaning}$",
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

  it("refuses values for virtual time that are none of its settings", function()
    assert.match("experiment: virtual: unknown knob 'wait' %(known: %)$", misuse_of { virtual = { wait = 1 } })
  end)

  it("refuses a control that is none of its settings", function()
    assert.match("experiment: control: unknown knob 'backlog' %(known: %)$", misuse_of { control = { backlog = 1 } })
    assert.match("experiment: control: knob n: 0 is not allowed", misuse_of {
      knobs = { n = { 1, "", "how many", min = 1 } }, control = { n = 0 } })
  end)

  it("may need other programs with other knobs", function()
    local declared = experiment { claim = "C.", knobs = { server = { "sh", "program", "what it runs" } },
      needs = function(knobs) return { [knobs.server] = "one" } end, run = function() return { ran = true } end,
      check = function(outcome) assert(outcome.ran) end }
    assert.is_true(select(2, declared()))
    assert.error_matches(function() declared { server = "no-such-program" } end,
      "^no%-such%-program is missing %(install the package one%)$")
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
