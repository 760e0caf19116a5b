local lunet = require "lunet"
local raised = require "spec.support.raised"
local merged = require "spec.support.merged"
local workload = require "lunet.workload"

local BOUND <const> = require "spec.support.bound"

local function requests_of(fields)
  return workload.requests(merged({ seed = 1, rate = 1000, seconds = 1, service = 0.001 }, fields))
end

local function values_of(requests, field)
  local values = {}
  for i, request in ipairs(requests) do values[i] = request[field] end
  return values
end

describe("the requests of a load", function()
  it("come at the same times again, and at others for another seed", function()
    assert.same(requests_of {}, requests_of {})
    assert.not_same(values_of(requests_of {}, "at"), values_of(requests_of { seed = 2 }, "at"))
  end)

  it("come in order, at the rate, and until the end", function()
    local requests, last = requests_of {}, 0
    assert.is_true(math.abs(#requests - 1000) < 130) -- four deviations
    for i, request in ipairs(requests) do
      assert.equal(i, request.number)
      assert.is_true(request.at >= last and request.at < 1)
      last = request.at
    end
  end)

  it("come at the same times whatever their service is", function()
    local fixed, exponential = requests_of {}, requests_of { distribution = "exponential" }
    assert.same(values_of(fixed, "at"), values_of(exponential, "at"))
    assert.same(values_of(fixed, "jitter"), values_of(exponential, "jitter"))
    for _, request in ipairs(fixed) do assert.equal(0.001, request.service) end
    assert.not_equal(exponential[1].service, exponential[2].service)
  end)

  it("are refused with options that are misspelt or make no sense", function()
    for _, case in ipairs {
      { { rate = 0 }, "requests: rate: a number above 0 expected, not 0" },
      { { seconds = "1" }, 'requests: seconds: a number of seconds above 0 expected, not "1"' },
      { { service = math.huge }, "requests: service: a number of seconds above 0 expected, not inf" },
      { { seed = 1.5 }, "requests: seed: a whole number expected, not 1.5" },
      { { distribution = "pareto" }, 'requests: distribution: fixed or exponential expected, not "pareto"' },
      { { servcie = 1 }, "requests: unknown option 'servcie' (known: distribution, rate, seconds, seed, service)" },
      { { rate = 1e9 }, "requests: rate times seconds is at most 1000000, not " },
    } do
      assert.equal(case[2], raised(requests_of, case[1]):gsub("^[^:]+:%d+: ", ""):sub(1, #case[2]))
    end
    assert.equal("requests: a table of options expected, not nil", raised(workload.requests))
  end)
end)

describe("offering", function()
  it("sends each request at its time or later, and waits for all, however long one takes", function()
    local requests, ended, blocked = requests_of { seconds = 0.05 }, 0, true
    local began = lunet.now()
    local lateness = workload.offer(requests, function(request)
      if request.number == 1 then
        assert(lunet.eventually(function() return ended == #requests - 1 end, BOUND)) -- the others do not wait for it
        blocked = false
      end
      ended = ended + 1
    end, began)
    assert.is_false(blocked)
    assert.equal(#requests, #lateness)
    for i, late in ipairs(lateness) do
      assert.is_true(late >= 0)
      assert.is_true(math.abs(requests[i].began - requests[i].at - late) < 1e-9)
    end
  end)
end)

describe("an offer", function()
  it("is refused if it has no times, nobody who sends, or no beginning", function()
    assert.equal("offer: the time (at) of request 2: a number of seconds from 0 on expected, not nil",
      raised(workload.offer, { { at = 0 }, {} }, print))
    assert.equal("offer: send: a function expected, not nil", raised(workload.offer, {}))
    assert.equal("offer: requests: a table expected, not nil", raised(workload.offer))
    assert.matches("offer: began: a number", raised(workload.offer, {}, print, "now"), 1, true)
  end)
end)

describe("clients", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Calls fn(clients, listener) with a server that handles each connection so, in a scope.
  local function with_server(policy, handler, fn)
    return lunet.scope(function()
      local host = assert(lunet.host "host")
      local listener <close> = assert(host:listen { backlog = 10 })
      if handler then lunet.spawn(function() listener:serve(handler) end) end
      policy.host, policy.target = host, listener
      return fn(workload.clients(policy), listener)
    end)
  end

  local function one_request(retries)
    local jitter = {}
    for i = 1, retries or 1 do jitter[i] = 0.5 end
    return { number = 1, at = 0, began = 0, service = 0.001, jitter = jitter, attempts = 0 }
  end

  it("are answered by the server that goes with them", function()
    local request, served = one_request(), nil
    with_server({ patience = BOUND }, function(connection) served = workload.serve(connection) end, function(clients)
      local began = lunet.now()
      assert.is_true(clients:send(request))
      assert.is_true(lunet.now() - began >= 0.001)
    end)
    assert.equal(1, served)
    assert.equal(1, request.attempts)
    assert.is_true(request.answered >= 0.001)
    assert.is_nil(request.gave_up)
  end)

  for _, retries in ipairs { 0, 2 } do
    it(("try %d times again before they give up"):format(retries), function()
      local request = one_request(retries)
      with_server({ patience = 0.1, retries = retries }, nil, function(clients, listener)
        assert.is_false(clients:send(request))
        -- Each attempt has left a ghost.
        assert(lunet.eventually(function() return listener:queue().depth == retries + 1 end, BOUND))
      end)
      assert.same({ retries + 1, "TIMEOUT" }, { request.attempts, request.code })
      assert.is_nil(request.answered)
      assert.is_true(request.gave_up >= (retries + 1) * 0.1)
    end)
  end

  it("wait before a retry as long as jitter and backoff say, twice as long before the next", function()
    with_server({ patience = 0.001, retries = 2, backoff = 0.02 }, nil, function(clients)
      local began = lunet.now()
      clients:send(one_request(2))
      assert.is_true(lunet.now() - began >= 3 * 0.001 + 0.5 * 0.02 + 0.5 * 0.04)
    end)
  end)

  it("spend together no more retries than their budget allows", function()
    local attempts = 0
    with_server({ patience = 0.001, retries = 3, budget = 0.5 }, nil, function(clients)
      for _ = 1, 4 do
        local request = one_request(3)
        clients:send(request)
        attempts = attempts + request.attempts
      end
    end)
    assert.equal(4 + 2, attempts)
  end)

  for departure, liveness in pairs { close = "fin", reset = "reset" } do
    it(("leave by %s"):format(departure), function()
      local seen
      with_server({ patience = 0.1, departure = departure }, nil, function(clients, listener)
        clients:send(one_request())
        local ghost = assert(listener:accept(BOUND))
        lunet.eventually(function() return ghost:liveness() == liveness end, BOUND)
        seen = ghost:liveness()
      end)
      assert.equal(liveness, seen)
    end)
  end

  it("count the wait for a connection to their patience", function()
    local request = one_request()
    with_server({ patience = 0.01 }, nil, function(clients, listener)
      for _ = 1, 11 do assert(clients.host:connect(listener, BOUND)) end
      clients:send(request)
    end)
    assert.equal("TIMEOUT", request.code)
  end)

  it("exchange what they are told to", function()
    local request = one_request()
    with_server({ patience = BOUND, exchange = function(connection, asked)
      assert(connection:send(("hello %d\n"):format(asked.number)))
      return connection:receive("l", BOUND)
    end }, function(connection) connection:send(connection:receive "L") end, function(clients)
      assert.is_true(clients:send(request))
    end)
  end)

  it("measure what a server can do, one request after the other", function()
    with_server({ patience = BOUND }, workload.serve, function(clients)
      local per_second = assert(clients:capacity(0.002, 20))
      assert.is_true(per_second <= 1 / 0.002)
    end)
    with_server({ patience = 0.01 }, nil, function(clients)
      assert.same({ n = 2, nil, "capacity: request 1 got no answer" }, table.pack(clients:capacity(0.002, 20)))
    end)
  end)

  it("are refused with options that are misspelt or make no sense", function()
    local host <close> = assert(lunet.host "h")
    local known = "(known: backoff, budget, departure, exchange, host, patience, retries, target)"
    for _, case in ipairs {
      { { patience = false }, "patience: a number of seconds above 0 expected, not false" },
      { { retries = 17 }, "retries: a whole number from 0 to 16 expected, not 17" },
      { { retries = -1 }, "retries: a whole number from 0 to 16 expected, not -1" },
      { { retries = 1.5 }, "retries: a whole number from 0 to 16 expected, not 1.5" },
      { { backoff = -1 }, "backoff: a number of seconds from 0 on expected, not -1" },
      { { budget = "all" }, 'budget: a number from 0 on expected, not "all"' },
      { { departure = "vanish" }, 'departure: close or reset expected, not "vanish"' },
      { { exchange = "lines" }, 'exchange: a function expected, not "lines"' },
      { { host = "h" }, 'host: an open host expected, not "h"' },
      { { target = 7000 }, "target: a listener, an address or a table with one expected, not 7000" },
      { { retires = 3 }, "unknown option 'retires' " .. known },
    } do
      local policy = { host = host, target = "127.0.0.1:7000", patience = 1 }
      for field, value in pairs(case[1]) do policy[field] = value end
      assert.equal("clients: " .. case[2], raised(workload.clients, policy))
    end
    assert.equal("clients: host: an open host expected, not nil", raised(workload.clients, {}))
    local clients = workload.clients { host = host, target = "127.0.0.1:7000", patience = 1 }
    assert.matches("capacity: service: a number", raised(clients.capacity, clients, -1, 1))
    assert.matches("capacity: count: a whole number from 1 on", raised(clients.capacity, clients, 1, 0))
  end)

  it("name the script's line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, message = pcall(function() workload.clients { retires = 3 } end)
    assert.is_false(ok)
    assert.matches(("workload_spec.lua:%d: clients: unknown option"):format(line), message, 1, true)
  end)
end)

describe("a summary", function()
  it("counts what was to be sent between two times, and the waits from then on", function()
    local summary = workload.summary({
      { at = 0.5, attempts = 9, answered = 0.6 }, -- the warm-up
      { at = 1.0, attempts = 1, answered = 1.25 },
      { at = 1.5, attempts = 3 },
      { at = 2.0, attempts = 2, answered = 2.5 },
      { at = 2.5, attempts = 1, answered = 3.5 }, -- answered after the end, but in time
      { at = 3.0, attempts = 9, answered = 3.1 },
    }, 1, 3)
    assert.same({ offered = 4, attempts = 7, answered = 3, goodput = 1.5, success = 0.75, wait_p50 = 0.5,
      wait_p99 = 1.0 }, summary)
  end)

  it("counts a request that was given up among the waits, with the time until then", function()
    local summary = workload.summary({
      { at = 1.0, attempts = 1, answered = 1.25 },
      { at = 1.5, attempts = 3, gave_up = 4.5 },
    }, 1, 3)
    assert.same({ 1, 0.25, 3.0 }, { summary.answered, summary.wait_p50, summary.wait_p99 })
  end)

  it("goes with the times of the replies that came in time", function()
    assert.same({ 1.25, 3.5 }, workload.answers { { at = 1, answered = 1.25 }, { at = 1.5, gave_up = 4.5 },
      { at = 2, answered = 3.5 } })
  end)

  it("is refused for what is no span of time, and no list", function()
    assert.equal("summary: to: a number of seconds above 2 expected, not 2", raised(workload.summary, {}, 2, 2))
    assert.equal("summary: from: a number of seconds from 0 on expected, not nil", raised(workload.summary, {}))
    assert.equal("summary: requests: a table expected, not nil", raised(workload.summary))
    assert.equal("answers: requests: a table expected, not 5", raised(workload.answers, 5))
  end)

  it("of nothing has no waits", function()
    assert.same({ offered = 0, attempts = 0, answered = 0, goodput = 0, success = 0 }, workload.summary({}, 0, 1))
  end)
end)
