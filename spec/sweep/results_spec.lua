local results = require "lunet.sweep.results"

-- A sweep whose plan and records are given: `records` by the run's name.
local function sweep_of(axes, points, records, measures)
  local plan = { axes = axes, points = points, runs = 2, measures = measures or {} }
  function plan.runs_of() return plan.runs end
  function plan.run_of(_, point, replicate) return { name = point.id .. replicate } end
  return results.of { path = "/nowhere", plan = plan, store = {
    read = function(_, name) return records[name] end,
    read_brief = function(_, name) return records[name] end,
  } }
end

local function record(point, replicate, outcome, more)
  local made = { point = point, replicate = replicate, seed = replicate, state = "done", verdict = "holds",
    knobs = { backlog = 3, seed = replicate }, outcome = outcome, host = "vm" }
  for field, any in pairs(more or {}) do made[field] = any end
  return made
end

local A <const> = { id = "a", knobs = { backlog = "3" } }

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

describe("results.csv", function()
  it("has a row for each run, a column for each knob and for each figure, nested ones with a dot", function()
    local made = sweep_of({ "backlog" }, { A }, {
      a1 = record("a", 1, { goodput = 48.5, queue = { depth = 3, states = { "open" } }, is_full = true }),
      a2 = record("a", 2, nil, { state = "failed", verdict = "could not run", why = "no luck, none" }),
    })
    assert.same({
      "point,replicate,seed,state,verdict,backlog,goodput,is_full,queue.depth,queue.states.1,identity,attempt,started,"
        .. "seconds,cpu,load,lateness,host,why",
      "a,1,1,done,holds,3,48.5,true,3,open,,,,,,,,vm,",
      'a,2,2,failed,could not run,3,,,,,,,,,,,,vm,"no luck, none"',
    }, lines_of(made:runs_csv()))
  end)

  it("has the points in the order of the plan, and leaves out what is missing", function()
    local made = sweep_of({}, { { id = "b", knobs = {} }, A }, { a1 = record("a", 1, {}), b2 = record("b", 2, {}) })
    local lines = lines_of(made:runs_csv())
    assert.same({ "b,2", "a,1" }, { lines[2]:sub(1, 3), lines[3]:sub(1, 3) })
    assert.equal(3, #lines)
  end)

  it("keeps of the records what it shows, and once what they have in common", function()
    local claim = ("It holds. "):rep(20)
    local made = sweep_of({}, { A }, {
      a1 = record("a", 1, {}, { claim = claim, environment = { kernel = "x" } }),
      a2 = record("a", 2, {}, { claim = claim, knobs = { backlog = 3, seed = 2 } }),
    })
    local first, second = made.rows[1], made.rows[2]
    assert.is_nil(first.record.environment)
    assert.equal(claim, second.record.claim)
    assert.is_true(rawequal(first.knobs, second.knobs))
    assert.same({ backlog = 3 }, second.knobs)
  end)

  it("keeps knobs apart that differ", function()
    local rows = sweep_of({}, { A }, { a1 = record("a", 1, {}),
      a2 = record("a", 2, {}, { knobs = { backlog = 3.0 } }) }).rows
    assert.same({ "integer", "float" }, { math.type(rows[1].knobs.backlog), math.type(rows[2].knobs.backlog) })
  end)

  it("ends at a record that cannot be read", function()
    assert.has_error(function()
      local plan = { points = { A }, measures = {}, runs_of = function() return 1 end,
        run_of = function() return { name = "a1" } end }
      results.of { path = "/nowhere", plan = plan, store = { read_brief = function() return nil, "no luck" end } }
    end, { lost = "no luck (without it the run is missing, and is done again)" })
  end)

  it("tells columns of the same name apart", function()
    local made = sweep_of({}, { A }, { a1 = record("a", 1, { backlog = 4, host = "h" },
      { knobs = { backlog = 3, load = 0.5 } }) })
    local lines = lines_of(made:runs_csv())
    assert.matches("verdict,backlog,knob.load,outcome.backlog,outcome.host,identity", lines[1], 1, true)
    assert.matches("holds,3,0.5,4,h,", lines[2], 1, true)
  end)

  it("writes a list of a knob as the command line does", function()
    local made = sweep_of({}, { A }, { a1 = record("a", 1, {}, { knobs = { backlogs = { 3, 5, 40 } } }) })
    assert.matches(",holds,3+5+40,", lines_of(made:runs_csv())[2], 1, true)
  end)
end)

describe("summary.csv", function()
  -- Points with more runs than two replicates.
  local function rows_of(outcomes, measures)
    local records = {}
    local plan = { axes = { "backlog" }, points = { A }, runs = #outcomes, measures = measures or {} }
    function plan.runs_of() return plan.runs end
    function plan.run_of(_, point, replicate) return { name = point.id .. replicate } end
    for i, outcome in ipairs(outcomes) do records["a" .. i] = record("a", i, outcome.record and nil or outcome,
      outcome.record) end
    local made = results.of { path = "/nowhere", plan = plan, store = {
      read = function(_, name) return records[name] end,
      read_brief = function(_, name) return records[name] end,
    } }
    local rows = {}
    for _, row in ipairs(made:summary()) do rows[row.figure] = row end
    return rows, made
  end

  it("has the median by order statistics, and the mean", function()
    local outcomes = {}
    for i, y in ipairs { 3, 1, 2, 5, 4, 60 } do outcomes[i] = { y = y } end
    local row = rows_of(outcomes).y
    assert.same({ 6, 3.5, 12.5, 1, 60, "median, order statistics" },
      { row.n, row.median, row.mean, row.low, row.high, row.method })
    assert.same({ "a", "3", 0, 0 }, { row.point, row["knob.backlog"], row.invalid, row.failed })
  end)

  it("has no interval for fewer than six runs, and says so", function()
    local row = rows_of({ { y = 1 }, { y = 2 } }).y
    assert.same({ 2, 1.5, 1.5, nil, nil, "none: fewer than 6 runs" },
      { row.n, row.median, row.mean, row.low, row.high, row.method })
  end)

  it("counts the runs that came to nothing, and leaves their figures out", function()
    local rows = rows_of { { y = 1 }, { record = { state = "invalid", verdict = "not judged", outcome = { y = 9 } } },
      { record = { state = "failed", verdict = "could not run" } } }
    assert.same({ 1, 1, 1, 1 }, { rows.y.n, rows.y.mean, rows.y.invalid, rows.y.failed })
  end)

  it("has shares of what is true or false, with Wilson's interval, and of the runs that hold", function()
    local rows = rows_of { { ok = true }, { ok = false },
      { record = { verdict = "does not hold", outcome = { ok = true } } } }
    for _, name in ipairs { "ok", "holds" } do
      assert.same({ 3, "share, Wilson" }, { rows[name].n, rows[name].method })
      assert.near(2 / 3, rows[name].mean, 1e-12)
      assert.near(0.2076, rows[name].low, 1e-4)
      assert.near(0.9385, rows[name].high, 1e-4)
    end
  end)

  -- Bistable: 3 of 10 runs are down. Intervals: scipy 1.10.1's binomtest(k, 10).proportion_ci(method="wilson").
  local function bistable(outcome_of)
    local outcomes = {}
    for i = 1, 10 do outcomes[i] = outcome_of(i <= 3, i) end
    return outcomes
  end

  local function assert_shares(rows, down, up)
    for name, share in pairs { [down] = { 0.3, 0.10779126740630102, 0.6032218525388546 },
      [up] = { 0.7, 0.39677814746114526, 0.892208732593699 } } do
      local row = rows[name]
      assert.same({ 10, "share, Wilson" }, { row.n, row.method })
      assert.is_nil(row.median)
      for i, field in ipairs { "mean", "low", "high" } do assert.near(share[i], row[field], 1e-12) end
    end
  end

  it("has the share of runs in each state of a number, and says so where its mean stands", function()
    local measures = { { name = "y", meaning = "", states = { "down", 50, "up" } } }
    local rows = rows_of(bistable(function(is_down, i) return { y = is_down and i or 100 + i } end), measures)
    assert_shares(rows, "y=down", "y=up")
    assert.equal("median, order statistics; in more than one state: down 3, up 7", rows.y.method)
    rows = rows_of(bistable(function(_, i) return { y = 100 + i } end), measures)
    assert.equal("median, order statistics", rows.y.method)
    assert.same({ 0.0, 1.0 }, { rows["y=down"].mean, rows["y=up"].mean })
  end)

  it("has the share of runs in each state of a text or a truth, and nothing else of these", function()
    local measures = { { name = "y", meaning = "", states = { "down", "up" } } }
    local rows, made = rows_of(bistable(function(is_down) return { y = is_down and "down" or "up" } end), measures)
    assert_shares(rows, "y=down", "y=up")
    assert.is_nil(rows.y)
    assert.is_nil(made:runs_csv():find("y=", 1, true))
    assert_shares(rows_of(bistable(function(is_down) return { y = not is_down } end), measures), "y=down", "y=up")
  end)

  it("draws one of two states, and each of three", function()
    local function drawn(states)
      local _, made = rows_of({ { y = "a" } }, { { name = "y", meaning = "", states = states } })
      local names = {}
      for i, measure in ipairs(made:drawn_measures()) do names[i] = measure.name end
      return names
    end
    assert.same({ "y=b" }, drawn { "a", "b" })
    assert.same({ "y=a", "y=b", "y=c" }, drawn { "a", "b", "c" })
    assert.same({ "y", "y=b" }, drawn { "a", 5, "b" })
  end)

  it("has the declared measures first, though no run has one, and no texts", function()
    local _, made = rows_of({ { a = 1, z = 2, text = "x" } }, { { name = "z" }, { name = "none" } })
    local names = {}
    for i, row in ipairs(made:summary()) do names[i] = row.figure end
    assert.same({ "holds", "z", "none", "a" }, names)
    assert.matches("^point,knob.backlog,figure,n,invalid,failed,median,mean,low,high,method\n", made:summary_csv())
    assert.matches("\na,3,none,0,0,0,,,,,none: no run has it\n", made:summary_csv(), 1, true)
  end)
end)
