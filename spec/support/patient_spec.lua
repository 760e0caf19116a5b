local lunet = require "lunet"
local patient = require "spec.support.patient"

-- Gives a patient `it` a body, and runs it as busted would, on a machine that is late by so many seconds, or by none.
-- `attempt` is the body of the attempt with that number. Returns how often the body ran, how often the spec waited, and
-- true or the message of the failure.
local function run(attempt, late)
  local runs, waits, given = 0, 0, nil
  local function watch()
    return setmetatable({ worst = function() return late or 0 end }, { __close = function() end })
  end
  local it, judge = patient(function(_, body) given = body end, function() waits = waits + 1 end, watch)
  it("description", function()
    runs = runs + 1
    attempt(runs, judge)
  end)
  local ok, failure = pcall(given)
  return runs, waits, ok or tostring(type(failure) == "table" and failure.message or failure)
end

local LATE <const> = "other turns: the machine was late"

-- A body whose attempts fail with these words, or pass where false stands. The last one stands for all later ones.
local function fails(words, holds)
  return function(number)
    local why = words[math.min(number, #words)]
    if why then assert.is_true(holds, why) end
  end
end

describe("a patient it", function()
  it("runs once a body that passes", function() assert.same({ 1, 0, true }, { run(fails { false }) }) end)

  it("waits and runs again a body that the machine disturbed", function()
    assert.same({ 3, 2, true }, { run(fails { LATE, LATE, false }) })
  end)

  it("passes if the machine disturbs every attempt", function()
    assert.same({ 5, 4, true }, { run(fails { LATE }) })
  end)

  it("fails if a claim did not hold, also if the message names the machine", function()
    local runs, _, failure = run(fails({ LATE }, false))
    assert.equal(5, runs)
    assert.matches(LATE, failure, 1, true)
  end)

  it("fails at once if the message does not name the machine", function()
    local runs, _, failure = run(fails { "4 were held" })
    assert.equal(1, runs)
    assert.matches("4 were held", failure)
    assert.equal(2, (run(fails { LATE, "4 machines were held" })))
  end)

  it("runs again what fails while tasks are late, and fails if the last attempt does", function()
    assert.same({ 2, 1, true }, { run(fails({ "4 were held", false }, false), 0.1) })
    local runs, _, failure = run(fails({ "4 were held" }, false), 0.1)
    assert.equal(5, runs)
    assert.matches("4 were held", failure)
    assert.equal(1, (run(fails({ "4 were held" }, false), 0.09)))
    assert.matches("4 were held", select(3, run(fails { "4 were held" }, 0.1))) -- nil is no excuse by itself
  end)

  it("runs an experiment again if the machine disturbed it, whatever the body asserts", function()
    local seen
    assert.same({ 2, 1, true }, { run(function(number, judge)
      seen = { judge(function(knobs) return knobs, number > 1 or nil, number == 1 and LATE or nil end, { a = 1 }) }
    end) })
    assert.same({ { a = 1 }, true }, seen)
    assert.same({ 5, 4, true }, { run(function(_, judge) judge(function() return {}, nil, LATE end) end) })
  end)

  it("ends the tasks that a disturbed attempt leaves running, and closes what it opened", function()
    local turns, before = {}, #lunet.open_handles()
    assert.same({ 2, 1, true }, { run(function(number)
      if number == 2 then return end
      lunet.listen { backlog = 1 }
      lunet.spawn(function()
        while lunet.sleep(0) do turns[#turns + 1] = number end
      end)
      lunet.sleep(0.001)
      error(LATE)
    end) })
    local then_ended = #turns
    lunet.sleep(0.01)
    assert.same({ then_ended, before }, { #turns, #lunet.open_handles() })
  end)

  it("fails if a body that passes leaves something open", function()
    local left
    assert.matches("the spec leaves handles open", select(3, run(function() left = lunet.listen { backlog = 1 } end)))
    assert.equal("CLOSED", select(3, left:accept(0)))
  end)

  it("runs no experiment again that was not judged for another reason", function()
    assert.same({ 1, 0, true }, { run(function(_, judge)
      local _, holds, why = judge(function() return {}, nil, "no client came" end)
      assert.same({ nil, "no client came" }, { holds, why })
    end) })
  end)
end)
