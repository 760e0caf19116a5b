local lunet = require "lunet"
local core = require "lunet.core"
local exec = require "spec.support.exec"

local BOUND <const> = require "spec.support.bound"
local sh = exec.sh

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("a signal for one process of a program", function()
  it("names its process in the timeline", function()
    local first = core.record(true)
    local process <close> = assert(lunet.exec { "sleep", "1000" })
    assert(process:kill("SIGTERM", { only = "leader" }))
    assert.equal("SIGTERM", process:wait(BOUND))
    assert(process:kill())
    core.record(false)
    local told = {}
    for _, e in ipairs(core.events(first)) do
      if e.kind == "signal" then told[#told + 1] = { e.signal, e.only } end
    end
    assert.same({ { "SIGTERM", process:pid() }, { "SIGTERM" } }, told)
  end)
end)

describe("the usage of a program", function()
  local SPINS = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done" -- more than one tick of 0.01 s

  local function processor_time(process)
    local usage = assert(process:usage())
    return usage.user + usage.system
  end

  it("includes children, also when they have ended", function()
    local text = ("(%s); echo done; exec sleep 1000"):format(SPINS)
    local process <close> = assert(lunet.exec(sh(text)))
    assert.equal("done", process.stdout:receive("l", BOUND))
    assert.is_true(processor_time(process) > 0)
  end)

  it("includes orphans, also when they have ended", function()
    local text = ("(setsid sh -c '%s; echo done' &); exec sleep 1000"):format(SPINS)
    local process <close> = assert(lunet.exec(sh(text)))
    assert.equal("done", process.stdout:receive("l", BOUND))
    assert(lunet.eventually(function() return #assert(process:tree()) == 1 end, BOUND))
    assert(lunet.eventually(function() return processor_time(process) > 0 end, BOUND))
  end)

  it("includes the program itself, also when it has ended", function()
    local process <close> = assert(lunet.exec(sh(SPINS)))
    assert.equal(0, process:wait(BOUND))
    assert.is_true(processor_time(process) > 0)
    assert.same({ 0, 1 }, { process:usage().resident, process:usage().processes })
  end)
end)
