-- `lunet FILE` writes a run for other programs: its files and its record. Every case is a real process.
local core = require "lunet.core"
local isolation = require "lunet.run.isolation"
local stage = require "spec.support.command_stage"

local write_script, run, decode, first_line, with_run, UNJUDGED =
  stage.write_script, stage.run, stage.decode, stage.first_line, stage.with_run, stage.UNJUDGED
local place -- a directory for the scripts of this spec

setup(function() place = stage.open() end)
teardown(function() place:close() end)

describe("a file of the run", function()
  local function content(name)
    local file <close> = io.open(place.path .. "/" .. name)
    return file and file:read "a"
  end

  it("is written beside the story, and beside JSON", function()
    local told = run "echo.lua --report told.html --svg=told.svg"
    assert.same({ 0, "" }, { told.status, told.errors })
    assert.match("The claim holds.\n$", told.output)
    assert.match("The queue takes five connections or more.</h1>", content "told.html")
    assert.match("</svg>\n$", content "told.svg")
    assert.equal("holds", decode(run("echo.lua --json --report json.html").output).verdict)
    assert.match("^<!DOCTYPE html>", content "json.html")
  end)

  local ONE_CONNECT = with_run [[
    local a, b = assert(lunet.host "A"), assert(lunet.host "B")
    lunet.link(a, b)
    local listener <close> = assert(b:listen { port = 7000, backlog = 1 })
    local connection <close> = assert(a:connect(listener))
    return {}]]

  it("has the segments in it, also with --json", function()
    write_script("wire.lua", ONE_CONNECT)
    local result = run "wire.lua --json --svg wire.svg"
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.match(">SYN%-ACK<", content "wire.svg")
  end)

  it("has it of an exclusive experiment, too, whose story is that of its calls alone", function()
    write_script("wire.lua", ONE_CONNECT)
    assert.match("SYN%-ACK", run("wire.lua --timeline").output)
    write_script("alone.lua", (ONE_CONNECT:gsub("claim =", "exclusive = true, claim =")))
    local result = run "alone.lua --timeline"
    assert.match("connects to B", result.output)
    assert.no_match("SYN", result.output)
    assert.equal(0, run("alone.lua --svg alone.svg").status)
    assert.match(">SYN%-ACK<", content "alone.svg")
  end)

  it("has as much in it as --record says, and the record tells how much", function()
    write_script("wire.lua", ONE_CONNECT)
    write_script("alone.lua", (ONE_CONNECT:gsub("claim =", "exclusive = true, claim =")))
    local function level_of(arguments)
      run(arguments .. " --trace level.jsonl")
      local first = content "level.jsonl":match "[^\n]+"
      return decode(first).environment.record
    end
    for _, level in ipairs { "none", "kernel", "segments" } do
      for _, script in ipairs { "wire.lua", "alone.lua" } do
        local environment = decode(run(("%s --json --record %s"):format(script, level)).output).environment
        assert.equal(level, environment.record)
        assert.equal(level, level_of(("%s --record=%s"):format(script, level)))
        local trace = content "level.jsonl"
        assert.equal(level ~= "none", trace:find('"kind":"queue"', 1, true) ~= nil)
        assert.equal(level == "segments", trace:find('"kind":"segment"', 1, true) ~= nil)
      end
    end
    assert.same({ "kernel", "none", "segments" }, { decode(run("wire.lua --json").output).environment.record,
      decode(run("alone.lua --json").output).environment.record, level_of "alone.lua" })
    assert.no_match("SYN%-ACK", run("wire.lua --timeline --record kernel").output)
  end)

  it("of segments alone cannot be had without recording segments", function()
    for _, level in ipairs { "none", "kernel" } do
      assert.same({ status = 2, output = "",
        errors = ("lunet: echo: --pcap needs --record segments, not %s\n"):format(level) },
        run("echo.lua --pcap early.pcap --record " .. level))
    end
    assert.is_nil(content "early.pcap")
  end)

  it("is written when the claim does not hold, too, and changes no status", function()
    local result = run "echo.lua --backlog 4 --report false.html"
    assert.equal(1, result.status)
    assert.match("there is too little room", content "false.html")
  end)

  it("that cannot be written is told before the run, with its option and path", function()
    local result = run "echo.lua --report no/such/r.html --svg early.svg"
    assert.same({ 3, "lunet: echo: --report: no/such/r.html: No such file or directory\n", "" },
      { result.status, result.errors, result.output })
    assert.is_nil(content "early.svg")
  end)

  it("is not left behind empty when the run fails", function()
    write_script("failing.lua", with_run "error 'no luck'")
    assert.equal(3, run("failing.lua --report failing.html").status)
    assert.is_nil(content "failing.html")
  end)

  it("is not written at last: status 3", function()
    local result = run "echo.lua --svg /dev/full"
    assert.same({ 3, "lunet: echo: --svg: /dev/full: No space left on device\n" }, { result.status, result.errors })
    assert.match("The claim holds", result.output)
  end)
end)

describe("--json", function()
  it("prints one object: format, experiment, claim, verdict, knobs, outcome, environment", function()
    local result = run "echo.lua --json"
    assert.same({ 0, "" }, { result.status, result.errors })
    local record = decode(result.output)
    local environment = record.environment
    record.environment = nil
    local values = { backlog = 5, is_shut = false, mode = "slow", offset = 0, patience = 0.25 }
    assert.same({
      format = 1, experiment = "echo", claim = "The queue takes five connections or more.", verdict = "holds",
      knobs = values, outcome = values,
    }, record)
    assert.is_table(environment)
  end)

  it("names each of them once, in this order", function()
    local names = {}
    for name in run("echo.lua --json").output:gmatch '\n  "(%w+)":' do names[#names + 1] = name end
    assert.same({ "format", "experiment", "claim", "verdict", "knobs", "outcome", "environment" }, names)
  end)

  it("says why when the claim does not hold", function()
    local result = run "echo.lua --json --backlog 0"
    assert.same({ 1, "" }, { result.status, result.errors })
    local record = decode(result.output)
    assert.same({ "does not hold", "there is too little room" }, { record.verdict, record.why })
  end)

  it("says why when the claim is not judged", function()
    write_script("noisy.lua", UNJUDGED)
    local result = run "noisy.lua --json"
    assert.same({ 4, "" }, { result.status, result.errors })
    local record = decode(result.output)
    assert.same({ "not judged", "the machine slept", 5 }, { record.verdict, record.why, record.outcome.depth })
  end)

  it("writes knobs and outcome as objects when they are empty", function()
    write_script("empty.lua", with_run "return {}")
    local output = run("empty.lua --json").output
    assert.match('\n  "knobs":{\n  },\n  "outcome":{\n  },', output, 1, true)
  end)

  it("tells what the outcome may depend on: versions and sysctls, as they are here", function()
    local environment = decode(run("echo.lua --json --machine").output).environment
    local lunet_version, libuv_version = core.versions()
    assert.is_number(environment.sysctl["net.core.somaxconn"])
    environment.sysctl = nil
    assert.same({
      kernel = "Linux " .. first_line "/proc/sys/kernel/osrelease",
      lunet = lunet_version, lua = "5.4", libuv = libuv_version, record = "kernel",
    }, environment)
  end)

  it("tells the sysctls of the home host that the run had, which are not the machine's", function()
    local sysctl = decode(run("echo.lua --json").output).environment.sysctl
    for _, name in ipairs { "net.core.somaxconn", "net.ipv4.tcp_congestion_control", "net.ipv4.tcp_syn_retries" } do
      assert.equal(isolation.SYSCTLS[name], sysctl[name])
    end
  end)

  it("keeps what the script and its programs print apart, on standard error", function()
    write_script("noisy.lua", [[
      local lunet = require "lunet"
      local kept_print, kept_stdout = print, io.stdout
      return require "lunet.experiment" {
        claim = "It is noisy.",
        run = function()
          print("printed", 1)
          io.write "written\n"
          io.stdout:write "written to stdout\n"
          kept_print "printed by a kept print"
          kept_stdout:write "written to a kept stdout\n"
          lunet.spawn(function() print "printed by a task" end)
          os.execute "echo printed by a program"
          io.output():setvbuf "full"
          io.write "left in the buffer\n"
          return {}
        end,
        check = function() print "printed by the check" end,
      }]])
    local result = run "noisy.lua --json"
    assert.equal(0, result.status)
    assert.equal("noisy", decode(result.output).experiment)
    local words = {}
    for line in result.errors:gmatch "[^\n]+" do words[#words + 1] = line end
    table.sort(words)
    assert.same({ "left in the buffer", "printed\t1", "printed by a kept print", "printed by a program",
      "printed by a task", "printed by the check", "written", "written to a kept stdout", "written to stdout" }, words)
  end)

  it("prints its object though the script has replaced print and io.stdout", function()
    write_script("changed.lua", with_run "print = error io.stdout = nil io.output(io.stderr) return {}")
    assert.equal("changed", decode(run("changed.lua --json").output).experiment)
  end)

  it("prints why the experiment could not run, in one line, and its knobs", function()
    write_script("noisy_failure.lua", with_run "print 'so far' error 'no luck'")
    local result = run "noisy_failure.lua --json"
    assert.equal(3, result.status)
    assert.same({ format = 1, experiment = "noisy_failure", claim = "It runs.", verdict = "could not run",
      why = "noisy_failure.lua:3: no luck", knobs = {} }, decode(result.output))
    assert.match("^so far\nlunet: noisy_failure could not run: noisy_failure.lua:3: no luck\n", result.errors)
  end)

  it("prints why when a program is missing, or a file cannot be written", function()
    write_script("lacking.lua", (with_run "return {}":gsub("claim =", "needs = { nope = 'no-package' }, claim =")))
    local reasons = {
      ["lacking.lua --json"] = "nope is missing (install the package no-package)",
      ["echo.lua --json --svg /nowhere/a.svg"] = "--svg: /nowhere/a.svg: No such file or directory",
    }
    for arguments, why in pairs(reasons) do
      local result = run(arguments)
      local record = decode(result.output)
      assert.same({ 3, "could not run", why }, { result.status, record.verdict, record.why })
    end
  end)
end)
