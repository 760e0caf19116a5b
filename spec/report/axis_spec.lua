local axis = require "lunet.report.axis"

local function near(expected, place) assert.near(expected, place, 1e-6) end

describe("an axis", function()
  it("has one scale for all of it", function()
    local along = axis.new({ 0, 1, 2, 4 }, { length = 400, start = 10 })
    near(10, along:position(0))
    near(110, along:position(1))
    near(160, along:position(1.5))
    near(410, along:position(4))
    assert.same({}, along.folds)
  end)

  it("folds a silence that stands out, and tells how long it is", function()
    local along = axis.new({ 0, 0.001, 0.002, 60, 60.001 }, { length = 400 })
    assert.equal(1, #along.folds)
    local fold = along.folds[1]
    near(59.998, fold.seconds)
    near(400, along:position(60.001))
    near(along:position(0.001) - along:position(0), along:position(60.001) - along:position(60))
    near(fold.start, along:position(0.002))
    near(fold.finish, along:position(60))
    near((fold.start + fold.finish) / 2, along:position(30.001))
  end)

  it("folds what would take more room than was said", function()
    local along = axis.new({ 0, 1, 3, 103 }, { length = 1000, fold = 50, scale = 20 })
    near(20, along:position(1))
    near(60, along:position(3))
    near(110, along:position(103))
    assert.equal(1, #along.folds)
  end)

  it("is no longer than it may be, however many times there are", function()
    local times = {}
    for i = 1, 5000 do times[i] = i * 0.01 + (i % 7 == 0 and 3 or 0) end
    local along = axis.new(times, { length = 700, fold = 30 })
    assert.is_true(along.finish <= 700.001 and along.finish > 600, along.finish)
    local last = -1
    table.sort(times)
    for _, t in ipairs(times) do
      assert.is_true(along:position(t) >= last)
      last = along:position(t)
    end
  end)

  it("has another one for the same times, of another length", function()
    local down = axis.new({ 0, 2, 1 }, { length = 200 })
    near(500, down:again({ length = 1000 }):position(1))
    near(100, down:position(1))
  end)

  it("leaves room before a time", function()
    local along = axis.new({ 0, 1, 2 }, { length = 200, room = { [1] = 40, [0] = 5 } })
    near(5, along:position(0))
    near(145, along:position(1))
    near(245, along:position(2))
  end)

  it("has a place for every time, those outside included, in any order", function()
    local along = axis.new({ 5, 3, 3, 4 }, { length = 100 })
    near(0, along:position(1))
    near(100, along:position(9))
    near(50, along:position(4))
    near(25, along:position(3.5))
  end)

  it("takes one time, and none", function()
    near(7, axis.new({ 2 }, { length = 100, start = 7 }):position(2))
    near(7, axis.new({}, { length = 100, start = 7 }):position(2))
    assert.same({}, axis.new({}, { length = 100 }):ticks(10))
    assert.equal(1, #axis.new({ 2, 2 }, { length = 100 }):ticks(10))
  end)

  it("has ticks where a stretch begins, and at round times", function()
    local along = axis.new({ 1.003, 1.5, 2, 3, 3.2, 900, 901 }, { length = 500, fold = 250 })
    local starts, others = {}, {}
    for _, tick in ipairs(along:ticks(40)) do table.insert(tick.is_start and starts or others, tick.t) end
    assert.same({ 1.003, 900 }, starts)
    assert.is_true(#others > 0)
    for _, t in ipairs(others) do near(0, math.fmod(t * 10, 1)) end
  end)

  it("writes a length of time in its unit", function()
    assert.equal("207 ms", axis.duration(0.2071))
    assert.equal("1 s", axis.duration(0.9999))
    assert.equal("3600 s", axis.duration(3600))
    assert.equal("81.2 µs", axis.duration(81.2e-6))
    assert.equal("120 ns", axis.duration(120e-9))
  end)
end)
