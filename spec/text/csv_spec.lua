local csv = require "lunet.text.csv"

describe("comma-separated values", function()
  it("are a header and a line for each row", function()
    assert.equal("a,b\n1,x\n0.5,true\n", csv.encode({ "a", "b" }, { { a = 1, b = "x" }, { a = 0.5, b = true, c = 3 } }))
  end)

  it("are empty where there is no value, and without rows a header", function()
    assert.equal("a,b,c\n,2,\n", csv.encode({ "a", "b", "c" }, { { b = 2 } }))
    assert.equal("a\n", csv.encode({ "a" }, {}))
  end)

  it("are quoted where they have commas, quotes or line ends", function()
    assert.equal('"a,b",c\n"say ""no""","two\nlines"\n', csv.encode({ "a,b", "c" },
      { { ["a,b"] = 'say "no"', c = "two\nlines" } }))
  end)
end)
