local progress = require "lunet.run.progress"
local written_by = require "spec.support.written_by"

describe("the progress of a run", function()
  it("is told on a terminal, and gone at the end", function()
    assert.equal("\r\27[K1 of 2 runs\r\27[K2 of 2 runs\r\27[K", written_by(function()
      local _shown <close> = progress.show(true)
      progress.tell "1 of 2 runs"
      progress.tell "2 of 2 runs"
    end))
  end)

  it("is told to nobody elsewhere, nor when nobody shows it", function()
    assert.equal("", written_by(function()
      local _shown <close> = progress.show(false)
      progress.tell "1 of 2 runs"
    end))
    assert.equal("", written_by(function() progress.tell "1 of 2 runs" end))
  end)
end)
