local program = require "spec.support.program"
local tally = require "lunet.sweep.tally"

-- A store in which the runs' states are given: {state, attempt, verdict} by name.
local function store_of(states)
  return { state = function(_, name) return table.unpack(states[name] or { "missing", 0 }) end }
end

local LIST <const> = { { name = "a" }, { name = "b" }, { name = "c" }, { name = "d" }, { name = "e" } }

describe("the tally of a sweep", function()
  it("counts runs by state, and those whose claim holds", function()
    local counted = tally.of(store_of { a = { "done", 1, "holds" }, b = { "done", 1, "does not hold" },
      c = { "invalid", 1, "not judged" }, d = { "failed", 3, "could not run" } }, LIST)
    assert.equal("2 of 5 runs done: 1 hold, 1 does not; 1 invalid, 1 failed, 1 missing", counted:sentence())
  end)

  -- The lines on standard error, of a process of its own.
  local function lines_of(count, is_terminal)
    return program.lunet(([[
      local list, store = {}, { state = function() return "missing", 0 end }
      for i = 1, %d do list[i] = { name = tostring(i) } end
      local tally = require "lunet.sweep.tally".of(store, list)
      tally:begin(list, 0, %s)
      for i = 1, #list do tally:count("missing", { state = "done", verdict = "holds" }, i / 2) end
      tally:finish()
      print(tally:sentence())]]):format(count, tostring(is_terminal)))
  end

  it("tells on a terminal at each run how far all are, in one line", function()
    local result = lines_of(3, true)
    assert.equal("3 of 3 runs done: 3 hold, 0 do not; 0 invalid, 0 failed, 0 missing\n", result.output)
    assert.equal("\r\27[K1 of 3 runs, 2/s, 1 s left: 1 hold, 0 invalid, 0 failed"
      .. "\r\27[K2 of 3 runs, 2/s, 0 s left: 2 hold, 0 invalid, 0 failed"
      .. "\r\27[K3 of 3 runs, 2/s, 0 s left: 3 hold, 0 invalid, 0 failed\r\27[K", result.errors)
  end)

  it("tells elsewhere ten times, in lines of their own", function()
    local result = lines_of(1000, false)
    assert.equal(10, select(2, result.errors:gsub("\n", "")))
    assert.matches("^lunet: 100 of 1000 runs, 2/s, 8 min left: 100 hold, 0 invalid, 0 failed\n", result.errors)
    assert.matches("\nlunet: 1000 of 1000 runs, 2/s, 0 s left: 1000 hold, 0 invalid, 0 failed\n$", result.errors)
  end)

  it("counts a run again that came to nothing before as one", function()
    local counted = tally.of(store_of { a = { "failed", 1, "could not run" } }, { { name = "a" } })
    counted:begin({ {} }, 0, false)
    counted.is_terminal, counted.lines = false, 10 -- says nothing
    counted:count("failed", { state = "done", verdict = "holds" }, 1)
    assert.equal("1 of 1 runs done: 1 hold, 0 do not; 0 invalid, 0 failed, 0 missing", counted:sentence())
  end)

  it("counts a run that comes to nothing once more as one", function()
    local counted = tally.of(store_of { a = { "invalid", 1, "not judged" } }, { { name = "a" } })
    counted:begin({ {} }, 0, false)
    counted.lines = 10 -- says nothing
    counted:count("invalid", { state = "invalid", verdict = "not judged" }, 1)
    assert.equal("0 of 1 runs done: 0 hold, 0 do not; 1 invalid, 0 failed, 0 missing", counted:sentence())
  end)
end)
