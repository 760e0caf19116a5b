-- `lunet FILE` tells a run in the terminal. Every case is a real process.
local lfs = require "lfs"
local stage = require "spec.support.command_stage"

local write_script, run, decode, with_run = stage.write_script, stage.run, stage.decode, stage.with_run
local place -- a directory for the scripts of this spec

setup(function() place = stage.open() end)
teardown(function() place:close() end)

describe("the name of an experiment", function()
  local function name_of(arguments)
    local result = run(arguments)
    assert.equal(0, result.status)
    return decode(result.output).experiment
  end

  it("is that of its file, without directories and .lua", function()
    assert(lfs.mkdir(place.path .. "/a.lua"))
    write_script("a.lua/an_echo.lua", stage.ECHO)
    write_script("a.lua/bare", stage.ECHO)
    assert.equal("echo", name_of "./echo.lua --json")
    assert.equal("an_echo", name_of "a.lua/an_echo.lua --json")
    assert.equal("an_echo", name_of(place.path .. "/a.lua/an_echo.lua --json"))
    assert.equal("bare", name_of "a.lua/bare --json")
  end)

  it("is - for standard input", function()
    assert.equal("-", name_of "- --json --backlog 7 <echo.lua")
  end)

  it("is told in messages and at the head of the story", function()
    assert.match("^%-: the claim\n\n  The queue takes five connections or more.\n", run("- <echo.lua").output)
    assert.match("^lunet: %-: unknown option '%-%-nope' ", run("- --nope <echo.lua").errors)
    assert.match("^Usage: lunet %- ", run("- --help <echo.lua").output)
  end)

  it("needs no arguments on standard input", function()
    local result = run "<echo.lua"
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.match("^%-: the claim\n", result.output)
  end)
end)

describe("the story of an experiment", function()
  it("goes through a pipe whole and in its order, with what the script prints", function()
    write_script("printing_run.lua", with_run "print 'in between' lunet.note 'A note.' return { depth = 1 }")
    local result = run "printing_run.lua | cat"
    assert.equal("", result.errors)
    assert.equal([[
printing_run: the claim

  It runs.

in between
Timeline (queue: depth/limit where it changed, the kernel's own numbers)

       ms  queue  who  what

  A note.

Outcome

  depth  1

The claim holds.
]], result.output)
  end)

  it("says what is about to run before it runs", function()
    write_script("slow.lua", with_run "error 'no luck'")
    assert.equal("slow: the claim\n\n  It runs.\n\n", run("slow.lua").output)
  end)
end)

describe("the timeline of an experiment", function()
  it("is only its notes when it is long, and whole with --timeline", function()
    write_script("long.lua", with_run [[
      local listener <close> = assert(lunet.listen { backlog = 1 })
      for i = 1, 99 do listener:resize(i) end
      lunet.note "All is done."
      return {}]])
    local short, long = run "long.lua", run "long.lua --timeline"
    assert.same({ 0, 0 }, { short.status, long.status })
    assert.match("\n  102 events, of which these are the notes; --timeline prints them all.\n\n  All is done.\n",
      short.output, 1, true)
    assert.not_match("changes the backlog", short.output)
    assert.equal(99, select(2, long.output:gsub("changes the backlog", "")))
  end)
end)

describe("the figures, columns and plot of an experiment", function()
  local TELLING = [[
    return require "lunet.experiment" {
      claim = "It tells.",
      run = function() return { cases = { { a = 1, z = 0.5 }, { a = 2, z = 2 } } } end,
      check = function() end, columns = { "z" },
      figures = function(outcome) return #outcome.cases .. " cases" .. MISTAKE end,
      plot = function() return "  a plot" end,
    }]]

  setup(function()
    write_script("telling.lua", (TELLING:gsub(" .. MISTAKE", "")))
    write_script("mistaken_figures.lua", TELLING)
  end)

  it("are told in the story", function()
    local result = run "telling.lua"
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.match("\nOutcome\n\n  cases:\n\n    z  a\n  0.5  1\n    2  2\n\n  a plot\n\n"
      .. "The claim holds: 2 cases.\n", result.output, 1, true)
  end)

  it("are in the record, as far as they are figures", function()
    local record = decode(run("telling.lua --json").output)
    assert.equal("2 cases", record.figures)
    assert.is_nil(record.plot)
  end)

  it("leave no verdict when they are wrong: the status is 3", function()
    local result = run "mistaken_figures.lua"
    assert.equal(3, result.status)
    assert.match("\nThe experiment could not run: mistake in the figures of the experiment:",
      result.output, 1, true)
    assert.match("^lunet: mistaken_figures: mistake in the figures of the experiment: mistaken_figures.lua:5: ",
      result.errors)
    result = run "mistaken_figures.lua --json"
    assert.equal(3, result.status)
    assert.equal("could not run", decode(result.output).verdict)
  end)
end)
