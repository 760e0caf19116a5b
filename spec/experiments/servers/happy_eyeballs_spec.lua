local assert_holds = require "spec.support.assert_holds"
local happy_eyeballs = dofile "experiments/servers/happy_eyeballs.lua"
local lunet = require "lunet"
local needs = require "lunet.run.needs"
local rows = require "spec.support.rows"
local it, judge = require "spec.support.patient"(it)

local is_here, missing = needs.find { curl = "curl", node = "nodejs", ["/usr/bin/python3"] = "python3" }
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

describe("happy_eyeballs", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: curl and Node leave a full queue, and stay with a server that accepts nobody", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(happy_eyeballs)
    assert_holds(holds, why)
    local expected = {}
    for _, client in ipairs { "curl", "node" } do
      table.insert(expected, { client, "full", "IPv4", 0 })
      table.insert(expected, { client, "never_accepts", "nobody", 1 })
      table.insert(expected, { client, "closed", "IPv4", 0 })
    end
    assert.same(expected, rows.fields(outcome.rows, "client", "ipv6", "answered", "queued"))
    assert.equal("of 6 clients 4 were answered, by IPv4", happy_eyeballs.figures(outcome))
  end)

  it("control: Python's client waits for its whole timeout before it tries IPv4", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(happy_eyeballs, happy_eyeballs.control)
    assert.is_false(holds)
    assert.matches("python, IPv6 full: answered after 2", why, 1, true)
    assert.same({ { "full", "IPv4" }, { "never_accepts", "nobody" }, { "closed", "IPv4" } },
      rows.fields(outcome.rows, "ipv6", "answered"))
  end)

  it("judges nothing by a closed port, which all leave at once", function()
    local outcome, holds, why = judge(happy_eyeballs, { ipv6 = "closed", client = "curl" })
    assert.same({ nil, "no client met a full queue, or a server that never accepts" }, { holds, why })
    assert.equal("of 1 clients 1 were answered, by IPv4", happy_eyeballs.figures(outcome))
  end)

  it("refuses what makes no sense", function()
    assert.error_matches(function() happy_eyeballs { client = "lynx" } end, 'knob client: "lynx" is not allowed')
    assert.error_matches(function() happy_eyeballs { ipv6 = "gone" } end, 'knob ipv6: "gone" is not allowed')
    assert.error_matches(function() happy_eyeballs { patience = 0 } end, "knob patience: 0 is not allowed")
  end)
end)
