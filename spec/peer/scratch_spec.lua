local program = require "spec.support.program"
local raised = require "spec.support.raised"
local scratch = require "lunet.peer.scratch"

local function is_there(path) return os.rename(path, path) == true end

describe("a scratch directory", function()
  local place

  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  it("has a place of its own", function()
    local other <close> = scratch.open()
    assert.is_true(is_there(place.path))
    assert.is_true(is_there(other.path))
    assert.not_equal(place.path, other.path)
  end)

  it("has the files that are written, in directories of it, too", function()
    assert.equal(place.path .. "/a", place:write("a", "one\n"))
    place:write("b/it's/c", "two")
    place:write("a", "three")
    assert.equal("three", place:read "a")
    assert.equal("two", place:read "b/it's/c")
    local file <close> = assert(io.open(place.path .. "/a"))
    assert.equal("three", file:read "a")
  end)

  it("is gone when it is closed, with all that is in it", function()
    place:write("b/c", "")
    assert.is_true(place:close())
    assert.is_false(is_there(place.path))
    assert.is_true(place:close())
    assert.matches("No such file", raised(place.write, place, "a", ""), 1, true)
  end)

  it("is a to-be-closed value", function()
    local path
    do
      local inner <close> = scratch.open()
      path = inner.path
    end
    assert.is_false(is_there(path))
  end)

  it("has a path that may have any characters", function()
    local odd <close> = setmetatable({ path = place.path .. "/it's; here" }, scratch)
    odd:write("b/c", "one")
    assert.equal("one", odd:read "b/c")
    odd:close()
    assert.is_false(is_there(odd.path))
    assert.is_true(is_there(place.path))
  end)

  it("raises for a file that is not there, or cannot be written", function()
    assert.matches("No such file", raised(place.read, place, "a"), 1, true)
    place:write("a", "")
    assert.matches("Not a directory", raised(place.write, place, "a/b", ""), 1, true)
  end)

  it("refuses what is no name in it", function()
    for _, name in ipairs { "/etc/passwd", "../a", "a/../../b", "..", "", 1 } do
      local refused = ("a name in the directory expected, not '%s'"):format(name)
      assert.matches(refused, raised(place.write, place, name, ""), 1, true)
      assert.matches(refused, raised(place.read, place, name), 1, true)
    end
    assert.matches("not 'nil'", raised(place.read, place), 1, true)
  end)

  it("raises where temporary files cannot be", function()
    local result = program.shell [[TMPDIR=/nowhere exec "$LUNET" -e 'require("lunet.peer.scratch").open()']]
    assert.equal(1, result.status)
    assert.matches("scratch: no directory in /nowhere: No such file or directory", result.errors, 1, true)
  end)
end)
