local needed = require "lunet.command.needed"
local scratch = require "lunet.peer.scratch"

local HEAD = 'return require "lunet.experiment" { claim = "It is so.", run = function() end, check = function() end, '

describe("the programs that a script needs", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  it("are those of its experiment, by the knobs on the command line", function()
    local file = place:write("one.lua", HEAD .. [[knobs = { server = { "a", "name", "of the server" } },
      needs = function(knobs) return { [knobs.server .. "d"] = knobs.server } end }]])
    assert.same({ ad = "a" }, needed.by(file, {}))
    assert.same({ bd = "b" }, needed.by(file, { "--server", "b" }))
    assert.same({ cd = "c" }, needed.by(file, { "--json", "--server=c" }))
  end)

  it("are those of all experiments of a directory", function()
    place:write("one.lua", HEAD .. 'needs = { perl = "perl-base" } }')
    place:write("folder/two.lua", HEAD .. 'needs = { nginx = "nginx" } }')
    assert.same({ perl = "perl-base", nginx = "nginx" }, needed.by(place.path, {}))
  end)

  it("are none if it is no experiment, has a mistake, or is not there; and it does not run", function()
    assert.same({}, needed.by(place:write("script.lua", "error 'it ran'"), {}))
    assert.same({}, needed.by(place:write("wrong.lua", "lunet.experiment {"), {}))
    assert.same({}, needed.by(place.path .. "/none.lua", {}))
  end)
end)
