-- The harness of wrong outcomes (spec/outcomes/run.lua), by experiments of its own and by real ones without a check.
local catalogue = require "lunet.command.catalogue"
local experiment = require "lunet.experiment"
local lfs = require "lfs"
local merged = require "spec.support.merged"
local mutations = require "spec.support.outcome_mutations"
local program = require "spec.support.program"
local sources = require "spec.support.outcome_sources"

local OUTCOME <const> = {
  count = 3, is_there = true, state = "ESTABLISHED", seconds = 1.5, sent_bytes = 3000, nobody = 0,
  rows = { { case = "a", ms = 30 }, { case = "b", ms = 0 } },
}

-- The wrong values that are tried, by field.
local function wrong_of(outcome, sizes)
  local wrong = {}
  for _, field in ipairs(mutations.fields(outcome, sizes)) do
    wrong[field.name] = wrong[field.name] or {}
    table.insert(wrong[field.name], field.wrong)
  end
  return wrong
end

describe("the wrong values of a field", function()
  it("are those of its kind: boolean, count, time, size, state, list", function()
    assert.same({
      count = { { 4, 2, 0 } }, is_there = { { false } }, state = { { "SYN_SENT", "SYN_RECV" } },
      seconds = { { 0.5, 4.5 } }, sent_bytes = { { 1000, 9000 } }, nobody = { { 1 } },
      rows = { { { { case = "b", ms = 0 } }, { { case = "a", ms = 30 } } } },
      ["rows[].case"] = { { "b" }, { "a" } },
      ["rows[].ms"] = { { 10, 90 }, { 30 } },
    }, wrong_of(OUTCOME))
  end)

  it("of a whole number without a unit are those of a size if it is listed as one", function()
    assert.same({ { 1, 9 } }, wrong_of(OUTCOME, { count = true }).count)
  end)
end)

-- Tries the wrong outcomes on a check.
local function try(check, listing)
  local declared = experiment { claim = "It is so.", run = function() return OUTCOME end, check = check }
  return mutations.try(declared, OUTCOME, {}, listing)
end

local function check_all(outcome)
  assert.same(OUTCOME, outcome)
end

describe("a check", function()
  it("that compares everything notices everything", function()
    assert.same({ fields = 11, noticed = 11, shown = 0, complaints = {} }, try(check_all))
  end)

  it("that compares nothing notices nothing, and each wrong value is told", function()
    local tally = try(function() end)
    assert.same({ 11, 0, 0 }, { tally.fields, tally.noticed, tally.shown })
    assert.equal("count is 3: with 4 the claim holds", tally.complaints[1])
    assert.equal("rows is a list of 2: with a list of 1 the claim holds", tally.complaints[6])
    assert.equal("rows.1.case is \"a\": with \"b\" the claim holds", tally.complaints[8])
  end)

  it("that has only a lower bound is caught", function()
    local tally = try(function(outcome)
      check_all(merged(outcome, { seconds = 1.5 }))
      assert.is_true(outcome.seconds > 1)
    end)
    assert.same({ "seconds is 1.5: with 4.5 the claim holds" }, tally.complaints)
  end)

  it("may leave out a field that is listed as shown, or in some records only", function()
    local function check(outcome)
      local same = merged(outcome, { rows = {}, state = "ESTABLISHED" })
      for i, row in ipairs(outcome.rows) do
        same.rows[i] = merged(row, { ms = OUTCOME.rows[i] and OUTCOME.rows[i].ms })
      end
      check_all(same)
    end
    local shown = { state = "why", ["rows[].ms"] = { why = "why", when = function(row, outcome)
      return row.case == "a" and outcome.state == OUTCOME.state
    end } }
    local tally = try(check, { shown = shown })
    assert.same({ 11, 8, 2 }, { tally.fields, tally.noticed, tally.shown })
    assert.same({ "rows.2.ms is 0: with 30 the claim holds" }, tally.complaints)
  end)

  it("cannot make figures of the knobs alone", function()
    local declared = experiment { claim = "It is so.", run = function() return OUTCOME end, check = check_all,
      figures = function() return "5 of 6" end }
    assert.same({ "the figures are the same whatever the outcome is" },
      mutations.try(declared, OUTCOME, {}).complaints)
  end)

  it("that ends by a mistake of its own has not noticed", function()
    local tally = try(function(outcome) return outcome.rows[2].case < "c" and check_all(outcome) end)
    assert.equal(2, #tally.complaints)
    assert.match("^rows is a list of 2: with a list of 1 the check of the experiment is wrong: ", tally.complaints[1])
  end)

  it("that refuses to judge has noticed", function()
    assert.equal(11, try(function(outcome)
      if not pcall(check_all, outcome) then experiment.not_judged "something is odd" end
    end).noticed)
  end)
end)

describe("the source of a field", function()
  it("is told when it is always the same literal, or a knob", function()
    local function constant(text) return sources.constant(text, "b") end
    assert.equal("true", constant "return { a = x, b = true }")
    assert.equal("knobs.size", constant "row.b = knobs.size")
    assert.equal('"c, d"', constant 'return { b = "c, d", b = b }')
    for _, made in ipairs { "1000 * knobs.size", "math.max(0, knobs.size + 1)", "case.least(knobs)",
      "case.least and statistics.round(case.least(knobs), 3)", "knobs.a / knobs.b" } do
      assert.is_string(constant(("return { a = x, b = %s }"):format(made)), made)
    end
    for _, measured in ipairs { "seconds - knobs.size", "lunet.now() + knobs.size", "case.abort", "f(row, knobs)" } do
      assert.is_nil(constant(("return { a = x, b = %s }"):format(measured)), measured)
    end
    assert.is_nil(constant "return { b = connection:state() }")
    assert.is_nil(constant "row.b = 0 row.c = 1\nrow.b = row.b + 1")
    assert.is_nil(constant 'row.b = "yes"\nrow.b = "no"')
    assert.is_nil(constant "if row.b == true then return { bb = true, c.b(true) } end")
  end)

  it("is told when it is a copy of a knob, in whatever unit", function()
    local declared = experiment { claim = "It is so.", run = function() return {} end, check = function() end,
      knobs = { patience = { 0.2, "s", "how long" }, count = { 5, "", "how many" } } }
    local values = sources.marked(declared, declared:settings())
    assert.is_true(math.abs(values.patience - 0.2) < 1e-8)
    assert.equal(5, values.count)
    for _, copied in ipairs { values.patience, values.patience * 1000 } do
      assert.equal("patience", sources.knob_of(copied, values))
    end
    for _, measured in ipairs { 0.2, 0.20001, 5, 0.0 } do assert.is_nil(sources.knob_of(measured, values)) end
  end)
end)

describe("the wrong outcomes of an experiment", function()
  it("are tried of every experiment: spec/outcomes/ has a file for each, and no other", function()
    local names = {}
    for _, entry in ipairs(assert(catalogue.load "experiments")) do names[#names + 1] = entry.name end
    table.sort(names)
    local listed = {}
    for name in lfs.dir "spec/outcomes" do
      local experiment_name = name:match "^([%w_]+)%.lua$"
      if experiment_name and experiment_name ~= "run" then listed[#listed + 1] = experiment_name end
    end
    table.sort(listed)
    assert.same(names, listed)
  end)

  for _, name in ipairs { "connect_without_accept", "stale_replay", "ghost_kinds" } do
    it("are not noticed without its check: " .. name, function()
      local result = program.shell(("exec %s spec/outcomes/run.lua %s --without-check"):format(os.getenv "LUNET", name))
      assert.equal(1, result.status)
      assert.match(("^%s +%%d+ fields +0 noticed"):format(name), result.output)
      assert.match("the claim holds\n", result.output, 1, true)
    end)
  end
end)
