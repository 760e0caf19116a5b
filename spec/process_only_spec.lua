-- Calls that act on one process of a program, and the usage of one process and of all.
local lunet = require "lunet"
local exec = require "spec.support.exec"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"
local sh = exec.sh

after_each(function()
  assert.same({}, lunet.open_handles())
end)

-- A shell and its child, which is in a session of its own.
local function start()
  local process = assert(lunet.exec(sh("setsid sleep 1000 & echo ready; wait", { stderr = "null" })))
  assert.equal("ready", process.stdout:receive("l", BOUND))
  local function child()
    local second = assert(process:tree())[2]
    return second and second.name == "sleep" and second.pid
  end
  return process, assert(lunet.eventually(child, BOUND))
end

describe("a signal for one process of a program", function()
  it("stops the program alone, and lets it go on", function()
    local process <close>, child = start()
    assert(process:freeze { only = "leader" })
    tagged.wait_for_states({ process:pid() }, "T")
    assert.not_equal("T", tagged.stat(child)[1])
    assert(process:thaw { only = "leader" })
    tagged.wait_for_states({ process:pid() }, "S")
  end)

  it("stops one that it has started, and lets it go on", function()
    local process <close>, child = start()
    assert(process:freeze { only = child })
    tagged.wait_for_states({ child }, "T")
    assert.not_equal("T", tagged.stat(process:pid())[1])
    assert(process:thaw { only = child })
    tagged.wait_for_states({ child }, "S")
  end)

  it("kills one that it has started", function()
    local process <close>, child = start()
    assert(process:kill("SIGKILL", { only = child }))
    assert.equal(0, process:wait(BOUND))
    assert.equal("ESRCH", (select(3, process:kill("SIGKILL", { only = child }))))
  end)

  it("is not for a process of others", function()
    local process <close> = start()
    local other <close> = start()
    for _, method in ipairs { "freeze", "thaw" } do
      assert.equal("ESRCH", (select(3, process[method](process, { only = other:pid() }))))
    end
    assert.equal("ESRCH", (select(3, process:kill(nil, { only = 2 ^ 31 - 1 }))))
    assert.not_equal("T", tagged.stat(other:pid())[1])
  end)

  it("is for \"leader\" or a process number", function()
    local process <close> = start()
    for _, options in ipairs { { only = "all" }, { only = 0 }, { only = -1 }, { only = 1.5 }, { only = true },
      { olny = 1 }, "leader", 1 } do
      assert.has_error(function() process:freeze(options) end)
      assert.has_error(function() process:kill("SIGTERM", options) end)
    end
    assert.not_equal("T", tagged.stat(process:pid())[1])
    process:close()
    assert.equal("CLOSED", (select(3, process:freeze { only = "leader" })))
  end)
end)

describe("the usage of a program", function()
  it("is the memory of all that runs of it", function()
    local process <close>, child = start()
    local usage = assert(process:usage())
    assert.equal(2, usage.processes)
    local pages = 0
    for _, pid in ipairs { process:pid(), child } do
      local file <close> = assert(io.open(("/proc/%d/statm"):format(pid)))
      pages = pages + file:read("n", "n")
    end
    assert.is_true(usage.resident > 0 and usage.resident % 4096 == 0)
    assert.is_true(usage.resident < pages * 4096)
  end)

  it("is the time of one that spins, also after its end", function()
    local process <close> = assert(lunet.exec(sh "(while :; do :; done) & echo ready; wait"))
    assert.equal("ready", process.stdout:receive("l", BOUND))
    local function spent()
      local usage = assert(process:usage())
      return usage.user + usage.system > 0.1 and usage
    end
    local before = assert(lunet.eventually(spent, BOUND))
    assert(process:kill("SIGKILL", { only = assert(process:tree())[2].pid }))
    assert.equal(0, process:wait(BOUND))
    local after = assert(process:usage())
    assert.is_true(after.user + after.system >= before.user + before.system)
  end)

  it("is told of a program that is open", function()
    local process = start()
    process:close()
    assert.equal("CLOSED", (select(3, process:usage())))
  end)
end)
