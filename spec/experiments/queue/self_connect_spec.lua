local lunet = require "lunet"
local rows = require "spec.support.rows"
local self_connect = dofile "experiments/queue/self_connect.lua"

describe("self_connect", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: the port is taken, and after a close it stays so", function()
    local outcome, holds, why = self_connect()
    assert.is_true(holds, why)
    assert.same({ { "close", true, "EADDRINUSE", "TIME_WAIT", "EADDRINUSE" },
      { "reset", true, "EADDRINUSE", "none", "starts" } },
      rows.fields(outcome.clients, "leave", "itself", "meanwhile", "left_behind", "afterwards"))
    assert.matches("^connect: success after %d+ tr%l+; the server: EADDRINUSE$", self_connect.figures(outcome))
  end)

  it("control: a reserved port is taken by nobody", function()
    local outcome, holds, why = self_connect(self_connect.control)
    assert.is_false(holds)
    assert.matches("connect is ECONNREFUSED, not success", why)
    assert.same({ { 400, "starts" }, { 400, "starts" } }, rows.fields(outcome.clients, "tries", "meanwhile"))
  end)

  -- net/ipv4/inet_hashtables.c, __inet_hash_connect: connect(2) takes every second port as long as it can.
  for _, port in ipairs { "other half", "outside" } do
    it("does not hold for a port of the kind: " .. port, function()
      local outcome, holds = self_connect { port = port, leave = "close" }
      assert.is_false(holds)
      assert.same({ { 400, "ECONNREFUSED", "starts" } }, rows.fields(outcome.clients, "tries", "connect", "meanwhile"))
    end)
  end

  it("refuses a port that has no name", function()
    assert.error_matches(function() self_connect { port = "any" } end, "knob port: \"any\" is not allowed")
  end)
end)
