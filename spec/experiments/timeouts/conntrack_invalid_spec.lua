local assert_holds = require "spec.support.assert_holds"
local conntrack_invalid = dofile "experiments/timeouts/conntrack_invalid.lua"
local lunet = require "lunet"
local rows = require "spec.support.rows"
local it, judge = require "spec.support.patient"(it)

describe("conntrack_invalid", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: one segment ends a connection, unless the NAT is liberal or drops it", function()
    local outcome, holds, why = judge(conntrack_invalid)
    assert_holds(holds, why)
    assert.same({ { "none", "ECONNRESET", 1, 0, "EOF" }, { "liberal", "nothing", 0, 0, "words" },
      { "drop", "nothing", 0, 1, "words" } },
      rows.fields(outcome.rows, "remedy", "server", "resets", "dropped", "words"))
    assert.equal("of 3 connections 1 were reset", conntrack_invalid.figures(outcome))
  end)

  it("holds for a segment as far beyond the window as can be", function()
    local _, holds, why = judge(conntrack_invalid, { beyond = 1000000000, remedy = "none" })
    assert_holds(holds, why)
  end)

  it("control: what the client has acknowledged long ago does no harm", function()
    local outcome, holds, why = judge(conntrack_invalid, conntrack_invalid.control)
    assert.is_false(holds)
    assert.matches("none: .* is ", why)
    for _, fields in ipairs(rows.fields(outcome.rows, "server", "resets", "words")) do
      assert.same({ "nothing", 0, "words" }, fields)
    end
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() conntrack_invalid { beyond = 0 } end, "knob beyond: 0 is not allowed")
    assert.error_matches(function() conntrack_invalid { remedy = "prayer" } end, 'knob remedy: "prayer" is not allowed')
    assert.error_matches(function() conntrack_invalid { segment = "early" } end, 'knob segment: "early" is not allowed')
  end)
end)
