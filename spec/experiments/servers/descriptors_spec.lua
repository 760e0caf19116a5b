local server = require "lunet.peer.server"
local descriptors = dofile "experiments/servers/descriptors.lua"
local it = require "spec.support.patient"(it)

local is_here, missing = server.find_all { "lighttpd", "nginx", "node", "python_http", "redis", "sshd" }
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

describe("descriptors", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds as it is: two servers leave clients queued, one spins, and three refuse", function()
    if reason then return pending(reason) end
    local outcome, holds, why = descriptors()
    assert.is_true(holds, why)
    local rows = {}
    for _, row in ipairs(outcome.rows) do
      rows[row.server] = ("%s, %s, %s"):format(row.at_limit, row.spins and "spins" or "rests", row.served)
    end
    assert.same({ lighttpd = "stops, rests, ghost, waiter", nginx = "stops, rests, ghost, waiter",
      python_http = "stops, spins, ghost, waiter", node = "refuses, rests, nobody", redis = "refuses, rests, nobody",
      sshd = "refuses, rests, nobody" }, rows)
    assert.equal("of 6 servers 3 refuse; spinning: python_http", descriptors.figures(outcome))
  end)

  it("lets in more clients with more descriptors", function()
    if reason then return pending(reason) end
    local few = descriptors { server = "redis", nofile = 48, patience = 0.1 }
    local many = descriptors { server = "redis", nofile = 80, patience = 0.1 }
    assert.same({ 16, 48 }, { few.rows[1].held, many.rows[1].held }) -- redis keeps 32 for itself
  end)

  it("serves nobody who is queued as long as no descriptor comes back", function()
    if reason then return pending(reason) end
    local outcome, holds = descriptors { server = "lighttpd", back = "none", patience = 0.1 }
    assert.is_false(holds)
    assert.equal("nobody", outcome.rows[1].served)
  end)
end)
