local outputs = require "lunet.outputs"
local scratch = require "lunet.scratch"

local RUN <const> = { events = {}, lost = 0, hosts = {}, outcome = {}, verdict = "holds", environment = {} }
local EXPERIMENT <const> = { claim = "It is.", knobs = {} }

describe("outputs", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function exists(name)
    local file <close> = io.open(place.path .. "/" .. name)
    return file ~= nil
  end

  it("are written", function()
    local files <close> = assert(outputs.open { report = place.path .. "/r.html", svg = place.path .. "/r.svg" })
    assert.is_true(files:any())
    assert.is_true(files:write(RUN, "a", EXPERIMENT, {}))
    assert.match("^<!DOCTYPE html>.*</html>\n$", place:read "r.html")
    assert.match("^<%?xml.*</svg>\n$", place:read "r.svg")
  end)

  it("leave no file behind that was not written, and one that was there as it was", function()
    place:write("old.svg", "kept")
    do
      local _files <close> = assert(outputs.open { report = place.path .. "/r.html", svg = place.path .. "/old.svg" })
      assert.is_true(exists "r.html")
    end
    assert.is_false(exists "r.html")
    assert.equal("kept", place:read "old.svg")
  end)

  it("replace a file that was there", function()
    place:write("old.svg", ("long "):rep(1e5))
    local files <close> = assert(outputs.open { svg = place.path .. "/old.svg" })
    assert(files:write(RUN, "a", EXPERIMENT, {}))
    assert.match("</svg>\n$", place:read "old.svg")
  end)

  it("are refused where they cannot be written, with the option and the path", function()
    local files, why = outputs.open { report = place.path .. "/r.html", svg = place.path .. "/none/r.svg" }
    assert.is_nil(files)
    assert.equal(("--svg: %s/none/r.svg: No such file or directory"):format(place.path), why)
    assert.is_false(exists "r.html")
    assert.match("directory", select(2, outputs.open { report = place.path }))
  end)

  it("tell of a full disk", function()
    local files <close> = assert(outputs.open { svg = "/dev/full" })
    local ok, why = files:write(RUN, "a", EXPERIMENT, {})
    assert.is_nil(ok)
    assert.match("^%-%-svg: /dev/full: No space left on device$", why)
  end)

  it("are none unless asked for", function()
    local files <close> = assert(outputs.open {})
    assert.is_false(files:any())
  end)
end)
