local dependency = require "lunet.text.dependency"

describe("a library that somebody else wrote", function()
  local name <const> = "lunet_dependency_spec_library"
  local searchers

  before_each(function() searchers = table.move(package.searchers, 1, #package.searchers, 1, {}) end)
  after_each(function()
    for i = 1, math.max(#searchers, #package.searchers) do package.searchers[i] = searchers[i] end
    package.loaded[name] = nil
  end)

  -- Such as a search that has no descriptor for the moment.
  local function fail_searches(count)
    local searched = 0
    table.insert(package.searchers, 2, function(wanted)
      if wanted ~= name then return nil end
      searched = searched + 1
      if searched > count then return function() return { is_here = true } end end
      return ("no file '%s'"):format "/proc/1/root/none"
    end)
  end

  it("is what require returns", function() assert.equal(require "dkjson", dependency "dkjson") end)

  it("is looked for again when it was not found", function()
    fail_searches(1)
    assert.same({ is_here = true }, dependency(name))
  end)

  it("that is not there is told as require tells it", function()
    local _, told = pcall(dependency, "lunet_no_such_library")
    assert.matches("module 'lunet_no_such_library' not found:", told, 1, true)
  end)

  it("whose file cannot be opened is told with the reason", function()
    local path = os.tmpname()
    local words = ("no file '%s/below'"):format(path) -- ENOTDIR
    table.insert(package.searchers, 2, function(wanted) return wanted == name and words or nil end)
    local _, told = pcall(dependency, name)
    os.remove(path)
    assert.matches(path .. "/below: Not a directory", told, 1, true)
  end)
end)
