local server = require "lunet.peer.server"
local socket_activation = dofile "experiments/servers/socket_activation.lua"
local it = require "spec.support.patient"(it)

local is_here, missing = server.find_all { "gunicorn", "node", "python_http", "uwsgi" }
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

describe("socket_activation", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds as it is: who waits in the queue is served by the next program, in order", function()
    if reason then return pending(reason) end
    local outcome, holds, why = socket_activation()
    assert.is_true(holds, why)
    local limits = {}
    for _, case in ipairs(outcome.cases) do
      assert.same({ 3, "FIN", "ghost, second, third" }, { case.waited, case.accepted, case.served })
      limits[case.case] = case.limits
    end
    -- uwsgi and Python do not call listen(2) again.
    assert.same({ ["gunicorn-gunicorn"] = "2048, 2048", ["gunicorn-node"] = "2048, 511", ["uwsgi-python"] = "10, 10",
      ["python-uwsgi"] = "10, 10" }, limits)
  end)

  it("serves none of them if each program has a socket of its own", function()
    if reason then return pending(reason) end
    local outcome, holds = socket_activation { queue = "own", case = "python-uwsgi" }
    assert.is_false(holds)
    assert.equal("nobody", outcome.cases[1].served)
  end)
end)
