local results = require "lunet.sweep.results"

-- A sweep whose plan and records are given: `records` by the run's name.
local function sweep_of(axes, points, records, measures)
  local plan = { axes = axes, points = points, runs = 2, measures = measures or {} }
  function plan.runs_of() return plan.runs end
  function plan.run_of(_, point, replicate) return { name = point.id .. replicate } end
  return results.of { plan = plan, store = {
    state = function(_, name) return records[name] and records[name].state or "missing" end,
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
    local made = results.of { plan = plan, store = {
      state = function(_, name) return records[name].state end,
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

  it("has the declared measures first, though no run has one, and no texts", function()
    local _, made = rows_of({ { a = 1, z = 2, text = "x" } }, { { name = "z" }, { name = "none" } })
    local names = {}
    for i, row in ipairs(made:summary()) do names[i] = row.figure end
    assert.same({ "holds", "z", "none", "a" }, names)
    assert.matches("^point,knob.backlog,figure,n,invalid,failed,median,mean,low,high,method\n", made:summary_csv())
    assert.matches("\na,3,none,0,0,0,,,,,none: fewer than 6 runs\n", made:summary_csv(), 1, true)
  end)
end)
