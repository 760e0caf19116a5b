local summary = require "lunet.report.summary"

local function note(text) return { kind = "note", at = 0, text = text } end

describe("the summary of a group", function()
  it("counts what happened: segments, losses, failed calls by code, the deepest queue", function()
    local events = { { kind = "segment", lost = "rule" }, { kind = "segment" }, { kind = "loss" },
      { kind = "receive", code = "EPIPE" }, { kind = "receive", code = "TIMEOUT" },
      { kind = "receive", code = "TIMEOUT" }, { kind = "queue", depth = 3, limit = 4 },
      { kind = "queue", depth = 1, limit = 9 } }
    assert.equal("8 events, 2 segments, 2 lost, queue at most 3, limit 4, 1 × EPIPE, 2 × TIMEOUT",
      summary.of({ events = events }, {}))
    assert.equal("1 event", summary.of({ events = { { kind = "receive", code = "EOF" } } }, {}))
  end)

  it("begins with the script's note, if no earlier group has that one", function()
    local all, own, told = note "It begins.", note "The client leaves.", {}
    assert.equal("It begins. (1 event)", summary.of({ events = { all } }, told))
    assert.equal("The client leaves. (2 events)", summary.of({ events = { all, own } }, told))
    assert.equal("1 event", summary.of({ events = { all } }, told))
  end)

  it("cuts a long note between words, and never within a character", function()
    assert.equal("word word word word word word word word word word word word word … (1 event)",
      summary.of({ events = { note(("word "):rep(99)) } }, {}))
    assert.is_truthy(utf8.len(summary.of({ events = { note(("é"):rep(99)) } }, {})))
  end)
end)
