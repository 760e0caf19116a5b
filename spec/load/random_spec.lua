local random = require "lunet.load.random"

local function draw(stream, count)
  local values = {}
  for i = 1, count do values[i] = stream:uniform() end
  return values
end

describe("a random stream", function()
  it("is the same again for the same seed and name", function()
    assert.same(draw(random.new(7, "arrivals"), 100), draw(random.new(7, "arrivals"), 100))
  end)

  it("is another one for another seed, or another name", function()
    local values = draw(random.new(7, "arrivals"), 10)
    assert.not_same(values, draw(random.new(8, "arrivals"), 10))
    assert.not_same(values, draw(random.new(7, "service"), 10))
  end)

  it("does not depend on what others draw, nor change what they draw", function()
    math.randomseed(1)
    local expected, others = draw(random.new(7, "a"), 3), { math.random(), math.random() }
    math.randomseed(1)
    local stream, values = random.new(7, "a"), {}
    local first = math.random()
    for i = 1, 3 do values[i] = stream:uniform() end
    assert.same(expected, values)
    assert.same(others, { first, math.random() })
  end)

  it("is even from low to high", function()
    local stream, counts = random.new(1, "even"), { 0, 0, 0, 0 }
    for _ = 1, 10000 do
      local value = stream:uniform(2, 6)
      assert.is_true(value >= 2 and value < 6)
      local quarter = value // 1 - 1 | 0
      counts[quarter] = counts[quarter] + 1
    end
    for _, count in ipairs(counts) do assert.is_true(math.abs(count - 2500) < 200) end -- over 4 deviations
  end)

  it("is exponential with the mean that is wanted", function()
    local stream, sum, above = random.new(1, "exponential"), 0, 0
    for _ = 1, 10000 do
      local value = stream:exponential(5)
      sum = sum + value
      if value > 5 then above = above + 1 end
    end
    assert.is_true(math.abs(sum / 10000 - 5) < 0.25)
    assert.is_true(math.abs(above / 10000 - math.exp(-1)) < 0.02)
  end)

  it("refuses a seed that is no whole number, and a name that is none", function()
    assert.error_matches(function() random.new(1.5, "x") end, "a whole number expected, not 1.5")
    assert.error_matches(function() random.new(1) end, "bad argument #2 to 'random.new' %(string expected%)")
  end)
end)
