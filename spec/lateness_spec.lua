local lateness = require "lunet.lateness"
local lunet = require "lunet"

-- Keeps the processor from every other task for so many seconds.
local function hog(seconds)
  local until_then = lunet.now() + seconds
  while lunet.now() < until_then do end
end

describe("the lateness of the machine", function()
  it("is what something that does not wait costs the others", function()
    local watch <close> = lateness.watch()
    lunet.sleep(0.02) -- the first look is due
    hog(0.3)
    lunet.sleep(0.02)
    assert.is_true(watch:worst() >= 0.28, watch:worst())
  end)

  it("is the worst, not the last", function()
    local watch <close> = lateness.watch()
    lunet.sleep(0.02)
    hog(0.1)
    lunet.sleep(0)
    local worst = watch:worst()
    lunet.sleep(0.05)
    assert.is_true(watch:worst() >= worst and worst >= 0.08)
  end)

  it("is no more looked for when the watch is closed", function()
    local watch = lateness.watch()
    lunet.sleep(0.02)
    watch:close()
    watch:close()
    local worst = watch:worst()
    hog(0.05)
    lunet.sleep(0.03)
    assert.equal(worst, watch:worst())
  end)
end)
