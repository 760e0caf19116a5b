local core = require "lunet.core"
local lunet = require "lunet"
local watch = require "lunet.queues.watch"

describe("a watch", function()
  it("looks so often, and no sooner than each interval", function()
    local times, began = {}, lunet.now()
    assert.is_true(watch.run(0.02, 3, function(number)
      times[number] = lunet.now()
      return true
    end))
    assert.is_true(#times == 3 and times[3] - began >= 0.039)
  end)

  it("ends when a look fails", function()
    local looks = 0
    assert.is_nil(watch.run(0.01, nil, function()
      looks = looks + 1
      return looks < 2
    end))
    assert.equal(2, looks)
  end)

  it("takes at most a tenth of a processor", function()
    local clock, spent, times = os.clock, 0, {}
    os.clock = function() return spent end -- luacheck: ignore
    local ok, why = pcall(watch.run, 0.001, 2, function(number)
      spent, times[number] = spent + 0.01, lunet.now()
      return true
    end)
    os.clock = clock -- luacheck: ignore
    assert.is_true(ok, why)
    assert.is_true(times[2] - times[1] >= 0.089)
  end)

  it("stays in its place on a terminal, and puts an empty line below elsewhere", function()
    local is_terminal = core.is_terminal
    core.is_terminal = function() return true end
    local first, later = watch.screen({ "a", "b" }, true), watch.screen({ "a", "b" }, false)
    core.is_terminal = function() return false end
    local plain = watch.screen({ "a", "b" }, true)
    core.is_terminal = is_terminal
    assert.same({ "\27[2J\27[Ha\27[K\nb\27[K\27[J", "\27[Ha\27[K\nb\27[K\27[J", "a\nb\n" }, { first, later, plain })
  end)
end)
