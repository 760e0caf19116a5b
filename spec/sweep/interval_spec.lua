local interval = require "lunet.sweep.interval"

local VALUES <const> = { 4.2, 3.9, 5.1, 4.8, 4.4, 5.0, 4.1, 4.7, 9.3 }
local A <const>, B <const> = { 10.1, 11.2, 9.8, 10.5, 12.0, 10.9 }, { 9.7, 10.1, 9.9, 9.8, 11.1, 10.2 }

local function assert_range(low, high, range, within)
  assert.near(low, range.low, within)
  assert.near(high, range.high, within)
end

local function copy(values) return table.move(values, 1, #values, 1, {}) end

-- Expected values: scipy 1.10.1.
describe("the interval of a mean", function()
  it("is Student's", function() -- scipy.stats.t.interval(0.95, 8, mean, sem)
    local range = interval.mean(VALUES)
    assert_range(3.791855522793682, 6.319255588317429, range, 1e-9)
    assert.near(45.5 / 9, range.value, 1e-12)
    assert.equal("mean, Student's t", range.method)
  end)

  it("is not there for one run or none", function()
    for _, values in ipairs { {}, { 3 } } do
      assert.same({ nil, "fewer than 2 runs" }, { interval.mean(values) })
    end
  end)

  it("has no width if all are the same", function() assert_range(3, 3, interval.mean { 3, 3, 3 }, 0) end)
end)

describe("the interval of a median", function()
  -- By scipy.stats.binom(n, 0.5): the ranks of low and high.
  for n, ranks in pairs { [6] = { 1, 6 }, [7] = { 1, 7 }, [8] = { 1, 8 }, [9] = { 2, 8 }, [10] = { 2, 9 },
    [11] = { 2, 10 }, [15] = { 4, 12 }, [20] = { 6, 15 }, [30] = { 10, 21 }, [50] = { 18, 33 }, [100] = { 40, 61 },
    [1000] = { 469, 532 }, [5000] = { 2431, 2570 } } do
    it(("of %d values goes from that of rank %d to that of rank %d"):format(n, ranks[1], ranks[2]), function()
      local values = {}
      for i = 1, n do values[i] = (i * 7919) % n + 1 end -- 1 to n in another order, since 7919 is a prime
      local before = copy(values)
      local range = interval.median(values)
      assert.same(ranks, { range.low, range.high })
      assert.equal((n + 1) / 2, range.value)
      assert.same(before, values)
    end)
  end

  it("is not there for fewer than 6 runs, and says so", function()
    for n = 1, 5 do
      local values = {}
      for i = 1, n do values[i] = i end
      assert.same({ nil, "fewer than 6 runs" }, { interval.median(values) })
    end
    assert.same({ nil, "no run has it" }, { interval.median {} })
  end)
end)

describe("the middle", function()
  it("is the value in the middle, or the mean of the two there", function()
    assert.same({ 5, 3, 2.5 }, { interval.middle { 5 }, interval.middle { 9, 3, 1 }, interval.middle { 4, 1, 2, 3 } })
  end)
end)

describe("the interval of a share", function()
  -- scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
  for _, case in ipairs { { 19, 20, 0.763868806553258, 0.9911185511992047 }, { 0, 10, 0, 0.27753279986288926 },
    { 10, 10, 0.7224672001371109, 1 }, { 5, 10, 0.236593090512564, 0.7634069094874361 },
    { 1, 1, 0.20654931437723745, 1 }, { 333, 1000, 0.3044779033483562, 0.3628002339858192 } } do
    it(("is Wilson's: %d of %d"):format(case[1], case[2]), function()
      assert_range(case[3], case[4], interval.share(case[1], case[2]), 1e-12)
    end)
  end

  it("is told in words", function()
    assert.equal("19 of 20 (0.76 to 0.99)", interval.share_text(19, 20))
    assert.equal("0 of 0", interval.share_text(0, 0))
    assert.same({ nil, "no run" }, { interval.share(0, 0) })
  end)
end)

describe("the interval of a ratio", function()
  it("is near what 200,000 resamples of the pairs give", function() -- scipy.stats.bootstrap(paired=True, percentile)
    local range = interval.ratio(A, B, 1)
    assert.near(1.0608552631578947, range.value, 1e-12)
    assert_range(1.0287648054145515, 1.0870279146141215, range, 0.004)
  end)

  it("is the same for the same seed, and another for another", function()
    assert.same(interval.ratio(A, B, 1), interval.ratio(A, B, 1))
    assert.not_same(interval.ratio(A, B, 1), interval.ratio(A, B, 2))
  end)

  it("is not there for one run", function()
    assert.same({ nil, "fewer than 2 runs" }, { interval.ratio({ 1 }, { 2 }, 1) })
  end)

  it("takes lists of the same length only", function()
    assert.has_error(function() interval.ratio({ 1, 2 }, { 1 }, 1) end,
      "interval.ratio: lists of the same length expected")
  end)
end)

describe("the interval of a paired difference", function()
  it("is Student's, of the differences", function() -- scipy.stats.ttest_rel(a, b).confidence_interval()
    local range = interval.difference(A, B)
    assert.near(0.6166666666666668, range.value, 1e-12)
    assert_range(0.17432404608688423, 1.0590092872464494, range, 1e-9)
  end)

  it("takes lists of the same length only", function()
    assert.has_error(function() interval.difference({ 1, 2 }, { 1 }) end,
      "interval.difference: lists of the same length expected")
  end)
end)
