local lunet = require "lunet"

local COUNT <const> = 10000

local a, b

before_each(function() a, b = assert(lunet.host "a"), assert(lunet.host "b") end)

after_each(function()
  a:close()
  b:close()
  assert.same({}, lunet.open_handles())
end)

-- The fates of the frames that a sends over a link with these options.
local function fates(options, direction, count)
  local link <close> = lunet.link(a, b, options)
  return assert(link:fates(direction or "a_to_b", count or COUNT))
end

local function count(list, field)
  local n = 0
  for _, fate in ipairs(list) do n = n + (fate[field] and 1 or 0) end
  return n
end

-- The numbers of the frames of which the field is true.
local function numbers(list, field)
  local found = {}
  for i, fate in ipairs(list) do
    if fate[field] then found[#found + 1] = i end
  end
  return found
end

-- Within four standard deviations of a binomial count. The seed is fixed: this holds always or never.
local function assert_share(share, n, list)
  local total = #list
  assert.near(share * total, n, 4 * math.sqrt(total * share * (1 - share)))
end

describe("chance", function()
  it("gives the same traffic the same fate, by its seed #part_many", function()
    local options = { loss = 0.01, seed = 7 }
    local first = numbers(fates(options), "lost")
    assert.same(first, numbers(fates(options), "lost"))
    assert.not_same(first, numbers(fates { loss = 0.01, seed = 8 }, "lost"))
    assert.not_same(first, numbers(fates(options, "b_to_a"), "lost"))
  end)

  it("draws a seed of its own without one", function()
    local seeds = {}
    for i = 1, 2 do
      local link <close> = lunet.link(a, b, { loss = 0.5 })
      seeds[i] = link:statistics().seed
    end
    assert.not_equal(seeds[1], seeds[2])
  end)

  it("meets each share within its interval, and each for itself #part_many", function()
    local options = { delay = 0.01, loss = 0.01, duplicate = 0.05, corrupt = 0.1, mark = 0.2, reorder = 0.3, seed = 7 }
    local list = fates(options)
    for field, share in pairs { lost = 0.01, duplicated = 0.05, corrupted = 0.1, marked = 0.2, overtakes = 0.3 } do
      assert_share(share, count(list, field), list)
    end
    assert.same(numbers(fates { loss = 0.01, seed = 7 }, "lost"), numbers(list, "lost"))
    local both = 0
    for _, fate in ipairs(list) do both = both + (fate.marked and fate.overtakes and 1 or 0) end
    assert_share(0.06, both, list)
  end)

  it("takes all frames at a share of 1, and none at 0", function()
    assert.equal(100, count(fates({ loss = 1 }, nil, 100), "lost"))
    assert.equal(0, count(fates({ loss = 0 }, nil, 100), "lost"))
  end)

  -- Pearson's test of goodness of fit: 20 bins, so 19 degrees of freedom; 43.8 is the bound at a level of 0.001.
  it("spreads delays evenly over twice the jitter #part_many", function()
    local BINS, BOUND <const> = 20, 43.8
    local list = fates { delay = 0.01, jitter = 0.002, seed = 7 }
    local bins = {}
    for i = 1, BINS do bins[i] = 0 end
    for _, fate in ipairs(list) do
      assert.is_true(fate.delay >= 0.008 and fate.delay <= 0.012)
      local bin = math.min(BINS, 1 + math.floor((fate.delay - 0.008) / 0.004 * BINS))
      bins[bin] = bins[bin] + 1
    end
    local expected, chi_square = #list / BINS, 0
    for _, n in ipairs(bins) do chi_square = chi_square + (n - expected) ^ 2 / expected end
    assert.is_true(chi_square < BOUND, "chi square " .. chi_square)
  end)

  -- The channel is bad for to_bad / (to_bad + to_good) = 1/11 of the time, for 10 frames on average.
  it("loses in bursts as long as the model of Gilbert and Elliott says #part_many", function()
    local list = fates({ loss = { to_bad = 0.01, to_good = 0.1 }, seed = 7 }, nil, 30000)
    local bursts, lost = 0, count(list, "lost")
    for i, fate in ipairs(list) do
      if fate.lost and not (list[i - 1] and list[i - 1].lost) then bursts = bursts + 1 end
    end
    assert.near(1 / 11, lost / #list, 0.02)
    assert.near(10, lost / bursts, 1.5)
  end)

  it("loses as much in each state of the channel as was asked #part_many", function()
    local always_bad = fates { loss = { good = 0.5, bad = 0.25, to_bad = 1, to_good = 0 }, seed = 7 }
    assert_share(0.25, count(always_bad, "lost"), always_bad)
    local always_good = fates { loss = { good = 0.5, bad = 0.25, to_bad = 0, to_good = 0 }, seed = 7 }
    assert_share(0.5, count(always_good, "lost"), always_good)
  end)

  it("differs by direction where the options do", function()
    local options = { loss = 0.5, seed = 7, delay = { a_to_b = 0.01 }, b_to_a = { loss = 0 } }
    assert.equal(0, count(fates(options, "b_to_a", 100), "lost"))
    assert.is_true(count(fates(options, "a_to_b", 100), "lost") > 0)
    assert.equal(0.01, fates(options, "a_to_b", 1)[1].delay)
    assert.equal(0, fates(options, "b_to_a", 1)[1].delay)
  end)

  it("tells nothing of a link that lunet does not forward, and of a direction that is none", function()
    local direct <close> = lunet.link(a, b)
    local list, message, code = direct:fates("a_to_b", 1)
    assert.is_nil(list)
    assert.match("give it delay = 0", message)
    assert.equal("EOPNOTSUPP", code)
    local link <close> = lunet.link(a, b, { loss = 0.1 })
    local c <close> = assert(lunet.host "c")
    assert.error_matches(function() link:fates("a_to_c", 1) end, "fates: direction: a_to_b or b_to_a expected")
    assert.error_matches(function() link:fates("a_to_b", -1) end, "fates: count: a whole number from 0 to 1000000")
    assert.error_matches(function() link:fates("a_to_b", 1, c) end, "fates: host: a host of the link of a and b")
  end)
end)
