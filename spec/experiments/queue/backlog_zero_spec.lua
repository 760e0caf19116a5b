local backlog_zero = dofile "experiments/queue/backlog_zero.lua"
local judgement_of = require "spec.support.judgement"
local lunet = require "lunet"
local rows = require "spec.support.rows"
local it, judge = require "spec.support.patient"(it)

-- How a kernel before 6.13 that was not mended has it.
local function old_outcome()
  local function row(cookies, backlog, connected, overflows, requests)
    return { cookies = cookies, backlog = backlog, connected = connected, next = "TIMEOUT", overflows = overflows,
      requests = requests }
  end
  return { rows = { row(0, 0, 0, 0, 1), row(0, 1, 2, 1, 0), row(1, 0, 1, 1, 0), row(1, 1, 2, 1, 0) } }
end

describe("backlog_zero", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: a queue holds one more than its backlog, with and without SYN cookies", function()
    local outcome, holds, why = judge(backlog_zero)
    if not holds and outcome.rows[1].requests > 0 then -- a kernel that was not mended
      return assert.is_true((pcall(backlog_zero.expects[1].check, outcome, backlog_zero:settings {})))
    end
    assert.is_true(holds, why)
    assert.same({ { 0, 0, 1 }, { 0, 1, 2 }, { 1, 0, 1 }, { 1, 1, 2 } },
      rows.fields(outcome.rows, "cookies", "backlog", "connected"))
    assert.equal("admitted: backlog 0 without cookies 1, backlog 1 without cookies 2, backlog 0 1, backlog 1 2",
      backlog_zero.figures(outcome))
  end)

  it("knows what a kernel does instead that was not mended, and nothing else", function()
    local values, outcome = backlog_zero:settings {}, old_outcome()
    assert.is_false((pcall(backlog_zero.check, outcome, values)))
    assert.is_true((pcall(backlog_zero.expects[1].check, outcome, values)))
    outcome.rows[1].requests = 0 -- nobody is admitted, and not for that
    outcome.rows[1].overflows = 1
    assert.is_false((pcall(backlog_zero.expects[1].check, outcome, values)))
  end)

  it("judges nothing if a client gave up before its SYN was dropped", function()
    local outcome = old_outcome()
    outcome.rows[4].overflows = 0
    outcome.rows[1] = { cookies = 0, backlog = 0, connected = 1, next = "TIMEOUT", overflows = 1, requests = 0 }
    local judgement = judgement_of(backlog_zero, outcome, backlog_zero:settings {})
    assert.equal("not judged", judgement.verdict)
    assert.matches("^cookies 1, backlog 1: the machine was late", judgement.why)
  end)

  it("control: with a client in the queue already one fewer is admitted", function()
    local outcome, holds, why = judge(backlog_zero, { before = 1, patience = 0.1 })
    assert.is_false(holds)
    assert.matches("^cookies 0, backlog 0: connected is 0, not 1", why)
    assert.same({ 0, 1, 0, 1 }, rows.column(outcome.rows, "connected"))
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() backlog_zero { before = 2 } end, "knob before: 2 is not allowed")
    assert.error_matches(function() backlog_zero { patience = 0 } end, "knob patience: 0 is not allowed")
  end)
end)
