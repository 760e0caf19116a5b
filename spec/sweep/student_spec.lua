local student = require "lunet.sweep.student"

-- Expected values: scipy 1.10.1, scipy.stats.t; but its quantile for 5 degrees of freedom is 2.5705818366147395, which
-- is wrong from the tenth digit on: the distribution's closed form gives 0.975 at 2.57058183563631.
describe("Student's t", function()
  for freedom, expected in pairs { [1] = 12.706204736432095, [2] = 4.302652729911275, [3] = 3.182446305284263,
    [4] = 2.7764451051977987, [5] = 2.57058183563631, [9] = 2.2621571627409915, [19] = 2.093024054408263,
    [29] = 2.045229642132703, [99] = 1.9842169515086827, [999] = 1.9623414611334487 } do
    it(("has its quantile of 97.5 %% with %d degrees of freedom"):format(freedom), function()
      assert.near(expected, student.quantile(0.975, freedom), 1e-10 * expected)
    end)
  end

  for _, case in ipairs { { 0, 5, 0.5 }, { 1, 1, 0.75 }, { -2.5, 7, 0.020496109292876437 },
    { 0.3, 40, 0.6171346416144904 }, { 12, 3, 0.9993774920996054 } } do
    it(("has the probability of at most %g with %d degrees of freedom"):format(case[1], case[2]), function()
      assert.near(case[3], student.cumulative(case[1], case[2]), 1e-12)
    end)
  end

  it("is symmetric", function()
    for _, t in ipairs { 0.1, 1, 3, 50 } do
      assert.near(1, student.cumulative(t, 6) + student.cumulative(-t, 6), 1e-12)
    end
  end)

  it("is the quantile's inverse", function()
    for _, share in ipairs { 0.6, 0.9, 0.999 } do
      assert.near(share, student.cumulative(student.quantile(share, 4), 4), 1e-12)
    end
  end)
end)
