local lunet = require "lunet"
local remedies = require "lunet.load.remedy"
local scenario = require "lunet.load.scenario"
local trial = require "lunet.load.trial"

local function find(name, naive)
  for _, remedy in ipairs(remedies) do
    if remedy.name == name and remedy.naive == naive then return remedy end
  end
  error("no remedy " .. name)
end

-- A burst is served in time on a busy machine, too.
local function run(remedy)
  local site = trial.open(remedy, { patience = 0.9, service = 0.02, delay = 0, backlog = 60 })
  return scenario.run({ remedy = remedy }, site)
end

describe("the scenario of remedies", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("shows that without a remedy all is carried out, for those that left as well", function()
    lunet.scope(function()
      assert.same({ remedy = "none", naive = "-", stale = scenario.LEAVERS, again = 2, patient = "served",
        half = "served", burst = scenario.BURST }, run(find "none"))
    end)
  end)

  it("shows who is dropped by a server that takes FIN for gone", function()
    lunet.scope(function()
      local record = run(find("check_liveness", "FIN is gone"))
      assert.same({ "FIN is gone", 0, 1, "served", "dropped" },
        { record.naive, record.stale, record.again, record.patient, record.half })
    end)
  end)

  it("counts the round trip that a greeting takes", function()
    local function trips(remedy)
      return lunet.scope(function()
        local site = trial.open(remedy, { patience = 5, service = 0.01, delay = scenario.TRIP, backlog = 60 })
        return scenario.count_trips({ remedy = remedy, half_closes = false }, site).trips
      end)
    end
    assert.is_true(trips(find "greet_first") >= 1)
  end)
end)
