local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local SCRIPT <const> = os.getenv "LUNET_SOURCE" .. "/script/studies"

describe("script/studies", function()
  local place

  -- In a tree of its own, whose other scripts and lunet only say what they are asked for.
  local function run(words)
    return program.shell(("'%s/script/studies' %s"):format(place.path, words))
  end

  before_each(function()
    place = scratch.open()
    local file <close> = assert(io.open(SCRIPT))
    for name, text in pairs {
      ["script/studies"] = file:read "a", ["script/packages"] = "#!/bin/sh\necho packages $*\n",
      ["script/build"] = "#!/bin/sh\necho build $*\n",
      ["build/release/lunet"] = "#!/bin/sh\necho \"lunet $*\"; cat\nexit 5\n",
    } do
      program.shell("chmod +x " .. place:write(name, text))
    end
  end)
  after_each(function() place:close() end)

  it("makes the named studies with a release build, and ends as that does", function()
    local result = run "storm stale"
    assert.equal(5, result.status)
    assert.equal(("packages sweep\nbuild release lunet core\nlunet - %s/build/release/lunet build/studies doc/studies "
      .. "storm stale\nos.exit(require(\"lunet.sweep.studies\").make(...))\n"):format(place.path), result.output)
  end)

  it("says how it is used", function()
    assert.match("^usage: script/studies %[NAME%.%.%.%]", run("--help").output)
    local wrong = run "--nonsense"
    assert.equal(2, wrong.status)
    assert.match("^usage: script/studies", wrong.errors)
  end)
end)
