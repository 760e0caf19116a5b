local expect = require "lunet.run.expect"
local raised = require "spec.support.raised"

local function reason(...) return tostring(raised(...)) end

describe("expecting fields of a record", function()
  it("takes what is as expected, and fields of which nothing is expected", function()
    expect.fields("a case", { depth = 2, text = "x", is_open = false, more = {} },
      { depth = 2, text = "x", is_open = false })
  end)

  it("names the record, the field, its value and what was expected", function()
    assert.equal("a case: depth is 3, not 2", reason(expect.fields, "a case", { depth = 3 }, { depth = 2 }))
    assert.equal("a case: is_open is true, not false",
      reason(expect.fields, "a case", { is_open = true }, { is_open = false }))
  end)

  it("misses a field that is not there", function()
    assert.equal("a case: depth is nil, not 2", reason(expect.fields, "a case", {}, { depth = 2 }))
    assert.equal("a case: wait is nil, not from 1 to 2",
      reason(expect.fields, "a case", {}, { wait = expect.time(1, 2) }))
  end)

  it("takes a number that lies in a range, both ends included", function()
    for _, value in ipairs { 1, 1.5, 2 } do
      expect.fields("a case", { n = value }, { n = expect.between(1, 2) })
      expect.fields("a case", { n = value }, { n = expect.at_least(1) })
      expect.fields("a case", { n = value }, { n = expect.at_most(2) })
    end
    assert.equal("a case: n is 2.1, not from 1 to 2",
      reason(expect.fields, "a case", { n = 2.1 }, { n = expect.between(1, 2) }))
    assert.equal("a case: n is 0, not 1 or more",
      reason(expect.fields, "a case", { n = 0 }, { n = expect.at_least(1) }))
    assert.equal("a case: n is 3, not 2 or less",
      reason(expect.fields, "a case", { n = 3 }, { n = expect.at_most(2) }))
    assert.equal("a case: n is 2, not 1", reason(expect.fields, "a case", { n = 2 }, { n = expect.between(1, 1) }))
    assert.equal("a case: n is two, not 1 or more",
      reason(expect.fields, "a case", { n = "two" }, { n = expect.at_least(1) }))
  end)

  it("does not judge what comes too late, and refuses what comes too early", function()
    local wanted = { wait = expect.time(1, 2) }
    expect.fields("a case", { wait = 2 }, wanted)
    assert.equal("not judged: a case: wait is 3, not from 1 to 2: the machine was late",
      reason(expect.fields, "a case", { wait = 3 }, wanted))
    assert.equal("a case: wait is 0.9, not from 1 to 2", reason(expect.fields, "a case", { wait = 0.9 }, wanted))
  end)

  it("tells of a wrong field before it tells of a late time", function()
    assert.equal("a case: zeal is 1, not 2",
      reason(expect.fields, "a case", { after = 9, zeal = 1 }, { after = expect.time(1, 2), zeal = 2 }))
  end)
end)

describe("checking each record", function()
  local function check(row, i)
    expect.fields("row " .. i, row, { state = "open", seconds = expect.time(0, 1) })
  end

  it("takes records that are all as expected", function()
    expect.each({ { state = "open", seconds = 1 }, { state = "open", seconds = 0 } }, check)
  end)

  it("tells of a wrong record before it tells of one that the machine disturbed", function()
    local late, wrong = { state = "open", seconds = 3 }, { state = "shut", seconds = 0 }
    assert.equal("row 2: state is shut, not open", reason(expect.each, { late, wrong }, check))
    assert.equal("not judged: row 1: seconds is 3, not from 0 to 1: the machine was late",
      reason(expect.each, { late, { state = "open", seconds = 1 } }, check))
  end)
end)

describe("expecting a record for each case", function()
  local cases = { { mode = "a", n = 1 }, { mode = "b", n = 2 } }

  it("takes them in their order", function()
    expect.cases("cases", { { mode = "a", seen = 1 }, { mode = "b", seen = 2 } }, cases, { "mode" })
  end)

  it("misses a record, and finds one too many or another one", function()
    assert.equal("the number of cases is 1, not 2", reason(expect.cases, "cases", { cases[1] }, cases, { "mode" }))
    assert.equal("the number of cases is 3, not 2",
      reason(expect.cases, "cases", { cases[1], cases[2], cases[2] }, cases, { "mode" }))
    assert.equal("cases 2: n is 1, not 2",
      reason(expect.cases, "cases", { cases[1], { mode = "b", n = 1 } }, cases, { "mode", "n" }))
  end)
end)
