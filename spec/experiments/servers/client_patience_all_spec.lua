local client = require "lunet.peer.client"
local client_patience = dofile "experiments/servers/client_patience.lua"
local it = require "spec.support.patient"(it)

local is_here, missing = client.find_all(client.names())
local reason = not is_here and "the groups peers and npm are not here (script/packages peers, npm): " .. missing

describe("client_patience, with all clients, #slow", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  for what, knobs in pairs {
    ["as it is"] = {},
    ["with their timeouts for an answer"] = { option = "answer", longest = 10 },
    ["with their timeouts for an answer, and a silent server"] = { server = "silent", option = "answer", longest = 10 },
    ["with their timeouts for a connect"] = { option = "connect", longest = 8 },
    ["with their timeouts for a connect, and a full queue"] = { server = "full", option = "connect", longest = 11 },
  } do
    it("holds " .. what, function()
      if reason then return pending(reason) end
      local outcome, holds, why = client_patience(knobs)
      assert.is_true(holds, why)
      assert.is_true(#outcome.rows > 20)
    end)
  end
end)
