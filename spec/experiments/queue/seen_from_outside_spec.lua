local assert_holds = require "spec.support.assert_holds"
local lunet = require "lunet"
local rows = require "spec.support.rows"
local seen_from_outside = dofile "experiments/queue/seen_from_outside.lua"

describe("seen_from_outside", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, for the own user and for nobody", function()
    local outcome, holds, why = seen_from_outside()
    assert_holds(holds, why)
    local seen = {}
    for i, user in ipairs { "own", "nobody" } do
      seen[3 * i - 2] = { user, 7300, 19, 10, 5, 140 }
      seen[3 * i - 1] = { user, 7301, 16, 9, 4, 240 }
      seen[3 * i] = { user, 7302, 15, 8, 4, 330 }
    end
    assert.same(seen, rows.fields(outcome.queues, "user", "port", "depth", "fin", "rst", "bytes"))
    assert.equal("15 of 19 clients in the queue of :7300 have gone (10 by FIN, 5 by RST)", outcome.sentence)
    assert.equal(outcome.sentence, seen_from_outside.figures(outcome))
  end)

  it("control: takes a client that vanished for one that is there", function()
    local outcome, holds, why = seen_from_outside { vanished = 1, closed = 6, half = 3, reset = 3, live = 3, wait = 0 }
    assert.is_false(holds)
    assert.equal("own, port 7300: bytes is 50, not 40", why)
    assert.equal(1, outcome.queues[1].rst)
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() seen_from_outside { live = 0 } end, "knob live: 0 is not allowed")
  end)
end)
