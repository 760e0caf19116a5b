local client_patience = dofile "experiments/servers/client_patience.lua"
local it = require "spec.support.patient"(it)

local FAKE <const> = "spec/fakes/impatient.lua"

describe("client_patience", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  local CASES <const> = {
    never = { default = { "longer than 1", 1, 0, "waits", "connected" }, answer = { "given up", 1, 1, 7, "no answer" },
      connect = { "given up", 1, 0, "runs on", "gave up" } },
    silent = { default = { "longer than 1", 1, 0, "waits", "connected" },
      answer = { "given up", 1, 1, 7, "no answer" }, connect = { "given up", 1, 0, "runs on", "gave up" } },
    full = { default = { "longer than 1", 0, 0, "waits", "nothing" } },
  }
  for server, options in pairs(CASES) do
    for option, expected in pairs(options) do
      it(("has a row for a client with %s: %s"):format(option, server), function()
        local outcome, holds, why = client_patience { client = FAKE, server = server, option = option,
          longest = option == "default" and 1 or 4 }
        assert.is_true(holds, why)
        local row = outcome.rows[1]
        local seconds = row.gave_up and "given up" or row.seconds
        assert.same(expected, { seconds, row.connections, row.ghosts, row.status, row.words })
      end)
    end
  end

  it("does not hold if nobody listens", function()
    local outcome, holds, why = client_patience { client = FAKE, server = "closed", longest = 4 }
    assert.is_false(holds)
    assert.matches("impatient: connections is 0, not 1 or more", why)
    assert.matches("connect.*ECONNREFUSED", outcome.rows[1].words)
  end)

  it("is not judged for a client whose timer has ended before it connects", function()
    local hasty = "spec/fakes/hasty.lua"
    local _, holds, why = client_patience { client = hasty, option = "answer", longest = 8 }
    assert.is_nil(holds)
    assert.matches("^the machine was late with hasty: its SYN came after %d", why)
    local _, is_true, reason = client_patience { client = hasty, option = "connect", longest = 4 }
    assert.same({ false, "hasty: connections is 1, not 2" }, { is_true, reason })
  end)

  it("is misused by a client that there is not, and by an option that the client has not", function()
    assert.error_matches(function() client_patience { client = "nonsense" } end, "there is no client 'nonsense'")
    assert.error_matches(function() client_patience { client = "redis_cli", option = "answer" } end,
      "redis_cli has no option 'answer'")
  end)
end)
