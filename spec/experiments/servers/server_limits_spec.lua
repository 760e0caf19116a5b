local server = require "lunet.peer.server"
local server_limits = dofile "experiments/servers/server_limits.lua"
local it = require "spec.support.patient"(it)

local THREE <const> = { "nginx", "redis", "xinetd" }
local is_here, missing = server.find_all(THREE)
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

local WITHOUT_LIMIT <const> = { "squid", "varnish" }

describe("server_limits", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds for three of the servers", function()
    if reason then return pending(reason) end
    for _, name in ipairs(THREE) do
      local outcome, holds, why = server_limits { server = name }
      assert.is_true(holds, why)
      assert.equal(name, outcome.rows[1].server)
    end
  end)

  local FAKES <const> = {
    ["refuses and carries out all the same"] = { why = "liar: carried_out is true, not false",
      row = { server = "liar", at_limit = "refuses", accepted = true, sees = "full", carried_out = true,
        backlog = "7" } },
    ["leaves a client waiting and forgets it"] = { why = "forgetful: carried_out is false, not true",
      row = { server = "forgetful", at_limit = "holds", accepted = true, sees = "nothing", carried_out = false,
        backlog = "7" } },
  }
  for what, fake in pairs(FAKES) do
    it("has a row of its own for a server that " .. what, function()
      local path = ("spec/fakes/%s.lua"):format(fake.row.server)
      local outcome, holds, why = server_limits { server = path, patience = 0.5 }
      assert.same({ false, fake.why, { fake.row } }, { holds, why, outcome.rows })
    end)
  end

  it("does not judge the row of a server that was late", function()
    local outcome, holds, why = server_limits { server = "spec/fakes/liar.lua", patience = 0 }
    assert.is_nil(holds)
    assert.equal("the machine was late with liar", why)
    assert.equal("not judged", outcome.rows[1].carried_out)
  end)

  it("takes no server that has no limit", function()
    for _, name in ipairs(WITHOUT_LIMIT) do
      assert.error_matches(function() server_limits { server = name } end,
        ("^knob server: '%s' has no limit of clients$"):format(name))
    end
  end)

  it("says which servers there are", function()
    assert.error_matches(function() server_limits { server = "nonsense" } end,
      "there is no server 'nonsense': apache2, .*xinetd, or the path of a file")
  end)
end)
