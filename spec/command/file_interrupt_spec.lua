-- Ctrl-C while an experiment runs. Every case is a real process.
local stage = require "spec.support.command_stage"

local BOUND <const> = require "spec.support.bound"

local write_script, first_line, with_run = stage.write_script, stage.first_line, stage.with_run
local place -- a directory for the scripts of this spec

setup(function() place = stage.open() end)
teardown(function() place:close() end)

describe("Ctrl-C during a run", function()
  -- Starts lunet, sends it Ctrl-C when it is ready; what it said on standard error, and its status.
  local function interrupt(arguments)
    local command = ("cd %s && exec timeout -k 1 %d sh -c 'echo $$; exec %s %s 2>&1 >output'"):format(
      place.path, BOUND, os.getenv "LUNET", arguments)
    local pipe = assert(io.popen(command))
    local process = pipe:read "l"
    assert.equal("ready", pipe:read "l")
    assert(os.execute("kill -INT " .. process))
    local errors = pipe:read "a"
    local _, _, status = pipe:close()
    return { status = status, errors = errors, output = first_line(place.path .. "/output") }
  end

  -- The path of a Unix listener goes when it is closed, and so tells whether it was.
  local PREPARE = [[
    local listener = assert(lunet.listen { address = "unix:%s/socket", backlog = 1 })
    lunet.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() io.stderr:write "the task is closed\n" end })
      listener:accept()
    end)
    local _ <close> = setmetatable({}, { __close = function() io.stderr:write "the run is closed\n" end })
    lunet.sleep(0)
    assert(os.rename("%s/socket", "%s/socket"), "it is not there")
    io.stderr:write "ready\n"
  ]]

  local function prepare() return PREPARE:format(place.path, place.path, place.path) end

  local function assert_clean(result)
    assert.equal(130, result.status)
    assert.match("the run is closed\n", result.errors)
    assert.match("the task is closed\n", result.errors)
    assert.match("lunet: [^\n]*interrupted!\n", result.errors)
    assert.not_match("could not run", result.errors)
    local _, message = os.remove(place.path .. "/socket")
    assert.match("No such file", message)
  end

  it("ends a wait with status 130, when all is closed", function()
    write_script("waiting.lua", with_run(prepare() .. "lunet.sleep(60)"))
    assert_clean(interrupt "waiting.lua")
  end)

  it("ends a loop with status 130, when all is closed", function()
    write_script("looping.lua", with_run(prepare() .. "while true do end"))
    assert_clean(interrupt "looping.lua")
  end)

  it("prints no JSON", function()
    write_script("waiting.lua", with_run(prepare() .. "lunet.sleep(60)"))
    local result = interrupt "waiting.lua --json"
    assert_clean(result)
    assert.is_nil(result.output)
  end)

  it("is no verdict when it comes during the figures", function()
    write_script("telling.lua", [[
      return require "lunet.experiment" {
        claim = "It is told.", run = function() return {} end, check = function() end,
        figures = function() io.stderr:write "ready\n" while true do end end,
      }]])
    local result = interrupt "telling.lua"
    assert.equal(130, result.status)
    assert.not_match("mistake", result.errors, 1, true)
  end)

  it("is no verdict when it comes during the check", function()
    write_script("checking.lua", [[
      return require "lunet.experiment" {
        claim = "It is checked.", run = function() return {} end,
        check = function() io.stderr:write "ready\n" while true do end end,
      }]])
    local result = interrupt "checking.lua"
    assert.equal(130, result.status)
    assert.match("lunet: [^\n]*interrupted!\n", result.errors)
    assert.not_match("The claim", result.output or "", 1, true)
  end)
end)
