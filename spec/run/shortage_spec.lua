local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local shortage = require "lunet.run.shortage"

describe("a want of resources in a run", function()
  -- Runs a script with few descriptors.
  local function run_script(text)
    local place <close> = scratch.open()
    local path = place:write("short.lua", text)
    return program.shell(("ulimit -n 60; exec '%s' %s --json"):format(os.getenv "LUNET", path))
  end

  -- Runs an experiment that listens until it cannot, and does not look at why.
  local function run_short(field)
    return run_script(([[
      local lunet = require "lunet"
      return require "lunet.experiment" { claim = "It holds.", %s check = function() end, run = function()
        for _ = 1, 60 do lunet.listen { backlog = 1 } end
        return { is_over = true }
      end }]]):format(field))
  end

  it("is an error of the run, which names the call and the error, though nobody looked at it", function()
    local result = run_short ""
    assert.equal(3, result.status)
    assert.matches("^lunet: [^\n]* could not run: a call failed for want of resources: listen on 127.0.0.1:0: "
      .. "too many open files %(EMFILE%)\n$", result.errors)
    assert.matches('"verdict":"could not run"', result.output)
  end)

  it("is none where the experiment brings it about itself", function()
    local result = run_short "shortage = true,"
    assert.same({ 0, "" }, { result.status, result.errors })
  end)

  it("is told apart from other errors by its words", function()
    assert.is_true(shortage.is(run_short("").errors:match "could not run: (.*)"))
    for _, other in ipairs { "boom", "a call failed", "x: a call failed for want of resources: y", 5, {} } do
      assert.is_false(shortage.is(other))
    end
    assert.is_false(shortage.is(nil))
  end)

  it("is found from the beginning of a watch to its end, the first one only", function()
    local result = run_script [[
      local lunet, shortage = require "lunet", require "lunet.run.shortage"
      lunet.listen { backlog = 1, address = "unix:/none/here" }
      print(shortage.found())
      shortage.watch()
      assert(select(3, lunet.connect { port = 1 }) == "ECONNREFUSED")
      print(shortage.found())
      for _ = 1, 60 do lunet.listen { backlog = 1 } end
      print(shortage.found())
      shortage.watch()
      for _ = 1, 60 do lunet.listen { backlog = 1 } end
      lunet.exec { "true" }
      print(shortage.found())
    ]]
    assert.equal("", result.errors)
    assert.matches("^nil\nnil\nnil\na call failed for want of resources: listen on 127.0.0.1:0: [^\n]*EMFILE%)\n$",
      result.output)
  end)
end)
