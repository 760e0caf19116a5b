local choice = require "lunet.choice"

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

  it("finds the first one of a name, or nothing", function()
    assert.equal(CASES[2], choice.find(CASES, 2, "port"))
    assert.is_nil(choice.find(CASES, "never", "name"))
  end)
end)
