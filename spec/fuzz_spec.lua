local api = require "spec.api"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local source = os.getenv "LUNET_SOURCE"

local function fuzz(words, environment)
  return program.shell(("%s exec %s/script/fuzz %s"):format(environment or "", program.quote(source), words))
end

-- Makes calls of one seed in a directory of its own, which is left to the caller. A failure tells its last call.
local function batch(directory, seed, calls, mode)
  local result = program.shell(([[cd %s && LUA_PATH=%s exec %s %s %d %d %s]]):format(directory,
    program.quote(source .. "/?.lua;;"), program.quote(os.getenv "LUNET"),
    program.quote(source .. "/spec/fuzz/main.lua"), seed, calls, mode or ""))
  if result.status ~= 0 then
    result.errors = result.errors .. program.shell("tail -n 1 " .. directory .. "/calls").output
  end
  return result
end

describe("fuzzing", function()
  local place, directory

  before_each(function()
    place = scratch.open()
    directory = place.path
  end)
  after_each(function() place:close() end)

  local function lines_of(name)
    local lines = {}
    for line in io.lines(directory .. "/" .. name) do lines[#lines + 1] = line end
    return lines
  end

  it("finds every public call by itself, and makes it", function()
    local result = batch(directory, 1, 3000)
    assert.same({ 0, "" }, { result.status, result.errors })
    local found = {}
    for _, line in ipairs(lines_of "coverage") do found[line:match "%S+$"] = true end
    local missing = {}
    for class, calls in pairs(api) do
      for name in pairs(calls) do
        local kind = class == "lunet" and "lunet." or "lunet." .. class .. ":"
        if not found[kind .. name] then missing[#missing + 1] = kind .. name end
      end
    end
    assert.same({}, missing)
  end)

  it("collects at every allocation if it is to", function()
    local result = batch(directory, 8, 50, "eager")
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.equal(50, #lines_of "calls")
  end)

  it("says how many calls it made, and that none failed", function()
    local result = fuzz("800 41")
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.matches("^script/fuzz: 800 calls from seed 41 on, as %w+\n", result.output)
    assert.matches("800 calls %(%d+ of them collected at every allocation%) of %d+ functions, .* 0 failures,",
      result.output)
  end)

  it("tells the seed of a failure, its last calls and how to make them again", function()
    local killed = directory .. "-killed"
    local file = assert(io.open(killed, "w"))
    file:write(('#!/bin/sh\n%s "$@"\necho a report >&2\nkill -SEGV $$\n'):format(program.quote(os.getenv "LUNET")))
    file:close()
    program.shell("chmod +x " .. killed)
    local result = fuzz("30 41", "LUNET=" .. killed)
    os.remove(killed)
    assert.equal(1, result.status)
    assert.matches("seed 41 failed %(exit status 139, 124: it hung%), at call 30 of 30 %(lazy%)", result.output)
    assert.matches("again: script/fuzz 30 41\n", result.output, 1, true)
    assert.matches("\n    30 %w+ [%w_.:]+%(", result.output)
    assert.matches("\n    a report\n", result.output, 1, true)
    assert.matches("1 batches, 1 failures", result.output)
  end)

  it("refuses words that are no numbers", function()
    assert.equal(2, fuzz("many").status)
    assert.equal(0, fuzz("--help").status)
  end)
end)
