local markup = require "lunet.text.markup"

describe("markup", function()
  it("makes a text of what a script says, whatever is in it", function()
    assert.equal("&lt;b title=&quot;x&quot;&gt; &amp; &#39;y&#39;", markup.escape [[<b title="x"> & 'y']])
    assert.equal("größer ≤ 漢字", markup.escape "größer ≤ 漢字")
    assert.equal("12", markup.escape(12))
  end)

  it("shows bytes that are no characters, and characters that XML has no form for", function()
    assert.equal("a\\xffb\\xc3", markup.escape "a\xFFb\xC3")
    assert.equal("\\x00\\x1b[31m\\x7f", markup.escape "\0\27[31m\127")
    assert.equal("a\nb\tc\\r", markup.escape "a\nb\tc\r")
    assert.equal("\\u{ffff}", markup.escape "\u{FFFF}")
    assert.equal("\\xed\\xa0\\x80", markup.escape "\xED\xA0\x80")
  end)

  it("makes elements, their attributes by name", function()
    assert.equal('<path class="a&amp;b" x="1.5"/>', markup.element("path", { x = 1.4999, class = "a&b" }))
    assert.equal('<g x="2"><b/></g>', markup.element("g", { x = 2.0 }, "<b/>"))
  end)

  it("makes a cell of Markdown in one line, which stays text", function()
    assert.equal("a\\|b \\<i> \\`c\\` \\[d](e) \\*f\\*", markup.cell "a|b\n<i> `c`\t[d](e) *f*")
    assert.equal("\\x1b\\[31m\\xff", markup.cell "\27[31m\xFF")
  end)
end)
