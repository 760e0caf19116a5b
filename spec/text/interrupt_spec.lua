local interrupt = require "lunet.text.interrupt"
local raised = require "spec.support.raised"

local INTERRUPTED <const> = { "interrupted!", "script.lua:3: interrupted!", "interrupted by SIGTERM!",
  "x.lua:1: interrupted by SIGHUP!\nstack traceback:\n\t..." }
local OTHERS <const> = { "boom", "interrupted", "interrupted by a client!", "boom\ninterrupted!", "", 5, {} }

describe("an error", function()
  it("is an interruption by its first line", function()
    for _, failure in ipairs(INTERRUPTED) do assert.is_true(interrupt.is(failure), failure) end
    for _, failure in ipairs(OTHERS) do assert.is_false(interrupt.is(failure)) end
    assert.is_false(interrupt.is(nil))
  end)

  it("passes interrupt.pcall if it is an interruption", function()
    for _, failure in ipairs(INTERRUPTED) do
      assert.equal(failure, raised(interrupt.pcall, function() error(failure, 0) end))
    end
  end)

  it("is a result of interrupt.pcall otherwise, as it is of pcall", function()
    for _, failure in ipairs(OTHERS) do
      assert.same({ false, failure }, { interrupt.pcall(function() error(failure, 0) end) })
    end
    assert.same({ false, n = 2 }, table.pack(interrupt.pcall(function() error() end)))
  end)
end)

describe("interrupt.pcall", function()
  it("passes on arguments and results, nil included", function()
    local results = table.pack(interrupt.pcall(function(...) return select("#", ...), ... end, 1, nil))
    assert.same({ true, 2, 1, nil, n = 4 }, results)
  end)
end)
