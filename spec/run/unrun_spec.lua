-- Experiments that a script declares, and neither runs nor returns.
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local EXPERIMENT <const> = [[
  local experiment = require "lunet.experiment"
  local it = experiment { claim = "It is.", run = function() return { n = 1 } end, check = function() end }
  if ... == "call" then print(it().n) end
  return it
]]

describe("an experiment's file under a stock lua5.4", function()
  local HINT <const> = " was not run: it declares an experiment, which a stock Lua only loads. Run it by: lunet "

  it("says how to run it, with status 3", function()
    local result = program.stock(EXPERIMENT)
    assert.same({ 3, "" }, { result.status, result.output })
    assert.equal("lunet: " .. result.script .. HINT .. result.script .. "\n", result.errors)
  end)

  it("says nothing when it has run", function()
    local result = program.stock((EXPERIMENT:gsub('%.%.%. == "call"', "true")))
    assert.same({ 0, "1\n", "" }, { result.status, result.output, result.errors })
  end)

  it("says nothing when another script has loaded it", function()
    local place <close> = scratch.open()
    local path = place:write("experiment.lua", EXPERIMENT)
    local result = program.stock(("dofile %q print 'loaded'"):format(path))
    assert.same({ 0, "loaded\n", "" }, { result.status, result.output, result.errors })
  end)
end)

describe("an experiment's file that does not return it", function()
  local FORGOTTEN <const> = EXPERIMENT:gsub("return it\n", "")

  it("is told by lunet, with status 3", function()
    local result = program.lunet(FORGOTTEN)
    assert.same({ 3, "" }, { result.status, result.output })
    assert.equal(("lunet: %s declares an experiment, but does not return it\n"):format(result.script), result.errors)
  end)

  it("is none if it has run, or returns something else", function()
    for _, text in ipairs { FORGOTTEN:gsub('%.%.%. == "call"', "true"), FORGOTTEN .. "return { it }" } do
      local result = program.lunet(text)
      assert.same({ 0, "" }, { result.status, result.errors })
    end
  end)
end)
