local alone = require "lunet.sweep.alone"
local core = require "lunet.core"
local lunet = require "lunet"

local BOUND <const> = 20 -- seconds; for what takes no time

-- On a host, so that no sweep of this machine is in the way.
describe("the lock of exclusive experiments", function()
  local machine, away
  before_each(function()
    machine = assert(lunet.host "machine")
    away = assert(core.set_home(machine))
  end)
  after_each(function()
    assert(core.set_home(away))
    machine:close()
    assert.same({}, lunet.open_handles())
  end)

  it("is held by one at a time; the others wait until it is given back", function()
    local first, order = alone.enter(), {}
    local second = lunet.spawn(function()
      local _lock <close> = alone.enter()
      order[#order + 1] = "entered"
    end)
    lunet.sleep(0) -- it has tried
    order[#order + 1] = "given back"
    first:close()
    assert(second:join(BOUND))
    assert.same({ "given back", "entered" }, order)
  end)

  it("is given back when its process is killed", function()
    local process <close> = assert(machine:exec { os.getenv "LUNET", "-e",
      'local _ = require "lunet.sweep.alone".enter() print "entered" io.stdout:flush() require "lunet".sleep(60)' })
    assert.equal("entered", process.stdout:receive("l", BOUND))
    assert.is_nil((lunet.listen { address = "unix:@lunet-exclusive", backlog = 0 }))
    process:kill "SIGKILL"
    assert.equal("SIGKILL", process:wait(BOUND))
    assert.is_true(lunet.within(BOUND, function()
      local _lock <close> = alone.enter()
    end))
  end)

  it("says why there is none", function()
    local listen = lunet.listen
    lunet.listen = function() return nil, "no luck", "EPERM" end
    local ok, message = pcall(alone.enter)
    lunet.listen = listen
    assert.same({ false, "sweep: the lock of exclusive experiments: no luck" }, { ok, message })
  end)
end)
