-- The record of a run, as --json and a directory print it, against doc/record.schema.json.
local dkjson = require "dkjson"
local program = require "spec.support.program"
local record = require "lunet.run.record"
local run_of = require("lunet.run.run").of
local schema = require "spec.support.schema"
local scratch = require "lunet.peer.scratch"

local place

before_each(function() place = scratch.open() end)
after_each(function() place:close() end)

local function complaints(text)
  place:write("record.json", text)
  return schema("record.schema.json", place.path .. "/record.json", true)
end

local function assert_valid(text) assert.same({ status = 0, output = "", errors = "" }, complaints(text)) end

local RUN <const> = run_of { name = "a", claim = "It is so.", values = { k = 1 }, verdict = "holds", outcome = {},
  environment = { kernel = "Linux" } }

describe("a record", function()
  it("has its format, the experiment, its claim, the verdict and what the run found, and no events", function()
    local made = RUN:record()
    assert.same({ format = 1, experiment = "a", claim = "It is so.", verdict = "holds", knobs = { k = 1 }, outcome = {},
      environment = { kernel = "Linux" } }, dkjson.decode(record.encode(made)))
    assert_valid(record.encode(made))
  end)

  it("of a run that could not run has why, and no outcome", function()
    local text = record.encode(run_of({ name = "a" }):fail("no luck\nstack traceback:"):record())
    assert.same({ format = 1, experiment = "a", verdict = "could not run", why = "no luck" }, dkjson.decode(text))
    assert_valid(text)
  end)

  it("has what lunet did as a wire, and the kernel that it ran under", function()
    local statistics = { forwarded = 10, lost = 1, seed = 7 }
    for engine, clock in pairs { ["user-mode Linux"] = "real", ["qemu-system-x86_64"] = "virtual" } do
      local run = run_of { name = "a", claim = "It is so.", values = {}, verdict = "holds", outcome = {},
        wires = { { name = "link of a and b", statistics = statistics, seed_drawn = true, capacity_given = false } },
        environment = { kernel = "Linux", guest = { engine = engine, clock = clock, uid = 1000 } } }
      local text = record.encode(run:record())
      assert.equal(7, dkjson.decode(text).wires[1].statistics.seed)
      assert_valid(text)
    end
  end)

  it("is valid only with a verdict that there is, and with why unless it holds", function()
    for _, broken in ipairs {
      { format = 1, experiment = "a" },
      { format = 1, experiment = "a", verdict = "maybe", why = "it may be" },
      { format = 1, experiment = "a", verdict = "not judged" },
      { format = 1, experiment = "a", verdict = "holds" },
      { format = 2, experiment = "a", verdict = "could not run", why = "no luck" },
    } do
      assert.not_equal("", complaints(record.encode(broken)).output)
    end
  end)
end)

describe("--json", function()
  local SCRIPT <const> = [[
    local experiment = require "lunet.experiment"
    return experiment { claim = "It is so.", run = function() %s return {} end, check = function() %s end }]]

  local BODIES <const> = {
    ["holds"] = { "", "" }, ["does not hold"] = { "", "error 'it fails'" },
    ["not judged"] = { "", "experiment.not_judged 'it slept'" }, ["could not run"] = { "error 'no luck'", "" },
  }

  it("prints a valid record whatever the verdict is", function()
    for verdict, body in pairs(BODIES) do
      place:write("a.lua", SCRIPT:format(body[1], body[2]))
      local text = program.shell(("exec %s %s/a.lua --json"):format(os.getenv "LUNET", place.path)).output
      assert.equal(verdict, dkjson.decode(text).verdict)
      assert_valid(text)
    end
  end)

  it("prints the seed that a wire had, however little is recorded", function()
    place:write("a.lua", SCRIPT:format([[
      local lunet = require "lunet"
      lunet.link(assert(lunet.host "near"), assert(lunet.host "far"), { loss = 0.5 })]], ""))
    for _, level in ipairs { "none", "kernel" } do
      local text = program.shell(("exec %s %s/a.lua --json --record %s"):format(os.getenv "LUNET", place.path, level))
        .output
      local wires = dkjson.decode(text).wires
      assert.equal("link of near and far", wires[1].name)
      assert.is_true(wires[1].seed_drawn and wires[1].statistics.seed > 0)
      assert_valid(text)
    end
  end)
end)
