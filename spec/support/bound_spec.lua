local bound = require "spec.support.bound"
local tree = require "spec.support.tree"

local ROOT <const> = os.getenv "LUNET_SOURCE"

describe("a wait in a spec", function()
  it("is bounded by minutes, since a busy machine takes long for what takes no time", function()
    local short, found = {}, 0
    for _, path in ipairs(tree.files("spec", "%.lua$")) do
      local file <close> = assert(io.open(ROOT .. "/" .. path))
      local seconds = tonumber(file:read "a":match "\nlocal BOUND[^\n=]*= (%d+)")
      found = found + (seconds and 1 or 0)
      if seconds and seconds < bound then short[#short + 1] = path end
    end
    assert.same({}, short)
    assert.is_true(found > 0)
  end)
end)
