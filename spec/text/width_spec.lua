local text = require "lunet.text.width"

describe("a text", function()
  it("is as wide as what is shown of it", function()
    assert.same({ 2, 9, 4, 4, 0 }, { text.width "hä", text.width "h\xc3\xff", text.width "\27", text.width "漢字",
      text.width "" })
    assert.same({ 3, 4 }, { text.widest({ "a", "häh" }, 1), text.widest({ "a", "häh" }, 4) })
  end)

  it("is filled up on either side, and never cut", function()
    assert.same({ "hä  ", "  hä", "long", "long" },
      { text.left("hä", 4), text.right("hä", 4), text.left("long", 2), text.right("long", 2) })
  end)

  it("reaches the terminal in no other way than shown", function()
    local lines = {}
    text.add_wrapped(lines, "", "a\27[31m b\0c\xff\nd")
    assert.same({ [[a\x1b[31m b\x00c\xff d]] }, lines)
    assert.same({ [[\n\x1b ]], [[ \n\x1b]] }, { text.left("\n\27", 7), text.right("\n\27", 7) })
    assert.equal("a\n\tb\\x1b", text.lines_shown "a\n\tb\27")
  end)

  it("is broken at its spaces", function()
    assert.same({ "one two", "three", "four" }, text.wrap(" one two\n three four ", 8))
    assert.same({ "a", "longer-word", "b" }, text.wrap("a longer-word b", 4))
    assert.same({ "hä hä", "hä" }, text.wrap("hä hä hä", 5))
    assert.same({ "" }, text.wrap("", 5))
  end)

  it("is broken to the right of what stands before it", function()
    local lines = { "before" }
    text.add_wrapped(lines, ("x"):rep(60) .. "  ", ("word "):rep(5))
    text.add_wrapped(lines, "start  ", "")
    assert.same({ "before", ("x"):rep(60) .. "  word word word word", (" "):rep(62) .. "word", "start" }, lines)
  end)
end)
