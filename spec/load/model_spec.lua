local model = require "lunet.load.model"
local merged = require "spec.support.merged"
local random = require "lunet.load.random"

local function near(expected, actual, by)
  assert.is_true(math.abs(expected - actual) <= (by or 1e-9), ("%.12g is not %.12g"):format(actual, expected))
end

local LOAD = { distribution = "fixed", capacity = 50, load = 1.3, retries = 1, patience = 0.2, backlog = 40 }

local function goodput(more) return model.goodput(merged(LOAD, more)) end

describe("the model of one attempt", function()
  local function refused(...) return (select(2, model.attempt(...))) end

  it("knows Erlang's loss: with one place r / (1 + r) are refused, whatever the service times are", function()
    for _, distribution in ipairs { "fixed", "exponential" } do
      for _, rate in ipairs { 0.3, 1, 4 } do near(rate / (1 + rate), refused(distribution, rate, 1, 1, 1)) end
    end
  end)

  it("knows the loss of M/M/1/K", function()
    near(1 / 6, refused("exponential", 1, 1, 5, 1)) -- all numbers are equally likely
    near(0.5 ^ 4 * 0.5 / (1 - 0.5 ^ 5), refused("exponential", 0.5, 1, 4, 1))
    near(2 ^ 3 * (1 - 2) / (1 - 2 ^ 4), refused("exponential", 2, 1, 3, 1))
  end)

  it("knows the loss of M/D/1/2: the server is left empty with the chance e^-r", function()
    for _, rate in ipairs { 0.5, 1, 3 } do near(1 - 1 / (math.exp(-rate) + rate), refused("fixed", rate, 1, 2, 1)) end
  end)

  -- By the formula of Erlang: the sum over n below t of (r(n - t))^n / n! e^(r(t - n)), times 1 - r.
  it("knows how long one waits in M/D/1 without a limit", function()
    local rate, service = 0.7, 1
    for _, wait in ipairs { 0.5, 1, 2.25, 4 } do
      local sum, factorial = 0, 1
      for n = 0, math.floor(wait) do
        factorial = n > 0 and factorial * n or 1
        sum = sum + (rate * (n - wait)) ^ n / factorial * math.exp(rate * (wait - n))
      end
      near((1 - rate) * sum, (model.attempt("fixed", rate, 1 / service, 400, wait + service)), 1e-7)
    end
  end)

  it("knows how long one stays in M/M/1 without a limit: an exponential time", function()
    near(1 - math.exp(-(1 - 0.7) * 3), (model.attempt("exponential", 0.7, 1, 400, 3)))
  end)

  it("answers nobody in less time than a service takes", function()
    near(0, (model.attempt("fixed", 2, 1, 5, 0.99)))
  end)

  it("takes queues that are long, and loads that are high", function()
    near(0, (model.attempt("fixed", 20, 1, 4096, 100)))
    near(0.05, 1 - refused("fixed", 20, 1, 4096, 100), 1e-6)
    near(0, (model.attempt("exponential", 20, 1, 4096, 100)))
  end)
end)

describe("the model of goodput", function()
  -- The same queue, client by client: attempts and service times are drawn.
  local function simulate(distribution, rate, places, patience, count)
    local arrivals, services = random.new(7, "arrivals"), random.new(7, "service")
    local now, ends, first, in_time = 0, {}, 1, 0 -- ends: when those who are there are answered
    for _ = 1, count do
      now = now + arrivals:exponential(1 / rate)
      while ends[first] and ends[first] <= now do first = first + 1 end
      if #ends - first + 1 < places then
        local service = distribution == "fixed" and 1 or services:exponential(1)
        ends[#ends + 1] = math.max(now, ends[#ends] or 0) + service
        if ends[#ends] - now <= patience then in_time = in_time + 1 end
      end
    end
    return in_time / count
  end

  for _, distribution in ipairs { "fixed", "exponential" } do
    it("agrees with a simulation of " .. distribution .. " service times", function()
      for _, case in ipairs { { 0.8, 4, 3.4 }, { 1.3, 6, 5.5 }, { 1.3, 7, 6.3 }, { 2.5, 10, 9.2 } } do
        local rate, places, patience = table.unpack(case)
        near(simulate(distribution, rate, places, patience, 200000),
          (model.attempt(distribution, rate, 1, places, patience)), 0.01)
      end
    end)
  end

  it("is whole below the threshold and nothing beyond it, for fixed service times", function()
    near(8, model.threshold(50, 0.2))
    assert.is_true(goodput { backlog = 7 }.goodput > 49.9 and goodput { backlog = 11 }.goodput < 0.1)
    assert.is_true(goodput { distribution = "exponential", backlog = 11 }.goodput > 10)
    assert.same({ 8, -1 }, { model.half_to(LOAD), model.half_to(merged(LOAD, { patience = 0.01 })) })
  end)

  it("counts the attempts of requests that fail: twice as many with a retry each, fewer with a budget", function()
    near(130, goodput {}.attempts, 1e-3)
    near(65, goodput { retries = 0 }.attempts, 1e-3)
    near(65 * 1.1, goodput { budget = 0.1 }.attempts, 1e-3)
    near(50, goodput {}.served, 1e-3)
    local some = goodput { retries = 3, backlog = 8, load = 1.1 } -- some attempts fail
    local failing = 1 - some.goodput / some.attempts
    assert.is_true(failing > 0.2 and failing < 0.9)
    near(55 * (1 + failing + failing ^ 2 + failing ^ 3), some.attempts, 1e-3)
  end)

  it("refuses what it does not know", function()
    assert.error_matches(function() goodput { distribution = "pareto" } end, "distribution")
    assert.error_matches(function() goodput { patience = 0 } end, "patience")
  end)
end)

local SMALL = merged(LOAD, { load = 0.2, retries = 2 })

describe("the model of a storm", function()
  local function storm(more, stall) return model.storm(merged(SMALL, more), stall) end

  it("ends when the queue is as short as the threshold, at the rate that the attempts leave", function()
    near((30 - 8) / (50 - 30), storm({ backlog = 100 }, 1)) -- 30 attempts in the stall
    near((20 - 8) / (50 - 30), storm({ backlog = 20 }, 1)) -- of which 20 find room
  end)

  it("never ends if the attempts are the server's whole capacity, and none begins in a short queue", function()
    assert.equal(math.huge, storm({ load = 0.4 }, 1))
    assert.same({ 0, 0 }, { storm({ backlog = 8 }, 1), storm({ load = 0.4 }, 0) })
    assert.is_true(storm({ load = 0.4, budget = 0.1 }, 1) < 1)
  end)
end)
