--- Scripts in a directory of their own, and lunet run there as a process: the specs of command/ and sweep/ share this.
local assert = require "luassert"
local dkjson = require "dkjson"
local scratch = require "lunet.peer.scratch"
local program = require "spec.support.program"

local stage = {}

--- An experiment whose outcome is its knobs.
stage.ECHO = [[
  local experiment = require "lunet.experiment"
  return experiment {
    claim = "The queue takes five connections or more.",
    knobs = {
      backlog = { 5, "connections", "how many the kernel may queue", min = 0, max = 1000 },
      is_shut = { false, "", "whether the gate is shut" },
      mode = { "slow", "way", "how it is done", choices = { "slow", "fast" } },
      offset = { 0, "lines", "where to begin" },
      patience = { 0.25, "s", "how long to wait", min = 0 },
    },
    run = function(knobs)
      local outcome = {}
      for name, value in pairs(knobs) do outcome[name] = value end
      return outcome
    end,
    check = function(outcome) assert(outcome.backlog >= 5, "there is too little room") end,
  }
]]

--- An experiment whose check cannot tell.
stage.UNJUDGED = [[
  local experiment = require "lunet.experiment"
  return experiment { claim = "It runs.", run = function() return { depth = 5 } end,
    check = function() experiment.not_judged "the machine slept" end }]]

local place

--- Opens the directory, with stage.ECHO as echo.lua in it. The caller closes it.
---@return lunet.scratch
function stage.open()
  place = scratch.open()
  place:write("echo.lua", stage.ECHO)
  return place
end

--- Writes a script there.
---@param name string
---@param text string
---@return string path
function stage.write_script(name, text) return place:write(name, text) end

--- Runs lunet there.
---@param arguments string of the shell
---@param environment? string "PATH=/empty": more variables
---@return {status: integer, output: string, errors: string}
function stage.run(arguments, environment)
  return program.shell(("cd %s && unset LUA_INIT LUA_INIT_5_4 && %s exec %s %s"):format(
    place.path, environment or "", program.quote(os.getenv "LUNET"), arguments))
end

--- The one object that is all of the output.
---@param output string
---@return table
function stage.decode(output)
  local object, after, message = dkjson.decode(output)
  assert.is_nil(message)
  assert.is_table(object)
  assert.match("^%s*$", output:sub(after))
  return object
end

--- The first line of a file; nil if there is no such file.
---@param path string
---@return string?
function stage.first_line(path)
  local file <close> = io.open(path)
  return file and file:read "l"
end

--- An experiment without knobs, of the body of its run.
---@param body string
---@return string
function stage.with_run(body)
  return ([[
    local lunet = require "lunet"
    local experiment = require "lunet.experiment"
    return experiment { claim = "It runs.", run = function() %s end, check = function() end }]]):format(body)
end

return stage
