local core = require "lunet.core"
local eventually = require "spec.support.eventually"
local exclusive = require "lunet.run.exclusive"
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound"

-- Enters, says so, and stays until its standard input ends.
local OTHER <const> = [[
  local exclusive = require "lunet.run.exclusive"
  exclusive.RUN, exclusive.TURN = PLACE .. "/run", PLACE .. "/turn"
  for _ = 1, 2 do
    local _lock <close> = exclusive.enter()
    print "entered"
    io.stdout:flush()
    if not io.read() then return end
  end]]

-- With files in place of the devices, so that no run on this machine is in the way.
describe("the lock of exclusive experiments", function()
  local place, run, turn, was
  before_each(function()
    place = scratch.open()
    run, turn, was = exclusive.RUN, exclusive.TURN, os.getenv(exclusive.VARIABLE)
    exclusive.RUN, exclusive.TURN = place:write("run", ""), place:write("turn", "")
    core.set_environment(exclusive.VARIABLE)
  end)
  after_each(function()
    exclusive.RUN, exclusive.TURN = run, turn
    core.set_environment(exclusive.VARIABLE, was)
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function other(environment)
    return assert(lunet.exec { os.getenv "LUNET", "-e", ("local PLACE = %q\n%s"):format(place.path, OTHER),
      stdin = "pipe", stderr = "pipe", env = environment })
  end

  local function line_of(stream) return (stream:receive("l", BOUND)) end

  it("is held by one at a time; the other says for whom it waits, and gets it when it is given back", function()
    local lock = exclusive.enter()
    local process <close> = other { [exclusive.VARIABLE] = false }
    -- In its namespace of processes it may not see which one; exclusive_commands_spec.lua checks that.
    assert.matches("^lunet: waits for .*: exclusive experiments run one at a time on a machine$",
      line_of(process.stderr))
    assert.is_nil((process.stdout:receive("l", 0)))
    getmetatable(lock).__close()
    assert.equal("entered", line_of(process.stdout))
  end)

  it("goes to the one that waits, not to the one that gives it back and asks again", function()
    local process <close> = other { [exclusive.VARIABLE] = false }
    assert.equal("entered", line_of(process.stdout))
    local second <close> = other { [exclusive.VARIABLE] = false }
    assert.matches("waits for ", line_of(second.stderr))
    process.stdin:send "\n" -- it gives the lock back, and asks again
    assert.equal("entered", line_of(second.stdout))
    assert.matches("waits for ", line_of(process.stderr))
    eventually(function()
      local file <close> = assert(io.open(exclusive.TURN))
      return not core.lock_file(file)
    end)
    second.stdin:send "\n"
    assert.equal("entered", line_of(process.stdout))
  end)

  it("is given back when its process is killed", function()
    local process <close> = other { [exclusive.VARIABLE] = false }
    assert.equal("entered", line_of(process.stdout))
    process:kill "SIGKILL"
    assert.equal("SIGKILL", process:wait(BOUND))
    assert.is_true(lunet.within(BOUND, function()
      local _lock <close> = exclusive.enter(function() end)
    end))
  end)

  it("is not taken again by what its holder runs, in its process or in one that it starts", function()
    local lock = exclusive.enter()
    do
      local _inner <close> = exclusive.enter(error)
    end
    local process <close> = other()
    assert.equal("entered", line_of(process.stdout))
    process:kill "SIGKILL"
    process:wait(BOUND)
    local stranger <close> = other { [exclusive.VARIABLE] = false }
    assert.matches("waits for ", line_of(stranger.stderr))
    getmetatable(lock).__close()
    assert.is_nil(os.getenv(exclusive.VARIABLE))
    assert.equal("entered", line_of(stranger.stdout))
  end)

  it("says why there is none", function()
    assert(os.remove(exclusive.RUN))
    local ok, message = pcall(exclusive.enter)
    assert.same({ false, ("the lock of exclusive experiments: %s: No such file or directory"):format(exclusive.RUN) },
      { ok, message })
    assert(place:write("run", ""))
    local lock_file = core.lock_file
    core.lock_file = function() return nil, "lock: no luck", "ENOLCK" end
    ok, message = pcall(exclusive.enter)
    core.lock_file = lock_file
    assert.same({ false, ("the lock of exclusive experiments: %s: lock: no luck"):format(exclusive.TURN) },
      { ok, message })
  end)

  it("is of an open file", function()
    local file = assert(io.open(exclusive.RUN))
    file:close()
    assert.has_error(function() core.lock_file(file) end, "bad argument #1 to 'lock_file' (an open file expected)")
    assert.has_error(function() core.set_environment("a=b", "c") end,
      "bad argument #1 to 'set_environment' (the name of a variable expected)")
  end)
end)
