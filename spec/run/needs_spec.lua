local experiment = require "lunet.experiment"
local needs = require "lunet.run.needs"
local scratch = require "lunet.peer.scratch"

-- An experiment that needs these programs.
local function needing(packages, run)
  run = run or function() return {} end
  return experiment { claim = "It holds.", needs = packages, run = run, check = function() end }
end

describe("an experiment that needs programs", function()
  it("runs when they are here, also those that an ordinary user's PATH lacks", function()
    assert.is_true(select(2, needing { sh = "dash", nginx = "nginx", ["/bin/sh"] = "dash" }()))
  end)

  it("does not run when one is missing, but says what to install", function()
    local has_run = false
    local declared = needing({ ["no-such-program"] = "no-package", sh = "dash" }, function()
      has_run = true
      return {}
    end)
    assert.error(function() declared() end, "no-such-program is missing (install the package no-package)")
    assert.is_false(has_run)
  end)

  it("names all that are missing; a directory is no program", function()
    assert.error(function()
      needing { b = "of-b", a = "of-a", ["/tmp"] = "of-tmp", ["/no/such/program"] = "of-path" }()
    end, "/no/such/program is missing (install the package of-path), /tmp is missing (install the package of-tmp), "
      .. "a is missing (install the package of-a), b is missing (install the package of-b)")
  end)
end)

describe("a program", function()
  it("is the last of those that a path stands for", function()
    local files <close> = scratch.open()
    local place = files.path
    for _, name in ipairs { "9/bin/it", "15/bin/it", "x/it" } do files:write(name, "") end
    assert.equal(place .. "/9/bin/it", needs.path(place .. "/*/bin/it"))
    assert.equal(place .. "/x/it", needs.path(place .. "/x/i*"))
    assert.is_nil(needs.path(place .. "/none/i*"))
    assert.is_nil(needs.path(place .. "/x/o*"))
  end)
end)
