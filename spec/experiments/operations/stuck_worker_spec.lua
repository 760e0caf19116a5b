local lunet = require "lunet"
local merged = require "spec.support.merged"
local judgement_of = require "spec.support.judgement"
local stuck_worker = dofile "experiments/operations/stuck_worker.lua"
local it, judge = require "spec.support.patient"(it)

-- Enough clients that some meet the stuck one of four listeners, quick ones.
local function run(more)
  return judge(stuck_worker, merged({ clients = 70, service = 0.002, patience = 0.15 }, more))
end

local function names_of(records, ...)
  local names = {}
  for i, record in ipairs(records) do
    local parts = {}
    for n, field in ipairs { ... } do parts[n] = record[field] end
    names[i] = table.concat(parts, " ")
  end
  return names
end

local function sum(text)
  local total = 0
  for number in text:gmatch "%d+" do total = total + tonumber(number) end
  return total
end

-- All that does not depend on a draw of ports.
local function assert_first(record, workers)
  local is_shared = record.sharing == "shared"
  assert.equal(record.hung, record.held)
  if record.stuck == "accepts_none" then assert.equal(is_shared and 0 or record.hung, sum(record.depths)) end
  if record.stuck == "accepts_one" then assert.equal(is_shared and 0 or record.hung - 1, sum(record.depths)) end
  if record.stuck == "accepts_all" then assert.equal(0, sum(record.depths)) end
  if is_shared and record.stuck == "accepts_one" then assert.equal(1, record.hung) end
  if not is_shared then assert.equal(100 / workers, record.predicted) end
  assert.equal(0, record.overflows)
end

local function assert_retry(record)
  assert.is_true(record.tried > 0)
  assert.equal(record.tried - record.served, record.held)
  if record.sharing == "shared" and record.stuck == "accepts_one" then assert.equal(record.tried, record.served) end
  if record.sharing == "reuseport" and record.retry == "same_port" then
    assert.same({ 0, 0 }, { record.served, record.predicted })
  end
end

describe("stuck_worker", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: one in four at its own listener, whom it accepts at a shared one", function()
    local outcome, holds, why = stuck_worker()
    assert.is_true(holds, why)
    assert.same({
      "shared accepts_none", "shared accepts_one", "shared accepts_all",
      "reuseport accepts_none", "reuseport accepts_one", "reuseport accepts_all",
    }, names_of(outcome.first, "sharing", "stuck"))
    assert.same({
      "shared accepts_one same_port", "shared accepts_all same_port", "shared accepts_all new_port",
      "reuseport accepts_none same_port", "reuseport accepts_none new_port",
      "reuseport accepts_one same_port", "reuseport accepts_one new_port",
      "reuseport accepts_all same_port", "reuseport accepts_all new_port",
    }, names_of(outcome.retries, "sharing", "stuck", "retry"))
    for _, record in ipairs(outcome.first) do assert_first(record, 4) end
    for _, record in ipairs(outcome.retries) do assert_retry(record) end
    assert.equal(0, outcome.first[1].hung)
  end)

  for _, workers in ipairs { 2, 3, 8 } do
    it(("holds with %d workers"):format(workers), function()
      local outcome, holds, why = run { workers = workers, clients = 140, sharing = "reuseport", retry = "same_port" }
      assert.is_true(holds, why)
      for _, record in ipairs(outcome.first) do
        assert.equal(record.hung, record.held)
        assert.equal(tonumber(("%.1f"):format(100 / workers)), record.predicted)
        assert.equal(workers, select(2, record.depths:gsub("%d+", "")))
      end
      for _, record in ipairs(outcome.retries) do assert_retry(record) end
    end)
  end

  for _, stuck in ipairs { "accepts_none", "accepts_one", "accepts_all" } do
    for _, sharing in ipairs { "shared", "reuseport" } do
      it(("can be asked for one case alone: %s, %s"):format(sharing, stuck), function()
        local outcome, holds, why = run { sharing = sharing, stuck = stuck, retry = "none" }
        assert.is_true(holds, why)
        assert.same({ sharing .. " " .. stuck }, names_of(outcome.first, "sharing", "stuck"))
        assert.same({}, outcome.retries)
        assert_first(outcome.first[1], 4)
      end)
    end
  end

  for _, retry in ipairs { "same_port", "new_port" } do
    it("can be asked for one way to try again alone: " .. retry, function()
      local outcome, holds, why = run { sharing = "reuseport", stuck = "accepts_none", retry = retry }
      assert.is_true(holds, why)
      assert.same({ retry }, names_of(outcome.retries, "retry"))
      assert.equal(outcome.first[1].hung, outcome.retries[1].tried)
      assert_retry(outcome.retries[1])
    end)
  end
end)

describe("stuck_worker with other knobs #part_knobs", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("drops what does not fit into the stuck worker's queue, though the other queues are empty", function()
    local outcome, holds, why = run { sharing = "reuseport", stuck = "accepts_none", retry = "none", backlog = 1,
      load = 0.05 }
    assert.is_true(holds, why)
    local record = outcome.first[1]
    assert.same({ "0 0 0 2", 2 }, { record.depths, record.held })
    assert.is_true(record.hung > 2)
    assert.is_true(record.overflows >= record.hung - 2)
  end)

  it("sees a worker that accepts and never answers draw more, the busier the others are", function()
    local function predicted(load)
      local knobs = { sharing = "shared", stuck = "accepts_all", retry = "none", load = load, clients = 200 }
      local outcome, holds, why = run(knobs)
      assert.is_true(holds, why)
      assert.equal(outcome.first[1].hung, outcome.first[1].held)
      return outcome.first[1].predicted
    end
    local idle, busy, overloaded = predicted(0.1), predicted(1), predicted(10)
    assert.is_true(20 < idle and idle < 35, idle)
    assert.is_true(40 < busy and busy < 70, busy)
    assert.is_true(overloaded > 80, overloaded)
  end)

  it("counts which listener the kernel gives many connections to: one in n, no less and no more", function()
    for _, workers in ipairs { 2, 4, 10 } do
      local draws = run({ workers = workers, sharing = "reuseport", stuck = "accepts_none", retry = "none" }).draws
      for _, count in ipairs(draws) do assert.is_true(math.abs(count / 4000 - 1 / workers) < 0.05, count) end
      assert.same({ workers, 4000 }, { #draws, sum(table.concat(draws, " ")) })
    end
    assert.is_nil(run({ sharing = "shared", stuck = "accepts_none", retry = "none" }).draws)
  end)

  it("finds the share of a listener that draws too much or too little", function()
    local values = stuck_worker:settings()
    local outcome = run { clients = values.clients, service = values.service, patience = values.patience,
      retry = "none", sharing = "reuseport", stuck = "accepts_none" }
    values.retry, values.sharing, values.stuck = "none", "reuseport", "accepts_none"
    assert.equal("holds", judgement_of(stuck_worker, outcome, values).verdict)
    for _, count in ipairs { 160, 800, 1200, 1840 } do -- 4, 20, 30 and 46 % of 4000
      local rest = 4000 - count
      outcome.draws = { rest // 3, rest // 3, rest - 2 * (rest // 3), count }
      local judgement = judgement_of(stuck_worker, outcome, values)
      assert.equal("does not hold", judgement.verdict)
      assert.match("^the kernel gave %d+ of 4000 connections to listener %d of 4$", judgement.why)
    end
  end)

  it("judges nothing if no client met the stuck worker", function()
    local outcome, holds, why = run { clients = 1, sharing = "shared", stuck = "accepts_one", retry = "none" }
    assert.is_nil(holds)
    assert.equal("shared, accepts_one: no client met the stuck worker", why)
    assert.equal(0, outcome.first[1].hung)
  end)

  it("draws the arrivals by seed", function()
    local function predicted(seed)
      return run { sharing = "shared", stuck = "accepts_all", retry = "none", seed = seed }.first[1].predicted
    end
    assert.equal(predicted(1), predicted(1))
    assert.not_equal(predicted(1), predicted(3))
  end)

  it("lets those that hang wait out their patience", function()
    local started = lunet.now()
    assert.equal(1, run { sharing = "shared", stuck = "accepts_one", retry = "none", patience = 0.3 }.first[1].hung)
    assert.is_true(lunet.now() - started >= 0.3)
  end)

  it("control: if nobody is stuck, nobody hangs", function()
    local outcome, holds, why = run(merged(stuck_worker.control, { patience = 20 })) -- a late machine hangs nobody
    assert.is_false(holds)
    assert.equal("shared, nobody: no client hung", why)
    assert.same({ 0, 0 }, { outcome.first[1].hung, outcome.first[2].hung })
    assert.same({ "0", "0 0 0 0" }, { outcome.first[1].depths, outcome.first[2].depths })
    assert.same({}, outcome.retries)
  end)

  it("tells its figures", function()
    local function record(sharing, share) return { sharing = sharing, share = share } end
    assert.equal("hung: shared 0/1 %, reuseport 25.5 %", stuck_worker.figures {
      first = { record("shared", 0.0), record("shared", 1.0), record("reuseport", 25.5) } })
    assert.equal("hung: reuseport 25 %; a listener draws 990 to 1010",
      stuck_worker.figures { first = { record("reuseport", 25.0) }, draws = { 1000, 990, 1010, 1000 } })
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() stuck_worker { workers = 1 } end,
      "knob workers: 1 is not allowed; it is a whole number from 2 to 64 %(workers%)$")
    assert.error_matches(function() stuck_worker { clients = 0 } end, "knob clients: 0 is not allowed")
    assert.error_matches(function() stuck_worker { sharing = "epoll" } end,
      'knob sharing: "epoll" is not allowed; it is one of all, shared, reuseport %(way%)$')
    assert.error_matches(function() stuck_worker { stuck = "half" } end, 'knob stuck: "half" is not allowed')
    assert.error_matches(function() stuck_worker { retry = "never" } end, 'knob retry: "never" is not allowed')
    assert.error_matches(function() stuck_worker { patience = 0 } end, "knob patience: 0 is not allowed")
    assert.error_matches(function() stuck_worker { load = 0 } end, "knob load: 0 is not allowed")
    assert.error_matches(function() stuck_worker { service = 0 } end, "knob service: 0 is not allowed")
    assert.error_matches(function() stuck_worker { backlog = -1 } end, "knob backlog: %-1 is not allowed")
    assert.error_matches(function() stuck_worker { seed = 0.5 } end, "knob seed: 0.5 is not allowed")
  end)
end)
