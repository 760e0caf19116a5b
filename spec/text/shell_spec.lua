local program = require "spec.support.program"
local shell = require "lunet.text.shell"

describe("a line for a shell", function()
  it("leaves plain words as they are", function()
    assert.equal("lunet sweep --runs=10 /a/b.lua 1..20 -0.5 a:b,c+d", shell.line { "lunet", "sweep", "--runs=10",
      "/a/b.lua", "1..20", "-0.5", "a:b,c+d" })
  end)

  it("gives the shell the words that it was made of", function()
    local words = { "a b", "", "it's", "$HOME", "*", "a\nb", "`x`", '"', "\\", "~", "#", "=2*x", "a&b;c|d<e>f(g)" }
    local line = shell.line(table.move(words, 1, #words, 3, { "printf", "%s\\0" }))
    assert.equal(table.concat(words, "\0") .. "\0", program.shell(line).output)
  end)
end)
