local differences = require "lunet.sweep.differences"
local results = require "lunet.sweep.results"

local A <const> = { id = "a", knobs = { backlog = "3" } }
local B <const> = { id = "b", knobs = { backlog = "5" } }

-- Values of a measure at two points, by the number of the run; nil is a run that is missing.
local function found_of(a, b, seeded)
  local plan = { axes = { "backlog" }, points = { A, B }, seeded = seeded ~= false,
    measures = { { name = "y", unit = "", meaning = "" } } }
  function plan.runs_of() return 5 end
  function plan.run_of(_, point, replicate) return { name = point.id .. replicate, point = point.id, n = replicate } end
  local function read(_, name)
    local point, replicate = name:match "(.)(.)"
    local y = (point == "a" and a or b)[tonumber(replicate)]
    return y ~= nil and { point = point, replicate = tonumber(replicate), state = "done", outcome = { y = y },
      verdict = "holds", knobs = {} } or nil
  end
  return results.of { path = "/nowhere", plan = plan, store = { read = read, read_brief = read } }
end

local function row_of(...)
  for _, row in ipairs(differences.of(found_of(...))) do
    if row.figure == "y" then return row end
  end
end

-- Expected values: scipy 1.10.1, stats.ttest_rel(b, a).confidence_interval().
describe("the differences between points", function()
  local function assert_row(row, n, difference, low, high)
    assert.same({ n, "b", "a", "5", "mean of paired differences, Student's t" },
      { row.pairs, row.point, row.against, row["knob.backlog"], row.method })
    assert.near(difference, row.difference, 1e-12)
    assert.near(low, row.low, 1e-9)
    assert.near(high, row.high, 1e-9)
  end

  it("are those of pairs of runs of the same seed, from the first point", function()
    local row = row_of({ 10, 11, 12, 13, 10 }, { 12, 15, 11, 19, 14 })
    assert_row(row, 5, 3.0, -0.28513415114931684, 6.285134151149316)
  end)

  it("are those of the runs that both points have", function()
    local row = row_of({ 10, nil, 12, 13, 10 }, { 12, 15, 11, nil, 14 })
    assert_row(row, 3, 5 / 3, -4.584942812944217, 7.918276146277551)
  end)

  it("are shares where the measure is true or false", function()
    local row = row_of({ true, false, false, false, false }, { true, true, true, true, true })
    assert.equal(0.8, row.difference)
  end)

  it("are none without seeds, and say why one has no interval", function()
    assert.same({}, differences.of(found_of({ 1, 2 }, { 1, 2 }, false)))
    local row = row_of({ 1, 2 }, { 1 })
    assert.same({ 1, nil, "none: fewer than 2 runs" }, { row.pairs, row.difference, row.method })
  end)

  it("are a table as CSV, and for a page", function()
    local found = found_of({ 1, 2, 3 }, { 2, 3, 4 })
    local rows = differences.of(found)
    assert.equal("point,knob.backlog,against,figure,pairs,difference,low,high,method\n"
      .. 'b,5,a,holds,3,0.0,0.0,0.0,"mean of paired differences, Student\'s t"\n'
      .. 'b,5,a,y,3,1.0,1.0,1.0,"mean of paired differences, Student\'s t"\n', differences.csv(found, rows))
    local head, texts = differences.table(found, rows)
    assert.same({ "backlog", "figure", "pairs", "difference" }, head)
    assert.same({ "5", "y", "3", "1 (1 to 1)" }, texts[2])
  end)
end)
