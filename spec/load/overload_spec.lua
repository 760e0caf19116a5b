local lunet = require "lunet"
local overload = require "lunet.load.overload"
local progress = require "lunet.run.progress"
local eventually = require "spec.support.eventually"
local raised = require "spec.support.raised"
local written_by = require "spec.support.written_by"

local BOUND = 10 -- s; bounds waits for states that do come

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

describe("runs", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Runs of `count` cases, of which the first `disturbed` are invalid each time.
  local function run(count, fields)
    local cases, open, most, order = {}, 0, 0, {}
    for i = 1, count do cases[i] = { number = i } end
    local repeated = overload.run(cases, {
      at_once = fields.at_once, apart = fields.apart, spare = fields.spare,
      open = function(case) return { case = case, host = assert(lunet.host "server") } end,
      run = function(case, site)
        assert.equal(case, site.case)
        case.began = lunet.now()
        open = open + 1
        most = math.max(most, open)
        order[#order + 1] = case.number
        lunet.sleep(0)
        open = open - 1
        case.times = (case.times or 0) + 1
        return { valid = case.number > (fields.disturbed or 0), times = case.times }
      end,
    })
    return cases, repeated, most, order
  end

  it("go so many at a time, each on hosts of its own that end with it", function()
    local cases, repeated, most, order = run(5, { at_once = 2 })
    assert.same({ 0, 2, { 1, 2, 3, 4, 5 } }, { repeated, most, order })
    for _, case in ipairs(cases) do assert.equal(1, case.run.times) end
  end)

  it("begin one after the other, those that go side by side", function()
    local began, apart = lunet.now(), 0.02
    local cases = run(4, { at_once = 2, apart = apart })
    for i, earliest in ipairs { 0, apart, apart, 2 * apart } do
      assert.is_true(cases[i].began - began >= earliest, ("the run %d began too early"):format(i))
    end
  end)

  it("tell how far they are, also those that are done again", function()
    local told = {}
    local text = written_by(function()
      local _shown <close> = progress.show(true)
      run(5, { at_once = 2, spare = 1, disturbed = 1 })
    end)
    for words in text:gmatch "[%l%d ]+" do told[#told + 1] = words end
    assert.same({ "runs 1 to 2 of 5", "runs 3 to 4 of 5", "runs 5 to 5 of 5", "runs 1 to 1 of 1" }, told)
  end)

  it("are done again if they were disturbed, a few in each spare round", function()
    local cases, repeated = run(5, { at_once = 2, spare = 2, disturbed = 3 })
    assert.equal(4, repeated)
    local times = {}
    for i, case in ipairs(cases) do times[i] = case.run.times end
    assert.same({ 3, 3, 1, 1, 1 }, times)
    assert.same({ cases[1], cases[2], cases[3] }, overload.invalid(cases))
    assert.same({ cases[1] }, overload.invalid(cases, 1))
  end)

  it("go all side by side if nothing else is said, and there may be none", function()
    local _, repeated, most = run(5, { disturbed = 1 })
    assert.same({ 0, 5 }, { repeated, most })
    assert.equal(0, (select(2, run(0, {}))))
  end)

  it("are not done again if none was", function()
    assert.equal(0, (select(2, run(3, { at_once = 3, spare = 5 }))))
  end)
end)

describe("cases", function()
  it("are one of each point with each seed, those of a seed together", function()
    local points = { { backlog = 1 }, { backlog = 5 } }
    local cases = overload.cases(points, 7, 2, function(point, seed)
      return { backlog = point.backlog, seed = seed }
    end)
    assert.same({ { backlog = 1, seed = 7 }, { backlog = 5, seed = 7 }, { backlog = 1, seed = 8 },
      { backlog = 5, seed = 8 } }, cases)
    assert.equal(cases[3], points[1].cases[2])
    assert.same({ cases[2], cases[4] }, points[2].cases)
  end)
end)

describe("a point", function()
  local point = { cases = { { run = { x = 0.3, y = 1 } }, { run = { x = 0.1 } }, { run = { x = 0.26, y = 2 } } } }

  it("has the values of its runs, of those that have one", function()
    assert.same({ 0.3, 0.1, 0.26 }, overload.values(point, "x"))
    assert.same({ 1, 2 }, overload.values(point, "y"))
  end)

  it("leaves out runs that are not valid, unless none is", function()
    local function with_valid(...)
      local cases = {}
      for i, valid in ipairs { ... } do cases[i] = { run = { x = i, valid = valid } } end
      return { cases = cases }
    end
    assert.same({ 2, 3 }, overload.values(with_valid(false, true, true), "x"))
    assert.same({ 1, 2 }, overload.values(with_valid(false, false), "x"))
    assert.equal(2, #overload.counted(with_valid(false, true, true)))
    assert.is_true(overload.is_enough { with_valid(false, true, true), with_valid(true) })
    assert.is_false(overload.is_enough { with_valid(true), with_valid(false, true) })
    assert.is_false(overload.is_enough { with_valid(false) })
  end)

  it("has their median, rounded and scaled", function()
    assert.same({ 0.3, 0.26, 26 }, { overload.median(point, "x"), overload.median(point, "x", 2),
      overload.median(point, "x", 0, 100) })
  end)
end)

describe("the tally of an outcome", function()
  -- As of two points, which have a run each; `disturbed` of them are not valid.
  local function outcome_with(disturbed)
    local points = {}
    for i = 1, 2 do points[i] = { cases = { { run = { valid = i > disturbed } } } } end
    return overload.add_tally({ capacity = 50 }, points, 3)
  end

  it("counts the runs and those that were disturbed", function()
    assert.same({ capacity = 50, runs = 2, repeated = 3, invalid = 0, valid = true }, outcome_with(0))
    assert.same({ capacity = 50, runs = 2, repeated = 3, invalid = 1, valid = false }, outcome_with(1))
  end)

  it("says whether there is something to judge", function()
    overload.check(outcome_with(0))
    assert.equal("not judged: the machine disturbed 2 of 2 runs", tostring(raised(overload.check, outcome_with(2))))
  end)
end)
