local core = require "lunet.core"
local interference = require "lunet.run.interference"

-- spec/kernel/guest_spec.lua fills a real table, in a machine of its own. Suspensions: suspension_spec.lua.
describe("interference with a run", function()
  local counts

  before_each(function()
    counts = core.neighbours_refused
    assert.is_true(math.type(counts()) == "integer" and counts() >= 0)
  end)
  after_each(function() core.neighbours_refused = counts end)

  local function refused(count) core.neighbours_refused = function() return count end end

  it("is a full table of neighbours, unless the claim holds all the same", function()
    refused(5)
    local find = interference.watch()
    assert.is_nil(find(false))
    refused(7)
    assert.is_nil(find(true))
    for _, holds in ipairs { false, nil } do
      assert.matches("^the machine's table of neighbours was full %(2 times%): raise net%.ipv4%.neigh", find(holds))
    end
  end)

  it("goes unnoticed where the kernel does not tell", function()
    refused(nil)
    local find = interference.watch()
    refused(7)
    assert.is_nil(find(false))
    core.neighbours_refused = counts
    find = interference.watch()
    refused(nil)
    assert.is_nil(find(false))
  end)
end)
