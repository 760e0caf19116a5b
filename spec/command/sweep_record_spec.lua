-- The records that real sweeps keep, against doc/record.schema.json.
local dkjson = require "dkjson"
local schema = require "spec.support.schema"
local stage = require "spec.support.command_stage"
local store = require "lunet.sweep.store"

local FAKE <const> = [[
  local experiment = require "lunet.experiment"
  return experiment {
    claim = "It is so.",
    knobs = { what = { "well", "way", "" }, list = { { 1, 2 }, "", "" }SEED },
    run = function(knobs)
      if knobs.what == "error" then error "no luck" end
      if knobs.what == "die" then os.exit(7) end
      return { goodput = 1.5, nested = { a = { true, "x" } } }
    end,
    check = function(_, knobs)
      if knobs.what == "disturbed" then experiment.not_judged "it slept" end
      assert(knobs.what ~= "wrong", "it is wrong")
    end,
  }]]

describe("the records of a sweep", function()
  local place
  before_each(function() place = stage.open() end)
  after_each(function() place:close() end)

  local function complaints(path) return schema("record.schema.json", path, true) end

  local function each_record(fn)
    local runs = store.new(place.path .. "/out")
    for _, name in ipairs(runs:names()) do
      fn(runs:read(name), ("%s/out/runs/%s.json"):format(place.path, name))
    end
  end

  local fields = dkjson.decode(io.open(os.getenv "LUNET_SOURCE" .. "/doc/record.schema.json"):read "a").properties

  for _, seed in ipairs { "", ", seed = { 1, '', '' }" } do
    it("are valid, in every state, and have no field that is not described" .. (seed == "" and "" or ", seeded"),
      function()
        place:write("fake.lua", (FAKE:gsub("SEED", seed)))
        local ran = stage.run("sweep fake.lua --what well,wrong,disturbed,error,die --runs 2 --into out")
        assert.equal(3, ran.status)
        local seen = {}
        each_record(function(record, path)
          seen[record.state] = (seen[record.state] or 0) + 1
          assert.same({ status = 0, output = "", errors = "" }, complaints(path))
          for field in pairs(record) do assert.is_table(fields[field], field) end
          assert.equal(seed ~= "" and record.replicate or nil, record.seed)
        end)
        assert.same({ done = 4, invalid = 2, failed = 4 }, seen)
      end)
  end

  it("are not valid without a field of the sweep, or with a state that is not that of the verdict", function()
    place:write("fake.lua", (FAKE:gsub("SEED", "")))
    assert.equal(0, stage.run("sweep fake.lua --runs 1 --into out").status)
    each_record(function(record)
      local function is_valid(changed)
        place:write("changed.json", dkjson.encode(setmetatable(changed, { __index = record, __pairs = function(self)
          local all = {}
          for field, any in pairs(record) do all[field] = any end
          for field, any in next, self do all[field] = any ~= false and any or nil end
          return pairs(all)
        end })))
        return complaints(place.path .. "/changed.json").output == ""
      end
      assert.is_true(is_valid {})
      for _, field in ipairs { "attempt", "point", "replicate", "identity", "started", "seconds", "cpu", "load",
        "lateness", "host", "knobs", "format" } do
        assert.is_false(is_valid { [field] = false }, field)
      end
      assert.is_false(is_valid { state = "failed" })
      assert.is_false(is_valid { verdict = "not judged", why = "it slept" })
      assert.is_false(is_valid { state = "missing" })
    end)
  end)
end)
