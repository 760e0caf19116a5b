local dns = require "lunet.peer.dns"

describe("what servers of DNS share", function()
  it("has queries of one label, with their length first", function()
    assert.equal("\0\22\0\1\1\0\0\1\0\0\0\0\0\0\4word\0\0\1\0\1", dns.query "word")
    assert.equal("\0\252\0\1", dns.query("word", 252):sub(-4))
  end)

  it("completes a description, and leaves what is there", function()
    local description = { answer = "other" }
    assert.equal(description, dns.server(description))
    assert.same({ "other", "\0", dns.query "ghost" },
      { description.answer, description.holds, description.request "ghost" })
  end)

  it("takes the log for the evidence", function()
    assert.equal("a log", dns.server({}).evidence { log = function() return "a log" end })
  end)
end)
