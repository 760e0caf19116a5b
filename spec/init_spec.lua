local lunet = require "lunet"
local rests = require "spec.support.rests"
local raised_by = require "spec.support.raised"

describe("together", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("does the same for every item at once, and gives the results in their order", function()
    local met = 0
    local results = lunet.together({ "a", "b", "c" }, function(item, number)
      met = met + 1
      assert(lunet.eventually(function() return met == 3 end, 10)) -- nobody ends before all have begun
      return item .. number
    end)
    assert.same({ "a1", "b2", "c3" }, results)
  end)

  it("closes what was opened for an item when that item is done", function()
    local results = lunet.together({ 0, 1 }, function(backlog)
      return assert(lunet.listen { backlog = backlog }):queue().limit
    end)
    assert.same({ 0, 1 }, results)
  end)

  it("raises the first error as it is, and cancels the others", function()
    local failure, canceled = {}, false
    assert.equal(failure, raised_by(lunet.together, { "waits", "fails" }, function(item)
      if item == "fails" then error(failure, 0) end
      local _note <close> = setmetatable({}, { __close = function() canceled = true end })
      lunet.sleep(math.huge)
    end))
    assert.is_true(canceled)
  end)

  it("lets the processor rest while items wait for the slowest", function()
    local items, before = {}, rests()
    for i = 1, 20 do items[i] = i == 1 and 0.5 or 0 end
    lunet.together(items, function(item) return item end, lunet.sleep)
    assert.is_true(rests() - before < 50) -- each look in 5 ms would be one
  end)

  it("lets those who meet go on when all have come, however long one takes, and again", function()
    local steps = {}
    lunet.together({ 1, 2, 3 }, function(item, _, meet)
      for round = 1, 2 do
        if item == round then lunet.sleep(0.005) end
        steps[#steps + 1] = ("to %d"):format(round)
        meet()
        steps[#steps + 1] = ("from %d"):format(round)
      end
    end)
    local order = { "to 1", "to 1", "to 1" }
    assert.same(order, table.move(steps, 1, 3, 1, {}))
    local last_to, first_from
    for i, step in ipairs(steps) do
      if step == "to 2" then last_to = i end
      if step == "from 2" then first_from = first_from or i end
    end
    assert.is_true(last_to < first_from)
    assert.equal(12, #steps)
  end)

  it("lets them not wait for one that is done, or fails", function()
    assert.same({ "done", "met" }, lunet.together({ "done", "met" }, function(item, _, meet)
      if item == "met" then meet() end
      return item
    end))
    assert.equal("boom", raised_by(lunet.together, { "fails", "meets" }, function(item, _, meet)
      if item == "fails" then error("boom", 0) end
      meet()
    end))
  end)

  it("prepares every item before it runs the first, however long one takes", function()
    local steps = {}
    local results = lunet.together({ 1, 2, 3 }, function(item, number)
      for _ = 1, 10 * item do lunet.sleep(0) end
      steps[#steps + 1] = "prepared"
      return { item + number }
    end, function(place, item, number)
      steps[#steps + 1] = "runs"
      lunet.sleep(0)
      return place[1] .. item .. number
    end)
    assert.same({ "prepared", "prepared", "prepared", "runs", "runs", "runs" }, steps)
    assert.same({ "211", "422", "633" }, results)
  end)

  it("keeps what was prepared open for the run, and closes it afterwards", function()
    local depths = lunet.together({ 0, 1 }, function(backlog)
      return assert(lunet.listen { backlog = backlog })
    end, function(listener, backlog)
      assert.equal(backlog, listener:queue().limit)
      return assert(lunet.connect(listener, 10)) and 1
    end)
    assert.same({ 1, 1 }, depths)
  end)

  it("closes nothing before the last run has ended, which would delay the others", function()
    local first
    lunet.together({ 1, 2 }, function() return assert(lunet.listen { backlog = 1 }) end, function(listener, item)
      if item == 1 then
        first = listener
      else
        lunet.sleep(0.005)
        assert.truthy(first:queue())
      end
    end)
    assert.equal("CLOSED", select(3, first:queue()))
  end)

  it("lets runs meet again", function()
    local done = 0
    lunet.together({ 1, 2 }, function() end, function(_, _, number, meet)
      if number == 1 then lunet.sleep(0.002) end
      done = done + 1
      meet()
      assert.equal(2, done)
    end)
  end)

  it("raises what a preparation raises, and runs nothing then", function()
    local has_run = false
    assert.equal("no hosts", raised_by(lunet.together, { 1, 2 }, function(item)
      if item == 2 then error("no hosts", 0) end
    end, function() has_run = true end))
    assert.is_false(has_run)
  end)

  it("is done at once without items", function()
    assert.same({}, lunet.together({}, error))
  end)

  it("refuses what is no list, and what is no function", function()
    assert.error_matches(function() lunet.together(nil, print) end, "bad argument #1 to 'together' %(list expected%)")
    assert.error_matches(function() lunet.together({}, 1) end,
      "bad argument #2 to 'together' %(function expected, got number%)")
    assert.error_matches(function() lunet.together({}, print, {}) end,
      "bad argument #3 to 'together' %(function expected, got table%)")
  end)
end)
