local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local nat_timeout = dofile "experiments/timeouts/nat_timeout.lua"
local rows = require "spec.support.rows"
local it, judge = require "spec.support.patient"(it)

describe("nat_timeout", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: who speaks first decides, and whether the NAT takes connections up again", function()
    local outcome, holds, why = judge(nat_timeout)
    assert_holds(holds, why)
    assert.same({
      { "none", "client", 1, "nothing", "news" }, { "none", "client", 0, "nothing", "nothing" },
      { "none", "server", 1, "ECONNRESET", "nothing" }, { "none", "server", 0, "ECONNRESET", "nothing" },
      { "keepalive", "client", 1, "nothing", "news" }, { "keepalive", "client", 0, "nothing", "news" },
      { "keepalive", "server", 1, "nothing", "news" }, { "keepalive", "server", 0, "nothing", "news" },
      { "user_timeout", "client", 1, "nothing", "news" }, { "user_timeout", "client", 0, "ETIMEDOUT", "nothing" },
      { "user_timeout", "server", 1, "ECONNRESET", "nothing" },
      { "user_timeout", "server", 0, "ECONNRESET", "nothing" },
    }, rows.fields(outcome.rows, "remedy", "speaks", "loose", "speaker", "other"))
    assert.equal("of 12 words 6 came, 4 were answered by RST", nat_timeout.figures(outcome))
  end)

  it("control: a NAT that has not forgotten loses nothing #part_control", function()
    local outcome, holds, why = judge(nat_timeout, nat_timeout.control)
    assert.is_false(holds)
    assert.matches("none, the client speaks, loose 1: known is 1, not 0", why, 1, true)
    for _, row in ipairs(outcome.rows) do assert.same({ "nothing", "news" }, { row.speaker, row.other }) end
  end)

  it("does not hold if the ends are silent for a shorter time than the NAT remembers #part_control", function()
    local outcome, holds = judge(nat_timeout, { idle = 0, speaks = "server", remedy = "none" })
    assert.is_false(holds)
    assert.same({ { 1, "news" }, { 1, "news" } }, rows.fields(outcome.rows, "known", "other"))
  end)

  it("refuses what no kernel takes", function()
    assert.error_matches(function() nat_timeout { forgets = 1 } end, "knob forgets: 1 is not allowed")
    assert.error_matches(function() nat_timeout { speaks = "nobody" } end, "knob speaks: \"nobody\" is not allowed")
  end)
end)
