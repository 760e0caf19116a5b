local frozen = require "spec.support.frozen"
local server = require "lunet.peer.server"
local frozen_servers = dofile "experiments/servers/frozen_servers.lua"
local it, judge = require "spec.support.patient"(it)

local is_here, missing = server.find_all(server.names())
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

local function run(knobs) return frozen.run(judge, knobs) end

describe("frozen_servers", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds as it is", function()
    if reason then return pending(reason) end
    local row, outcome = run()
    assert.equal(42, #outcome.rows)
    -- Each client of lighttpd that was reset may be served: chance decides.
    assert.matches("^of 36 requests 2[789] carried out; 2 clients waited in vain$", frozen_servers.figures(outcome))
    -- The first write tells of an RST, and only the second one of a FIN. The client that has logged in is written to
    -- once the request is carried out.
    assert.same({ true, false, true }, { row("mosquitto", "whole", "after", "close").carried_out,
      row("mosquitto", "whole", "after", "reset").carried_out,
      row("mosquitto", "whole", "before", "reset").carried_out })
    local answers = {}
    for _, name in ipairs { "puma", "redis" } do answers[name] = row(name, "whole", "after", "shutdown").answer end
    assert.same({ puma = "closed", redis = "answered" }, answers)
    assert.equal("answered", row("lighttpd", "whole", "after", "shutdown").answer)
    assert.equal("answered", row("lighttpd", "whole", "before", "shutdown").answer)
  end)

  it("serves on a client with a process of its own, while only the one that accepts is stopped", function()
    if reason then return pending(reason) end
    local row = run { server = "dnsmasq", departure = "close" }
    assert.same({ "nothing", "answered", "nothing" }, { row("dnsmasq", "master", "after", "close").sees,
      row("dnsmasq", "master", "before", "close").sees, row("dnsmasq", "workers", "before", "close").sees })
  end)

  it("control: does not hold for clients that have not sent all", function()
    if reason then return pending(reason) end
    local _, holds, why = judge(frozen_servers, frozen_servers.control)
    assert.same({ false, "redis, whole, after, close: carried_out is false, not true" }, { holds, why })
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() frozen_servers { server = "nonsense" } end,
      "there is no server 'nonsense': apache2, .*xinetd, or the path of a file")
    assert.error_matches(function() frozen_servers { frozen = "half" } end,
      "one of all, whole, master, workers %(part%)$")
    assert.error_matches(function() frozen_servers { departure = "vanish" } end, "one of all, close, reset, shutdown")
    assert.error_matches(function() frozen_servers { patience = -1 } end, "knob patience: %-1 is not allowed")
  end)
end)

describe("frozen_servers that greet #part_greeting", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  for name, tag in pairs { postgresql = "", mariadb = " #part_mariadb" } do
    it(("control: carries out nothing for clients that wait for the greeting of %s%s"):format(name, tag), function()
      if reason then return pending(reason) end
      local outcome, holds = judge(frozen_servers, { server = name, sends = "first", frozen = "whole" })
      assert.is_false(holds)
      for _, one in ipairs(outcome.rows) do assert.is_false(one.carried_out) end
    end)
  end
end)
