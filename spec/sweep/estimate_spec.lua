local estimate = require "lunet.sweep.estimate"
local plan_type = require "lunet.sweep.plan"

local PLAN <const> = setmetatable({ runs = 100, seed = 1, axes = {},
  points = { { id = "0123456789ab", knobs = {} }, { id = "123456789abc", knobs = {} } } }, plan_type)

-- A store in which runs of the first point are done; each took as many seconds as its replicate's number.
local function opened_with(count)
  local function number_of(name) return name:find "^0" and tonumber(name:match "%d+$") or math.huge end
  return { plan = PLAN, store = {
    state = function(_, name) return number_of(name) <= count and "done" or "failed" end,
    read_brief = function(_, name) return { seconds = number_of(name), cpu = number_of(name) / 8 } end,
  } }
end

describe("the time that a sweep takes", function()
  it("is by the runs that are done, a hundred at most", function()
    assert.is_nil(estimate.by_done(opened_with(0)))
    assert.same({ seconds = 1, cpu = 0.125, by = "by 1 that is done (1 s each)" }, estimate.by_done(opened_with(1)))
    assert.same({ seconds = 2, cpu = 0.25, by = "by 3 that are done (2 s each)" }, estimate.by_done(opened_with(3)))
    assert.equal(50.5, estimate.by_done(opened_with(math.maxinteger)).seconds)
  end)

  it("is their own time for so many at a time, and no less than their processor time", function()
    local function text(seconds, cpu, how)
      return estimate.text({ seconds = seconds, cpu = cpu, by = "BY" }, 100, how)
    end
    assert.equal("about 100 s, BY", text(1, 0.1, { processors = 2, exclusive = true, jobs = 8 }))
    assert.equal("about 25 s, BY", text(1, 0.1, { processors = 2, exclusive = false, jobs = 4 }))
    assert.equal("about 50 s, BY", text(1, 1, { processors = 2, exclusive = false, jobs = 4 }))
    assert.equal("about 16 min, BY", text(600, 0.1, { processors = 2, exclusive = false })) -- 64 at a time
    assert.equal("about 3.0 h, BY", text(108, 0, { processors = 2, exclusive = true }))
  end)

  it("is no less than that of one run, however many could go on", function()
    assert.equal("about 90 s, BY", estimate.text({ seconds = 90, cpu = 1, by = "BY" }, 2,
      { processors = 2, exclusive = false, jobs = 8 }))
  end)
end)
