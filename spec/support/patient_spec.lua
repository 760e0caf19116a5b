local patient = require "spec.support.patient"

-- Runs a body as busted would that it is given to; the outcomes are what the body raises each time, or false.
local function run(outcomes, holds)
  local runs, given = 0, nil
  patient(function(_, body) given = body end)("description", function()
    runs = runs + 1
    local outcome = outcomes[math.min(runs, #outcomes)]
    if outcome then assert.is_true(holds, outcome) end
  end)
  local ok, failure = pcall(given)
  return runs, ok or tostring(failure.message or failure)
end

local LATE <const> = "other turns: the machine was late"

describe("a patient it", function()
  it("runs once what passes", function() assert.same({ 1, true }, { run { false } }) end)

  it("runs again what the machine disturbed", function() assert.same({ 3, true }, { run { LATE, LATE, false } }) end)

  it("lets pass what the machine disturbs every time", function() assert.same({ 4, true }, { run { LATE } }) end)

  it("lets fail a claim that did not hold, also if its words name the machine", function()
    local runs, failure = run({ LATE }, false)
    assert.equal(4, runs)
    assert.matches(LATE, failure, 1, true)
  end)

  it("lets fail at once what the machine has no part in", function()
    local runs, failure = run { "4 were held" }
    assert.equal(1, runs)
    assert.matches("4 were held", failure)
    assert.equal(2, (run { LATE, "4 machines were held" }))
  end)
end)
