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
        local site = scenario.open_for_trips(remedy)
        return scenario.count_trips({ remedy = remedy, half_closes = false }, site).trips
      end)
    end
    assert.is_true(trips(find "greet_first") >= 1)
  end)

  -- A slow machine let the request wait for so long that a server that guesses the client's patience dropped it:
  -- "request_age: a client alone was not served", and the experiment could not run.
  it("counts round trips on a machine that is seconds late", function()
    for _, name in ipairs { "request_age", "lifo" } do
      lunet.scope(function()
        local remedy, site = find(name), scenario.open_for_trips(find(name))
        function site:start()
          assert(os.execute "sleep 2.5") -- nothing else runs meanwhile
          return trial.start(self)
        end
        assert.is_true(scenario.count_trips({ remedy = remedy, half_closes = false }, site).trips >= 0)
      end)
    end
  end)
end)
