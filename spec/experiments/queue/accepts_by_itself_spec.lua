local accepts_by_itself = dofile "experiments/queue/accepts_by_itself.lua"
local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local rows = require "spec.support.rows"
local it, judge = require "spec.support.patient"(it)

local is_here, missing = needs.find(accepts_by_itself.needs)
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

describe("accepts_by_itself", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  local function fields_of(outcome) return rows.fields(outcome.rows, "server", "connected", "accepted", "queued") end

  it("holds as it is: the kernel accepts for a stuck server, whose queue stays empty", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(accepts_by_itself)
    assert_holds(holds, why)
    assert.same({ { "accept", 3, 0, 3 }, { "multishot", 8, 8, 0 } }, fields_of(outcome))
    assert.equal("accept 3 connected, 0 accepted; multishot 8 connected, 8 accepted",
      accepts_by_itself.figures(outcome))
  end)

  it("holds for another backlog and more clients", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(accepts_by_itself, { server = "multishot", backlog = 0, clients = 40 })
    assert_holds(holds, why)
    assert.same({ { "multishot", 40, 40, 0 } }, fields_of(outcome))
  end)

  it("control: a server that is stopped accepts nobody", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(accepts_by_itself, accepts_by_itself.control)
    assert.is_false(holds)
    assert.matches("^multishot: ", why)
    assert.same({ { "accept", 3, 0, 3 }, { "multishot", 3, 0, 3 } }, fields_of(outcome))
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() accepts_by_itself { clients = 0 } end, "knob clients: 0 is not allowed")
    assert.error_matches(function() accepts_by_itself { state = "asleep" } end, 'knob state: "asleep" is not allowed')
  end)
end)
