local statistics = require "lunet.load.statistics"

describe("a quantile", function()
  it("is the smallest value that the share does not exceed, in whatever order they are", function()
    local values = { 5, 1, 4, 2, 3 }
    local quantiles = {}
    for i, share in ipairs { 0, 0.2, 0.21, 0.5, 0.99, 1 } do quantiles[i] = statistics.quantile(values, share) end
    assert.same({ 1, 1, 2, 3, 5, 5 }, quantiles)
    assert.same({ 5, 1, 4, 2, 3 }, values)
  end)

  it("of nothing is nil, as is the mean", function()
    assert.is_nil(statistics.quantile({}, 0.5))
    assert.is_nil(statistics.mean {})
  end)
end)

describe("the mean", function()
  it("is the sum over the number", function() assert.equal(2, statistics.mean { 1, 2, 3 }) end)
end)

describe("a number", function()
  it("is rounded to so many digits, one by default", function()
    assert.same({ 1.3, 1, 1.25, -0.5 }, { statistics.round(1.26), statistics.round(1.26, 0), statistics.round(1.25, 2),
      statistics.round(-0.46) })
  end)
end)

describe("counting items", function()
  it("has those that the predicate accepts, whatever true value it returns", function()
    assert.equal(2, statistics.count({ 3, "a", 1 }, math.tointeger))
    assert.equal(0, statistics.count({}, error))
  end)
end)

describe("counting values between two", function()
  it("has those from the first on, up to but not including the second, in whatever order", function()
    assert.equal(2, statistics.count_between({ 3, 1, 2, 0.5 }, 1, 3))
    assert.equal(0, statistics.count_between({}, 1, 3))
  end)
end)
