local merged = require "spec.support.merged"
local settling = require "lunet.queues.settling"

local function look(depth, listed, more)
  local one = { depth = depth, listed = listed, digest = listed, oldest = 2, is_steady = true, is_calm = true }
  return merged(one, more)
end

local busy = { is_calm = false }

describe("settling", function()
  it("counts no ghosts if all are listed, in one look", function()
    assert.equal(0, settling.resets { look(3, 3, busy) })
    assert.equal(0, settling.resets { look(0, 0) })
  end)

  it("does not know while the depth changes, or if more are listed than queued", function()
    assert.is_nil(settling.resets { look(3, 3, { is_steady = false }) })
    assert.is_nil(settling.resets { look(3, 4) })
  end)

  it("believes two looks during which nothing came", function()
    assert.is_nil(settling.resets { look(3, 1) })
    assert.equal(2, settling.resets { look(3, 1), look(3, 1) })
    assert.equal(2, settling.resets { look(4, 2), look(3, 1) })
    assert.is_nil(settling.resets { look(3, 1), look(3, 2) })
    assert.is_nil(settling.resets { look(3, 1, busy), look(3, 1) })
    assert.is_nil(settling.resets { look(3, 1), look(3, 1, busy) })
    assert.is_nil(settling.resets { look(3, 1), look(3, 1, { is_steady = false }) })
  end)

  it("believes three looks at the same connections, one of which is old, however much comes elsewhere", function()
    local same, young, other = look(3, 1, busy), look(3, 1, { is_calm = false, oldest = 0.5 }),
      look(3, 1, { is_calm = false, digest = 7 })
    assert.equal(2, settling.resets { same, same, same })
    assert.is_nil(settling.resets { same, same })
    assert.is_nil(settling.resets { same, same, young })
    assert.equal(2, settling.resets { young, young, same })
    assert.is_nil(settling.resets { same, other, same })
    assert.is_nil(settling.resets { same, same, other })
    assert.is_nil(settling.resets { same, look(4, 1, busy), same })
  end)

  it("believes no three looks at nothing: then nobody knows what was accepted", function()
    local nothing = look(1, 0, busy)
    assert.is_nil(settling.resets { nothing, nothing, nothing })
  end)
end)
