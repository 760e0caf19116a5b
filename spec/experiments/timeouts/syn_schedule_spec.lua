local assert_holds = require "spec.support.assert_holds"
local features = require "lunet.network.features"
local judgement_of = require "spec.support.judgement"
local lunet = require "lunet"
local rows = require "spec.support.rows"
local syn_schedule = dofile "experiments/timeouts/syn_schedule.lua"
local it, judge = require "spec.support.patient"(it)

local HAS_LINEAR <const> = features.has_sysctl "net.ipv4.tcp_syn_linear_timeouts"

-- An outcome as the kernel's timers make it, with linear timeouts or without.
local function outcome_of(has_linear)
  local slow, quick = { 0, 1.02, 3.03 }, { 0, 1.02, 2.03, 3.04, 4.04, 5.06 }
  local function row(linear, freed, syns, at, result, seconds)
    return { linear = linear, freed = freed, syns = syns, at = at, result = result, seconds = seconds }
  end
  local without = { row(0, "never", 3, slow, "ETIMEDOUT", 7.2), row(0, 4.751, 3, slow, "ETIMEDOUT", 7.2) }
  if has_linear then
    without[3], without[4] = row(4, "never", 6, quick, "ETIMEDOUT", 7.1), row(4, 4.751, 6, quick, "connected", 5.06)
  else
    without[3], without[4] = row(4, "never", 3, slow, "ETIMEDOUT", 7.2), row(4, 4.751, 3, slow, "ETIMEDOUT", 7.2)
  end
  return { rows = without, lateness = 0.0 }
end

local function verdict_of(outcome, knobs)
  return judgement_of(syn_schedule, outcome, syn_schedule:settings(knobs or {}))
end

describe("syn_schedule", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: six SYNs in place of three, the same end, and a late place is found", function()
    local outcome, holds, why = judge(syn_schedule)
    if not HAS_LINEAR then
      assert.same({ 3, 3, 3, 3 }, rows.column(outcome.rows, "syns"))
      return assert.equal("known difference", verdict_of(outcome).verdict)
    end
    if not assert_holds(holds, why) then return end
    assert.same({ { 0, 3, "ETIMEDOUT" }, { 0, 3, "ETIMEDOUT" }, { 4, 6, "ETIMEDOUT" }, { 4, 6, "connected" } },
      rows.fields(outcome.rows, "linear", "syns", "result"))
    assert.matches("^3 SYNs, ETIMEDOUT after 7%.%d s; .*; with a late place 6 SYNs, connected after 5%.%d s$",
      syn_schedule.figures(outcome))
  end)

  it("control: clients that find a place are connected by one SYN", function()
    local outcome, holds, why = judge(syn_schedule, { full = false, freed_after = 0.1, retries = 1 })
    assert.is_false(holds)
    assert.equal("linear 0: result is connected, not ETIMEDOUT", why)
    assert.same({ 1, 1, 1, 1 }, rows.column(outcome.rows, "syns"))
  end)

  it("tells the schedules apart, and knows that of a kernel before 6.5", function()
    local values, new, old = syn_schedule:settings {}, outcome_of(true), outcome_of(false)
    local former = syn_schedule.expects[1].check
    assert.same({ true, false, false, true }, { (pcall(syn_schedule.check, new, values)),
      (pcall(syn_schedule.check, old, values)), (pcall(former, new, values)), (pcall(former, old, values)) })
  end)

  it("judges by the kernel's timers: not early, at most an eighth late, the machine's lateness apart", function()
    local outcome, values = outcome_of(true), syn_schedule:settings {}
    outcome.rows[1].at[2] = 0.97
    assert.error_matches(function() syn_schedule.check(outcome, values) end,
      "linear 0: SYN 2 went out after 0.97 s, before 1 s")
    outcome.rows[1].at[2] = 1.3
    assert.error_matches(function() syn_schedule.check(outcome, values) end, "linear 0: SYN 2 went out after 1.3 s")
    outcome.lateness = 0.5
    assert.equal("not judged", verdict_of(outcome).verdict)
    outcome.rows[1].at[2] = 1.02
    outcome.rows[2].freed, outcome.rows[4].freed = 5.01, 5.01
    assert.equal("not judged", verdict_of(outcome, { freed_after = 5 }).verdict)
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() syn_schedule { linear = 0 } end, "knob linear: 0 is not allowed")
    assert.error_matches(function() syn_schedule { retries = 7 } end, "knob retries: 7 is not allowed")
    assert.error_matches(function() syn_schedule { freed_after = -1 } end, "knob freed_after: %-1 is not allowed")
  end)
end)
