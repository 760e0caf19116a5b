-- `lunet DIRECTORY` as its user meets it. Every case is a real process.
local dkjson = require "dkjson"
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"
local program = require "spec.support.program"

local BOUND <const> = require "spec.support.bound"

local place

local function experiment(body, check)
  return ([[
    local lunet = require "lunet"
    return require "lunet.experiment" {
      claim = "It is so.", run = function() %s end, check = function() %s end,
      figures = function() return "6 of 6" end,
    }]]):format(body, check or "")
end

local BROKEN = "error('no luck', 0)"

setup(function()
  place = scratch.open()
  for _, name in ipairs { "all_hold/a", "all_hold/b", "one_fails/good", "one_breaks/good", "mixed/good" } do
    place:write(name .. ".lua", experiment "return { depth = 6 }")
  end
  for _, name in ipairs { "one_fails/bad", "mixed/bad" } do
    place:write(name .. ".lua", experiment("return {}", "error('it fails', 0)"))
  end
  for _, name in ipairs { "mixed/noisy", "disturbed/noisy" } do
    place:write(name .. ".lua", experiment("return {}", "require 'lunet.experiment'.not_judged 'it slept'"))
  end
  for _, name in ipairs { "one_breaks/broken", "mixed/broken", "disturbed/broken" } do
    place:write(name .. ".lua", experiment(BROKEN))
  end
  place:write("folders/top.lua", experiment "return {}")
  place:write("folders/queue/inner.lua", experiment "return {}")
  local slow = experiment "return {}":gsub("claim =", "slow = true, claim =")
  place:write("folders/queue/long.lua", slow)
  place:write("slow/long.lua", slow)
  place:write("none/helper.lua", "return {}")
  place:write("none/README.md", "none")
end)

teardown(function() place:close() end)

after_each(function() assert.same({}, lunet.open_handles()) end)

local function run(arguments)
  return program.shell(("cd %s && unset LUA_INIT LUA_INIT_5_4 && exec %s %s"):format(
    place.path, os.getenv "LUNET", arguments))
end

local function without_times(text) return (text:gsub("%d+%.%d", "0.1")) end

describe("lunet with a directory", function()
  it("prints a table of its experiments, and how far it is on standard error", function()
    local result = run "mixed"
    assert.equal([[
experiment  verdict        seconds  figures
bad         does not hold      0.1  it fails
broken      could not run      0.1  no luck
good        holds              0.1  6 of 6
noisy       not judged         0.1  it slept

1 of 4 claims hold, 1 not; 1 not judged, 1 could not run. 0.1 s in all.
]], without_times(result.output))
    assert.match("lunet: 4 of 4 experiments\n$", result.errors)
    assert.match("lunet: broken could not run: no luck\n", result.errors, 1, true)
  end)

  it("has a heading for each folder, leaves the slow ones out, and says so in its last line", function()
    local result = run "folders"
    assert.equal([[
experiment  verdict  seconds  figures
top         holds        0.1  6 of 6

queue/
inner       holds        0.1  6 of 6

2 of 2 claims hold, 0 not; 0 not judged, 0 could not run. 0.1 s in all.
Left out, since they are slow (--all runs them): long.
]], without_times(result.output))
    assert.equal(0, result.status)
  end)

  it("runs the slow ones with --all", function()
    local result = run "folders --all"
    assert.matches("\nqueue/\ninner       holds        0.1  6 of 6\nlong        holds        0.1  6 of 6\n\n3 of 3",
      without_times(result.output), 1, true)
    assert.not_matches("Left out", result.output)
  end)

  it("ends with 2 when all are slow, and says how to run them", function()
    local errors = "lunet: slow: Left out, since they are slow (--all runs them): long.\n"
    assert.same({ status = 2, output = "", errors = errors }, run "slow")
  end)

  it("takes its name with a slash and without, and with a path", function()
    for _, name in ipairs { "all_hold", "all_hold/", "./all_hold//", place.path .. "/all_hold", "-- all_hold" } do
      local result = run(name)
      assert.equal(0, result.status)
      assert.match("\n2 of 2 claims hold, 0 not; 0 not judged, 0 could not run.", result.output, 1, true)
    end
    assert.match("\n2 of 2 claims hold", program.shell(("cd %s/all_hold && exec %s ."):format(
      place.path, os.getenv "LUNET")).output)
  end)

  it("ends with 0 when all claims hold, else with the status of the gravest verdict", function()
    local statuses = {}
    for _, name in ipairs { "all_hold", "one_fails", "one_breaks", "mixed", "disturbed" } do
      statuses[name] = run(name).status
    end
    assert.same({ all_hold = 0, one_fails = 1, one_breaks = 3, mixed = 1, disturbed = 4 }, statuses)
  end)

  it("ends with 2 when there is no experiment, and says what is there instead", function()
    assert.same({
      status = 2, output = "",
      errors = "lunet: note: none/helper.lua returns no experiment\nlunet: none/: there is no experiment in it\n",
    }, run "none/")
  end)

  it("ends with 3 when the table cannot be written", function()
    local result = run "all_hold >/dev/full"
    assert.equal(3, result.status)
    assert.match("lunet: standard output: No space left on device\n", result.errors, 1, true)
  end)

  it("runs each as it was called itself", function()
    place:write("called/a.lua", experiment "return { word = word }")
    local result = run "-E -e 'word = 5' called --json"
    assert.equal(5, dkjson.decode(result.output)[1].outcome.word)
    assert.equal(0, run("-v called").status)
  end)

  it("takes the time limit and the number of jobs", function()
    place:write("long/a.lua", experiment "lunet.sleep(1000) return {}")
    local result = run "long --timeout 0.1 --jobs=1"
    assert.equal(3, result.status)
    assert.match("\na           could not run      0.1  not over after 0.1 s\n", without_times(result.output), 1, true)
  end)
end)

describe("lunet with a directory, --json,", function()
  it("records of each as much as --record says, and else what each would by itself", function()
    for option, wanted in pairs { [""] = "kernel", ["--record none"] = "none", ["--record=segments"] = "segments",
      ["--record wire"] = "segments" } do
      local records = dkjson.decode(run("all_hold --json " .. option).output)
      for _, record in ipairs(records) do assert.equal(wanted, record.environment.record) end
      assert.equal(2, #records)
    end
    local result = run "all_hold --record all"
    assert.same({ 2, "" }, { result.status, result.output })
  end)

  it("says on standard error which are left out", function()
    local result = run "folders --json"
    assert.equal(2, #dkjson.decode(result.output))
    assert.matches("lunet: note: Left out, since they are slow (--all runs them): long.\n", result.errors, 1, true)
    assert.equal(3, #dkjson.decode(run("folders --json --all").output))
  end)

  it("prints one array of all records", function()
    local result = run "mixed --json"
    assert.equal(1, result.status)
    local records = dkjson.decode(result.output)
    assert.equal(4, #records)
    for _, record in ipairs(records) do assert.equal(1, record.format) end
    assert.same({ "bad", "mixed/bad.lua", "does not hold", "it fails" },
      { records[1].experiment, records[1].file, records[1].verdict, records[1].why })
    assert.same({ "broken", "could not run", "no luck" },
      { records[2].experiment, records[2].verdict, records[2].why })
    assert.same({ "good", "holds", "6 of 6", "It is so." },
      { records[3].experiment, records[3].verdict, records[3].figures, records[3].claim })
    assert.same({ "noisy", "not judged", "it slept" },
      { records[4].experiment, records[4].verdict, records[4].why })
    assert.equal(6, records[3].outcome.depth)
    assert.is_number(records[3].seconds)
    assert.is_table(records[3].environment.sysctl)
  end)

  it("writes knobs and an outcome that are empty as objects", function()
    assert.match('"knobs":{\n    },\n    "outcome":{\n    }', run("one_fails --json").output, 1, true)
  end)
end)

describe("lunet with a directory, --markdown,", function()
  it("prints the page for its README.md", function()
    local result = run "mixed --markdown"
    assert.equal(1, result.status)
    assert.match("^# Experiments\n", result.output)
    for _, row in ipairs {
      "\n| [bad](bad.lua) | It is so. | does not hold | it fails |\n",
      "\n| [broken](broken.lua) | It is so. | could not run | no luck |\n",
      "\n| [good](good.lua) | It is so. | holds | 6 of 6 |\n",
      "\n| [noisy](noisy.lua) | It is so. | not judged | it slept |\n",
    } do
      assert.match(row, result.output, 1, true)
    end
  end)
end)

describe("lunet with a directory, --markdown FILE,", function()
  it("replaces the file by the page, and prints nothing", function()
    local file = place:write("pages/README.md", "OLD")
    local result = run("all_hold --markdown " .. file)
    assert.same({ 0, "" }, { result.status, result.output })
    assert.equal(run "all_hold --markdown".output, place:read "pages/README.md")
  end)

  it("says before the runs that the file cannot be written, and after them that it does not fit", function()
    local result = run "all_hold --markdown /nowhere/README.md"
    assert.same({ 3, "", "lunet: --markdown: /nowhere/README.md: No such file or directory\n" },
      { result.status, result.output, result.errors })
    result = run "all_hold --markdown /dev/full"
    assert.equal(3, result.status)
    assert.matches("\nlunet: %-%-markdown: /dev/full: No space left on device\n$", result.errors)
  end)
end)

describe("lunet with a directory, --help,", function()
  it("lists the options and the exit statuses, in 80 columns, and runs nothing", function()
    local result = run "one_breaks --help"
    assert.same({ 0, "" }, { result.status, result.errors })
    local text = result.output:gsub("%s+", " ")
    for _, part in ipairs {
      "Usage: lunet one_breaks", "--all", "--jobs N", "--timeout SECONDS", "(default 120)", "--json", "--markdown",
      "Exit status: 0 every claim holds, 1 one does not hold, else 4 one is not judged, else 3 one could not run, "
        .. "2 wrong use, 130 Ctrl-C, 143 SIGTERM.",
    } do
      assert.match(part, text, 1, true)
    end
    for line in result.output:gmatch "[^\n]+" do assert.is_true(#line <= 80, line) end
  end)
end)

describe("wrong use of a directory", function()
  local known = " (known: --help, --all, --jobs, --timeout, --record, --junit, --json, --tap, --markdown)\n"
  local misuses = {
    ["--nope"] = "unknown option '--nope'",
    ["extra"] = "too many arguments",
    ["--jobs"] = "option '--jobs' requires an argument",
    ["--jobs 0"] = "--jobs: 0 is not allowed; it is a whole number, 1 or more",
    ["--jobs 1.5"] = "--jobs: 1.5 is not allowed; it is a whole number, 1 or more",
    ["--jobs many"] = "--jobs: many is not allowed; it is a whole number, 1 or more",
    ["--timeout 0"] = "--timeout: 0 is not allowed; it is a number of seconds, more than 0",
    ["--timeout=inf"] = "--timeout: inf is not allowed; it is a number of seconds, more than 0",
    ["--timeout=-1"] = "--timeout: -1 is not allowed; it is a number of seconds, more than 0",
    ["--json --markdown"] = "option '--markdown' can not be used together with option '--json'",
  }
  for arguments, message in pairs(misuses) do
    it("ends with 2 and one line that says what is allowed: " .. arguments, function()
      assert.same({ status = 2, output = "", errors = "lunet: all_hold: " .. message .. known },
        run("all_hold " .. arguments))
    end)
  end

  it("ends with 2 for one that is missing", function()
    assert.same({ 2, "" }, { run("missing/").status, run("missing/").output })
  end)
end)

describe("the progress of a directory", function()
  it("is one changing line on a terminal, which is gone at the end", function()
    local result = program.shell(("cd %s && exec script -qec '%s all_hold --jobs 1 >output' /dev/null"):format(
      place.path, os.getenv "LUNET"))
    assert.equal(0, result.status)
    local steps = {}
    for step in result.output:gmatch "[^\r\27]+" do
      if step ~= "[K" then steps[#steps + 1] = step:gsub("^%[K", "") end
    end
    assert.same({ "0 of 2: a", "1 of 2", "1 of 2: b", "2 of 2" }, steps)
    assert.match("\r\27%[K$", result.output)
    assert.match("^experiment", place:read "output")
  end)
end)

describe("the end of lunet with a directory", function()
  -- Two that run until they are ended, each with a program of its own; all of them have `alive` open for writing.
  local ENDLESS = [[
    local alive = assert(io.open("%s/alive", "w"))
    alive:write "ready\n"
    alive:flush()
    os.execute "exec 3>%s/alive; echo ready >&3; exec sleep 1000"
    return {}]]

  setup(function()
    assert(os.execute(("mkfifo %s/alive"):format(place.path)))
    local text = experiment((ENDLESS:gsub("%%s", place.path)))
    for _, name in ipairs { "a", "b", "c" } do place:write(("endless/%s.lua"):format(name), text) end
  end)

  --- Sends it a signal when two run; its status and output. Fails unless all that it has started ends.
  local function end_by(signal)
    local reader <close> = assert(lunet.exec { "cat", place.path .. "/alive" })
    local process <close> = assert(lunet.exec { "sh", "-c",
      ("echo $$; exec env --default-signal=INT %s %s/endless --jobs 2"):format(os.getenv "LUNET", place.path),
      stderr = "pipe" })
    for _ = 1, 4 do assert.equal("ready", reader.stdout:receive("l", BOUND)) end
    assert(process:kill(signal))
    local status = process:wait(BOUND)
    assert.equal("", reader.stdout:receive("a", BOUND)) -- nobody has it open any more
    process.stdout:receive("l", BOUND)
    return status, process.stdout:receive("a", BOUND), process.stderr:receive("a", BOUND)
  end

  it("by Ctrl-C has status 130, prints no table, and leaves nothing running", function()
    local status, output, errors = end_by "SIGINT"
    assert.same({ 130, "" }, { status, output })
    assert.match("interrupted!", errors, 1, true)
  end)

  it("by kill -9 leaves nothing running", function()
    assert.equal("SIGKILL", (end_by "SIGKILL"))
  end)
end)
