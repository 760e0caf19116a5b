local characters = require "lunet.text.characters"

describe("a text of somebody else's", function()
  it("is shown as it is if a reader can see all of it", function()
    for _, words in ipairs { "", "plain words", "größer ≤ 漢字", "e\u{301}", "👍" } do
      assert.equal(words, characters.shown(words))
      assert.equal(words, characters.valid(words))
    end
  end)

  it("has its control characters escaped, those of one byte and those of two", function()
    assert.equal([[a\nb\x1b[31m\x00\x7f\r\t]], characters.shown "a\nb\27[31m\0\127\r\t")
    assert.equal([[\x1b]0;title\x07]], characters.shown "\27]0;title\7")
    assert.equal([[\u{9b}31m]], characters.shown "\u{9b}31m") -- CSI in one character, ECMA-48
  end)

  it("keeps the control characters that the caller names", function()
    assert.equal("a\n\tb\\x1b", characters.shown("a\n\tb\27", "\n\t"))
  end)

  it("has its bytes escaped that belong to no character, and no others", function()
    assert.equal([[ä\xff漢\xc3]], characters.shown "ä\xff漢\xc3")
    assert.equal("ä\\xff\27", characters.valid "ä\xff\27")
    assert.equal([[\xed\xa0\x80\xc0\x80]], characters.valid "\xed\xa0\x80\xc0\x80") -- a surrogate, an overlong NUL
  end)

  it("has characters escaped that are none, or that turn the direction of writing", function()
    assert.equal([[\u{202e}abc\u{2066}\u{ffff}\u{2028}]], characters.shown "\u{202e}abc\u{2066}\u{ffff}\u{2028}")
  end)

  it("is shown once and for all", function()
    local shown = characters.shown "\27\xff\n\u{9b}"
    assert.equal(shown, characters.shown(shown))
  end)

  it("takes the columns that a terminal gives it, whatever the locale", function()
    for words, width in pairs { [""] = 0, ["hä"] = 2, ["漢字"] = 4, ["e\u{301}x"] = 2, ["👍"] = 2, ["한글"] = 4 } do
      assert.equal(width, characters.width(words), words)
      assert.equal(width, #characters.cells(words), words)
    end
    assert.same({ "e\u{301}", "漢", "", "x" }, characters.cells "e\u{301}漢x")
    assert.same({ "漢\u{301}", "" }, characters.cells "漢\u{301}")
  end)
end)
