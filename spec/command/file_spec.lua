-- `lunet FILE` as its user meets it, with an experiment. Every case is a real process.
local lunet = require "lunet"
local merged = require "spec.support.merged"
local program = require "spec.support.program"
local stage = require "spec.support.command_stage"

local write_script, run, decode, with_run, UNJUDGED =
  stage.write_script, stage.run, stage.decode, stage.with_run, stage.UNJUDGED
local place -- a directory for the scripts of this spec

setup(function() place = stage.open() end)
teardown(function() place:close() end)

describe("the exit status of an experiment", function()
  it("is 0 when the claim held", function()
    local result = run "echo.lua"
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.match("\n\nThe claim holds.\n$", result.output)
  end)

  it("is 1 when it did not, which is no error", function()
    local result = run "echo.lua --backlog 4"
    assert.same({ 1, "" }, { result.status, result.errors })
    assert.match("\n\nThe claim does not hold: there is too little room\n$", result.output)
  end)

  it("is 3 for an error in the run, with a traceback", function()
    write_script("broken.lua", with_run "local x = nil\n return x.field")
    local result = run "broken.lua"
    assert.equal(3, result.status)
    assert.match("^lunet: broken could not run: broken.lua:4: attempt to index a nil value", result.errors)
    assert.match("\nstack traceback:\n", result.errors)
    assert.not_match("The claim", result.output, 1, true)
  end)

  it("is 3 for an error in a task of the run, with a traceback that names where it was spawned", function()
    write_script("broken_task.lua", with_run "lunet.spawn(function() error 'no luck' end) lunet.sleep(60)")
    local result = run "broken_task.lua"
    assert.equal(3, result.status)
    assert.match("^lunet: broken_task could not run: broken_task.lua:3: no luck\n", result.errors)
    assert.match("\ntask spawned at broken_task.lua:3\n", result.errors)
  end)

  it("is 3 for an error object, which is told by its text", function()
    write_script("object.lua",
      with_run "error(setmetatable({}, { __tostring = function() return 'an object' end }))")
    local result = run "object.lua"
    assert.equal(3, result.status)
    assert.match("^lunet: object could not run: an object\nstack traceback:\n", result.errors)
  end)

  it("is 3 for a mistake in the check, which is no verdict", function()
    write_script("mistaken.lua", [[
      return require "lunet.experiment" {
        claim = "It is checked.", run = function() return {} end,
        check = function(outcome) assert(outcome.missing.field == 1) end,
      }]])
    local result = run "mistaken.lua"
    assert.equal(3, result.status)
    assert.match("^lunet: mistaken could not run: the check of the experiment is wrong: mistaken.lua:3: ",
      result.errors)
    assert.equal(1, select(2, result.errors:gsub("stack traceback:", "")))
  end)

  it("is 3 for an outcome that is not plain data", function()
    write_script("outcome.lua", with_run "return { listener = assert(lunet.listen { backlog = 1 }) }")
    local result = run "outcome.lua"
    assert.equal(3, result.status)
    assert.match("^lunet: outcome could not run: outcome.listener is a userdata: an outcome is plain data\n",
      result.errors)
  end)

  it("is 3 for a module that the run misses", function()
    write_script("missing_module.lua", with_run "return require 'no_such_module'")
    local result = run "missing_module.lua"
    assert.equal(3, result.status)
    assert.match("^lunet: missing_module could not run: [^\n]*module 'no_such_module' not found", result.errors)
  end)

  it("is 3 for a module that lunet itself misses", function()
    local result = program.shell(("cd %s && LUA_PATH=/nowhere/?.lua exec %s echo.lua"):format(
      place.path, os.getenv "LUNET"))
    assert.equal(3, result.status)
    assert.match("^lunet: [^\n]*module 'argparse' not found", result.errors)
    assert.equal("", result.output)
  end)

  it("is 3 for a port in use, told in one line that names the address and the error", function()
    local _occupied <close> = assert(lunet.listen { backlog = 1 })
    local _, port = _occupied:address()
    write_script("occupied.lua", with_run(("assert(lunet.listen { port = %d, backlog = 1 })"):format(port)))
    for _, arguments in ipairs { "occupied.lua --machine", "occupied.lua --json --machine" } do
      local result = run(arguments)
      assert.equal(3, result.status)
      assert.match("^lunet: occupied could not run: [^\n]+\n$", result.errors)
      assert.match("127.0.0.1:" .. port, result.errors, 1, true)
      assert.match("(EADDRINUSE)", result.errors, 1, true)
      assert.not_match("The claim", result.output, 1, true)
    end
  end)

  it("is 4 when the check cannot tell, which is no error", function()
    write_script("noisy.lua", UNJUDGED)
    local result = run "noisy.lua"
    assert.same({ 4, "" }, { result.status, result.errors })
    assert.match("\n\nThe claim is not judged: the machine slept\n$", result.output)
  end)

  it("is 3 when the story or the record cannot be written", function()
    for _, arguments in ipairs { "echo.lua", "echo.lua --json" } do
      local result = run(arguments .. " >/dev/full")
      assert.same({ 3, "lunet: echo: standard output: No space left on device\n" }, { result.status, result.errors })
    end
  end)

  -- A descriptor that is closed gives its number to the next one that is opened: the loop's own, or
  -- a socket, which then got what the script printed. The program died when it turned its output.
  it("is 3 when standard output is closed", function()
    for _, arguments in ipairs { "echo.lua", "echo.lua --json" } do
      local result = run(arguments .. " >&-")
      assert.same({ 3, "lunet: echo: standard output: Bad file descriptor\n" }, { result.status, result.errors })
    end
  end)
end)

describe("a socket", function()
  it("does not take the place of a closed standard output", function()
    write_script("printing.lua", [[
      local lunet = require "lunet"
      local listener = assert(lunet.listen { backlog = 1 })
      local client = assert(lunet.connect(listener, 10))
      local server = assert(listener:accept(10))
      print "hello"
      io.stderr:write "hello"
      assert(client:shutdown())
      local got = assert(server:receive("a", 10)) .. assert(server:shutdown() and client:receive("a", 10))
      os.exit(got == "" and 42 or 1)]])
    assert.equal(42, run("printing.lua <&- >&- 2>&-").status)
  end)
end)

describe("the start of an experiment", function()
  -- The modules, of those that not every run needs, which are loaded while it runs.
  local function loaded_with(options)
    write_script("loaded.lua", with_run [[
      local loaded = {}
      local modules = { "report.page", "tell.story", "text.json", "files.trace", "files.pcapng", "files.perfetto" }
      for _, name in ipairs(modules) do
        if package.loaded["lunet." .. name] then loaded[#loaded + 1] = name end
      end
      io.stderr:write(table.concat(loaded, " "))
      return {}]])
    return run("loaded.lua " .. options).errors
  end

  it("loads only the modules of what it is to tell", function()
    assert.equal("tell.story", loaded_with "")
    assert.equal("text.json", loaded_with "--json")
    assert.equal("report.page text.json", loaded_with "--json --svg loaded.svg")
  end)
end)

describe("wrong use of an experiment", function()
  local known = "(known: --help, --json, --tap, --machine, --open, --record, --timeline, --trace, --pcap, --perfetto, "
    .. "--report, --svg, --junit, --backlog, --is_shut, --mode, --offset, --patience)\n"
  local backlog = "it is a whole number from 0 to 1000 (connections)\n"
  local patience = "it is a number, 0 or more (s)\n"
  local misuses = {
    ["--unheard 3"] = "unknown option '--unheard' " .. known,
    ["--unheard=3"] = "unknown option '--unheard' " .. known,
    ["--backlogg 3"] = "unknown option '--backlogg' Did you mean '--backlog'? " .. known,
    ["-x"] = "unknown option '-x' Did you mean '-h'? " .. known,
    ["extra"] = "too many arguments " .. known,
    ["-- 5"] = "too many arguments " .. known,
    ["''"] = "too many arguments " .. known,
    ["--json=yes"] = "option '--json' does not take arguments " .. known,
    ["'--two\nlines'"] = "unknown option '--two lines' " .. known,
    ["--backlog"] = "option '--backlog' requires an argument; " .. backlog,
    ["--backlog --json"] = "option '--backlog' requires an argument; " .. backlog,
    ["--is_shut"] = "option '--is_shut' requires an argument; it is true or false ()\n",
    ["--backlog many"] = 'knob backlog: "many" is not allowed; ' .. backlog,
    ["--backlog -1"] = "knob backlog: -1 is not allowed; " .. backlog,
    ["--backlog=-1"] = "knob backlog: -1 is not allowed; " .. backlog,
    ["--backlog 1001"] = "knob backlog: 1001 is not allowed; " .. backlog,
    ["--backlog 5.5"] = "knob backlog: 5.5 is not allowed; " .. backlog,
    ["--backlog ''"] = 'knob backlog: "" is not allowed; ' .. backlog,
    ["--backlog="] = 'knob backlog: "" is not allowed; ' .. backlog,
    ["--backlog inf"] = "knob backlog: inf is not allowed; " .. backlog,
    ["--backlog '1\n2'"] = 'knob backlog: "1\\n2" is not allowed; ' .. backlog,
    ["--patience -0.5"] = "knob patience: -0.5 is not allowed; " .. patience,
    ["--patience -.5"] = "knob patience: -0.5 is not allowed; " .. patience,
    ["--patience -inf"] = 'knob patience: "-inf" is not allowed; ' .. patience,
    ["--patience nan"] = 'knob patience: "nan" is not allowed; ' .. patience,
    ["--mode medium"] = 'knob mode: "medium" is not allowed; it is one of slow, fast (way)\n',
    ["--is_shut yes"] = 'knob is_shut: "yes" is not allowed; it is true or false ()\n',
    ["--json --offset 1.5"] = "knob offset: 1.5 is not allowed; it is a whole number (lines)\n",
  }
  for arguments, message in pairs(misuses) do
    it("ends with 2 and one line that says what is allowed: " .. arguments:gsub("\n", "\\n"), function()
      assert.same({ status = 2, output = "", errors = "lunet: echo: " .. message }, run("echo.lua " .. arguments))
    end)
  end

  it("ends with 2 and one line for a script that is missing", function()
    assert.same({ status = 2, output = "", errors = "lunet: cannot open missing.lua: No such file or directory\n" },
      run "missing.lua --backlog 5")
  end)

  it("is found before anything runs", function()
    write_script("eager.lua", with_run "print 'it ran' return {}")
    assert.same({ 2, "" }, { run("eager.lua --unheard").status, run("eager.lua --unheard").output })
    assert.match("it ran", run("eager.lua").output)
  end)
end)

describe("the knobs of an experiment", function()
  local function outcome_of(arguments)
    local result = run("echo.lua --json " .. arguments)
    local record = decode(result.output)
    assert.same(record.knobs, record.outcome)
    return record.outcome
  end

  local function with(changes)
    return merged({ backlog = 5, is_shut = false, mode = "slow", offset = 0, patience = 0.25 }, changes)
  end

  it("keep their defaults", function()
    assert.same(with {}, outcome_of "")
  end)

  it("are set by --knob value and by --knob=value", function()
    local expected = with { backlog = 7, is_shut = true, mode = "fast", patience = 1.5 }
    assert.same(expected, outcome_of "--backlog 7 --is_shut true --mode fast --patience 1.5")
    assert.same(expected, outcome_of "--backlog=7 --is_shut=true --mode=fast --patience=1.5")
  end)

  it("may be negative, where the knob allows it", function()
    assert.same(with { offset = -3 }, outcome_of "--offset -3")
    assert.same(with { offset = -3 }, outcome_of "--offset=-3")
  end)

  it("take the last of several values", function()
    assert.same(with { backlog = 9 }, outcome_of "--backlog 7 --backlog 9")
  end)

  it("may follow or precede --json", function()
    assert.same(decode(run("echo.lua --json --backlog 7").output), decode(run("echo.lua --backlog 7 --json").output))
  end)
end)

describe("--control", function()
  local WITH_CONTROL <const> = stage.ECHO:gsub("run = function",
    "control = { backlog = 4, patience = 1 }, run = function", 1)

  it("runs the experiment with the knobs of its control, and says that its claim must not hold", function()
    write_script("controlled.lua", WITH_CONTROL)
    local result = run "controlled.lua --control"
    assert.same({ 1, "" }, { result.status, result.errors })
    assert.matches("The claim does not hold: there is too little room\n\n"
      .. "That is right: with these knobs of the control (--backlog 4 --patience 1) it must not hold.\n",
      result.output, 1, true)
    local record = decode(run("controlled.lua --control --json").output)
    assert.same({ "does not hold", 4, 1 }, { record.verdict, record.knobs.backlog, record.knobs.patience })
  end)

  it("says so when the check does not see it; knobs that are given come first", function()
    local result = run "controlled.lua --control --backlog 9"
    assert.equal(0, result.status)
    assert.matches("That is wrong: with these knobs of the control ", result.output, 1, true)
  end)

  it("is wrong use where there is none", function()
    local result = run "echo.lua --control"
    assert.same({ 2, "" }, { result.status, result.output })
    assert.equal("lunet: echo: --control: the experiment declares no control, knobs with which its claim must not "
      .. "hold\n", result.errors)
  end)
end)

describe("--help", function()
  it("lists the claim, the knobs with their units, defaults and bounds, and the exit statuses; and ends with 0",
    function()
      write_script("silent.lua", (stage.ECHO:gsub("local outcome", "print 'it ran' local outcome")))
      for _, option in ipairs { "--help", "-h", "--backlog 7 --help" } do
        local result = run("silent.lua " .. option)
        assert.same({ 0, "" }, { result.status, result.errors })
        local text = result.output:gsub("%s+", " ")
        for _, part in ipairs {
          "Usage: lunet silent.lua ([--json] | [--tap]) [-h] [--machine] [--record LEVEL]",
          "The queue takes five connections or more.",
          "--json Print one JSON object and nothing else.",
          "--timeline Print the whole timeline, however long it is.",
          "--backlog VALUE how many the kernel may queue (connections; default 5; a whole number from 0 to 1000).",
          "--is_shut VALUE whether the gate is shut (; default false; true or false).",
          "--mode VALUE how it is done (way; default slow; one of slow, fast).",
          "--offset VALUE where to begin (lines; default 0; a whole number).",
          "--patience VALUE how long to wait (s; default 0.25; a number, 0 or more).",
          "Exit status: 0 the claim holds, 1 it does not hold, 2 wrong use, 3 could not run (or a file or the figures "
            .. "could not be written), 4 not judged, 130 Ctrl-C, 143 SIGTERM.",
        } do
          assert.match(part, text, 1, true)
        end
        assert.not_match("it ran", result.output)
      end
    end)

  it("fits into 80 columns", function()
    local text = program.shell(os.getenv "LUNET" .. " experiments/stale_replay.lua --help").output
    assert.match("%-%-patience VALUE", text)
    for line in text:gmatch "[^\n]+" do assert.is_true(#line <= 80, line) end
  end)
end)

describe("a program that an experiment needs", function()
  it("is asked for before the run when it is missing, with status 3", function()
    write_script("needing.lua", [[
      return require "lunet.experiment" {
        claim = "It is needed.", needs = { ["no-such-program"] = "no-package" },
        run = function() print "it ran" return {} end, check = function() end,
      }]])
    for _, arguments in ipairs { "needing.lua", "needing.lua --json", "needing.lua --machine" } do
      local result = run(arguments)
      assert.equal(3, result.status)
      assert.equal("lunet: needing could not run: no-such-program is missing (install the package no-package)\n",
        result.errors)
      assert.not_match("it ran", result.output)
    end
  end)
end)
