local choice = require "lunet.run.choice"

local CASES <const> = { { name = "first", port = 1 }, { name = "second", port = 2 }, { name = "third", port = 2 } }
local NAMES <const> = { "quick", "slow" }

describe("a choice", function()
  it("is of all, or of one by its name", function()
    assert.same({ "all", "first", "second", "third" }, choice.of(CASES, "name"))
    assert.same({ "all", "quick", "slow" }, choice.of(NAMES))
    assert.same({ "all" }, choice.of {})
  end)

  it("picks all in their order, or one", function()
    assert.equal(CASES, choice.pick(CASES, "all", "name"))
    assert.same({ CASES[2] }, choice.pick(CASES, "second", "name"))
    assert.same(NAMES, choice.pick(NAMES, "all"))
    assert.same({ "slow" }, choice.pick(NAMES, "slow"))
  end)

  it("may be one of names that all does not include, but not of cases", function()
    assert.same({ "never" }, choice.pick(NAMES, "never"))
    assert.same({}, choice.pick(CASES, "never", "name"))
  end)

  it("is combined with others, the last of which changes first", function()
    local lists = { { "pace", NAMES }, { "way", { "up", "down" } } }
    local all = { { pace = "quick", way = "up" }, { pace = "quick", way = "down" }, { pace = "slow", way = "up" },
      { pace = "slow", way = "down" } }
    assert.same(all, choice.combinations({ pace = "all", way = "all" }, lists))
    assert.same({ all[2], all[4] }, choice.combinations({ pace = "all", way = "down" }, lists))
    assert.same({ { pace = "never", way = "up" } }, choice.combinations({ pace = "never", way = "up" }, lists))
  end)

  it("finds the first one of a name, or nothing", function()
    assert.equal(CASES[2], choice.find(CASES, 2, "port"))
    assert.is_nil(choice.find(CASES, "never", "name"))
  end)
end)
