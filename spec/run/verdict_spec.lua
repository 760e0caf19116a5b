local verdict = require "lunet.run.verdict"

local ALL <const> = { "holds", "does not hold", "known difference", "not judged", "could not run" }

describe("a verdict", function()
  it("has an exit status, which is neither wrong use nor Ctrl-C; a known difference has that of success", function()
    assert.same({ ["holds"] = 0, ["does not hold"] = 1, ["known difference"] = 0, ["not judged"] = 4,
      ["could not run"] = 3 }, verdict.statuses)
  end)

  it("begins a sentence of its own", function()
    local seen = {}
    for _, name in ipairs(ALL) do
      local sentence = verdict.sentence(name)
      assert.match("^The %l[%l ,]+$", sentence)
      assert.is_nil(seen[sentence])
      seen[sentence] = true
    end
  end)

  it("and its status are in the help of an experiment", function()
    for _, words in ipairs { "0 the claim holds", "1 it does not hold", "3 could not run", "4 not judged" } do
      assert.match(words, verdict.EPILOG, 1, true)
    end
  end)
end)

describe("the exit status of several runs", function()
  it("is that of the gravest verdict, whatever the others are", function()
    -- Every combination of verdicts that some run has.
    for set = 0, (1 << #ALL) - 1 do
      local counts, has = {}, {}
      for i, name in ipairs(ALL) do
        has[name] = set & 1 << i - 1 ~= 0
        counts[name] = has[name] and i or 0
      end
      local expected = has["does not hold"] and 1 or has["not judged"] and 4 or has["could not run"] and 3 or 0
      assert.equal(expected, verdict.status_of_all(counts))
    end
  end)

  it("is 0 of none", function() assert.equal(0, verdict.status_of_all {}) end)
end)
