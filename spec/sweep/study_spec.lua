local lunet = require "lunet"
local stage = require "spec.support.command_stage"
local study = require "lunet.sweep.study"

-- Goodput falls to nothing beyond a backlog of 3 or, with a patience of 2, of 5; it is half of it there.
local FAKE <const> = [[
  return require "lunet.experiment" {
    claim = "Goodput collapses.",
    knobs = { backlog = { 5, "connections", "" }, patience = { 1.0, "s", "" }, seed = { 1, "number", "" },
      distribution = { "fixed", "kind", "", choices = { "fixed", "exponential" } } },
    measures = { goodput = { "/s", "requests | answered in time", better = "more" } },
    run = function(knobs)
      local last = 2 * knobs.patience + 1
      return { goodput = knobs.backlog < last and 50 or knobs.backlog == last and 26 or 0, capacity = 50,
        threshold = last + 0.5, half_to = math.floor(last), other = 1 }
    end,
    check = function(outcome) assert(outcome.goodput < 10, "it is there") end,
  }]]

describe("the page of a study", function()
  local place
  before_each(function()
    place = stage.open()
    place:write("fake.lua", FAKE)
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local ASKED <const> = { name = "fall", title = "Where does it fall?", text = "Along `backlog`.",
    measures = { "goodput" }, table = study.thresholds,
    words = { "sweep", "fake.lua", "--backlog", "1..6", "--patience", "1,2", "--distribution", "fixed", "--runs",
      "6" } }

  local function write(asked)
    local result = stage.run(table.concat(ASKED.words, " ") .. " --into out")
    assert.equal(0, result.status, result.errors)
    place:write("out/figure-goodput.svg", "<svg/>") -- also where gnuplot is missing
    study.write(asked or ASKED, place.path .. "/out", place.path)
    return place:read "fall.md"
  end

  it("has the question, the command, what it was made with, the points and the figures", function()
    local text = write()
    assert.match("^# Where does it fall%?\n\nAlong `backlog`%.\n\n    lunet sweep fake%.lua %-%-backlog 1%.%.6", text)
    assert.match("\n72 of 72 runs done: 24 hold, 48 do not; 0 invalid, 0 failed, 0 missing%. Made on "
      .. "%d%d%d%d%-%d%d%-%d%d with Linux %S+ by %d+ processors%. A timer was late by [%d.]+ ms in the median run, "
      .. "by [%d.]+ ms in the worst", text)
    assert.matches("\n| backlog | patience | held | goodput |\n", text, 1, true)
    assert.matches("\n![goodput](fall-goodput.svg)\n\ngoodput: requests | answered in time. Each run is a dot", text, 1,
      true)
    assert.matches("`script/studies fall` makes this page again.\n", text, 1, true)
    assert.equal("<svg/>", place:read "fall-goodput.svg")
  end)

  it("has a table of thresholds, measured between the last backlog with half and the first with less", function()
    local text = write()
    assert.matches("\n| fixed | 1.0 s | 3.5 | 3 | 3 | 4 |\n| fixed | 2.0 s | 5.5 | 5 | 5 | 6 |\n", text, 1, true)
  end)

  it("has the measures and the claim as CSV, and no other figure", function()
    write()
    local csv = place:read "fall.csv"
    assert.equal(1 + 12 * 2, select(2, csv:gsub("\n", "")))
    assert.matches(",goodput,6,", csv, 1, true)
    assert.is_nil(csv:find ",other,")
  end)

  it("tells of a measure that the experiment lacks, and of a directory without a sweep", function()
    assert.error_matches(function()
      write { name = "fall", title = "", text = "", words = {}, measures = { "depth" } }
    end, "figure%-depth.svg")
    assert.error_matches(function() study.write(ASKED, place.path .. "/nothing", place.path) end, "nothing")
  end)
end)
