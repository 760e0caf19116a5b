local lunet = require "lunet"
local merged = require "spec.support.merged"
local overload = require "lunet.load.overload"
local eventually = require "spec.support.eventually"
local raised = require "spec.support.raised"
local workload = require "lunet.load.workload"

local BOUND <const> = require "spec.support.bound"

describe("the capacity of a server", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("is no more than its service time allows, and more than nothing", function()
    local per_second = overload.capacity(0.002, 8)
    assert.is_true(per_second > 0 and per_second <= 1 / 0.002)
  end)
end)

describe("a server", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Three clients send a request and queue, and the second one leaves. Returns what the server then tells.
  local function serve_three(is_wanted)
    local served, ghosts
    lunet.scope(function()
      local site, began, connections = overload.open_site(5), lunet.now(), {}
      for i = 1, 3 do
        connections[i] = assert(site.clients:connect(site.listener, BOUND))
        assert(connections[i]:send(i .. " 0.01\n"))
      end
      local _, port = connections[2]:address()
      connections[2]:close()
      eventually(function() return site.server:sockets({ listener = site.listener, peer_port = port })[1].fin end)
      served, ghosts = overload.start_serving(site.listener, began, is_wanted)
      assert.equal("done 3", connections[3]:receive("l", BOUND))
      eventually(function() return select(2, site.listener:gate()) == 0 end)
      site.listener:close()
    end)
    return served, ghosts
  end

  it("tells when it has carried out the requests, and which of them for ghosts", function()
    local served, ghosts = serve_three()
    assert.equal(3, #served)
    for i, at in ipairs(served) do assert.is_true(at >= i * 0.01) end
    assert.same({ served[2] }, ghosts)
  end)

  it("may drop what is not wanted, as the requests of ghosts", function()
    local served, ghosts = serve_three(function(connection) return connection:liveness() == "open" end)
    assert.same({ 2, {} }, { #served, ghosts })
  end)
end)

describe("requests on offer", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("come from clients by the knobs, and tell by how many milliseconds they were late", function()
    lunet.scope(function()
      local site, began = overload.open_site(5), lunet.now()
      local listener <close> = site.listener
      overload.start_serving(listener, began)
      local clients = overload.clients_of({ patience = BOUND, retries = 2, backoff = 0, budget = 16,
        departure = "reset" }, site)
      assert.same({ BOUND, 2, "reset" }, { clients.patience, clients.retries, clients.departure })
      local requests = workload.requests { seed = 1, rate = 100, seconds = 0.1, service = 0.001 }
      local late_ms = overload.offer(requests, function(request)
        assert(clients:send(request))
        lunet.sleep(0.05) -- what comes after the beginning does not count
      end, began - 0.02)
      assert.is_true(late_ms >= 1 and late_ms < 1000 * BOUND)
      for _, request in ipairs(requests) do assert.is_number(request.answered) end
    end)
  end)
end)

describe("a share", function()
  it("is in percent, of nothing 0", function()
    assert.same({ 33.3, 0 }, { overload.percent(1, 3), overload.percent(0, 0) })
  end)

  it("of work in vain is what was served and not answered in time", function()
    assert.same({ 75, 0, 0 }, { overload.wasted(10, 40), overload.wasted(41, 40), overload.wasted(0, 0) })
  end)
end)

describe("a check", function()
  local KNOBS = { service = 0.01, lateness = 0.1, distribution = "fixed" }

  local function check(outcome, knobs)
    return function()
      overload.check(merged({ capacity = 99, served = 98, late_ms = 0.9 }, outcome), merged(KNOBS, knobs))
    end
  end

  it("goes on with a run that was not disturbed", function()
    check({})()
    check({ served = 140 }, { distribution = "exponential" })()
  end)

  for what, case in pairs {
    ["the capacity is too low"] = { { capacity = 50 }, "the measurement of the capacity: 50/s" },
    ["the capacity is too high"] = { { capacity = 102 }, "the measurement of the capacity: 102/s" },
    ["the server does more than its capacity"] = { { served = 120 }, "the measurement of the capacity: 99/s" },
    ["clients are late"] = { { late_ms = 1.1 }, "the run: clients were 1.1 ms late" },
  } do
    it("ends as not judged if " .. what, function()
      assert.equal("not judged: the machine disturbed " .. case[2], tostring(raised(check(case[1]))))
    end)
  end
end)
