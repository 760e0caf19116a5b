local lfs = require "lfs"
local catalogue = require "lunet.command.catalogue"
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound"

local EXPERIMENT = [[
  local lunet = require "lunet"
  return require "lunet.experiment" {
    claim = "It is NAME.", exclusive = EXCLUSIVE,
    run = function() %s end,
    check = function(outcome)
      if outcome.disturbed then require "lunet.experiment".not_judged "the machine slept" end
      assert(outcome.holds ~= false, "it was to fail")
    end,
    figures = function() return "some figures" end,
  }]]

local function experiment(body, fields)
  local text = EXPERIMENT:gsub("%%s", function() return body end)
  return (text:gsub("EXCLUSIVE", tostring(fields and fields.exclusive or false)))
end

local place

before_each(function() place = scratch.open() end)

after_each(function()
  place:close()
  assert.same({}, lunet.open_handles())
end)

local function nothing() end

--- Runs what is in the directory; the records by name.
local function run(options)
  local entries = assert(catalogue.load(place.path))
  local records = catalogue.run(entries, {
    command = { os.getenv "LUNET" }, jobs = options.jobs or 2, timeout = options.timeout or BOUND,
  }, options.observer or { began = nothing, ended = nothing })
  local by_name = {}
  for i, record in ipairs(records) do
    assert.equal(entries[i].name, record.experiment)
    by_name[record.experiment] = record
  end
  return by_name
end

describe("loading a catalogue", function()
  it("finds the experiments of the directory, by name", function()
    for _, name in ipairs { "c.lua", "a.lua", "b c.lua", ".hidden.lua", "readme.txt", "a_spec.lua" } do
      place:write(name, experiment "return {}")
    end
    local names = {}
    for i, entry in ipairs(assert(catalogue.load(place.path .. "//"))) do
      names[i] = entry.name
      assert.equal(("%s/%s.lua"):format(place.path, entry.name), entry.file)
      assert.equal("It is NAME.", entry.experiment.claim)
    end
    assert.same({ "a", "b c", "c" }, names)
  end)

  it("finds those of its folders after its own, folder by folder", function()
    for _, path in ipairs { "b.lua", "two/a.lua", "one/z.lua", "one/deep/c.lua", "one/d.lua", ".git/e.lua" } do
      place:write(path, experiment "return {}")
    end
    assert(lfs.link("..", place.path .. "/one/above", true)) -- a walk that follows it never ends
    local files = {}
    for i, entry in ipairs(assert(catalogue.load(place.path))) do
      files[i] = ("%s: %s"):format(entry.name, entry.file:sub(#place.path + 2))
    end
    assert.same({ "b: b.lua", "d: one/d.lua", "z: one/z.lua", "c: one/deep/c.lua", "a: two/a.lua" }, files)
  end)

  it("names the folder that it cannot read", function()
    assert(lfs.mkdir(place.path .. "/shut"))
    local dir = lfs.dir
    lfs.dir = function(path)
      if path:find "shut" then error(("cannot open %s: Permission denied"):format(path)) end
      return dir(path)
    end
    local entries, why = catalogue.load(place.path)
    lfs.dir = dir
    assert.is_nil(entries)
    assert.matches("shut/: Permission denied$", why)
  end)

  it("runs none of them", function()
    place:write("a.lua", experiment "error 'it ran'")
    assert.equal(1, #assert(catalogue.load(place.path)))
  end)

  it("tells files that return something else apart", function()
    place:write("a.lua", experiment "return {}")
    place:write("helper.lua", "return { kind = 'helper' }")
    place:write("silent.lua", "")
    local entries, others = catalogue.load(place.path)
    assert.equal(1, #entries)
    assert.same({ place.path .. "/helper.lua", place.path .. "/silent.lua" }, others)
  end)

  it("keeps a file with a mistake, and says what it is", function()
    place:write("a.lua", "return it is")
    place:write("b.lua", "error 'no luck'")
    place:write("c.lua", "return require 'lunet.experiment' { claim = 5 }")
    local entries = assert(catalogue.load(place.path))
    assert.match("a.lua:1: ", entries[1].why, 1, true)
    assert.match("b.lua:1: no luck", entries[2].why, 1, true)
    assert.match("experiment: claim is a string, not number", entries[3].why, 1, true)
    assert.same({}, { entries[1].experiment, entries[2].experiment, entries[3].experiment })
  end)

  it("finds nothing in an empty directory, and fails without one", function()
    assert.same({}, (catalogue.load(place.path)))
    local entries, message = catalogue.load(place.path .. "/missing")
    assert.is_nil(entries)
    assert.equal("No such file or directory", message)
  end)
end)

describe("running a catalogue", function()
  it("makes a record of each run: what it printed, its verdict and its time", function()
    place:write("good.lua", experiment "return { depth = 1 }")
    place:write("bad.lua", experiment "return { holds = false }")
    place:write("noisy.lua", experiment "return { disturbed = true }")
    local records = run {}
    assert.same({ 1, "holds", "some figures", { depth = 1 }, "It is NAME.", place.path .. "/good.lua" },
      { records.good.format, records.good.verdict, records.good.figures, records.good.outcome, records.good.claim,
        records.good.file })
    assert.same({ "does not hold", "it was to fail" }, { records.bad.verdict, records.bad.why })
    assert.same({ 1, "not judged", "the machine slept", true },
      { records.noisy.format, records.noisy.verdict, records.noisy.why, records.noisy.outcome.disturbed })
    assert.is_string(records.good.environment.kernel)
    assert.is_true(records.good.seconds > 0)
  end)

  it("says in one line why one could not run", function()
    local bodies = {
      raising = "error 'no luck'", leaving = "os.exit(7)", leaving_well = "os.exit(0)",
      killed = "os.execute 'kill -KILL $PPID'", noisy = "io.stderr:write 'lunet: a note\\n' error('no luck', 0)",
      leaving_late = "late = setmetatable({}, { __gc = function() os.exit(5) end }) return {}",
    }
    for name, body in pairs(bodies) do place:write(name .. ".lua", experiment(body)) end
    place:write("wrong.lua", "error 'not even loaded'")
    place:write("lacking.lua", "require 'no_such_module'")
    place:write("mistaken.lua", (experiment("return {}"):gsub('return "some figures"', "return nil")))
    local reasons = {}
    for name, record in pairs(run {}) do
      assert.same({ 1, "could not run" }, { record.format, record.verdict })
      reasons[name] = record.why:gsub("^.*%.lua:%d+: ", "")
    end
    assert.same({
      raising = "no luck", leaving = "ended with status 7, and printed no record",
      leaving_well = "ended with status 0, and printed no record", killed = "killed by SIGKILL",
      noisy = "no luck", leaving_late = "ended with status 5, and printed another verdict",
      wrong = "not even loaded", lacking = "module 'no_such_module' not found:",
      mistaken = "mistake in the figures of the experiment: it returned no text, but nil",
    }, reasons)
  end)

  it("names a program that is missing", function()
    place:write("a.lua", (experiment("return {}"):gsub("exclusive", "needs = { nope = 'no-package' }, exclusive")))
    assert.equal("nope is missing (install the package no-package)", run({}).a.why)
  end)

  it("ends one that takes too long, with all that it has started, and goes on", function()
    assert(os.execute(("mkfifo %s/alive"):format(place.path)))
    place:write("a.lua", experiment(("os.execute 'exec 3>%s/alive; sleep 1000 & sleep 1000'"):format(place.path)))
    place:write("b.lua", experiment "return {}")
    local reader <close> = assert(lunet.exec { "cat", place.path .. "/alive" })
    local records = run { timeout = 3, jobs = 1 }
    assert.same({ "could not run", "not over after 3 s" }, { records.a.verdict, records.a.why })
    assert.is_true(records.a.seconds >= 3)
    assert.is_string(records.b.verdict)
    assert.equal("", reader.stdout:receive("a", BOUND)) -- nobody has it open any more
  end)

  it("passes on what each says on standard error", function()
    place:write("a.lua", experiment "io.stderr:write 'a warning\\n' return {}")
    place:write("b.lua", experiment "return {}")
    local said = {}
    run { observer = { began = nothing, ended = function(name, errors) said[name] = errors end } }
    assert.same({ a = "a warning\n", b = "" }, said)
  end)

  it("says when each begins and ends", function()
    place:write("a.lua", experiment "return {}")
    place:write("b.lua", "error 'no luck'")
    local order = {}
    run { jobs = 1, observer = {
      began = function(name) order[#order + 1] = "began " .. name end,
      ended = function(name) order[#order + 1] = "ended " .. name end,
    } }
    assert.same({ "began a", "ended a", "began b", "ended b" }, order)
  end)
end)

describe("the runs of a catalogue", function()
  -- Tells that it runs, and waits for the same of another.
  local MEETING = [[
    assert(io.open("%s/NAME.here", "w")):close()
    assert(lunet.eventually(function() return io.open "%s/OTHER.here" end, 15), "it was alone"):close()
    return {}]]

  local function write_meeting(name, other)
    local body = MEETING:gsub("%%s", place.path):gsub("NAME", name):gsub("OTHER", other)
    place:write(name .. ".lua", experiment(body))
  end

  --- The most that ran at a time, and those that ran while another did.
  local function watch(options)
    local running, most, companions = {}, 0, {}
    options.observer = {
      began = function(name)
        running[#running + 1] = name
        most = math.max(most, #running)
        if #running > 1 then
          for _, other in ipairs(running) do companions[other] = true end
        end
      end,
      ended = function(name)
        for i, other in ipairs(running) do
          if other == name then return table.remove(running, i) end
        end
      end,
    }
    return run(options), most, companions
  end

  it("go side by side", function()
    write_meeting("a", "b")
    write_meeting("b", "a")
    local records = run { jobs = 2 }
    assert.same({ "holds", "holds" }, { records.a.verdict, records.b.verdict })
  end)

  it("are as many at a time as allowed, and no more", function()
    for i = 1, 5 do place:write(i .. ".lua", experiment "return {}") end
    assert.equal(1, (select(2, watch { jobs = 1 })))
    assert.equal(3, (select(2, watch { jobs = 3 })))
    assert.equal(5, (select(2, watch { jobs = 100 })))
  end)

  it("are alone when they are exclusive", function()
    for _, name in ipairs { "a", "c", "d" } do place:write(name .. ".lua", experiment "return {}") end
    for _, name in ipairs { "b", "e" } do place:write(name .. ".lua", experiment("return {}", { exclusive = true })) end
    local records, most, companions = watch { jobs = 8 }
    assert.equal(3, most)
    assert.same({ a = true, c = true, d = true }, companions)
    assert.same({ "holds", "holds" }, { records.b.verdict, records.e.verdict })
  end)
end)
