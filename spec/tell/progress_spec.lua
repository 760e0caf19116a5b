local progress = require "lunet.tell.progress"
local written_by = require "spec.support.written_by"

describe("the progress on a terminal", function()
  it("is one line that is written anew, and gone at the end", function()
    assert.equal(table.concat({ "", "0 of 2: a", "0 of 2: a, b", "1 of 2: b", "2 of 2", "" }, "\r\27[K"),
      written_by(function()
        local line = progress.start(2, true)
        line:began "a"
        line:began "b"
        line:ended "a"
        line:ended "b"
        line:close()
      end))
  end)

  it("stays shorter than 80 columns, and says that there are more", function()
    local text = written_by(function()
      local line = progress.start(30, true)
      for i = 1, 30 do line:began(("experiment_%d"):format(i)) end
    end)
    local last
    for line in text:gmatch "[^\r\27]+" do
      last = line:gsub("^%[K", "")
      assert.is_true(#last < 80, last)
    end
    assert.match("^0 of 30: experiment_1, experiment_2, .* %.%.%.$", last)
  end)

  it("makes room for what else there is to say", function()
    assert.equal("\r\27[K0 of 1: a\r\27[Ka note\n", written_by(function()
      local line = progress.start(1, true)
      line:began "a"
      line:say "a note\n"
    end))
  end)
end)

describe("the progress elsewhere", function()
  local function lines_of(total)
    local lines = {}
    local text = written_by(function()
      local line <close> = progress.start(total, false)
      for i = 1, total do line:began(tostring(i)) end
      for i = 1, total do line:ended(tostring(i)) end
    end)
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
    return lines
  end

  it("is a line for each of a few", function()
    assert.same({ "lunet: 1 of 2 experiments", "lunet: 2 of 2 experiments" }, lines_of(2))
  end)

  it("is no more than ten lines for many", function()
    local lines = lines_of(37)
    assert.equal(10, #lines)
    assert.equal("lunet: 4 of 37 experiments", lines[1])
    assert.equal("lunet: 37 of 37 experiments", lines[10])
  end)
end)
